import RuleCompiler
import RuleModel
import RuleSyntax

/// One entry of a completion list.
struct Proposal {
    /// The kinds of the protocol that fit.
    enum Kind: Int {
        case function = 3, field = 5, variable = 6, structLike = 22, module = 9, property = 10
        case keyword = 14, file = 17, enumMember = 20, constant = 21, event = 23
    }

    var label: String
    var kind: Kind
    var detail: String?
    var documentation: String?
    /// A snippet where the client knows snippets; else the label is put in.
    var snippet: String?
    /// Nearer names come first: names of this rule, of the file set, words, functions.
    var rank = 2

    static func word(_ word: CompletionWords.Word) -> Proposal {
        Proposal(
            label: word.label, kind: .keyword, documentation: word.documentation,
            snippet: word.snippet)
    }
}

extension LanguageServer {
    func completion(_ view: DocumentView, at offset: UInt32) -> JSONDocument {
        guard let place = CompletionPlace(view.source, at: offset) else {
            return ["isIncomplete": false, "items": []]
        }
        let proposals = Proposals(view: view, place: place, offset: offset).all()
        // What is typed so far is replaced, a text with its quotes.
        var range = place.word
        if let text = place.text {
            range = text.range
            if view.source.bytes[Int(range.end) - 1] != UInt8(ascii: "\"") || range.length < 2 {
                range.end = offset
            }
        }
        var seen: Set<String> = []
        let items = proposals.filter { seen.insert($0.label).inserted }.map {
            json($0, range, view)
        }
        return ["isIncomplete": false, "items": .array(items)]
    }

    private func json(_ proposal: Proposal, _ range: SourceRange, _ view: DocumentView)
        -> JSONDocument
    {
        let snippet = supportsSnippets ? proposal.snippet : nil
        var members: [(String, JSONDocument)] = [
            ("label", .text(proposal.label)),
            ("kind", .number(proposal.kind.rawValue)),
            ("sortText", .text("\(proposal.rank)\(proposal.label)")),
            (
                "textEdit",
                ["range": view.map.json(range), "newText": .text(snippet ?? proposal.label)]
            ),
        ]
        if snippet != nil { members.append(("insertTextFormat", 2)) }
        if let detail = proposal.detail { members.append(("detail", .text(detail))) }
        if let documentation = proposal.documentation {
            members.append(
                ("documentation", ["kind": "markdown", "value": .text(documentation)]))
        }
        return .object(members)
    }
}

/// What can stand at one place.
struct Proposals {
    let view: DocumentView
    let place: CompletionPlace
    let offset: UInt32

    var compilation: Compilation { view.compilation }

    func all() -> [Proposal] {
        if place.isInMessage { return expression(.match) }
        switch block {
        case .top: return top()
        case .event: return place.last?.kind == .colon ? types : []
        case .rule: return ruleClause()
        case .sequence, .correlation: return stepClause()
        case .threshold, .metric: return windowClause()
        case .anomaly: return anomalyClause()
        case .test: return testClause()
        case .testEvent: return testField()
        case .source, .sink, .engine, .connector: return setting()
        case .other: return []
        }
    }

    // MARK: - Blocks

    private enum Block {
        case top, event, rule, sequence, threshold, correlation, anomaly, metric, test, testEvent
        case source, sink, engine, connector, other
    }

    private var block: Block {
        guard let outer = place.blocks.first?.header.first?.keyword else { return .top }
        let inner = place.header
        let isOuter = place.blocks.count == 1
        switch outer {
        case .event: return .event
        case .metric: return .metric
        case .test: return isOuter ? .test : .testEvent
        case .source: return isOuter ? .source : .connector
        case .sink: return isOuter ? .sink : .connector
        case .engine: return .engine
        case .rule:
            if isOuter { return .rule }
            switch inner.first?.keyword {
            case .threshold: return .threshold
            case .correlation: return .correlation
            case .anomalyCluster: return .anomaly
            // A sequence, or a group in it.
            default: return .sequence
            }
        default: return .other
        }
    }

    /// The rule that the cursor is in, or that the test at the cursor is about.
    var rule: RuleDeclaration? {
        let outer = place.blocks.first?.header ?? []
        if outer.first?.keyword == .test {
            guard let word = outer.last else { return nil }
            let name = place.text(word)
            return compilation.files.lazy.flatMap(\.rules).first { $0.name.text == name }
        }
        guard outer.first?.keyword == .rule else { return nil }
        return view.file.rules.last { $0.range.start <= offset }
    }

    // MARK: - Clauses

