import RuleModel

/// How values compare (T7): numbers by value whatever their kind, text by code points.
enum Comparisons {
    /// The order of two values: negative, zero or positive; nil when one is missing or the two
    /// cannot be compared.
    static func order(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.int(let left), .int(let right)): order(left, right)
        case (.float(let left), .float(let right)): floatOrder(left, right)
        case (.int(let left), .float(let right)): mixedOrder(left, right)
        case (.float(let left), .int(let right)): mixedOrder(right, left).map { -$0 }
        case (.text(let left), .text(let right)): left == right ? 0 : left < right ? -1 : 1
        case (.time(let left), .time(let right)): order(left, right)
        case (.span(let left), .span(let right)): order(left, right)
        case (.ip(let left), .ip(let right)): order(left, right)
        default: nil
        }
    }

    /// Whether two values are equal; nil when one is missing or they are of different kinds.
    static func equal(_ left: Value, _ right: Value, ignoringCase: Bool = false) -> Bool? {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): return left == right
        case (.text(let left), .text(let right)) where ignoringCase:
            return CaseFolding.folded(left.string.utf8) == CaseFolding.folded(right.string.utf8)
        case (.network(let left), .network(let right)): return left == right
        // An address written as text, where nothing is declared.
        case (.ip(let address), .text(let text)), (.text(let text), .ip(let address)):
            return IPAddress(text.string).map { $0 == address }
        case (.list(let left), .list(let right)):
            return left.count == right.count
                && zip(left, right).allSatisfy { equal($0, $1, ignoringCase: ignoringCase) == true }
        default:
            return order(left, right).map { $0 == 0 }
        }
    }

    /// The outcome of a comparison; nil when it has none.
    static func compare(
        _ comparison: Comparison, _ left: Value, _ right: Value, ignoringCase: Bool
    ) -> Bool? {
        switch comparison {
        case .equal: return equal(left, right, ignoringCase: ignoringCase)
        case .notEqual: return equal(left, right, ignoringCase: ignoringCase).map { !$0 }
        default:
            var (left, right) = (left, right)
            if ignoringCase, case .text(let first) = left, case .text(let second) = right {
                left = .text(CaseFolding.folded(first.string))
                right = .text(CaseFolding.folded(second.string))
            }
            return order(left, right).map { holds(comparison, order: $0) }
        }
    }

    static func holds(_ comparison: Comparison, order: Int) -> Bool {
        switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// The same number in one form, so that equal values are equal keys: whole floats are ints.
    static func canonical(_ value: Value) -> Value {
        if case .float(let number) = value, let whole = Int64(exactly: number) {
            return .int(whole)
        }
        return value
    }

    /// An entry of a list as a field of that type would have it: lists hold addresses as text, and
    /// tables take digits for numbers.
    static func entry(_ entry: Value, as type: ValueType) -> Value {
        switch (type, entry) {
        case (.ip, .text(let text)):
            return IPAddress(text.string).map { .ip($0) } ?? .missing
        case (.text, .int), (.text, .float), (.enumeration, .int), (.enumeration, .float):
            return .text(entry.plainText)
        default: return canonical(entry)
        }
    }

    private static func order<Element: Comparable>(_ left: Element, _ right: Element) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    private static func floatOrder(_ left: Double, _ right: Double) -> Int? {
        left < right ? -1 : left > right ? 1 : left == right ? 0 : nil
    }

    /// Exact: a large whole number is never rounded to the decimal it is compared with.
    private static func mixedOrder(_ whole: Int64, _ number: Double) -> Int? {
        if number.isNaN { return nil }
        if number >= 0x1p63 { return -1 }
        if number < -0x1p63 { return 1 }
        let truncated = Int64(number)
        if whole != truncated { return whole < truncated ? -1 : 1 }
        return floatOrder(0, number - Double(truncated))
    }
}
