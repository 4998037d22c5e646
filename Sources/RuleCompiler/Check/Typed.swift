import RuleModel
import RuleSyntax

/// An expression whose names are resolved and whose type is known.
struct Typed {
    var term: Term
    var type: ValueType
    /// Whether it may be missing by its declaration: an optional field, a look-up, a step that need
    /// not have happened.
    var isOptional: Bool
    var range: SourceRange

    init(_ term: Term, _ type: ValueType, isOptional: Bool = false, range: SourceRange) {
        self.term = term
        self.type = type
        self.isOptional = isOptional
        self.range = range
    }

    /// What stands in for an expression with a mistake that has been reported.
    static func unknown(_ range: SourceRange) -> Typed {
        Typed(.constant(.missing), .unknown, isOptional: true, range: range)
    }

    /// The text, when it is a constant one.
    var constantText: String? {
        if case .constant(.text(let text)) = term { return text.string }
        return nil
    }
}

/// What a name can stand for.
enum Operand {
    case value(Typed)
    case event(EventReference)
}

/// An event that an expression can read fields of.
struct EventReference {
    indirect enum Place {
        /// The event that a condition looks at.
        case current
        case step(Int, Term.Occurrence)
        /// `(a else b)`: of the first that happened.
        case either(EventReference, EventReference)
    }

    var place: Place
    /// Index into `Symbols.events`.
    var event: Int
    var isOptional: Bool
    var range: SourceRange
}

extension ValueType: CustomStringConvertible {
    /// The type as messages write it.
    public var description: String {
        switch self {
        case .unknown: "unknown"
        case .bool: "bool"
        case .number: "number"
        case .text: "text"
        case .enumeration(let cases): cases.map { "\"\($0)\"" }.joined(separator: " | ")
        case .ip: "ip"
        case .network: "cidr"
        case .time: "time"
        case .span: "duration"
        case .list(let element): "[\(element.description)]"
        case .event: "event"
        }
    }
}

extension ValueType {
    var isUnknown: Bool { self == .unknown }

    var isText: Bool {
        switch self {
        case .text, .enumeration: true
        default: false
        }
    }

    var element: ValueType? {
        if case .list(let element) = self { return element }
        return nil
    }

    /// Whether values of the two types can be equal. Unknown agrees with everything.
    func agrees(with other: ValueType) -> Bool {
        if isUnknown || other.isUnknown || self == other { return true }
        if isText, other.isText { return true }
        if let element, let otherElement = other.element {
            return element.agrees(with: otherElement)
        }
        return false
    }

    /// The type of something that is one or the other. Both agree.
    func joined(with other: ValueType) -> ValueType {
        if isUnknown { return other }
        if other.isUnknown || self == other { return self }
        if isText, other.isText { return .text }
        if let element, let otherElement = other.element {
            return .list(element.joined(with: otherElement))
        }
        return .unknown
    }
}
