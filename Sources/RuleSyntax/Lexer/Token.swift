/// A piece of a file: what kind of piece, and where.
///
/// Tokens hold no text and no value; both are read from the file's bytes where they are needed.
public struct Token: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case name
        /// A name in backquotes, never a keyword.
        case quotedName

        case integer, decimal, percent, size, duration
        /// A number with letters behind it that are no unit, such as `10min`.
        case unknownUnit

        case text
        /// `r"..."`
        case rawText
        /// A text behind `alert`: braces in it hold expressions, which may hold texts again.
        case message
        /// A text in other quotes than ours: `'...'`, or the typographic ones of a word processor.
        case foreignText
        /// `/.../` behind `matches`.
        case regex

        case leftBrace, rightBrace, leftParenthesis, rightParenthesis, leftBracket, rightBracket
        case comma, colon, dot, dotDot, question, bar
        case assign, equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        case plus, minus, star, slash, percentSign
        /// An operator of other languages that has a spelling of its own here: `&&`, `<>`, `->`.
        case foreignOperator

        case comment, newline
        /// Bytes that mean nothing, reported by the lexer, and the needless `;`.
        case unknown
        case endOfFile
    }

    public var kind: Kind
    public var range: SourceRange
    /// Set for plain names that are spelled like a keyword.
    public var keyword: Keyword?
    /// Nothing but space and comments stands before it on its line.
    public var startsLine: Bool

    public init(
        _ kind: Kind, _ range: SourceRange, keyword: Keyword? = nil, startsLine: Bool = false
    ) {
        self.kind = kind
        self.range = range
        self.keyword = keyword
        self.startsLine = startsLine
    }

    /// Comments, line ends and unknown bytes: the parser does not see these.
    public var isTrivia: Bool {
        switch kind {
        case .comment, .newline, .unknown: true
        default: false
        }
    }

    var isName: Bool { kind == .name || kind == .quotedName }

    var isNumeric: Bool {
        switch kind {
        case .integer, .decimal, .percent, .size, .duration, .unknownUnit: true
        default: false
        }
    }

    var isText: Bool {
        switch kind {
        case .text, .rawText, .message, .foreignText: true
        default: false
        }
    }
}
