import Foundation
import RuleModel

/// Evaluates terms by walking the tree, one sentence of the language after the other.
///
/// Nothing here is fast, and nothing is shared with the engine.
struct ReferenceTerm {
    var tables: RuleSetTables
    var lists: [ListTable]
    /// The event being looked at.
    var event: ReferenceEvent?
    /// What each step has taken so far, by step.
    var taken: [StepID: [ReferenceEvent]] = [:]
    var key: [Value] = []
    /// Measures of a threshold.
    var measure: (Int, Term.MeasureTime) -> Value = { _, _ in .missing }
    /// Scores of a member of a cluster.
    var score: (ScoreFunction, Int, Double?) -> Value = { _, _, _ in .missing }
    /// In a threshold's condition a comparison with missing is unknown (H3), elsewhere false (T6).
    var missingIsUnknown = false
    private var variables: [Value] = []

    init(tables: RuleSetTables, lists: [ListTable]) {
        self.tables = tables
        self.lists = lists
    }

    /// Whether a condition holds; no condition always does.
    func holds(_ condition: Term?) -> Bool {
        guard let condition else { return true }
        return value(condition) == .bool(true)
    }

    /// True, false, or nil for unknown.
    func truth(_ condition: Term) -> Bool? {
        guard case .bool(let bool) = value(condition) else { return nil }
        return bool
    }

    func value(_ term: Term) -> Value {
        switch term {
        case .constant(let value): return value
        case .field(let field): return read(field, of: event)
        case .stepField(let step, let occurrence, let field):
            let events = taken[step] ?? []
            return read(field, of: occurrence == .last ? events.last : events.first)
        case .stepList(let step, let field): return .list(values(of: field, over: step))
        case .stepCount(let step): return .int(Int64((taken[step] ?? []).count))
        case .stepAggregate(let function, let step, let field):
            return referenceAggregate(function, values(of: field, over: step))
        case .key(let index): return index < key.count ? key[index] : .missing
        case .measure(let index, let time): return measure(index, time)
        case .score(let function, let measure, let parameter):
            return score(function, measure, parameter)
        case .fact, .clusterCount, .clusterField: return .missing
        case .variable(let depth): return depth < variables.count ? variables[depth] : .missing
        case .not(let operand):
            switch truth(operand) {
            case true?: return .bool(false)
            case false?: return .bool(true)
            case nil: return missingIsUnknown ? .missing : .bool(true)
            }
        case .and(let operands):
            // Kleene: one false decides, otherwise one unknown spoils.
            let truths = operands.map(truth)
            if truths.contains(false) { return .bool(false) }
            if truths.contains(nil) { return missingIsUnknown ? .missing : .bool(false) }
            return .bool(true)
        case .or(let operands):
            let truths = operands.map(truth)
            if truths.contains(true) { return .bool(true) }
            if truths.contains(nil) { return missingIsUnknown ? .missing : .bool(false) }
            return .bool(false)
        case .compare(let comparison, let left, let right, let ignoringCase):
            return compare(comparison, value(left), value(right), ignoringCase)
        case .textTest(let test, let left, let right, let ignoringCase):
            return textTest(test, value(left), value(right), ignoringCase)
        case .pattern(let operand, let pattern, let ignoringCase):
            guard case .text(let text) = value(operand) else { return noAnswer }
            return .bool(
                text.string.range(
                    of: pattern,
                    options: ignoringCase
                        ? [.regularExpression, .caseInsensitive] : .regularExpression
                ) != nil)
        case .member(let left, let right, let ignoringCase):
            let left = value(left)
            guard !left.isMissing, case .list(let values) = value(right) else { return noAnswer }
            return .bool(values.contains { referenceEqual(left, $0, ignoringCase) == true })
        case .inNetwork(let left, let right):
            switch (value(left), value(right)) {
            case (.ip(let address), .network(let network)): return .bool(network.contains(address))
            case (.ip(let address), .list(let networks)):
                return .bool(
                    networks.contains {
                        guard case .network(let network) = $0 else { return false }
                        return network.contains(address)
                    })
            default: return noAnswer
            }
        case .inList(let operand, let list, let ignoringCase):
            let value = value(operand)
            if value.isMissing { return noAnswer }
            return .bool(lists[list.rawValue].contains(value, ignoringCase: ignoringCase))
        case .lookup(let list, key: let key, let column):
            let table = lists[list.rawValue]
            guard let row = table.row(for: value(key)) else { return .missing }
            guard let column else { return row.count > 1 ? row[1] : .missing }
            return table.columnIndex(column).map { row[$0] } ?? .missing
        case .exists(let operand): return .bool(!value(operand).isMissing)
        case .otherwise(let first, let second):
            let value = value(first)
            return value.isMissing ? self.value(second) : value
        case .arithmetic(let operation, let left, let right):
            return referenceArithmetic(operation, value(left), value(right))
        case .negate(let operand):
            switch value(operand) {
            case .int(let number): return .int(-number)
            case .float(let number): return .float(-number)
            case .span(let span): return .span(TimeSpan.zero - span)
            default: return .missing
            }
        case .call(let function, let arguments):
            return referenceCall(function, arguments.map(value))
        case .list(let elements): return .list(elements.map(value).filter { !$0.isMissing })
        case .quantified(let all, let list, let depth, let condition):
            guard case .list(let elements) = value(list) else { return noAnswer }
            let fitting = elements.filter { element in
                var inner = self
                while inner.variables.count <= depth { inner.variables.append(.missing) }
                inner.variables[depth] = element
                return inner.holds(condition)
            }
            return .bool(all ? fitting.count == elements.count : !fitting.isEmpty)
        }
    }

