/// A test of one field against one value, which can be joined with others of its kind.
struct FieldTest: Equatable, Sendable {
    enum Operator: String, Sendable {
        case equal = "=="
        case contains
        case startsWith = "starts with"
        case endsWith = "ends with"
        case like
        case network = "in cidr"
        /// Stands alone; the subject is the whole test.
        case plain
    }

    var comparison: Operator
    var subject: String
    var value: String
    var ignoringCase: Bool

    init(_ comparison: Operator, _ subject: String, _ value: String, ignoringCase: Bool = false) {
        self.comparison = comparison
        self.subject = subject
        self.value = value
        self.ignoringCase = ignoringCase
    }

    init(plain text: String) { self.init(.plain, text, "") }

    /// The test of a field by a pattern: the plainest one that says it.
    init(_ pattern: WildcardPattern, _ subject: Subject, isCased: Bool) {
        let text = subject.asText(mayBePlain: pattern.mayBePlainValue)
        let pieces = pattern.pieces
        func literal(_ index: Int) -> String? {
            if case .text(let text) = pieces[index] { return RuleWriter.text(text) }
            return nil
        }
        if let plain = pattern.plainText {
            // A number in quotes is compared as a number where the field is one.
            if subject.isNumber, Int64(plain).map(String.init) == plain {
                self.init(.equal, subject.text, plain)
            } else {
                self.init(
                    .equal, text, RuleWriter.text(plain), ignoringCase: !isCased && !plain.isEmpty)
            }
            return
        }
        if pieces == [.star] {
            self.init(plain: "\(subject.text) exists")
            return
        }
        if pattern.contains(.dash) {
            self.init(
                plain: "\(text) matches \(RuleWriter.pattern(pattern.regularExpression))"
                    + (isCased ? "" : " ignoring case"))
            return
        }
        let simple: (Operator, String)?
        switch pieces.count {
        case 2 where pieces[0] == .star: simple = literal(1).map { (.endsWith, $0) }
        case 2 where pieces[1] == .star: simple = literal(0).map { (.startsWith, $0) }
        case 3 where pieces[0] == .star && pieces[2] == .star:
            simple = literal(1).map { (.contains, $0) }
        default: simple = nil
        }
        let (comparison, part) = simple ?? (.like, RuleWriter.text(pattern.likePattern))
        self.init(comparison, text, part, ignoringCase: !isCased)
    }

    /// Several tests, one of which must hold. Those of one kind become one test of several values.
    static func anyOf(_ tests: [FieldTest]) -> ImportedCondition {
        var groups: [[FieldTest]] = []
        for test in tests {
            if let index = groups.firstIndex(where: { $0[0].joins(test) }) {
                groups[index].append(test)
            } else {
                groups.append([test])
            }
        }
        return .any(groups.map(joined))
    }

    /// Whether the two are one test of two values.
    func joins(_ other: FieldTest) -> Bool {
        comparison != .plain && comparison == other.comparison && subject == other.subject
            && ignoringCase == other.ignoringCase
    }

    /// Several tests of one kind, one of which must hold.
    static func joined(_ tests: [FieldTest]) -> ImportedCondition {
        guard let first = tests.first else { return .any([]) }
        let folding = first.ignoringCase ? " ignoring case" : ""
        if tests.count == 1 {
            if first.comparison == .plain { return .test(first.subject) }
            return .test("\(first.subject) \(first.comparison.rawValue) \(first.value)\(folding)")
        }
        let list = "[" + tests.map(\.value).joined(separator: ", ") + "]"
        switch first.comparison {
        case .equal: return .test("\(first.subject) in \(list)\(folding)")
        case .network: return .test("\(first.subject) in cidr \(list)")
        case .plain: return .any(tests.map { .test($0.subject) })
        case .contains, .startsWith, .endsWith, .like:
            if tests.count == 2 { return .any(tests.map { joined([$0]) }) }
            // The element must not hide the field.
            let part = ["part", "piece", "item"].first { !first.subject.contains($0) } ?? "value"
            return .quantified(
                "any \(part) in \(list): \(first.subject) \(first.comparison.rawValue) "
                    + "\(part)\(folding)")
        }
    }
}
