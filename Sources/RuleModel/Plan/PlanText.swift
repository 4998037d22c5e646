/// Writes the expressions of one plan as the language spells them, with names instead of indices.
///
/// The text is stable: it depends on the rule and what the rule uses, never on other rules.
public struct PlanText: Sendable {
    public let plan: RulePlan
    public let tables: RuleSetTables
    /// Whether the parts of `and` and `or` are put in alphabetical order, so that conditions of
    /// equal meaning have one text.
    let isCanonical: Bool

    public init(_ plan: RulePlan, tables: RuleSetTables) {
        self.init(plan, tables: tables, isCanonical: false)
    }

    init(_ plan: RulePlan, tables: RuleSetTables, isCanonical: Bool) {
        self.plan = plan
        self.tables = tables
        self.isCanonical = isCanonical
    }

    /// How tightly the outermost operator of a text binds.
    private enum Binding: Int, Comparable {
        case otherwise, or, and, not, comparison, sum, product, minus, name

        static func < (left: Binding, right: Binding) -> Bool { left.rawValue < right.rawValue }
    }

    /// For example `user == "root" and amount > 5`.
    public func text(_ term: Term) -> String { bound(term).text }

    /// The path of a field, for example `geo.country`.
    public func name(_ field: FieldID) -> String {
        switch field {
        case .time: "time"
        case .type: "type"
        default: PlanText.spelled(tables.fields[Int(field.rawValue)].path)
        }
    }

    /// The name that a step gives its events.
    public func name(_ step: StepID) -> String {
        switch plan.pattern {
        case .sequence(let sequence): sequence.steps[step.rawValue].name
        case .correlation(let correlation): correlation.members[step.rawValue].name
        case .threshold, .anomaly, .metric: "step \(step.rawValue + 1)"
        }
    }

    /// The name of a measure, or what it computes where it has none.
    public func name(ofMeasure index: Int) -> String {
        let measure = plan.measures[index]
        return measure.name.isEmpty ? "(\(text(measure)))" : measure.name
    }

    /// What the members of a cluster are called.
    private var memberName: String {
        if case .anomaly(let anomaly) = plan.pattern { return anomaly.memberName }
        return ClusterField.name.rawValue
    }

    /// What a measure computes, for example `count where status >= 500`.
    public func text(_ measure: MeasurePlan) -> String {
        var arguments = [measure.parameter.map(Value.text(of:)), measure.argument.map(text)]
            .compactMap { $0 }.joined(separator: ", ")
        if !arguments.isEmpty { arguments = "(\(arguments))" }
        let condition = measure.condition.map { " where \(text($0))" } ?? ""
        return measure.function.rawValue + arguments + condition
    }

    // MARK: - Terms

    private func inside(_ term: Term, _ outer: Binding) -> String {
        let inner = bound(term)
        return inner.binding < outer ? "(\(inner.text))" : inner.text
    }

