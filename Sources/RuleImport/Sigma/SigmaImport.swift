import RuleSyntax

/// What the caller decides about an import of Sigma rules.
public struct SigmaImportOptions: Sendable {
    /// Mapping files, the most important first. The built-in mapping comes last.
    public var mappings: [ImportInput]
    /// YAML files with values for placeholders: a map from names to lists.
    public var values: [ImportInput]

    public init(mappings: [ImportInput] = [], values: [ImportInput] = []) {
        self.mappings = mappings
        self.values = values
    }
}

/// Turns Sigma rules, correlations and filters into rules of ours.
///
/// All inputs are read together, so that a correlation finds its rules wherever they are. Never fails:
/// what cannot be kept is in the notes, and every rule of the output compiles.
public func importSigma(
    _ inputs: [ImportInput], options: SigmaImportOptions = SigmaImportOptions()
) -> ImportResult {
    var importer = SigmaImporter(inputs: inputs, options: options)
    return importer.run()
}

/// The state of one import.
struct SigmaImporter {
    let inputs: [ImportInput]
    var documents: [SigmaDocument] = []
    var mapping = LogSourceMapping()
    var modifiers = SigmaModifiers(placeholders: [:])
    var notes: [ImportNote] = []
    var names = NameTable()
    var drafts: [RuleDraft] = []
    /// What became of each document.
    var outcomes: [Outcome] = []

    enum Outcome {
        case untouched
        /// A correlation that leads back to itself is found by this.
        case inProgress
        case lost
        /// Index of the draft.
        case drafted(Int)
    }

    init(inputs: [ImportInput], options: SigmaImportOptions) {
        self.inputs = inputs
        for input in options.mappings { notes += mapping.add(input) }
        notes += mapping.add(
            ImportInput(name: "the built-in mapping", bytes: Array(builtinMapping.utf8)))
        for input in options.values {
            let (documents, fault) = readYAML(input.bytes)
            if let fault { notes.append(note(of: input.name, fault)) }
            for member in documents.flatMap({ $0.members ?? [] }) {
                modifiers.placeholders[member.key] = member.value.texts
            }
        }
    }

    private func note(of file: String, _ fault: YAMLFault) -> ImportNote {
        ImportNote(
            kind: .lost, file: file, line: fault.line, rule: "", id: "", place: "",
            reason: "this is not YAML that can be read: \(fault.reason)")
    }

    mutating func run() -> ImportResult {
        var ruleCount = 0
        for (index, input) in inputs.enumerated() {
            let (nodes, fault) = readYAML(input.bytes)
            if let fault {
                notes.append(note(of: input.name, fault))
                ruleCount += 1
            }
            for node in nodes where node.value != .null {
                documents.append(SigmaDocument(node, input: index))
            }
        }
        outcomes = Array(repeating: .untouched, count: documents.count)
        for index in documents.indices { _ = draft(of: index) }
        ruleCount += documents.count { document in
            if case .filter = document.kind { return false }
            return true
        }
        var assembly = Assembly(inputs: inputs, drafts: drafts, notes: notes, ruleCount: ruleCount)
        return assembly.result()
    }

    // MARK: - Documents

    /// The draft of a document, made when it is first asked for; nil when it was lost.
    mutating func draft(of index: Int) -> Int? {
        switch outcomes[index] {
        case .drafted(let draft): return draft
        case .lost: return nil
        case .inProgress: return nil
        case .untouched: break
        }
        outcomes[index] = .inProgress
        let document = documents[index]
        do throws(ImportLoss) {
            let draft: RuleDraft
            switch document.kind {
            case .rule: draft = try rule(document, at: index)
            case .correlation: draft = try correlation(document)
            case .filter:
                outcomes[index] = .lost
                return nil
            case .unknown(let reason): throw ImportLoss(reason: reason, line: document.node.line)
            }
            drafts.append(draft)
            outcomes[index] = .drafted(drafts.count - 1)
            return drafts.count - 1
        } catch {
            lose(document, error)
            outcomes[index] = .lost
            return nil
        }
    }

    private mutating func lose(_ document: SigmaDocument, _ loss: ImportLoss) {
        notes.append(
            ImportNote(
                kind: .lost, file: inputs[document.input].name,
                line: loss.line == 0 ? document.node.line : loss.line, rule: document.label,
                id: document.id, place: loss.place, reason: loss.reason))
    }

    /// The documents that a reference of a correlation or a filter means.
    func documents(referredBy reference: String) -> [Int] {
        documents.indices.filter { documents[$0].isReferred(by: reference) }
    }

    // MARK: - Rules over single events

