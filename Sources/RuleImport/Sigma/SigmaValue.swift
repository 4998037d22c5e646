/// A value of a detection after its modifiers.
enum SigmaValue: Equatable, Sendable {
    case pattern(WildcardPattern, isCased: Bool)
    /// A number as it is written in our language.
    case number(String)
    case bool(Bool)
    case null
    case regex(String, ignoringCase: Bool)
    case network(String)
    /// `>` and its like, with a number.
    case comparison(String, String)
    /// Another field, and how the two are compared.
    case field(String, with: String, isCased: Bool)
    case exists(Bool)
    /// Membership in a list that is kept outside of the rule.
    case list(String, isCased: Bool)
}

extension SigmaValue {
    /// Whether it asks if there is a value, and not which.
    var isAboutPresence: Bool {
        switch self {
        case .null, .exists: true
        case .pattern(let pattern, _): pattern.pieces == [.star]
        case .number, .bool, .regex, .network, .comparison, .field, .list: false
        }
    }
}

/// The values of one line of a detection, and how they are joined.
struct SigmaValues: Equatable, Sendable {
    /// For each value as written what it stands for, any of which will do.
    var alternatives: [[SigmaValue]]
    /// Whether all must hold (`|all`), not one of them.
    var isConjunction = false
    /// Whether the whole is turned round (`|neq`).
    var isNegated = false

    /// The values of which one must fit; several groups must each.
    var groups: [[SigmaValue]] {
        isConjunction ? alternatives : [alternatives.flatMap(\.self)]
    }
}

/// Applies the modifiers of a detection's key to its values.
struct SigmaModifiers {
    /// Values for `expand`, by the name of the placeholder.
    var placeholders: [String: [String]]

    /// A value between two modifiers.
    private struct Draft {
        var value: SigmaValue
        var encoding = TextEncoding.utf8
        var flags = ""
    }

    func apply(_ modifiers: [String], to nodes: [YAMLNode]) throws(ImportLoss) -> SigmaValues {
        var result = SigmaValues(alternatives: [])
        result.isConjunction = modifiers.contains("all")
        result.isNegated = modifiers.contains("neq")
        for node in nodes {
            var drafts = [try draft(node, isRegex: modifiers.contains("re"))]
            for modifier in modifiers where modifier != "all" && modifier != "neq" {
                var next: [Draft] = []
                for draft in drafts { next += try apply(modifier, to: draft, line: node.line) }
                drafts = next
            }
            var values: [SigmaValue] = []
            for draft in drafts { values += try finished(draft, line: node.line) }
            result.alternatives.append(values)
        }
        return result
    }

    private func draft(_ node: YAMLNode, isRegex: Bool) throws(ImportLoss) -> Draft {
        guard case .scalar(let written, _) = node.kind, let value = node.value else {
            throw ImportLoss(reason: "a value is neither a text nor a number", line: node.line)
        }
        if isRegex { return Draft(value: .regex(written, ignoringCase: false)) }
        switch value {
        case .null: return Draft(value: .null)
        case .bool(let bool): return Draft(value: .bool(bool))
        case .int(let number): return Draft(value: .number(String(number)))
        case .float(let number): return Draft(value: .number(number.description))
        case .text(let text):
            return Draft(value: .pattern(WildcardPattern(parsing: text), isCased: false))
        }
    }

    /// A number is a text to the modifiers that look into texts.
    private func pattern(of value: SigmaValue) -> (WildcardPattern, isCased: Bool)? {
        switch value {
        case .pattern(let pattern, let isCased): (pattern, isCased)
        case .number(let text): (WildcardPattern([.text(text)]), false)
        case .bool(let bool): (WildcardPattern([.text(bool ? "true" : "false")]), false)
        case .null, .regex, .network, .comparison, .field, .exists, .list: nil
        }
    }

