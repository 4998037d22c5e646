import RuleModel
import RuleSyntax

/// Where an expression stands, and so which names it can use.
struct Scope {
    enum Subject {
        /// A constant, or the body of a definition: no event.
        case nothing
        /// A condition on an event of this type (index into `Symbols.events`).
        case event(Int)
        /// A threshold's `when`: measures and the key.
        case window
        /// A message, `attach`, `unless`: the whole match.
        case match
    }

    struct Variable {
        var name: String
        var range: SourceRange
        var type: ValueType
        /// Counted from the outermost, as in `Term.variable`.
        var depth: Int
    }

    var subject: Subject
    /// The step whose condition this is.
    var reader: Int?
    /// What the parameters of the definition being expanded stand for.
    var parameters: [String: Operand] = [:]
    var variables: [Variable] = []
    /// How many quantified expressions surround this one, visible or not.
    var depth = 0

    init(_ subject: Subject, reader: Int? = nil) {
        self.subject = subject
        self.reader = reader
    }

    static var constant: Scope { Scope(.nothing) }
}

/// A named event of a sequence or correlation.
struct StepSymbol {
    enum Role { case taken, absent, without, until }

    var name: Name
    var role: Role
    var event: Int
    /// Its place among the lines of the block; the steps of one group share it.
    var element: Int
    /// The group it stands in, if any.
    var group: StepGroup?
    var isRepeated: Bool
    /// Whether a match can do without it.
    var isOptional: Bool
    /// The number of the step as people count them.
    var number: Int
}

/// What the rule at hand offers to its expressions.
struct RuleContext {
    struct KeyPart {
        var name: String
        var type: ValueType
        var range: SourceRange
        /// The fields that it is, where they are declared, and the places that read it.
        var declarations: [SourceRange] = []
        var mentions: [SourceRange] = []
    }

    enum Kind { case none, sequence, threshold, correlation, anomaly }

    var name = ""
    var kind = Kind.none
    var keys: [KeyPart] = []
    var keyIndex: [String: Int] = [:]
    var steps: [StepSymbol] = []
    var stepIndex: [String: Int] = [:]
    var measures: [MeasurePlan] = []
    var measureTypes: [ValueType] = []
    var measureIndex: [String: Int] = [:]
    /// Where the measures with names are declared.
    var measureRanges: [String: SourceRange] = [:]
    /// The event type a threshold looks at.
    var input: Int?
    /// What the members of a cluster are called.
    var clusterMember = ""
    /// Where the fields that tell its members apart are declared.
    var clusterMemberFields: [SourceRange] = []
    /// What the engine makes that it reads, and where it says so.
    var reads: [(producer: Producer, range: SourceRange)] = []
    /// Whether it uses a constant or definition that has a mistake of its own.
    var isPoisoned = false
    /// Whether a part of the key is no field of an input; a name in the message may have been meant.
    var hasUnknownKey = false

    mutating func add(measure: MeasurePlan, type: ValueType) -> Int {
        measures.append(measure)
        measureTypes.append(type)
        return measures.count - 1
    }
}

/// What the checker found out about an expression, for the lints.
struct ExpressionFact: Equatable {
    var term: Term
    var type: ValueType
    var isOptional: Bool
    /// Where the field it reads is declared, if it reads one.
    var declaration: SourceRange?
    /// The event type of that field.
    var event: String?
}