    private func top() -> [Proposal] {
        guard let first = place.first else { return words(CompletionWords.declarations) }
        switch first {
        case .select:
            guard let assign = place.clause.firstIndex(where: { $0.kind == .assign }) else {
                return []
            }
            return behindSource(from: assign + 1, words: ["where"])
        case .list:
            if place.last?.keyword == .of { return words(CompletionWords.listKinds) }
            return place.has(.from) ? plain(["key", "refresh"]) : plain(["of", "from"])
        case .let:
            return place.clause.contains { $0.kind == .assign } ? expression(.constant) : []
        case .define:
            guard let assign = place.clause.firstIndex(where: { $0.kind == .assign }) else {
                return []
            }
            let parameters = place.clause[..<assign].dropFirst(2).filter { $0.kind == .name }
                .map {
                    Proposal(label: place.text($0), kind: .variable, detail: "parameter", rank: 0)
                }
            return (place.base.isEmpty ? parameters : []) + expression(.constant)
        case .test:
            if place.last?.keyword == .for { return rules }
            return place.has(.for) || place.text != nil ? [] : plain(["for"])
        default: return []
        }
    }

    private func ruleClause() -> [Proposal] {
        guard let first = place.first else { return words(CompletionWords.rule) }
        switch first {
        case .severity:
            return place.clause.count == 1 ? severities : []
        case .active:
            return place.clause.count == 1 ? plain(["during", "outside"]) : schedules
        case .enabled: return plain(["true", "false"])
        case .early: return plain(["on", "off"])
        case .send: return place.has(.to) ? sinks : plain(["to"])
        case .suppress, .group:
            return place.has(.by)
                ? expression(.match, following: [CompletionWords.Word("for", "For how long.")])
                : plain(["by"])
        case .unless, .mask, .attach: return expression(.match)
        case .risk:
            return expression(.match, following: [CompletionWords.Word("on", "Of whom.")])
        case .allow: return place.clause.count == 1 ? warnings : []
        case .sequence, .threshold, .correlation, .anomalyCluster: return patternHeader(first)
        default: return []
        }
    }

    private func patternHeader(_ kind: Keyword) -> [Proposal] {
        let before = place.clauseBeforeName.last
        if before?.keyword == .by || before?.kind == .comma { return keyFields }
        if place.last?.keyword == .at { return steps(before: nil) }
        if place.last?.keyword == .list { return lists }
        if place.last?.keyword == .from { return plain(["list"]) }
        if place.last?.keyword == .within { return [] }
        var result = words(CompletionWords.patternHeader)
        if kind == .sequence { result += words(CompletionWords.policies) }
        if kind == .threshold { result += plain(["from list"]) }
        return result
    }

    private func stepClause() -> [Proposal] {
        if let colon = place.clause.firstIndex(where: { $0.kind == .colon }) {
            return behindSource(
                from: colon + 1, words: CompletionWords.behindSource.map(\.label))
        }
        if block == .correlation {
            switch place.first {
            case nil: return words(CompletionWords.correlation) + steps(before: nil)
            case .order, .strength: return steps(before: nil)
            default: return place.clause.count == 1 ? plain(["before"]) : steps(before: nil)
            }
        }
        guard
            place.clause.isEmpty || place.last?.keyword == .then
                || place.last?.keyword == .immediately
        else { return [] }
        return words(
            CompletionWords.sequence.filter {
                place.clause.isEmpty || !$0.label.hasPrefix("then")
            })
    }

    /// Behind a step's colon, `over`, or the `=` of a select: the source, then its condition.
    private func behindSource(from start: Int, words following: [String]) -> [Proposal] {
        if place.clauseBeforeName.count <= start { return sources }
        let follow = CompletionWords.behindSource.filter { following.contains($0.label) }
        let event = sourceEvent(from: start)
        if place.has(.where) { return expression(.event(event), following: follow) }
        if place.last?.keyword == .by || place.last?.kind == .comma { return keys }
        if place.last?.kind == .assign { return fields(of: event, below: place.base) }
        if place.last?.keyword == .alert { return rules + words(follow) }
        return place.last?.keyword == .within ? [] : words(follow)
    }

    private func sourceEvent(from start: Int) -> EventSymbol? {
        guard start < place.clause.count else { return nil }
        if place.clause[start].keyword == .alert {
            return compilation.events.first { $0.kind == .alert }
        }
        return compilation.event(named: place.path(from: start))
    }

    private func windowClause() -> [Proposal] {
        let isMetric = block == .metric
        guard let first = place.first else {
            return words(isMetric ? CompletionWords.metric : CompletionWords.threshold)
        }
        switch first {
        case .over: return behindSource(from: 1, words: ["where"])
        case .window: return words(CompletionWords.windows)
        case .measure: return measureClause()
        case .when, .resolve:
            if place.last?.keyword == .resolve { return plain(["when"]) }
            return expression(.window, following: CompletionWords.behindCondition)
        case .by: return keyFields
        case .forecast:
            return place.clause.count == 1
                ? measures : plain(["for", "seasonal daily", "seasonal weekly"])
        default: return []
        }
    }

    private func measureClause() -> [Proposal] {
        guard let assign = place.clause.firstIndex(where: { $0.kind == .assign }) else { return [] }
        if place.clause.count == assign + 1 { return aggregates }
        return expression(
            .event(input), following: [CompletionWords.Word("where", "Which events.")])
    }

