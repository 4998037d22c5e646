import RuleCompiler
import RuleSyntax
import StreamRuntime

/// `martlet fix`: the fixes that are always right.
let fixCommand = CommandSpec(
    name: "fix", summary: "apply the fixes of messages that are always right",
    positionals: "[PATH]...",
    options: [
        OptionSpec("diff", "change nothing; print what would change, and exit 1 if anything would")
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. Only fixes that
        need no judgement are applied: `check` shows the others as help. A fix that makes a file worse
        is not kept.
        """
    ],
    examples: ["martlet fix --diff rules/", "martlet fix rules/"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let given = RuleFiles(paths: rulePaths(arguments.positionals))
    for problem in given.problems { console.warn("martlet: \(problem)") }
    var sources = given.sources
    var applied = 0
    // A fix may bring another mistake to light.
    for _ in 0..<5 {
        var files = given
        files.sources = sources
        let set = RuleSet(files: &files, includesTests: true)
        var changed = false
        for index in sources.indices {
            // Files that are imported stand behind those given, which are the ones to change.
            let own = set.compilation.diagnostics.filter {
                Int($0.primary.range.source.rawValue) == index
            }
            let edits = safeEdits(own)
            guard !edits.isEmpty else { continue }
            applied += edits.count
            changed = true
            sources[index] = SourceText(
                id: sources[index].id, name: sources[index].name,
                bytes: edited(sources[index].bytes, edits))
        }
        if !changed { break }
    }
    var files = 0
    for (old, new) in zip(given.sources, sources) where old.bytes != new.bytes {
        files += 1
        if arguments.has("diff") {
            let (before, after) = (
                String(decoding: old.bytes, as: UTF8.self),
                String(decoding: new.bytes, as: UTF8.self)
            )
            writeAll(
                1, Array(unifiedDiff(old: before, new: after, name: old.name, change: "fixed").utf8)
            )
        } else {
            try replaceFile(old.name, with: new.bytes)
            console.note("fixed \(old.name)")
        }
    }
    console.note(
        "\(applied == 1 ? "1 fix" : "\(grouped(applied)) fixes") in \(counted(files, "file"))\(arguments.has("diff") ? " would be applied" : "")"
    )
    if !given.problems.isEmpty { return .badRules }
    return arguments.has("diff") && files > 0 ? .findings : .fine
}

private func edited(_ bytes: [UInt8], _ edits: [SourceEdit]) -> [UInt8] {
    var bytes = bytes
    for edit in edits.sorted(by: { $0.range.start > $1.range.start }) {
        bytes.replaceSubrange(
            Int(edit.range.start)..<Int(edit.range.end), with: Array(edit.text.utf8))
    }
    return bytes
}
