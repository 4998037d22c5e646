/// A word that the parser treats specially somewhere.
///
/// Words are contextual: to the lexer each of these is a plain name, and the parser asks for a
/// keyword only where one can stand. So a field may be called `window` or `test`. The table exists
/// for three readers: the parser (which compares cases, not texts), the editor's highlighter, and
/// the test that holds `grammar/martlet.ebnf` to the parser.
public enum Keyword: String, Sendable, CaseIterable {
    // Declarations.
    case `import`, event, select, list, schedule, `let`, define, rule, metric, test, source, sink,
        engine
    case of, from, key, refresh

    // Rules: metadata and actions.
    case title, severity, tags, attack, owner, runbook, references, falsepositives, enabled
    case active, during, outside, unless, confidence, early, on, off, allow
    case alert, suppress, group, send, to, mask, attach, risk

    // Patterns.
    case sequence, threshold, correlation, anomalyCluster = "anomaly_cluster"
    case by, within, overlap, nothingOverlaps = "none", each, latest, all, limit, restart, `repeat`,
        unbounded, runs
    case report, partial, after, match, resume, at, assume, absent, start
    case then, immediately, no, without, until, any, least, exactly, number, optional
    case `as`, few, possible
    case over, window, sliding, tumbling, hopping, every, session, gap, max, last, events, aligned
    case measure, when, `for`, resolve, remind, stale, data, keep, fire, reset, forget
    case forecast, seasonal, daily, weekly, show
    case them, order, before, strength, lift, pooled, movesWith = "moves_with", step, lag, points
    case once, per
    case baseline, adapt, anomalous, the, cluster, linked, span, min, spread, values, update

    // Tests.
    case expect, nothing, correction, with, `else`, time, watch, advance, arrives, crash

    // Expressions.
    case and, or, not, `in`, contains, starts, ends, like, matches, cidr, exists, missing
    case ignoring, `case`, `true`, `false`, `where`

    // Message formats.
    case masked, first

    /// The keyword a name is spelled like, if any.
    static func named(_ text: String) -> Keyword? { table[text] }

    private static let table = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// Words that cannot be the first word of an operand: met there, an operand was forgotten.
    ///
    /// A field with such a name is written in backquotes at the start of an expression, and plain
    /// behind a dot.
    var isReservedInExpressions: Bool {
        switch self {
        case .and, .or, .not, .in, .where, .within, .for, .else, .then, .by, .until, .ignoring: true
        default: false
        }
    }

    /// Words that continue the clause of the line before when a line begins with them.
    var continuesClause: Bool {
        switch self {
        case .and, .or, .where, .within, .for: true
        default: false
        }
    }
}