    private func anomalyClause() -> [Proposal] {
        guard let first = place.first else { return words(CompletionWords.anomaly) }
        switch first {
        case .measure:
            if let of = place.index(of: .of) {
                if place.last?.keyword == .by {
                    return fields(of: sourceEvent(from: of + 1), below: [])
                }
                if place.clauseBeforeName.count <= of + 1 { return sources }
                if place.has(.where) { return expression(.event(sourceEvent(from: of + 1))) }
                return plain(["where", "every", "by"])
            }
            return measureClause() + plain(["of"])
        case .anomalous:
            let scores = ["robust_z", "z", "ratio", "ewma"].map {
                Proposal(label: $0, kind: .function, detail: "score", snippet: "\($0)($0)", rank: 1)
            }
            return place.isBehindOperand ? words(CompletionWords.operators) : scores + measures
        case .cluster:
            return place.last?.keyword == .by ? lists : plain(["within", "linked by", "max span"])
        default: return []
        }
    }

    private func testClause() -> [Proposal] {
        guard let first = place.first else { return words(CompletionWords.test) }
        switch first {
        case .at, .arrives:
            let before = place.clauseBeforeName.last
            if before?.kind == .duration || before?.kind == .integer { return events }
            return before?.keyword == .arrives ? plain(["at"]) : []
        case .expect: return place.has(.with) ? expression(.match) : expectation
        case .list: return place.clause.count == 1 ? lists : []
        default: return []
        }
    }

    private var expectation: [Proposal] {
        if place.clause.count == 1 {
            return plain(["alert at", "resolve at", "correction at", "nothing"])
        }
        if place.last?.keyword == .nothing { return plain(["else", "before"]) }
        return place.last?.kind == .duration ? plain(["with"]) : []
    }

    /// A field of a test's event, or its value.
    private func testField() -> [Proposal] {
        guard
            let start = place.header.firstIndex(where: {
                $0.kind == .duration || $0.kind == .integer
            })
        else { return [] }
        let header = CompletionPlace.dottedName(place.header[(start + 1)...], place.text)
        let event = compilation.event(named: header)
        let comma = place.clause.lastIndex { $0.kind == .comma }
        let part = place.clause[(comma.map { $0 + 1 } ?? 0)...]
        guard let colon = part.firstIndex(where: { $0.kind == .colon }) else {
            return fields(of: event, below: place.base)
        }
        let name = CompletionPlace.dottedName(part[..<colon], place.text)
        let type = event?.fields.first { $0.path.description == name }?.type
        return type.map(values(of:)) ?? []
    }

    private func setting() -> [Proposal] {
        switch block {
        case .connector:
            let name = place.header.first.map(place.text) ?? ""
            let isSource = place.blocks.first?.header.first?.keyword == .source
            let known = (isSource ? Connector.sources : Connector.sinks).first { $0.name == name }
            if place.clause.count == 1 { return plain(["secret file", "secret env"]) }
            return place.clause.isEmpty
                ? (known?.keys ?? []).map { Proposal(label: $0, kind: .property) } : []
        case .source:
            if place.first == nil, let word = place.last, place.text(word) == "decode" {
                return Connector.decoders.map { Proposal(label: $0, kind: .enumMember) }
            }
            guard place.clause.isEmpty else { return [] }
            return words(CompletionWords.source) + connectors(Connector.sources)
        case .sink:
            guard place.clause.isEmpty else {
                return place.last?.kind == .greaterOrEqual ? severities : []
            }
            return words(CompletionWords.sink) + connectors(Connector.sinks)
        default: return place.clause.isEmpty ? words(CompletionWords.engine) : []
        }
    }

    private func connectors(_ connectors: [Connector]) -> [Proposal] {
        connectors.map { connector in
            Proposal(
                label: connector.name, kind: .module,
                detail: connector.keys.joined(separator: ", "),
                snippet: "\(connector.name) {\n  $0\n}", rank: 3)
        }
    }

    // MARK: - Small lists

    func words(_ words: [CompletionWords.Word]) -> [Proposal] { words.map(Proposal.word) }

    func plain(_ words: [String]) -> [Proposal] {
        words.map { Proposal(label: $0, kind: .keyword) }
    }

    private var types: [Proposal] {
        ["text", "number", "bool", "ip", "cidr", "time", "duration"].map {
            Proposal(label: $0, kind: .structLike)
        }
    }

    var severities: [Proposal] {
        Severity.allCases.map { Proposal(label: $0.rawValue, kind: .enumMember) }
    }

    private var warnings: [Proposal] {
        DiagnosticCode.all.filter { $0.severity == .warning }.map {
            Proposal(
                label: $0.number, kind: .constant, detail: $0.slug, documentation: $0.explanation)
        }
    }
}

extension CompletionPlace {
    /// The dotted name that the tokens begin with.
    static func dottedName(_ tokens: ArraySlice<Token>, _ text: (Token) -> String) -> String {
        tokens.prefix { $0.kind == .name || $0.kind == .quotedName || $0.kind == .dot }
            .map(text).joined()
    }
}
