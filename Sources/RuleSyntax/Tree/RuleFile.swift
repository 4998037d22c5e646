// The tree of one `.rules` file: what was written, without any opinion about what it means.
// Nodes are values with source ranges; comments stay in the token array of `Parsed`.

/// A word with its place. Backquotes are taken off.
public struct Name: Sendable, Equatable {
    public var text: String
    public var range: SourceRange

    public init(_ text: String, _ range: SourceRange) {
        self.text = text
        self.range = range
    }
}

/// A dotted name: `ssh.login`, `geo.country`.
public struct PathSyntax: Sendable, Equatable {
    /// Never empty.
    public var segments: [Name]

    public init(_ segments: [Name]) { self.segments = segments }

    public var text: String { segments.map(\.text).joined(separator: ".") }
    public var range: SourceRange {
        segments[0].range.joined(with: segments[segments.count - 1].range)
    }
}

/// A quoted text with its place; `range` covers the quotes.
public struct TextLiteral: Sendable, Equatable {
    /// Escapes undone.
    public var value: String
    public var range: SourceRange
    /// `r"..."`: no escapes inside.
    public var isRaw: Bool

    public init(_ value: String, _ range: SourceRange, isRaw: Bool = false) {
        self.value = value
        self.range = range
        self.isRaw = isRaw
    }
}

/// A length of time, in nanoseconds.
public struct DurationLiteral: Sendable, Equatable {
    public var nanoseconds: Int64
    public var range: SourceRange

    public init(_ nanoseconds: Int64, _ range: SourceRange) {
        self.nanoseconds = nanoseconds
        self.range = range
    }
}

/// A whole number with its place.
public struct IntegerLiteral: Sendable, Equatable {
    public var value: Int
    public var range: SourceRange

    public init(_ value: Int, _ range: SourceRange) {
        self.value = value
        self.range = range
    }
}

/// The tree of a file: its declarations in order.
public struct RuleFile: Sendable, Equatable {
    public var source: SourceID
    public var declarations: [Declaration]

    public init(source: SourceID, declarations: [Declaration]) {
        self.source = source
        self.declarations = declarations
    }
}

/// What may stand at the top level of a file.
public enum Declaration: Sendable, Equatable {
    case `import`(ImportDeclaration)
    case event(EventDeclaration)
    case select(SelectDeclaration)
    case list(ListDeclaration)
    case schedule(ScheduleDeclaration)
    case `let`(LetDeclaration)
    case define(DefineDeclaration)
    case rule(RuleDeclaration)
    case metric(MetricDeclaration)
    case test(TestDeclaration)
    /// `source`, `sink` and `engine` (part 3 of the language).
    case deployment(DeploymentDeclaration)
}

/// `import "schemas/ssh.rules"`, relative to the importing file.
public struct ImportDeclaration: Sendable, Equatable {
    public var path: TextLiteral
    public var range: SourceRange

    public init(path: TextLiteral, range: SourceRange) {
        self.path = path
        self.range = range
    }
}

/// `event ssh.login { src_ip: ip  user: text? }`
public struct EventDeclaration: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public var path: PathSyntax
        public var type: TypeSyntax
        /// Written `type?`: the field may be missing.
        public var isOptional: Bool

        public init(path: PathSyntax, type: TypeSyntax, isOptional: Bool) {
            self.path = path
            self.type = type
            self.isOptional = isOptional
        }
    }

    public var path: PathSyntax
    public var fields: [Field]
    public var range: SourceRange

    public init(path: PathSyntax, fields: [Field], range: SourceRange) {
        self.path = path
        self.fields = fields
        self.range = range
    }
}

/// The type of a field, as written.
public struct TypeSyntax: Sendable, Equatable {
    public indirect enum Kind: Sendable, Equatable {
        /// `text`, `number`, `ip`, ... as written; whether it exists is for the checker to say.
        case named(String)
        /// `"success" | "failure"`
        case oneOf([TextLiteral])
        /// `[text]`
        case list(TypeSyntax)
    }

