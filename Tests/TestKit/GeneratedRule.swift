/// A random rule as data, so that it can be printed, and made smaller when it fails.
public struct GeneratedRule: Sendable, Equatable {
    public enum Pattern: Sendable, Equatable {
        case sequence(GeneratedSequence)
        case threshold(GeneratedThreshold)
        case correlation(GeneratedCorrelation)
        /// A sequence of one step with this condition.
        case condition(String)
    }

    /// Names of the key's fields; empty: one key for all events.
    public var key: [String]
    public var pattern: Pattern
    /// The file that declares events and lists.
    public static let schema = """
        event a { k: text  n: number  v: number?  u: text?  x.y: number? }
        event b { k: text  n: number  v: number?  u: text?  x.y: number? }
        event c { k: text  n: number  v: number?  u: text?  x.y: number? }
        select big_a = a where v >= 1
        list names = ["x", "z"]
        list hosts = ["p", "q", "r"]
        """

    /// A whole file that the compiler takes.
    public var text: String {
        var schema = GeneratedRule.schema
        if case .condition = pattern { schema = GeneratedRule.conditionSchema }
        var lines = [schema, "", "rule r {"]
        switch pattern {
        case .condition(let condition):
            lines += ["  sequence {", "    s0: e where \(condition)", "  }"]
            lines += ["  alert \"found\"", "  attach s0.n"]
        case .sequence(let sequence): lines += sequence.lines(key: key)
        case .threshold(let threshold): lines += threshold.lines(key: key)
        case .correlation(let correlation): lines += correlation.lines(key: key)
        }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A named event of a sequence.
public struct GeneratedStep: Sendable, Equatable {
    public enum Quantity: Sendable, Equatable {
        case one, optional, any
        case atLeast(Int)
        case exactly(Int)
        case between(Int, Int)
    }

    public var name: String
    public var quantity = Quantity.one
    public var source: String
    /// Joined with `and`.
    public var conditions: [String] = []
    /// `by k = u`
    public var alias: String?
    /// Seconds.
    public var gap: Int?
    public var isReluctant = false

    var text: String {
        let quantity =
            switch quantity {
            case .one: ""
            case .optional: "optional "
            case .any: "any number of "
            case .atLeast(let count): "at least \(count) "
            case .exactly(let count): "exactly \(count) "
            case .between(let least, let most): "\(least) to \(most) "
            }
        return quantity + plain + (gap.map { " within \($0)s" } ?? "")
            + (isReluctant ? " as few as possible" : "")
    }

    /// Without quantity and limits.
    var plain: String {
        let condition = conditions.isEmpty ? "" : " where " + conditions.joined(separator: " and ")
        return "\(name): \(source)\(condition)" + (alias.map { " by k = \($0)" } ?? "")
    }
}

public enum GeneratedElement: Sendable, Equatable {
    case step(GeneratedStep, immediately: Bool)
    case all([GeneratedStep])
    case any([GeneratedStep])
    case without(GeneratedStep)
    /// At the start `no ... for`, at the end `then no ... within`; seconds.
    case absence(GeneratedStep, Int)

    /// The steps that may hold events.
    var steps: [GeneratedStep] {
        switch self {
        case .step(let step, immediately: _): [step]
        case .all(let steps), .any(let steps): steps
        case .without, .absence: []
        }
    }
}

public struct GeneratedSequence: Sendable, Equatable {
    /// Seconds.
    public var within: Int?
    /// As written behind the limit.
    public var policy: String
    public var elements: [GeneratedElement]
    public var until: GeneratedStep?

    func lines(key: [String]) -> [String] {
        var head = "  sequence"
        if !key.isEmpty { head += " by " + key.joined(separator: ", ") }
        if let within { head += " within \(within)s" }
        if !policy.isEmpty { head += " " + policy }
        var lines = [head + " {"]
        for (index, element) in elements.enumerated() {
            let then = index == 0 ? "" : "then "
            switch element {
            case .step(let step, let immediately):
                lines.append("    \(then)\(immediately ? "immediately " : "")\(step.text)")
            case .all(let steps):
                lines.append("    \(then)all of {")
                lines += steps.map { "      \($0.text)" } + ["    }"]
            case .any(let steps):
                lines.append("    \(then)any of {")
                lines += steps.map { "      \($0.text)" } + ["    }"]
            case .without(let step): lines.append("    without \(step.plain)")
            case .absence(let step, let span):
                lines.append(
                    "    \(then)no \(step.plain) \(index == 0 ? "for" : "within") \(span)s")
            }
        }
        if let until { lines.append("    until \(until.plain)") }
        lines.append("  }")
        lines.append("  alert \"found\"")
        // Bound events are told apart by their number.
        lines.append(
            "  attach " + elements.flatMap(\.steps).map { "\($0.name).n" }.joined(separator: ", "))
        return lines
    }
}

public struct GeneratedThreshold: Sendable, Equatable {
    public var isListed: Bool
    public var source: String
    public var window: String
    /// As written behind `measure NAME =`; names are `m0`, `m1`, ...
    public var measures: [String]
    public var when: String
    /// Seconds.
    public var holdFor: Int?
    public var atLeast: Int?
    public var resolve: String?
    public var resolveFor: Int?
    public var options: [String]

    func lines(key: [String]) -> [String] {
        var head = "  threshold"
        if !key.isEmpty { head += " by " + key.joined(separator: ", ") }
        if isListed { head += " from list hosts" }
        var lines = [head + " {", "    over \(source)", "    window \(window)"]
        lines += measures.enumerated().map { "    measure m\($0) = \($1)" }
        lines.append(
            "    when \(when)" + (holdFor.map { " for \($0)s" } ?? "")
                + (atLeast.map { " at least \($0) events" } ?? ""))
        if let resolve {
            lines.append("    resolve when \(resolve)" + (resolveFor.map { " for \($0)s" } ?? ""))
        }
        lines += options.map { "    \($0)" } + ["  }", "  alert \"found\""]
        return lines
    }
}

public struct GeneratedCorrelation: Sendable, Equatable {
    /// Seconds.
    public var within: Int
    public var members: [GeneratedStep]
    /// Lines behind the members.
    public var clauses: [String]
    /// How much longer than a second the unit of the rule and of its stream is.
    public var scale: Int64

    func lines(key: [String]) -> [String] {
        let by = key.isEmpty ? "" : " by " + key.joined(separator: ", ")
        var lines = ["  correlation\(by) within \(within)s {"]
        lines += members.map { "    \($0.text)" } + clauses.map { "    \($0)" }
        lines += ["  }", "  alert \"found\""]
        // Bound events are told apart by their number.
        lines.append("  attach " + members.map { "\($0.name).n" }.joined(separator: ", "))
        return lines
    }
}
