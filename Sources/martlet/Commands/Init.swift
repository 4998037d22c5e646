import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet init`: event declarations and a source for events that are there already.
let initCommand = CommandSpec(
    name: "init", summary: "propose event declarations and a source for recorded events",
    positionals: "",
    options: [
        OptionSpec("from", value: "FILE", "recorded events; may be given several times"),
        OptionSpec(
            "output", short: "o", value: "DIR",
            "write schema.rules and sources.rules into this folder (default: print them)"),
        OptionSpec(
            "sample", value: "N", "how many events of each file to look at (default: 20000)"),
    ] + inputOptions.filter { ["type", "type-field", "time-field"].contains($0.name) },
    notes: [
        """
        Fields that some events do not have become optional. Texts with a few values that come again
        and again become choices, addresses `ip`, times `time`. The fields that name the type and the
        time are found by their usual names. What is proposed compiles; read it before you rely on it.
        """
    ],
    examples: [
        "martlet init --from app.ndjson",
        "martlet init --from auth.ndjson.gz --type-field event --time-field @timestamp -o rules/auth",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    let files = arguments.values("from")
    guard !files.isEmpty else {
        throw Failure(
            .badUsage, "`init` needs recorded events", help: "write `martlet init --from FILE`")
    }
    let sample = try readSample(files, arguments, console)
    let proposal = SchemaProposal(sample, files: files, typeName: arguments.value("type"))
    for note in proposal.notes { console.warn("martlet: \(note)") }
    let schema = try checked(proposal.schema, "schema.rules", with: nil)
    let sources = try checked(proposal.sources, "sources.rules", with: schema)
    guard let folder = arguments.value("output") else {
        console.print(schema + "\n" + sources.trimmedEnd)
        return .fine
    }
    for name in ["schema.rules", "sources.rules"] where fileKind("\(folder)/\(name)") != .absent {
        throw Failure(
            .failed, "`\(folder)/\(name)` is there already, so nothing was written",
            help: "choose another folder")
    }
    try makeFolder(folder)
    try replaceFile("\(folder)/schema.rules", with: Array(schema.utf8))
    try replaceFile("\(folder)/sources.rules", with: Array(sources.utf8))
    console.note(
        "wrote \(folder)/schema.rules (\(counted(sample.types.count, "event type"))) and \(folder)/sources.rules"
    )
    console.note("try next: martlet new sequence -o \(folder)/first.rules")
    return .fine
}

/// Looks at recorded events.
///
/// - Throws: when a file cannot be read or none holds an event.
func readSample(
    _ files: [String], _ arguments: ParsedArguments, _ console: Console
) throws(Failure) -> EventSample {
    let limit = try arguments.integer("sample", minimum: 1) ?? 20_000
    let lines = LineSample(paths: files, limit: limit)
    guard lines.report.badFiles == 0 else {
        throw Failure(.failed, lines.report.summary)
    }
    let options = try inputSettings(arguments)
    let sample = EventSample(
        lines.lines, typeName: options.typeName,
        typeField: arguments.has("type-field") ? options.typeField : nil,
        timeField: arguments.has("time-field") ? options.timeField : nil)
    guard sample.events > 0 else {
        throw Failure(
            .failed, "there is no event in \(files.joined(separator: ", "))",
            help: "a line is one JSON object")
    }
    if sample.unreadable > 0 {
        console.warn("martlet: \(counted(sample.unreadable, "line")) are no JSON object")
    }
    return sample
}

/// The canonical form of a text that was made.
private func checked(
    _ text: String, _ name: String, with other: String?
) throws(Failure) -> String {
    let source = SourceText(name: name, text: text)
    let parsed = parse(source)
    guard let formatted = format(parsed, source: source) else {
        throw Failure(
            .failed,
            "the proposal for \(name) does not parse: \(parsed.diagnostics.first?.message ?? "")")
    }
    var sources = [SourceText(name: name, text: formatted)]
    if let other { sources.append(SourceText(name: "other.rules", text: other)) }
    for index in sources.indices { sources[index].id = SourceID(rawValue: UInt32(index)) }
    let errors = compile(sources).diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty else {
        throw Failure(
            .failed, "the proposal for \(name) does not compile: \(errors[0].message)")
    }
    return formatted
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}

/// Declarations made of what a sample holds.
private struct SchemaProposal {
    private(set) var schema = ""
    private(set) var sources = ""
    /// What was left out, and why.
    private(set) var notes: [String] = []

    init(_ sample: EventSample, files: [String], typeName: String?) {
        schema =
            "# Made by martlet init from \(counted(sample.events, "event")) of \(names(files)).\n"
        for (name, type) in sample.types.sorted(by: {
            ($1.value.count, $0.key) < ($0.value.count, $1.key)
        }) {
            guard let spelled = spelledName(name) else {
                notes.append(
                    "the type \(PlanText.quoted(name)) of \(counted(type.count, "event")) is no name that a rule can write, so it is left out"
                )
                continue
            }
            schema += "\n# \(counted(type.count, "event"))\nevent \(spelled) {\n"
            var declared = 0
            for path in type.paths {
                guard path != sample.timeField, path != sample.typeField,
                    let field = type.fields[path]
                else { continue }
                let words = PlanText.spelled(path)
                guard let kind = field.type, isWritable(path) else {
                    schema += "  # \(visible(words)) holds objects, which rules do not read\n"
                    continue
                }
                var line = "  \(words): \(kind)"
                var remarks: [String] = []
                if field.present < type.count {
                    line += "?"
                    remarks.append("in \(share(field.present, of: type.count))")
                }
                if field.misfits > 0 {
                    remarks.append("of another type in \(share(field.misfits, of: field.present))")
                }
                if !remarks.isEmpty { line += "  # \(remarks.joined(separator: ", "))" }
                schema += line + "\n"
                declared += 1
            }
            if declared == 0 { schema += "  # no fields\n" }
            schema += "}\n"
        }
        makeSources(sample, files, typeName)
    }

    private mutating func makeSources(_ sample: EventSample, _ files: [String], _ typeName: String?)
    {
        sources = "# Made by martlet init. `martlet run --rules DIR` reads what sources name.\n"
        if sample.timeField == nil {
            notes.append(
                "no field with the time of the events was found; name it with `--time-field FIELD`")
        }
        for file in files {
            sources += "\nsource \(sourceName(file)) {\n"
            sources += "  file { path \(PlanText.quoted(file)) }\n  decode json\n"
            if let path = sample.timeField { sources += "  time \(PlanText.spelled(path))\n" }
            if let path = sample.typeField {
                sources += "  type field \(PlanText.quoted(path.description))\n"
            } else {
                sources += "  type \(PlanText.quoted(typeName ?? "event"))\n"
            }
            if sample.disorder > .zero {
                // Rounded up to whole seconds, so that the text is short.
                let seconds = (sample.disorder.nanoseconds + 999_999_999) / 1_000_000_000
                sources += "  lateness \(TimeSpan.second * seconds)\n"
            }
            sources += "}\n"
        }
    }

    private func names(_ files: [String]) -> String {
        files.map { String($0.split(separator: "/").last ?? "events") }.joined(separator: ", ")
    }

    /// `auth` of `logs/auth.ndjson.gz`.
    private func sourceName(_ file: String) -> String {
        let base = file.split(separator: "/").last?.split(separator: ".").first ?? "events"
        var name = ""
        for character in base.unicodeScalars {
            let isWord =
                character.isASCII
                && (character.properties.isAlphabetic || character.properties.numericType != nil)
            name += isWord ? String(character).lowercased() : "_"
        }
        return name.first?.isLetter ?? false ? name : "events_\(name)"
    }

    private func isWritable(_ path: FieldPath) -> Bool {
        path.segments.allSatisfy { segment in
            !segment.isEmpty && !segment.contains("`")
                && segment.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
    }

    /// A dotted name; nil where it cannot be written.
    private func spelledName(_ name: String) -> String? {
        let path = FieldPath(
            name.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
        let spelled = PlanText.spelled(path)
        return isWritable(path) && !spelled.contains("`") ? spelled : nil
    }
}

/// `81 %`; below one in a hundred `<1 %`, and never 100 % for less than all.
func share(_ part: Int, of all: Int) -> String {
    guard all > 0 else { return "0 %" }
    let percent = part * 100 / all
    return part > 0 && percent == 0 ? "<1 %" : "\(percent) %"
}