    private func apply(
        _ modifier: String, to draft: Draft, line: Int
    ) throws(ImportLoss) -> [Draft] {
        func loss(_ reason: String) -> ImportLoss { ImportLoss(reason: reason, line: line) }
        var draft = draft
        switch modifier {
        case "contains", "startswith", "endswith":
            switch draft.value {
            case .field(let name, _, let isCased):
                let words = [
                    "contains": "contains", "startswith": "starts with", "endswith": "ends with",
                ]
                draft.value = .field(name, with: words[modifier] ?? "==", isCased: isCased)
                return [draft]
            // A regular expression is looked for anywhere in any case.
            case .regex where modifier == "contains": return [draft]
            default: break
            }
            guard let (pattern, isCased) = pattern(of: draft.value) else {
                throw loss("`\(modifier)` goes with texts only")
            }
            var changed = pattern
            if modifier != "startswith" { changed = changed.prefixed(by: .star) }
            if modifier != "endswith" { changed = changed.suffixed(by: .star) }
            draft.value = .pattern(changed, isCased: isCased)
        case "cased":
            guard let (pattern, _) = pattern(of: draft.value) else {
                throw loss("`cased` goes with texts only")
            }
            draft.value = .pattern(pattern, isCased: true)
        case "re": break
        case "i", "ignorecase":
            guard case .regex(let source, _) = draft.value else {
                throw loss("`\(modifier)` goes with `re` only")
            }
            draft.value = .regex(source, ignoringCase: true)
        case "m", "multiline", "s", "dotall":
            guard case .regex = draft.value else { throw loss("`\(modifier)` goes with `re` only") }
            draft.flags += modifier == "m" || modifier == "multiline" ? "m" : "s"
        case "cidr":
            guard let (pattern, _) = pattern(of: draft.value), let network = pattern.plainText
            else { throw loss("`cidr` goes with networks only") }
            draft.value = .network(network)
        case "gt", "gte", "lt", "lte":
            let signs = ["gt": ">", "gte": ">=", "lt": "<", "lte": "<="]
            guard case .number(let number) = draft.value, let sign = signs[modifier] else {
                throw loss("`\(modifier)` goes with numbers only")
            }
            draft.value = .comparison(sign, number)
        case "exists":
            guard case .bool(let bool) = draft.value else {
                throw loss("`exists` goes with `true` and `false` only")
            }
            draft.value = .exists(bool)
        case "fieldref":
            guard let (pattern, isCased) = pattern(of: draft.value), let name = pattern.plainText
            else { throw loss("`fieldref` goes with the name of a field only") }
            draft.value = .field(name, with: "==", isCased: isCased)
        case "windash":
            guard let (pattern, isCased) = pattern(of: draft.value) else {
                throw loss("`windash` goes with texts only")
            }
            draft.value = .pattern(pattern.withDashes, isCased: isCased)
        case "expand":
            guard let (pattern, isCased) = pattern(of: draft.value) else {
                throw loss("`expand` goes with texts only")
            }
            draft.value = .pattern(pattern.withPlaceholders, isCased: isCased)
        case "wide", "utf16le": draft.encoding = .utf16LittleEndian
        case "utf16be": draft.encoding = .utf16BigEndian
        case "utf16": draft.encoding = .utf16
        case "base64", "base64offset":
            guard let (pattern, isCased) = pattern(of: draft.value), let text = pattern.plainText
            else { throw loss("`\(modifier)` cannot encode wildcards") }
            let bytes = draft.encoding.bytes(of: text)
            let encoded = modifier == "base64" ? [base64(bytes)] : base64AtAnyOffset(bytes)
            guard !encoded.contains("") else {
                throw loss("the value is too short to be found wherever it stands in encoded text")
            }
            return encoded.map {
                Draft(value: .pattern(WildcardPattern([.text($0)]), isCased: isCased))
            }
        case "minute", "hour", "day", "week", "month", "year":
            throw loss("parts of a time (`\(modifier)`) cannot be asked of a field")
        default: throw loss("there is no modifier `\(modifier)`")
        }
        return [draft]
    }

    /// The values that a draft stands for: encoded, flags put in, placeholders filled.
    private func finished(_ draft: Draft, line: Int) throws(ImportLoss) -> [SigmaValue] {
        switch draft.value {
        case .regex(let source, let ignoringCase) where !draft.flags.isEmpty:
            return [.regex("(?\(draft.flags))\(source)", ignoringCase: ignoringCase)]
        case .pattern(let pattern, let isCased):
            if case .placeholder(let name)? = pattern.pieces.first, pattern.pieces.count == 1,
                placeholders[name] == nil
            {
                return [.list(name, isCased: isCased)]
            }
            switch pattern.expanded(placeholders) {
            case .failure(let missing):
                throw ImportLoss(
                    reason: "the placeholder `%\(missing.name)%` stands inside a text and has no "
                        + "values; give them with `--values`", line: line)
            case .success(let patterns):
                var values: [SigmaValue] = []
                for pattern in patterns {
                    for pattern in pattern.perDash {
                        values.append(
                            .pattern(
                                try encoded(pattern, draft.encoding, line: line), isCased: isCased))
                    }
                }
                return values
            }
        default: return [draft.value]
        }
    }

    private func encoded(
        _ pattern: WildcardPattern, _ encoding: TextEncoding, line: Int
    ) throws(ImportLoss) -> WildcardPattern {
        if case .utf8 = encoding { return pattern }
        var pieces: [WildcardPattern.Piece] = []
        for piece in pattern.pieces {
            guard case .text(let text) = piece else {
                pieces.append(piece)
                continue
            }
            let bytes = encoding.bytes(of: text)
            let decoded = String(decoding: bytes, as: UTF8.self)
            guard Array(decoded.utf8) == bytes else {
                throw ImportLoss(
                    reason: "in UTF-16 the value is no text, and only texts can be looked for",
                    line: line)
            }
            pieces.append(.text(decoded))
        }
        return WildcardPattern(pieces)
    }
}
