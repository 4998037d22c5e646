/// The correlation section of a document.
struct SigmaCorrelation {
    var node: YAMLNode
    var type: String
    var references: [String]
    var groupBy: [String]
    /// As our language writes it.
    var timespan: String
    /// `field` of the condition.
    var fields: [String]
    /// Comparisons that must all hold: our operator and the number.
    var limits: [(sign: String, number: String)]
    /// The names of fields that stand for an alias, by alias and rule.
    var aliases: [String: [String: String]]

    /// The rules that a correlation names.
    static func references(of document: SigmaDocument) -> [String] {
        guard let node = document.node["correlation"] else { return [] }
        let named = node["rules"]?.texts ?? []
        guard named.isEmpty, let text = node["condition"]?.text,
            let condition = try? SigmaCondition.parse(text)
        else { return named }
        return condition.joinedNames?.names ?? []
    }

    init(_ document: SigmaDocument) throws(ImportLoss) {
        guard let node = document.node["correlation"], node.members != nil else {
            throw ImportLoss(reason: "the correlation is no map", line: document.node.line)
        }
        func loss(_ reason: String, _ key: String) -> ImportLoss {
            ImportLoss(
                reason: reason, line: node[key]?.line ?? node.line, place: "correlation.\(key)")
        }
        self.node = node
        guard let type = node["type"]?.text else { throw loss("the type is missing", "type") }
        self.type = type
        references = Self.references(of: document)
        guard !references.isEmpty else { throw loss("no rules are named", "rules") }
        groupBy = node["group-by"]?.texts ?? []
        guard let span = node["timespan"]?.text ?? node["timeframe"]?.text else {
            throw loss("the time span is missing", "timespan")
        }
        guard let unit = span.last, let count = Int(span.dropLast()), count > 0,
            "smhdw".contains(unit)
        else {
            throw loss("`\(span)` is no time span of a fixed length (s, m, h, d, w)", "timespan")
        }
        timespan = span
        fields = node["condition"]?["field"]?.texts ?? []
        limits = []
        let signs = ["gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "neq": "!="]
        for member in node["condition"]?.members ?? [] {
            if ["field", "percentile"].contains(member.key) { continue }
            guard let sign = signs[member.key] else {
                throw loss("`\(member.key)` is no comparison", "condition")
            }
            switch member.value.value {
            case .int(let number)?: limits.append((sign, String(number)))
            case .float(let number)?: limits.append((sign, number.description))
            default: throw loss("`\(member.key)` has no number", "condition")
            }
        }
        aliases = [:]
        for alias in node["aliases"]?.members ?? [] {
            for member in alias.value.members ?? [] {
                aliases[alias.key, default: [:]][member.key] = member.value.text
            }
        }
    }
}

extension SigmaImporter {
    /// A rule that a correlation builds on.
    private struct Member {
        var document: SigmaDocument
        var draft: Int
        /// The stream of its events; nil for a correlation, whose alerts are taken.
        var stream: SigmaStream?
        /// How our language names its events or alerts.
        var source: String
        /// The event type.
        var event: String { stream?.event ?? "alert" }
    }

    mutating func correlation(_ document: SigmaDocument) throws(ImportLoss) -> RuleDraft {
        let correlation = try SigmaCorrelation(document)
        var members: [Member] = []
        for reference in correlation.references {
            members += try self.members(reference, correlation)
        }
        var draft = document.draft(named: names.unique(document.proposedName))
        draft.uses = members.map(\.draft)
        switch correlation.type {
        case "event_count", "value_count", "value_sum", "value_avg", "value_percentile",
            "value_median":
            try threshold(correlation, members, into: &draft)
        case "temporal", "temporal_ordered", "temporal_extended", "temporal_ordered_extended":
            try coincidence(correlation, members, into: &draft)
        default:
            throw ImportLoss(
                reason: "there is no correlation of type `\(correlation.type)`",
                line: correlation.node.line, place: "correlation.type")
        }
        draft.actions = ["  alert \(RuleWriter.message(document.label))"]
        return draft
    }

    private mutating func members(
        _ reference: String, _ correlation: SigmaCorrelation
    ) throws(ImportLoss) -> [Member] {
        func loss(_ reason: String) -> ImportLoss {
            ImportLoss(
                reason: reason, line: correlation.node["rules"]?.line ?? correlation.node.line,
                place: "correlation.rules")
        }
        let indices = documents(referredBy: reference)
        guard !indices.isEmpty else { throw loss("there is no rule `\(reference)`") }
        var result: [Member] = []
        for index in indices {
            guard let number = draft(of: index) else {
                throw loss("the rule `\(reference)` was not kept, or builds on this one")
            }
            let isEvent = documents[index].node["detection"] != nil
            result.append(
                Member(
                    document: documents[index], draft: number,
                    stream: isEvent ? mapping.stream(of: documents[index].logSource) : nil,
                    source: isEvent
                        ? drafts[number].selectName : "alert \(drafts[number].name)"))
        }
        return result
    }

    /// The field that a name of `group-by` or `field` stands for in the events of a member, declared.
    private func field(
        _ name: String, of member: Member, _ correlation: SigmaCorrelation,
        into draft: inout RuleDraft
    ) throws(ImportLoss) -> String {
        let ways = correlation.aliases[name]
        let original =
            ways?[member.document.reference] ?? ways?[member.document.id]
            ?? (ways == nil ? name : nil)
        guard let original else {
            throw ImportLoss(
                reason: "the alias `\(name)` has no field for `\(member.document.label)`",
                line: correlation.node.line, place: "correlation.aliases")
        }
        let ours = member.stream?.fields[original] ?? original
        guard let path = RuleWriter.path(ours) else {
            throw ImportLoss(
                reason: "the field name `\(ours)` cannot be written", line: correlation.node.line)
        }
        if let stream = member.stream {
            draft.schema.add(field: path, type: stream.type(of: ours), of: stream.event)
        }
        return path
    }

