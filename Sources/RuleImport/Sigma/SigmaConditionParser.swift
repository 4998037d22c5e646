/// A Sigma condition over the names of its detections.
indirect enum SigmaCondition: Equatable, Sendable {
    case name(String)
    /// `1 of PATTERN` and `all of PATTERN`; the pattern `them` stands for every name.
    case of(all: Bool, String)
    case not(SigmaCondition)
    case and([SigmaCondition])
    case or([SigmaCondition])

    /// - Throws: a sentence about what was not understood.
    static func parse(_ text: String) throws(SigmaConditionFault) -> SigmaCondition {
        var parser = SigmaConditionParser(text)
        let condition = try parser.or(depth: 0)
        guard let rest = parser.current else { return condition }
        throw SigmaConditionFault("`\(rest)` is not expected in the condition")
    }

    /// The names of a condition that only joins names by `and`, or only by `or`; nil for others.
    var joinedNames: (names: [String], isAnd: Bool)? {
        func names(_ parts: [SigmaCondition]) -> [String]? {
            let names = parts.compactMap { part -> String? in
                if case .name(let name) = part { return name }
                return nil
            }
            return names.count == parts.count ? names : nil
        }
        switch self {
        case .name(let name): return ([name], true)
        case .and(let parts): return names(parts).map { ($0, true) }
        case .or(let parts): return names(parts).map { ($0, false) }
        case .of, .not: return nil
        }
    }
}

struct SigmaConditionFault: Error, Equatable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}

private struct SigmaConditionParser {
    private let words: [String]
    private var place = 0

    private static let depthMax = 100

    init(_ text: String) {
        var words: [String] = []
        var word = ""
        for character in text {
            if "()|".contains(character) || character.isWhitespace {
                if !word.isEmpty { words.append(word) }
                word = ""
                if !character.isWhitespace { words.append(String(character)) }
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        self.words = words
    }

    var current: String? { place < words.count ? words[place] : nil }

    private func at(_ word: String) -> Bool { current?.lowercased() == word }

    mutating func or(depth: Int) throws(SigmaConditionFault) -> SigmaCondition {
        var parts = [try and(depth: depth)]
        while at("or") {
            place += 1
            parts.append(try and(depth: depth))
        }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func and(depth: Int) throws(SigmaConditionFault) -> SigmaCondition {
        var parts = [try not(depth: depth)]
        while at("and") {
            place += 1
            parts.append(try not(depth: depth))
        }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func not(depth: Int) throws(SigmaConditionFault) -> SigmaCondition {
        guard depth < Self.depthMax else {
            throw SigmaConditionFault("the condition is nested too deeply")
        }
        if at("not") {
            place += 1
            return .not(try not(depth: depth + 1))
        }
        guard let word = current else { throw SigmaConditionFault("the condition breaks off") }
        place += 1
        if word == "(" {
            let inner = try or(depth: depth + 1)
            guard at(")") else { throw SigmaConditionFault("a parenthesis is not closed") }
            place += 1
            return inner
        }
        if ["and", "or", "of"].contains(word.lowercased()) || ["|", ")"].contains(word) {
            throw SigmaConditionFault(
                word == "|"
                    ? "aggregations behind `|` were taken out of Sigma; write a correlation"
                    : "`\(word)` is not expected in the condition")
        }
        guard at("of") else { return .name(word) }
        place += 1
        guard let pattern = current, pattern != "(", pattern != ")" else {
            throw SigmaConditionFault("`of` is followed by no name")
        }
        place += 1
        switch word.lowercased() {
        case "1", "any": return .of(all: false, pattern)
        case "all": return .of(all: true, pattern)
        default: throw SigmaConditionFault("`\(word) of` is not known; it is `1 of` or `all of`")
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
func fits(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1 else { return name == pattern }
    var rest = name[...]
    for (index, part) in parts.enumerated() {
        if index == 0 {
            guard rest.hasPrefix(part) else { return false }
            rest = rest.dropFirst(part.count)
        } else if index == parts.count - 1 {
            return rest.hasSuffix(part)
        } else if !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
    }
    return true
}
