import RuleModel
import RuleSyntax

/// The state of checking one rule set.
///
/// Checking and lowering are one walk: an expression comes out as a `Term` with a type, and what
/// has a mistake as a term of unknown type, which agrees with everything, so that one mistake
/// gives one message.
struct Checker {
    let set: LoadedRuleSet
    let options: CompileOptions
    var symbols: Symbols
    var diagnostics: [Diagnostic] = []
    var fields = FieldTable()
    var rule = RuleContext()
    /// By range of the expression: what lints need to know.
    var facts: [SourceRange: ExpressionFact] = [:]
    /// Every name that was resolved, in no particular order; some more than once.
    var uses: [NameUse] = []

    /// Errors reported so far.
    var errorCount = 0
    /// Per file: where the parser's errors begin, sorted.
    let syntaxErrors: [[UInt32]]
    /// Sinks that were warned about.
    var undeclaredSinks: Set<String> = []
    /// The names of all time zones, once asked for; nil inside: names are not checked.
    var knownZones: Set<String>??
    var goodPatterns: Set<PatternKey> = []

    var letValues: [Lazily<Typed>]
    /// Constants and selects with a mistake of their own.
    var brokenLets: Set<Int> = []
    var brokenSelects: Set<Int> = []
    var selectStreams: [Lazily<ResolvedStream?>]
    /// Per definition: whether its body is sound, once known.
    var soundDefines: [Lazily<Bool>]
    /// The definitions that lead back to themselves.
    var recursive: Set<Int> = []
    /// The definitions being expanded, outermost first.
    var expansions: [Int] = []
    /// How many more nodes the expression at hand may have, definitions expanded.
    var budget = Checker.expressionNodesMax

    /// How many expressions surround the one at hand, through definitions and constants too.
    var depth = 0

    /// The parser allows 256 levels in one expression; the rest is for definitions of definitions.
    static let depthMax = 600

    /// Far above any written rule; a definition that doubles itself thirty times stops here.
    static let expressionNodesMax = 50_000

    init(set: LoadedRuleSet, symbols: Symbols, options: CompileOptions) {
        self.set = set
        self.symbols = symbols
        self.options = options
        var starts = [[UInt32]](repeating: [], count: set.sources.count)
        for diagnostic in set.diagnostics where diagnostic.severity == .error {
            starts[Int(diagnostic.primary.range.source.rawValue)].append(
                diagnostic.primary.range.start)
        }
        syntaxErrors = starts.map { $0.sorted() }
        letValues = Array(repeating: .untouched, count: symbols.lets.count)
        selectStreams = Array(repeating: .untouched, count: symbols.selects.count)
        soundDefines = Array(repeating: .untouched, count: symbols.defines.count)
        recursive = recursiveDefines()
    }

    mutating func report(_ diagnostic: Diagnostic) {
        diagnostics.append(diagnostic)
        if diagnostic.severity == .error { errorCount += 1 }
    }

    /// Whether the parser had something to say about a part of this range. What it left out is then
    /// not a mistake of its own.
    func hasSyntaxError(in range: SourceRange) -> Bool {
        let starts = syntaxErrors[Int(range.source.rawValue)]
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < range.start { low = middle + 1 } else { high = middle }
        }
        return low < starts.count && starts[low] <= range.end
    }

    /// The text as it stands in the file.
    func sourceText(_ range: SourceRange) -> String {
        set.sources[Int(range.source.rawValue)].text(range)
    }

    /// `rules/auth.rules:8`
    func place(_ range: SourceRange) -> String {
        let source = set.sources[Int(range.source.rawValue)]
        return "\(source.name):\(source.line(at: range.start) + 1)"
    }

    mutating func note(_ typed: Typed, declaration: SourceRange? = nil, event: String? = nil) {
        guard expansions.isEmpty else { return }
        facts[typed.range] = ExpressionFact(
            term: typed.term, type: typed.type, isOptional: typed.isOptional,
            declaration: declaration, event: event)
    }
}