    private func bound(_ term: Term) -> (text: String, binding: Binding) {
        switch term {
        case .constant(let value): (PlanText.literal(value), .name)
        case .field(let field): (name(field), .name)
        case .stepField(let step, .only, let field): ("\(name(step)).\(name(field))", .name)
        case .stepField(let step, .first, let field): ("\(name(step)).first.\(name(field))", .name)
        case .stepField(let step, .last, let field): ("\(name(step)).last.\(name(field))", .name)
        case .stepList(let step, let field): ("\(name(step)).\(name(field))", .name)
        case .stepCount(let step): ("\(name(step)).count", .name)
        case .stepAggregate(let function, let step, let field):
            ("\(function.rawValue)(\(name(step)).\(name(field)))", .name)
        case .key(let index):
            (plan.keyNames.indices.contains(index) ? plan.keyNames[index] : "key \(index)", .name)
        case .measure(let index, .now): (name(ofMeasure: index), .name)
        case .measure(let index, .previous): ("previous(\(name(ofMeasure: index)))", .name)
        case .measure(let index, .earlier(let span)):
            ("same_time(\(name(ofMeasure: index)), \(span))", .name)
        case .fact(let fact): (fact.rawValue, .name)
        case .score(let function, let measure, let parameter):
            (
                "\(function.rawValue)(\(name(ofMeasure: measure))"
                    + (parameter.map { ", \(Value.text(of: $0))" } ?? "") + ")", .name
            )
        case .clusterCount: ("members.count", .name)
        case .clusterField(let field, let occurrence):
            (
                "members." + (occurrence.map { $0 == .last ? "last." : "first." } ?? "")
                    + (field == .name ? memberName : field.rawValue), .name
            )
        case .variable(let depth): (PlanText.variable(depth), .name)
        case .not(let operand): negated(operand)
        case .and(let parts): joined(parts, " and ", .and, empty: "true")
        case .or(let parts): joined(parts, " or ", .or, empty: "false")
        case .compare(let comparison, let left, let right, let ignoringCase):
            tested(left, comparison.rawValue, inside(right, .sum), ignoringCase)
        case .textTest(let test, let left, let right, let ignoringCase):
            tested(left, test.rawValue, inside(right, .sum), ignoringCase)
        case .pattern(let operand, let pattern, let ignoringCase):
            tested(operand, "matches", "/\(PlanText.escapingSlashes(pattern))/", ignoringCase)
        case .member(let left, of: let right, let ignoringCase):
            tested(left, "in", inside(right, .sum), ignoringCase)
        case .inNetwork(let left, let right): tested(left, "in cidr", inside(right, .sum), false)
        case .inList(let operand, let list, let ignoringCase):
            tested(operand, "in list", name(list), ignoringCase)
        case .lookup(let list, key: let key, let column):
            ("\(name(list))[\(text(key))]" + (column.map { ".\($0)" } ?? ""), .name)
        case .exists(let operand): ("\(inside(operand, .sum)) exists", .comparison)
        case .otherwise(let first, let second):
            ("\(inside(first, .or)) else \(inside(second, .otherwise))", .otherwise)
        case .arithmetic(let operation, let left, let right): arithmetic(operation, left, right)
        case .negate(let operand): ("-\(inside(operand, .name))", .minus)
        case .call(let function, let arguments):
            ("\(function.rawValue)(\(arguments.map(text).joined(separator: ", ")))", .name)
        case .list(let elements): ("[\(elements.map(text).joined(separator: ", "))]", .name)
        case .quantified(let all, in: let list, let depth, let condition):
            (
                "\(all ? "every" : "any") \(PlanText.variable(depth)) in \(inside(list, .sum)): "
                    + text(condition), .otherwise
            )
        }
    }

    /// `not in` and `missing` where the language has a word of its own.
    private func negated(_ operand: Term) -> (text: String, binding: Binding) {
        switch operand {
        case .member(let left, of: let right, let ignoringCase):
            tested(left, "not in", inside(right, .sum), ignoringCase)
        case .inNetwork(let left, let right):
            tested(left, "not in cidr", inside(right, .sum), false)
        case .inList(let operand, let list, let ignoringCase):
            tested(operand, "not in list", name(list), ignoringCase)
        case .exists(let operand): ("\(inside(operand, .sum)) missing", .comparison)
        default: ("not \(inside(operand, .not))", .not)
        }
    }

    private func tested(
        _ left: Term, _ word: String, _ right: String, _ ignoringCase: Bool
    ) -> (text: String, binding: Binding) {
        let suffix = ignoringCase ? " ignoring case" : ""
        return ("\(inside(left, .sum)) \(word) \(right)\(suffix)", .comparison)
    }

    private func joined(
        _ parts: [Term], _ word: String, _ binding: Binding, empty: String
    ) -> (text: String, binding: Binding) {
        if parts.isEmpty { return (empty, .name) }
        // `and` within `or` gets parentheses too: nobody should have to know which binds tighter.
        var texts = parts.map { inside($0, .not) }
        if isCanonical { texts.sort { Text($0) < Text($1) } }
        return (texts.joined(separator: word), parts.count == 1 ? .not : binding)
    }

    private func arithmetic(
        _ operation: Arithmetic, _ left: Term, _ right: Term
    ) -> (text: String, binding: Binding) {
        let binding: Binding = operation == .add || operation == .subtract ? .sum : .product
        let tighter: Binding = binding == .sum ? .product : .minus
        return ("\(inside(left, binding)) \(operation.rawValue) \(inside(right, tighter))", binding)
    }

    func name(_ list: ListID) -> String { tables.lists[list.rawValue].name }

    // MARK: - Words

    private static func variable(_ depth: Int) -> String { depth == 0 ? "x" : "x\(depth + 1)" }

    /// A value as a rule would write it.
    public static func literal(_ value: Value) -> String {
        switch value {
        case .text(let text): quoted(text.string)
        case .ip, .network, .time: quoted(value.plainText)
        case .list(let values): "[\(values.map(literal).joined(separator: ", "))]"
        case .missing, .bool, .int, .float, .span: value.plainText
        }
    }

    /// Text in quotes, with escapes.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    private static func escapingSlashes(_ pattern: String) -> String {
        pattern.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
    }

    /// A path as a rule writes it: segments that are no words stand in backquotes.
    public static func spelled(_ path: FieldPath) -> String {
        path.segments.map { isWord($0) ? $0 : "`\($0)`" }.joined(separator: ".")
    }

    private static func isWord(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
