/// What the caller decides about an import of EQL.
public struct EQLImportOptions: Sendable {
    /// The type that all events have here.
    public var event: String
    /// The field that holds what a query's first word names.
    public var categoryField: String

    public init(event: String = "ecs.event", categoryField: String = "event.category") {
        self.event = event
        self.categoryField = categoryField
    }
}

/// Turns queries of the Event Query Language into rules of ours.
///
/// An input holds one query, or several with a line `---` between them. Never fails: what cannot be kept
/// is in the notes, and every rule of the output compiles.
public func importEQL(
    _ inputs: [ImportInput], options: EQLImportOptions = EQLImportOptions()
) -> ImportResult {
    var importer = EQLImporter(inputs: inputs, options: options)
    return importer.run()
}

private struct EQLImporter {
    let inputs: [ImportInput]
    let options: EQLImportOptions
    var names = NameTable()
    var drafts: [RuleDraft] = []
    var notes: [ImportNote] = []

    init(inputs: [ImportInput], options: EQLImportOptions) {
        self.inputs = inputs
        self.options = options
    }

    mutating func run() -> ImportResult {
        var ruleCount = 0
        for (index, input) in inputs.enumerated() {
            for part in parts(of: input) {
                ruleCount += 1
                var draft = RuleDraft()
                draft.input = index
                draft.line = part.line
                draft.label = fileStem(of: input.name)
                draft.name = names.unique(RuleWriter.identifier(from: draft.label))
                do throws(ImportLoss) {
                    try fill(&draft, from: part.text)
                    drafts.append(draft)
                } catch {
                    notes.append(
                        draft.note(
                            .lost, input.name, line: error.line, place: error.place, error.reason))
                }
            }
        }
        var assembly = Assembly(inputs: inputs, drafts: drafts, notes: notes, ruleCount: ruleCount)
        return assembly.result()
    }