    private mutating func rule(
        _ document: SigmaDocument, at index: Int
    ) throws(ImportLoss) -> RuleDraft {
        var draft = document.draft(named: names.unique(document.proposedName))
        let stream = mapping.stream(of: document.logSource)
        var detection = SigmaDetection(stream: stream, modifiers: modifiers)
        var condition = try self.condition(of: document, in: "detection", &detection)
        for filter in filters(for: index) {
            let filtering = try self.condition(of: filter, in: "filter", &detection)
            condition = .all([condition, filtering])
        }
        draft.schema = detection.schema
        draft.schema.add(stream)
        for change in detection.changes {
            notes.append(
                draft.note(
                    .changed, inputs[draft.input].name, line: change.line, place: "detection",
                    change.reason))
        }
        let text = condition.simplified.text
        // A step's name would hide a field of that name.
        let step = draft.schema.hasField("hit", of: stream.event) ? "hit_event" : "hit"
        draft.selection = RuleDraft.Selection(
            step: step, source: stream.source, condition: text,
            wholeCondition: stream.gate.map { "(\($0)) and (\(text))" } ?? text)
        let reference = references(to: index)
        guard !reference.isReferred || reference.isGenerated else {
            draft.isRule = false
            return draft
        }
        draft.actions = ["  alert \(RuleWriter.message(document.label))"]
        // The fields that the author names, then those that the rule looks at.
        let read = detection.fieldsRead
        for field in document.node["fields"]?.texts ?? [] {
            _ = try? detection.subject(field, line: draft.line)
        }
        draft.schema.add(detection.schema)
        var attached = detection.fieldsRead.dropFirst(read.count).map { "\(step).\($0)" }
        attached += read.map { "\(step).\($0)" }
        if !attached.isEmpty {
            draft.actions.append("  attach \(attached.joined(separator: ", "))")
        }
        return draft
    }

    /// The condition of a rule or filter; a list of conditions means any of them.
    private func condition(
        of document: SigmaDocument, in key: String, _ detection: inout SigmaDetection
    ) throws(ImportLoss) -> ImportedCondition {
        guard let members = document.node[key]?.members, let node = document.node[key]?["condition"]
        else {
            throw ImportLoss(reason: "there is no condition", line: document.node.line, place: key)
        }
        let names = ["condition", "timeframe", "rules"]
        let detections = members.filter { !names.contains($0.key) }
        if key == "detection", let timeframe = document.node[key]?["timeframe"] {
            throw ImportLoss(
                reason: "`timeframe` was taken out of Sigma; write a correlation",
                line: timeframe.line, place: key)
        }
        var ways: [ImportedCondition] = []
        for text in node.texts {
            let parsed: SigmaCondition
            do throws(SigmaConditionFault) {
                parsed = try SigmaCondition.parse(text)
            } catch {
                throw ImportLoss(
                    reason: error.reason, line: node.line, place: "\(key).condition")
            }
            ways.append(try detection.condition(parsed, detections, line: node.line))
        }
        guard !ways.isEmpty else {
            throw ImportLoss(
                reason: "there is no condition", line: node.line, place: "\(key).condition")
        }
        return .any(ways)
    }

    /// The filters that apply to a rule.
    private func filters(for index: Int) -> [SigmaDocument] {
        documents.filter { document in
            guard case .filter = document.kind,
                document.logSource.covers(documents[index].logSource)
            else { return false }
            let rules = document.node["filter"]?["rules"]?.texts ?? []
            return rules.isEmpty || rules.contains { $0.lowercased() == "any" }
                || rules.contains { documents[index].isReferred(by: $0) }
        }
    }

    /// Whether correlations build on a document, and whether it raises alerts of its own besides.
    private func references(to index: Int) -> (isReferred: Bool, isGenerated: Bool) {
        let correlations = documents.filter { document in
            guard case .correlation = document.kind else { return false }
            return SigmaCorrelation.references(of: document).contains {
                documents[index].isReferred(by: $0)
            }
        }
        let isGenerated = correlations.contains { document in
            let generate = document.node["correlation"]?["generate"] ?? document.node["generate"]
            return generate?.value == .bool(true)
        }
        return (!correlations.isEmpty, isGenerated)
    }
}

extension Schema {
    /// Declares a stream: its event type, its gate, and the fields that the gate reads.
    mutating func add(_ stream: SigmaStream) {
        add(event: stream.event)
        guard let gate = stream.gate else { return }
        let text = "\(stream.event) where \(gate)"
        add(select: stream.selectName, text)
        for name in fieldNames(in: "select s = \(text)") {
            guard let path = RuleWriter.path(name) else { continue }
            add(field: path, type: stream.type(of: name), of: stream.event)
        }
    }

    /// The dotted names in the condition of a `select`.
    private func fieldNames(in declaration: String) -> [String] {
        let source = SourceText(
            id: SourceID(rawValue: 0), name: "mapping", bytes: Array(declaration.utf8))
        guard case .select(let select)? = parse(source).file.declarations.first,
            let condition = select.source.condition
        else { return [] }
        return names(in: condition)
    }

    private func names(in expression: ExpressionSyntax) -> [String] {
        if let names = expression.dottedNames {
            return [names.map(\.text).joined(separator: ".")]
        }
        return expression.children.flatMap(names(in:))
    }
}
