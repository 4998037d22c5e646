import RuleModel

/// A way to find the events that may satisfy a condition without asking each of them: the value of
/// one field leads to the conditions that want it.
///
///     host == "web-17" and latency > 900     is found by the text of `host`
///     command contains "-enc"                is found by a literal in `command`
///     amount > 2000                          is found by the number of `amount`
enum AccessPath: Hashable, Sendable {
    /// The column holds exactly this text; of folded paths the folded text does.
    case text(column: Int, [UInt8], isFolded: Bool)
    /// The column's text contains these bytes.
    case literal(column: Int, [UInt8], isFolded: Bool)
    case number(column: Int, Comparison, bits: UInt64)

    /// Paths of one group are looked up together.
    enum Group: Hashable, Sendable {
        case text(column: Int, isFolded: Bool)
        case literal(column: Int, isFolded: Bool)
        case number(column: Int, Comparison)
    }

    var group: Group {
        switch self {
        case .text(let column, _, let isFolded): .text(column: column, isFolded: isFolded)
        case .literal(let column, _, let isFolded): .literal(column: column, isFolded: isFolded)
        case .number(let column, let comparison, _): .number(column: column, comparison)
        }
    }
}

/// Finds access paths for the conditions of a rule set.
///
/// Where a condition has several, the one is taken that the fewest conditions share: `powershell`
/// stands in hundreds of rules and in many events, `-Frobnicate` in one.
struct AccessPlanner {
    /// A path, and what is left to be judged on the rows that it leads to.
    struct Route {
        var path: AccessPath
        var rest: [Kernel]
    }

    private let patterns: [Code.Pattern]
    private var uses: [AccessPath: Int] = [:]

    /// What is shorter occurs everywhere.
    private static let literalMin = 3
    /// What is longer costs memory and tells little more.
    private static let literalMax = 10

    init(patterns: [Code.Pattern], kernels: [Kernel]) {
        self.patterns = patterns
        for kernel in kernels { count(kernel) }
    }

    /// All ways to satisfy the condition, one of which leads to every row that does; nil when
    /// there is no way but to ask every row.
    func routes(_ kernel: Kernel) -> [Route]? { best(kernel)?.routes }

    private mutating func count(_ kernel: Kernel) {
        switch kernel {
        case .and(let parts), .or(let parts):
            for part in parts { count(part) }
        default:
            for path in atoms(kernel)?.flatMap(\.self) ?? [] { uses[path.path, default: 0] += 1 }
        }
    }

    private func best(_ kernel: Kernel) -> (routes: [Route], cost: Int)? {
        switch kernel {
        case .never:
            return ([], 0)
        case .and(let parts):
            var choice: (place: Int, routes: [Route], cost: Int)?
            for (place, part) in parts.enumerated() {
                guard let found = best(part) else { continue }
                if let choice, choice.cost <= found.cost { continue }
                choice = (place, found.routes, found.cost)
            }
            guard let choice else { return nil }
            var others = parts
            others.remove(at: choice.place)
            return (
                choice.routes.map { Route(path: $0.path, rest: $0.rest + others) }, choice.cost
            )
        case .or(let parts):
            var routes: [Route] = []
            var cost = 0
            for part in parts {
                guard let found = best(part) else { return nil }
                routes += found.routes
                cost += found.cost
            }
            return (routes, cost)
        default:
            return atoms(kernel)?.map { routes in
                (routes, routes.reduce(0) { $0 + weight($1.path) * (uses[$1.path] ?? 1) })
            }.min { $0.1 < $1.1 }.map { ($0.0, $0.1) }
        }
    }

    /// How often a path of this kind leads to rows that do not satisfy the condition, roughly.
    private func weight(_ path: AccessPath) -> Int {
        switch path {
        case .text: 1
        case .literal(_, let bytes, _): bytes.count > 4 ? 2 : 8
        case .number(_, .equal, _): 4
        case .number: 100
        }
    }

    /// Each element is a way of its own to find the rows of a condition without `and` and `or`.
    private func atoms(_ kernel: Kernel) -> [[Route]]? {
        switch kernel {
        case .number(let field, let comparison, let constant):
            // Smaller numbers compare exactly as decimals (`Pass.numbers`).
            guard comparison != .notEqual, let number = Numbers.double(constant),
                number.magnitude < 0x1p53
            else { return nil }
            let path = AccessPath.number(
                column: field.column, comparison, bits: (number + 0).bitPattern)
            return [[Route(path: path, rest: [])]]
        case .text(let field, isEqual: true, let text, let isFolded):
            return [[Route(path: .text(column: field.column, text, isFolded: isFolded), rest: [])]]
        case .texts(let field, let texts, let isFolded):
            return [
                texts.map { text in
                    Route(path: .text(column: field.column, text, isFolded: isFolded), rest: [])
                }
            ]
        case .textTest(let field, let test, let part, let isFolded):
            let literals = test == .like ? PatternLiteral.ofLike(part) : [part]
            return literalRoutes(literals, field, isFolded, kernel, isExact: test == .contains)
        case .pattern(let field, let index):
            let pattern = patterns[index]
            let literals = PatternLiteral.ofExpression(Array(pattern.source.utf8)).map { literal in
                pattern.ignoresCase ? literal.map(CaseFolding.lowerASCII) : literal
            }
            return literalRoutes(literals, field, pattern.ignoresCase, kernel, isExact: false)
        default:
            return nil
        }
    }

    private func literalRoutes(
        _ literals: [[UInt8]], _ field: Field, _ isFolded: Bool, _ kernel: Kernel, isExact: Bool
    ) -> [[Route]]? {
        let routes = literals.filter { $0.count >= AccessPlanner.literalMin }.map { literal in
            let end = Array(literal.suffix(AccessPlanner.literalMax))
            return [
                Route(
                    path: .literal(column: field.column, end, isFolded: isFolded),
                    rest: isExact && end.count == literal.count ? [] : [kernel])
            ]
        }
        return routes.isEmpty ? nil : routes
    }
}