    /// The queries of an input, with the lines on which they begin.
    private func parts(of input: ImportInput) -> [(text: String, line: Int)] {
        let lines = String(decoding: input.bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        var parts: [(text: String, line: Int)] = []
        var text = ""
        var first = 1
        for (index, line) in lines.enumerated() {
            if line.allSatisfy({ $0 == "-" || $0.isWhitespace }), line.hasPrefix("---") {
                parts.append((text, first))
                text = ""
                first = index + 2
            } else {
                text += line + "\n"
            }
        }
        parts.append((text, first))
        return parts.filter { !$0.text.allSatisfy(\.isWhitespace) }
    }

    private mutating func fill(_ draft: inout RuleDraft, from text: String) throws(ImportLoss) {
        let (tokens, comments) = try lexEQL(text, firstLine: draft.line)
        let query = try parseEQL(tokens)
        draft.comments = comments.flatMap { commentLines($0) }
        for pipe in query.pipes {
            guard pipe == "head" || pipe == "tail" else {
                throw ImportLoss(
                    reason: "`| \(pipe)` works on results, and has no counterpart here",
                    line: draft.line)
            }
            notes.append(
                draft.note(
                    .changed, inputs[draft.input].name,
                    "`| \(pipe)` limits a list of results; here every match is an alert"))
        }
        var translation = EQLTranslation(event: options.event, line: draft.line)
        switch query.kind {
        case .event(let event):
            let source = try self.source(event, &translation)
            draft.pattern = ["  sequence {", "    step_1: \(source)", "  }"]
            draft.schema.add(translation.schema)
            attach(translation.fieldsRead.map { "step_1.\($0)" }, to: &draft)
        case .sequence(let sequence):
            try fill(&draft, from: sequence, &translation)
            draft.schema.add(translation.schema)
        }
        draft.actions.insert("  alert \(RuleWriter.message(draft.label))", at: 0)
        draft.metadata = ["  title \(RuleWriter.text(draft.label))"]
        if case .sequence(let sequence) = query.kind, sequence.maxspan == nil {
            draft.metadata.append("  allow W0601 \"the query has no maxspan\"")
        }
        try declareCategories(of: query, in: &draft)
    }

    private func attach(_ fields: [String], to draft: inout RuleDraft) {
        if !fields.isEmpty { draft.actions.append("  attach \(fields.joined(separator: ", "))") }
    }

    // MARK: - Events

    /// The events of a query: those of its category that meet its condition.
    private func source(
        _ query: EQLEventQuery, _ translation: inout EQLTranslation
    ) throws(ImportLoss) -> String {
        let stream = query.category.map { selectName($0) } ?? options.event
        if query.condition == .bool(true) { return stream }
        return "\(stream) where \(try translation.condition(query.condition).simplified.text)"
    }

    private func selectName(_ category: String) -> String {
        RuleWriter.identifier(from: category) + "_events"
    }

    /// A `select` for each category. The field may hold one, or, as ECS has it, a list of them.
    private func declareCategories(
        of query: EQLQuery, in draft: inout RuleDraft
    ) throws(ImportLoss) {
        guard let field = RuleWriter.path(options.categoryField),
            let event = RuleWriter.path(options.event)
        else {
            throw ImportLoss(
                reason: "the event type or the field of its category cannot be written",
                line: draft.line)
        }
        draft.schema.add(event: event)
        var queries: [EQLEventQuery] = []
        switch query.kind {
        case .event(let query): queries = [query]
        case .sequence(let sequence):
            queries = (sequence.items + [sequence.until].compactMap { $0 }).map(\.query)
        }
        for category in queries.compactMap(\.category) {
            let text = RuleWriter.text(category)
            draft.schema.add(field: field, type: "any", of: event)
            draft.schema.add(
                select: selectName(category),
                "\(event) where \(field) == \(text) or (any element in \(field): element == \(text))"
            )
        }
    }

    // MARK: - Sequences

    private mutating func fill(
        _ draft: inout RuleDraft, from sequence: EQLSequence,
        _ translation: inout EQLTranslation
    ) throws(ImportLoss) {
        let keys = try self.keys(of: sequence, &translation)
        var attached: [String] = []
        let expanded = sequence.items.flatMap { item in
            Array(repeating: item, count: item.isMissing ? 1 : item.runs)
        }
        guard expanded.count <= 64 else {
            throw ImportLoss(reason: "the sequence has more than 64 events", line: draft.line)
        }
        guard let first = expanded.firstIndex(where: { !$0.isMissing }) else {
            throw ImportLoss(reason: "nothing happens in the sequence", line: draft.line)
        }
        let last = expanded.lastIndex { !$0.isMissing } ?? first
        var elements: [String] = []
        for (index, item) in expanded.enumerated() {
            translation.line = item.line
            let name = "step_\(index + 1)"
            var own = EQLTranslation(event: options.event, line: item.line)
            let source = try self.source(item.query, &own)
            draft.schema.add(own.schema)
            let by = try aliases(of: item, keys, &translation)
            if !item.isMissing {
                let then = index > first ? "then " : ""
                elements.append("    \(then)\(name): \(source)\(by)")
                attached += own.fieldsRead.map { "\(name).\($0)" }
                continue
            }
            if index > first, index < last {
                elements.append("    without \(name): \(source)\(by)")
                continue
            }
            guard let span = sequence.maxspan else {
                throw ImportLoss(
                    reason: "what must not happen at an end of the sequence needs a `maxspan`",
                    line: item.line)
            }
            if expanded.count(where: { !$0.isMissing }) > 1 {
                let neighbour = index < first ? "the event behind it" : "the event before it"
                notes.append(
                    draft.note(
                        .changed, inputs[draft.input].name, line: item.line,
                        "`![` at an end of the sequence: `maxspan` is counted from \(neighbour), "
                            + "not over the whole sequence"))
            }
            elements.append(
                index < first
                    ? "    no \(name): \(source)\(by) for \(span)"
                    : "    then no \(name): \(source)\(by) within \(span)")
        }
        if let until = sequence.until {
            let source = try self.source(until.query, &translation)
            elements.append(
                "    until end: \(source)\(try aliases(of: until, keys, &translation))")
        }
        let by = keys.isEmpty ? "" : " by \(keys.joined(separator: ", "))"
        var head = "  sequence\(by)"
        head += sequence.maxspan.map { " within \($0)" } ?? " unbounded limit \(Self.runsMax) runs"
        let hasEnd = expanded.last?.isMissing == true
        // One open run for each step, the newest: what EQL's own engine keeps.
        head += hasEnd ? " restart on repeat" : " overlap latest"
        if first > 0 { head += " assume absent at start" }
        draft.pattern = [head + " {"] + elements + ["  }"]
        if sequence.maxspan == nil {
            notes.append(
                draft.note(
                    .changed, inputs[draft.input].name,
                    "without `maxspan` EQL remembers for ever; here \(Self.runsMax) open runs are "
                        + "kept for each key"))
        }
        attach(attached, to: &draft)
    }

    private static let runsMax = 1000

    /// The names of the parts of the key: the fields of the first event that is there.
    private func keys(
        of sequence: EQLSequence, _ translation: inout EQLTranslation
    ) throws(ImportLoss) -> [String] {
        let model = sequence.items.first { !$0.isMissing } ?? sequence.items[0]
        let fields = sequence.keys + model.keys
        for item in sequence.items + [sequence.until].compactMap({ $0 })
        where item.keys.count != model.keys.count {
            throw ImportLoss(
                reason: "the events of the sequence have keys of different lengths",
                line: item.line)
        }
        for field in fields where field.isOptional {
            throw ImportLoss(
                reason:
                    "`by ?\(field.name)` joins events without the field, which have no key here",
                line: translation.line)
        }
        var keys: [String] = []
        for field in fields {
            let path = try translation.path(field)
            guard !keys.contains(path) else {
                throw ImportLoss(
                    reason: "`\(field.name)` stands twice in the key", line: translation.line)
            }
            keys.append(path)
        }
        return keys
    }

    /// ` by key = field` for an event whose fields are called otherwise.
    private func aliases(
        of item: EQLSequence.Item, _ keys: [String], _ translation: inout EQLTranslation
    ) throws(ImportLoss) -> String {
        var aliases: [String] = []
        for (key, field) in zip(keys.suffix(item.keys.count), item.keys) {
            let path = try translation.path(field)
            if path != key { aliases.append("\(key) = \(path)") }
        }
        return aliases.isEmpty ? "" : " by \(aliases.joined(separator: ", "))"
    }
}

/// The name of a file without its folder and ending.
public func fileStem(of path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? "rules"
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
}
