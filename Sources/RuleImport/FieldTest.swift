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
