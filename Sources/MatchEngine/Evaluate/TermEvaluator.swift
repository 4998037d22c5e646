import RuleModel
import TextPatterns

/// Evaluates the expressions of a program.
struct TermEvaluator: Sendable {
    /// How a comparison with missing comes out.
    enum Logic: Sendable {
        /// False; `!=` and `not in` are the plain complements (T6).
        case plain
        /// Unknown, which is `missing`; `not`, `and` and `or` are Kleene's (H3).
        case threeValued
    }

    let code: Code
    var lists: [ListTable]

    init(program: Program, environment: EngineEnvironment) {
        code = program.code
        lists = program.tables.lists.indices.map { index in
            environment.lists[ListID(index)] ?? ListTable(kind: program.tables.lists[index].kind)
        }
    }

    /// The value of an expression.
    func value<Context: TermContext>(
        _ id: CodeID, in context: Context, logic: Logic = .plain
    ) -> Value { .missing }

    /// Whether a condition holds under the plain logic.
    func holds<Context: TermContext>(_ id: CodeID, in context: Context) -> Bool { false }

    /// Whether a condition holds under the three-valued logic; nil when unknown.
    func judge<Context: TermContext>(_ id: CodeID, in context: Context) -> Bool? { nil }
}