    // MARK: - Counting

    private mutating func threshold(
        _ correlation: SigmaCorrelation, _ members: [Member], into draft: inout RuleDraft
    ) throws(ImportLoss) {
        func loss(_ reason: String, _ key: String) -> ImportLoss {
            ImportLoss(
                reason: reason, line: correlation.node.line, place: "correlation.\(key)")
        }
        guard let first = members.first, members.allSatisfy({ $0.event == first.event }) else {
            throw loss(
                "its rules look at different types of events, which cannot be counted together",
                "rules")
        }
        guard !correlation.limits.isEmpty else { throw loss("no number is given", "condition") }
        func same(_ name: String) throws(ImportLoss) -> String {
            var fields: Set<String> = []
            for member in members {
                fields.insert(try field(name, of: member, correlation, into: &draft))
            }
            guard fields.count == 1, let field = fields.first else {
                throw loss(
                    "`\(name)` has a field of its own in each rule, which cannot be counted "
                        + "together", "aliases")
            }
            return field
        }
        var keys: [String] = []
        for name in correlation.groupBy { keys.append(try same(name)) }
        let aggregate: (name: String, text: String)
        if correlation.type == "event_count" {
            aggregate = ("events", "count")
        } else {
            guard let name = correlation.fields.first else {
                throw loss("the field is missing", "condition")
            }
            guard correlation.fields.count == 1 else {
                throw loss("combinations of several fields cannot be counted", "condition")
            }
            let field = try same(name)
            switch correlation.type {
            case "value_count": aggregate = ("values", "distinct(\(field))")
            case "value_sum": aggregate = ("total", "sum(number(\(field)))")
            case "value_avg": aggregate = ("average", "avg(number(\(field)))")
            case "value_median": aggregate = ("median", "percentile(50, number(\(field)))")
            default:
                guard let percentile = correlation.node["condition"]?["percentile"]?.text,
                    let number = Int(percentile)
                else { throw loss("the percentile is missing", "condition") }
                aggregate = ("percentile_\(number)", "percentile(\(number), number(\(field)))")
            }
        }
        let source: String
        if members.count == 1 {
            name(members)
            source = first.source
        } else if first.stream == nil {
            let names = members.map { drafts[$0.draft].name }
            source = "alert where rule in \(RuleWriter.texts(names))"
        } else {
            // All are of one type, so that one stream can have any of their conditions.
            let conditions = members.compactMap { drafts[$0.draft].selection?.wholeCondition }
            source = draft.selectName
            draft.preamble =
                "select \(source) = \(first.event) where "
                + conditions.map { "(\($0))" }.joined(separator: " or ") + "\n"
        }
        let limits = correlation.limits.map { "\(aggregate.name) \($0.sign) \($0.number)" }
        let by = keys.isEmpty ? "" : " by \(keys.joined(separator: ", "))"
        draft.pattern = [
            "  threshold\(by) {", "    over \(source)",
            "    window \(correlation.timespan) sliding",
            "    measure \(aggregate.name) = \(aggregate.text)",
            "    when \(limits.joined(separator: " and "))", "  }",
        ]
    }

    /// Gives the events of the members names of their own.
    private mutating func name(_ members: [Member]) {
        for member in members { drafts[member.draft].selection?.isNamed = true }
    }

    // MARK: - Coming together

    private mutating func coincidence(
        _ correlation: SigmaCorrelation, _ members: [Member], into draft: inout RuleDraft
    ) throws(ImportLoss) {
        func loss(_ reason: String) -> ImportLoss {
            ImportLoss(
                reason: reason, line: correlation.node.line, place: "correlation.condition")
        }
        let isOrdered = correlation.type.hasPrefix("temporal_ordered")
        guard members.count > 1 else { throw loss("it takes two rules to come together") }
        var required = members.count
        if let text = correlation.node["condition"]?.text {
            guard let joined = (try? SigmaCondition.parse(text))?.joinedNames else {
                throw loss("`\(text)` joins rules in more than one way")
            }
            if !joined.isAnd { required = 1 }
        }
        for limit in correlation.limits {
            guard let number = Int(limit.number), limit.sign == ">=" || limit.sign == ">" else {
                throw loss("only a least number of rules can be asked for")
            }
            required = limit.sign == ">" ? number + 1 : number
        }
        guard (1...members.count).contains(required) else {
            throw loss("\(required) of \(members.count) rules are asked for")
        }
        var keys: [String] = []
        for name in correlation.groupBy {
            guard let path = RuleWriter.path(name) else {
                throw loss("the field name `\(name)` cannot be written")
            }
            keys.append(path)
        }
        let by = keys.isEmpty ? "" : " by \(keys.joined(separator: ", "))"
        name(members)
        var lines = ["  correlation\(by) within \(correlation.timespan) {"]
        var labels: [String] = []
        var table = NameTable()
        for member in members {
            let label = table.unique(drafts[member.draft].name)
            labels.append(label)
            var aliases: [String] = []
            for (name, key) in zip(correlation.groupBy, keys) {
                let field = try field(name, of: member, correlation, into: &draft)
                if field != key { aliases.append("\(key) = \(field)") }
            }
            let alias = aliases.isEmpty ? "" : " by \(aliases.joined(separator: ", "))"
            lines.append("    \(label): \(member.source)\(alias)")
        }
        if required < members.count { lines.append("    at least \(required) of them") }
        if isOrdered { lines.append("    order \(labels.joined(separator: ", "))") }
        draft.pattern = lines + ["  }"]
    }
}
