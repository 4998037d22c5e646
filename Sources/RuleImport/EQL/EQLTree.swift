/// A query of the Event Query Language.
struct EQLQuery: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case event(EQLEventQuery)
        case sequence(EQLSequence)
    }

    var kind: Kind
    /// The words behind each `|`.
    var pipes: [String]
}

/// `process where process.name == "cmd.exe"`
struct EQLEventQuery: Equatable, Sendable {
    /// Nil for `any`.
    var category: String?
    var condition: EQLExpression
}

/// `sequence by user with maxspan=5m [..] [..] until [..]`
struct EQLSequence: Equatable, Sendable {
    struct Item: Equatable, Sendable {
        var query: EQLEventQuery
        var keys: [EQLField]
        /// `![...]`
        var isMissing = false
        /// `with runs=N`
        var runs = 1
        var line: Int
    }

    var keys: [EQLField]
    /// As our language writes it; nil without a limit.
    var maxspan: String?
    var items: [Item]
    var until: Item?
}

/// A field, with points between its parts.
struct EQLField: Hashable, Sendable {
    var name: String
    /// `?name`: need not be known.
    var isOptional = false
}

indirect enum EQLExpression: Equatable, Sendable {
    case text(String)
    /// As our language writes it.
    case number(String)
    case bool(Bool)
    case null
    case field(EQLField)
    case and([EQLExpression])
    case or([EQLExpression])
    case not(EQLExpression)
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`
    case comparison(String, EQLExpression, EQLExpression)
    /// `:`, `like`, `like~`, `regex`, `regex~`, `in`, `in~` with the texts or values behind it.
    case test(String, EQLExpression, [EQLExpression])
    /// `+ - * / %`
    case arithmetic(String, EQLExpression, EQLExpression)
    case call(String, ignoringCase: Bool, [EQLExpression])
}
