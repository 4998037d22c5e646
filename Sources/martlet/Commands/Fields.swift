import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet fields`: which fields are declared, which are read, and which the events have.
let fieldsCommand = CommandSpec(
    name: "fields", summary: "list the fields of events: declared, read, never read, missing",
    positionals: "[TYPE]...",
    options: [
        OptionSpec(
            "rules", value: "PATH",
            "a rule file or folder; may be given several times (default: rules)"
        ),
        OptionSpec(
            "from", value: "FILE", "recorded events to compare with; may be given several times"),
        OptionSpec(
            "sample", value: "N", "how many events of each file to look at (default: 20000)"),
        OptionSpec("format", choices: ["text", "json"], "how to print it (default: text)"),
    ] + inputOptions.filter { ["type", "type-field", "time-field"].contains($0.name) },
    notes: [
        """
        A field is read when a rule, metric, select or definition names it; tests do not count. With
        --from each field shows in which part of the events it is, and fields that no declaration
        names are listed too.

        Exit 1 if recorded events lack a field that is declared as always there, or hold another type.
        """
    ],
    examples: [
        "martlet fields --rules rules/ssh",
        "martlet fields ssh_accepted --rules rules/ssh --from auth.ndjson --type-field event",
    ]
) { arguments throws(Failure) in
    let console = Console(arguments)
    var paths = arguments.values("rules")
    if paths.isEmpty { paths = rulePaths([]) }
    let set = RuleSet(paths: paths, includesTests: true)
    _ = try set.runnable(console)
    let files = arguments.values("from")
    let sample = files.isEmpty ? nil : try readSample(files, arguments, console)
    let page = try FieldsPage(set.compilation, sample: sample, wanted: arguments.positionals)
    if arguments.value("format") == "json" {
        console.print(page.json.line)
    } else {
        console.print(page.text)
    }
    return page.hasFindings ? .findings : .fine
}

/// What is known of the fields of events.
private struct FieldsPage {
    struct Row {
        var name: String
        /// As declared; nil: it is not.
        var type: String?
        /// The declarations that read it, by name.
        var readers: [String] = []
        var present: Int?
        /// What does not fit the declaration.
        var problem: String?
    }

    struct Table {
        var name: String
        var isDeclared: Bool
        var events: Int?
        var rows: [Row]
    }

    private(set) var tables: [Table] = []
    private let hasSample: Bool

    var hasFindings: Bool { tables.contains { $0.rows.contains { $0.problem != nil } } }

    init(_ compilation: Compilation, sample: EventSample?, wanted: [String]) throws(Failure) {
        hasSample = sample != nil
        let readers = FieldReaders(compilation)
        for event in compilation.events {
            switch event.kind {
            case .declared, .undeclared: break
            case .alert, .metric, .risk: continue
            }
            let type = sample?.types[event.name]
            var rows = event.fields.map { field -> Row in
                var row = Row(
                    name: PlanText.spelled(field.path),
                    type: event.kind == .declared
                        ? field.type.words + (field.isOptional ? "?" : "") : nil,
                    readers: readers.names(of: field))
                if let type {
                    let seen = type.fields[field.path]
                    row.present = seen?.present ?? 0
                    row.problem = FieldsPage.problem(field, seen, in: type)
                }
                return row
            }
            for path in type?.paths ?? []
            where path != sample?.timeField && path != sample?.typeField
                && !event.fields.contains(where: { $0.path == path })
            {
                rows.append(Row(name: PlanText.spelled(path), present: type?.fields[path]?.present))
            }
            tables.append(
                Table(
                    name: event.name, isDeclared: event.kind == .declared,
                    events: hasSample ? type?.count ?? 0 : nil, rows: rows))
        }
        for (name, type) in (sample?.types ?? [:]).sorted(by: { $0.key < $1.key })
        where !compilation.events.contains(where: { $0.name == name }) {
            tables.append(
                Table(
                    name: name, isDeclared: false, events: type.count,
                    rows: type.paths.map {
                        Row(name: PlanText.spelled($0), present: type.fields[$0]?.present)
                    }))
        }
        for name in wanted where !tables.contains(where: { $0.name == name }) {
            throw Failure(
                .badUsage, "no rule and no event knows the type `\(name)`",
                help: suggest(name, among: tables.map(\.name)).map {
                    "there is a type with a similar name: `\($0)`"
                })
        }
        if !wanted.isEmpty { tables.removeAll { !wanted.contains($0.name) } }
    }

    private static func problem(
        _ field: EventSymbol.Field, _ seen: EventSample.Field?, in type: EventSample.EventType
    ) -> String? {
        let missing = type.count - (seen?.present ?? 0)
        if missing > 0, !field.isOptional {
            return "missing in \(share(missing, of: type.count)), and declared as always there"
        }
        guard let seen else { return nil }
        let fitting: Int
        switch field.type {
        case .number: fitting = seen.numbers
        case .bool: fitting = seen.bools
        case .text: fitting = seen.texts
        case .ip: fitting = seen.addresses
        case .time: fitting = seen.times + seen.numbers
        case .list: fitting = seen.lists
        case .enumeration(let values):
            // Of many values not all are kept.
            if seen.hasManyValues { return "holds many more values than declared" }
            fitting = seen.values.reduce(0) { sum, value in
                sum + (values.contains(value.key) ? value.value : 0)
            }
        default: return nil
        }
        let others = seen.present - fitting
        return others > 0
            ? "\(share(others, of: seen.present)) of the values are no `\(field.type.words)`" : nil
    }

    var text: String {
        tables.map { table in
            var head = table.name
            if let events = table.events { head += "   \(counted(events, "event")) in the sample" }
            if !table.isDeclared { head += "   not declared" }
            let width = table.rows.map(\.name.count).max() ?? 0
            let typeWidth = min(40, table.rows.map { ($0.type ?? "not declared").count }.max() ?? 0)
            let lines = table.rows.map { row -> String in
                let type = row.type ?? "not declared"
                var line = "  \(visible(row.name).padded(to: width))  \(type.padded(to: typeWidth))"
                if let present = row.present, let events = table.events {
                    line += "  " + share(present, of: events).padded(to: 5)
                }
                let readers = readers(row)
                if !readers.isEmpty { line += "  " + readers }
                if let problem = row.problem { line += "   <- \(problem)" }
                return line
            }
            return ([head] + lines).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    private func readers(_ row: Row) -> String {
        switch row.readers.count {
        case 0: row.type == nil ? "" : "never read"
        case 1...3: "read by " + row.readers.joined(separator: ", ")
        default: "read by \(row.readers[0]), \(row.readers[1]) and \(row.readers.count - 2) more"
        }
    }

    var json: JSONDocument {
        .object([
            ("schema", 1),
            (
                "types",
                .array(
                    tables.map { table in
                        .object([
                            ("name", .text(table.name)), ("declared", .bool(table.isDeclared)),
                            ("events", table.events.map { .number($0) } ?? .null),
                            (
                                "fields",
                                .array(
                                    table.rows.map { row in
                                        .object([
                                            ("name", .text(row.name)),
                                            ("type", row.type.map { .text($0) } ?? .null),
                                            ("read_by", .array(row.readers.map { .text($0) })),
                                            ("present", row.present.map { .number($0) } ?? .null),
                                            ("problem", row.problem.map { .text($0) } ?? .null),
                                        ])
                                    })
                            ),
                        ])
                    })
            ),
        ])
    }
}

/// Which declarations name a field.
private struct FieldReaders {
    private var byField: [SourceRange: [String]] = [:]

    init(_ compilation: Compilation) {
        var declarations: [(range: SourceRange, name: String)] = []
        for file in compilation.files {
            for declaration in file.declarations {
                switch declaration {
                case .rule(let rule): declarations.append((rule.range, rule.name.text))
                case .metric(let metric): declarations.append((metric.range, metric.name.text))
                case .select(let select): declarations.append((select.range, select.name.text))
                default: break
                }
            }
        }
        for use in compilation.uses where !use.isDeclaration {
            let reader = declarations.first { entry in
                entry.range.source == use.range.source && entry.range.start <= use.range.start
                    && use.range.end <= entry.range.end
            }
            guard let reader, !byField[use.declaration, default: []].contains(reader.name) else {
                continue
            }
            byField[use.declaration, default: []].append(reader.name)
        }
    }

    func names(of field: EventSymbol.Field) -> [String] {
        field.range.flatMap { byField[$0] } ?? []
    }
}
