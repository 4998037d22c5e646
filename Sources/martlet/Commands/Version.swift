import RuleModel
import StreamRuntime

let versionNumber = "0.1.0"

let versionCommand = CommandSpec(
    name: "version", summary: "print the version of the program and of its formats",
    positionals: "", options: [OptionSpec("json", "print one JSON object")]
) { arguments throws(Failure) in
    if arguments.has("json") {
        writeAll(
            1,
            Array(
                "{\"martlet\":\"\(versionNumber)\",\"alert_schema\":\(Alert.schemaVersion)}\n".utf8)
        )
    } else {
        writeAll(1, Array("martlet \(versionNumber), alert schema \(Alert.schemaVersion)\n".utf8))
    }
    return .fine
}