    /// What a comparison with missing gives.
    private var noAnswer: Value { missingIsUnknown ? .missing : .bool(false) }

    private func read(_ field: FieldID, of event: ReferenceEvent?) -> Value {
        guard let event else { return .missing }
        switch field {
        case .time: return .time(event.time)
        case .type:
            let index = Int(event.type.rawValue)
            return index < tables.eventTypes.count ? .text(tables.eventTypes[index]) : .missing
        default:
            let declared = tables.fields[Int(field.rawValue)].type
            return referenceRead(event.fields[field] ?? .missing, as: declared)
        }
    }

    private func values(of field: FieldID, over step: StepID) -> [Value] {
        (taken[step] ?? []).map { read(field, of: $0) }.filter { !$0.isMissing }
    }

    /// T6: every comparison with missing is false, except `!=`, the complement of `==`.
    private func compare(
        _ comparison: Comparison, _ left: Value, _ right: Value, _ ignoringCase: Bool
    ) -> Value {
        if missingIsUnknown, left.isMissing || right.isMissing { return .missing }
        let order = referenceOrder(left, right, ignoringCase)
        switch comparison {
        case .equal: return .bool(referenceEqual(left, right, ignoringCase) == true)
        case .notEqual: return .bool(referenceEqual(left, right, ignoringCase) != true)
        case .less: return order.map { .bool($0 < 0) } ?? noAnswer
        case .lessOrEqual: return order.map { .bool($0 <= 0) } ?? noAnswer
        case .greater: return order.map { .bool($0 > 0) } ?? noAnswer
        case .greaterOrEqual: return order.map { .bool($0 >= 0) } ?? noAnswer
        }
    }

    private func textTest(
        _ test: TextTest, _ left: Value, _ right: Value, _ ignoringCase: Bool
    ) -> Value {
        if case .contains = test, case .list(let elements) = left, !right.isMissing {
            return .bool(elements.contains { referenceEqual($0, right, ignoringCase) == true })
        }
        guard case .text(let left) = left, case .text(let right) = right else { return noAnswer }
        let text = Array((ignoringCase ? referenceFold(left.string) : left.string).unicodeScalars)
        let part = Array((ignoringCase ? referenceFold(right.string) : right.string).unicodeScalars)
        switch test {
        case .startsWith: return .bool(text.starts(with: part))
        case .endsWith: return .bool(text.reversed().starts(with: part.reversed()))
        case .contains:
            return .bool((0...text.count).contains { text[$0...].starts(with: part) })
        case .like: return .bool(referenceLike(text[...], part[...]))
        }
    }
}

/// Whether two values are equal by T7; nil when one is missing.
func referenceEqual(_ left: Value, _ right: Value, _ ignoringCase: Bool = false) -> Bool? {
    switch (left, right) {
    case (.missing, _), (_, .missing): return nil
    case (.bool(let left), .bool(let right)): return left == right
    case (.list(let left), .list(let right)):
        return left.count == right.count
            && zip(left, right).allSatisfy { referenceEqual($0, $1, ignoringCase) == true }
    case (.network(let left), .network(let right)): return left == right
    default: return referenceOrder(left, right, ignoringCase) == 0
    }
}

/// Negative, zero or positive; nil when the two cannot be ordered. Whole numbers and decimals
/// compare by value, text by code points (T7).
func referenceOrder(_ left: Value, _ right: Value, _ ignoringCase: Bool = false) -> Int? {
    func order<T: Comparable>(_ left: T, _ right: T) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }
    switch (left, right) {
    case (.int(let left), .int(let right)): return order(left, right)
    case (.int(let left), .float(let right)): return orderExactly(left, right)
    case (.float(let left), .int(let right)): return orderExactly(right, left).map { -$0 }
    case (.float(let left), .float(let right)):
        return left.isNaN || right.isNaN ? nil : order(left, right)
    case (.text(let left), .text(let right)):
        if ignoringCase {
            return order(Text(referenceFold(left.string)), Text(referenceFold(right.string)))
        }
        return order(left, right)
    case (.ip(let left), .ip(let right)): return order(left, right)
    case (.time(let left), .time(let right)): return order(left, right)
    case (.span(let left), .span(let right)): return order(left, right)
    default: return nil
    }
}

/// A decimal need not be the nearest neighbour of a large whole number, so it is rounded down first.
private func orderExactly(_ left: Int64, _ right: Double) -> Int? {
    if right.isNaN { return nil }
    if right >= 9_223_372_036_854_775_808 { return -1 }
    if right < -9_223_372_036_854_775_808 { return 1 }
    let floor = Int64(right.rounded(.down))
    if left != floor { return left < floor ? -1 : 1 }
    return right == Double(floor) ? 0 : -1
}

/// Each character by its own lower case where that is one character.
func referenceFold(_ text: String) -> String {
    var folded = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        let lower = Array(scalar.properties.lowercaseMapping.unicodeScalars)
        folded.append(lower.count == 1 ? lower[0] : scalar)
    }
    return String(folded)
}

/// `*` any text, `?` one character, `\` takes their meaning away.
private func referenceLike(
    _ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>
) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case "*":
        return referenceLike(text, rest)
            || (!text.isEmpty && referenceLike(text.dropFirst(), pattern))
    case "?": return !text.isEmpty && referenceLike(text.dropFirst(), rest)
    case "\\" where rest.first.map { "*?\\".unicodeScalars.contains($0) } == true:
        return text.first == rest.first && referenceLike(text.dropFirst(), rest.dropFirst())
    default: return text.first == first && referenceLike(text.dropFirst(), rest)
    }
}