    public var kind: Kind
    public var range: SourceRange

    public init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
    }
}

/// `select good_login = auth.login where outcome == "success"`
public struct SelectDeclaration: Sendable, Equatable {
    public var name: Name
    public var source: SourceSyntax
    public var range: SourceRange

    public init(name: Name, source: SourceSyntax, range: SourceRange) {
        self.name = name
        self.source = source
        self.range = range
    }
}

/// `list deny_nets of cidr from "deny.csv" key network refresh 1m`, or `list hosts = ["a", "b"]`.
public struct ListDeclaration: Sendable, Equatable {
    public var name: Name
    /// `text`, `cidr`, `number`, `pair` or `table`; nil where it was left out.
    public var element: Name?
    public var path: TextLiteral?
    public var key: Name?
    public var refresh: DurationLiteral?
    /// The values of the `= [...]` form.
    public var values: [ExpressionSyntax]?
    public var range: SourceRange

    public init(
        name: Name, element: Name?, path: TextLiteral?, key: Name?, refresh: DurationLiteral?,
        values: [ExpressionSyntax]?, range: SourceRange
    ) {
        self.name = name
        self.element = element
        self.path = path
        self.key = key
        self.refresh = refresh
        self.values = values
        self.range = range
    }
}

/// `schedule business_hours = "Mon-Fri 08:00-18:00" in "Europe/Berlin"`
public struct ScheduleDeclaration: Sendable, Equatable {
    public var name: Name
    public var times: TextLiteral
    public var zone: TextLiteral
    public var range: SourceRange

    public init(name: Name, times: TextLiteral, zone: TextLiteral, range: SourceRange) {
        self.name = name
        self.times = times
        self.zone = zone
        self.range = range
    }
}

/// `let limit = 5`
public struct LetDeclaration: Sendable, Equatable {
    public var name: Name
    public var value: ExpressionSyntax
    public var range: SourceRange

    public init(name: Name, value: ExpressionSyntax, range: SourceRange) {
        self.name = name
        self.value = value
        self.range = range
    }
}

/// `define speed_kmh(a, b) = ...`, expanded where it is used.
public struct DefineDeclaration: Sendable, Equatable {
    public var name: Name
    public var parameters: [Name]
    public var body: ExpressionSyntax
    public var range: SourceRange

    public init(name: Name, parameters: [Name], body: ExpressionSyntax, range: SourceRange) {
        self.name = name
        self.parameters = parameters
        self.body = body
        self.range = range
    }
}

/// A `source`, `sink` or `engine` block: nested settings, whose names and values the checker knows.
public struct DeploymentDeclaration: Sendable, Equatable {
    public enum Kind: String, Sendable { case source, sink, engine }

    public var kind: Kind
    /// Nil for `engine`.
    public var name: Name?
    public var settings: [SettingSyntax]
    public var range: SourceRange

    public init(kind: Kind, name: Name?, settings: [SettingSyntax], range: SourceRange) {
        self.kind = kind
        self.name = name
        self.settings = settings
        self.range = range
    }
}

/// One line of a deployment block: words and values in the order written, and perhaps a nested block.
///
/// `group by rule for 10s` is five items; `kafka { ... }` is one item and a block.
public struct SettingSyntax: Sendable, Equatable {
    public enum Item: Sendable, Equatable {
        case word(Name)
        /// A text, number, list, or (in `when`) a whole condition.
        case value(ExpressionSyntax)
        /// Bare text that is neither, such as `127.0.0.1:8686`.
        case bare(Name)
    }

    /// Never empty; the first is a word.
    public var items: [Item]
    public var block: [SettingSyntax]?
    public var range: SourceRange

    public init(items: [Item], block: [SettingSyntax]?, range: SourceRange) {
        self.items = items
        self.block = block
        self.range = range
    }
}
