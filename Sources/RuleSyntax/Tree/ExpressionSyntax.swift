/// An expression as written.
public struct ExpressionSyntax: Sendable, Equatable {
    public indirect enum Kind: Sendable, Equatable {
        /// `5`, `0.5`, `5%` (0.05), `10MB` (10,000,000), `10MiB`. `value` has the unit applied;
        /// `integer` is there when the result is a whole number that fits.
        case number(value: Double, integer: Int64?)
        /// `90s`, `1h30m`: nanoseconds.
        case duration(Int64)
        case text(TextLiteral)
        case bool(Bool)
        /// `/re/` behind `matches`. The pattern is as written between the slashes, `\/` undone.
        case regex(TextLiteral)
        /// A bare word: a field, a binding, a list, a constant, a measure: the resolver says which.
        case name(Name)
        /// `base.member`
        case member(ExpressionSyntax, Name)
        /// `slo[service]`
        case lookup(ExpressionSyntax, ExpressionSyntax)
        /// `name(arguments)`; also `count`-like aggregates that take arguments.
        case call(Name, [ExpressionSyntax])
        case list([ExpressionSyntax])
        case unary(UnaryOperator, ExpressionSyntax)
        case binary(BinaryOperator, ExpressionSyntax, ExpressionSyntax, ignoringCase: Bool)
        /// `field exists` (`negated` false) and `field missing` (`negated` true).
        case exists(ExpressionSyntax, negated: Bool)
        /// `a else b`
        case otherwise(ExpressionSyntax, ExpressionSyntax)
        /// `any a in process.args: a like "-enc*"`, `every ...`
        case quantified(Quantifier, Name, in: ExpressionSyntax, ExpressionSyntax)
        /// `(a)`; kept so that the formatter and the mixed-and-or warning see it.
        case parenthesised(ExpressionSyntax)
        /// Something was expected here and is not; the mistake has been reported.
        case missing
    }

    public var kind: Kind
    public var range: SourceRange
    /// The operator's own range for `unary`, `binary`, `exists` and `otherwise`, else nil.
    public var operatorRange: SourceRange?

    public init(_ kind: Kind, _ range: SourceRange, operatorRange: SourceRange? = nil) {
        self.kind = kind
        self.range = range
        self.operatorRange = operatorRange
    }
}

/// An operator in front of one operand.
public enum UnaryOperator: String, Sendable { case not, minus = "-" }

/// How many elements of a list have to fit.
public enum Quantifier: String, Sendable { case any, every }

/// An operator between two operands.
public enum BinaryOperator: String, Sendable, CaseIterable {
    case or, and
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">"
    case greaterOrEqual = ">="
    case `in` = "in", notIn = "not in"
    case contains, startsWith = "starts with", endsWith = "ends with", like
    case matches
    case inCIDR = "in cidr", notInCIDR = "not in cidr", inList = "in list", notInList =
        "not in list"
    case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%"
}

/// A message: literal text and expressions in braces.
public struct MessageSyntax: Sendable, Equatable {
    public enum Part: Sendable, Equatable {
        case text(String)
        case expression(ExpressionSyntax, MessageFormat?)
    }

    /// Behind `|` inside the braces.
    public enum MessageFormat: Sendable, Equatable {
        case masked(SourceRange)
        case inZone(TextLiteral)
        case first(IntegerLiteral)
    }

    /// The literal as it stands in the file.
    public var literal: TextLiteral
    public var parts: [Part]

    public init(literal: TextLiteral, parts: [Part]) {
        self.literal = literal
        self.parts = parts
    }
}
