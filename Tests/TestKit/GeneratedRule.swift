/// A random rule as data, so that it can be printed, and made smaller when it fails.
public struct GeneratedRule: Sendable, Equatable {
    public enum Pattern: Sendable, Equatable {
        case sequence(GeneratedSequence)
        case threshold(GeneratedThreshold)
        case correlation(GeneratedCorrelation)
        case metric(GeneratedMetric)
        case anomaly(GeneratedAnomaly)
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
        list links of pair = [["x", "y"], ["z", "w"], ["z", "x"], ["y", "y"]]
        """

    /// A whole file that the compiler takes.
    public var text: String {
        var schema = GeneratedRule.schema
        if case .condition = pattern { schema = GeneratedRule.conditionSchema }
        return schema + "\n\n" + ruleText
    }

    /// The metric of a case without the rule that reads it.
    func textOfMetricAlone(_ metric: GeneratedMetric) -> String {
        ([GeneratedRule.schema, ""] + metric.declaration(key: key)).joined(separator: "\n")
    }

    /// The same with rules before and behind it, so that types, fields, conditions and lists have other
    /// numbers than when it is alone.
    public var textAmongOthers: String {
        var schema = GeneratedRule.schema
        if case .condition = pattern { schema = GeneratedRule.conditionSchema }
        return """
            event other { k: text  z: number  n: number }
            list others = ["o"]
            rule before {
              sequence by k within 4s {
                first: other where z > 1 and k not in list others
                then second: other where z > first.z
              }
              alert "{first.z}"
            }
            \(schema)

            \(ruleText)
            rule behind {
              threshold by k {
                over other where n > 2
                window 3s sliding
                when count > 2
              }
              alert "{count}"
            }

            """
    }

    private var ruleText: String {
        var lines: [String] = []
        if case .metric(let metric) = pattern { lines += metric.declaration(key: key) }
        lines.append("rule r {")
        switch pattern {
        case .condition(let condition):
            lines += ["  sequence {", "    s0: e where \(condition)", "  }"]
            lines += ["  alert \"found\"", "  attach s0.n"]
        case .sequence(let sequence): lines += sequence.lines(key: key)
        case .threshold(let threshold): lines += threshold.lines(key: key)
        case .correlation(let correlation): lines += correlation.lines(key: key)
        case .metric(let metric): lines += metric.reader
        case .anomaly(let anomaly): lines += anomaly.lines(key: key)
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

/// A metric, and a rule that fires for its buckets with `m0` of at least `limit`.
public struct GeneratedMetric: Sendable, Equatable {
    public var source: String
    public var window: String
    public var measures: [String]
    /// What stands behind `forecast`.
    public var forecasts: [String]
    public var forgetAfter: String?
    public var limit: Int

    func declaration(key: [String]) -> [String] {
        var lines = ["metric m {"]
        if !key.isEmpty { lines.append("  by " + key.joined(separator: ", ")) }
        lines += ["  over \(source)", "  window \(window)"]
        lines += measures.enumerated().map { "  measure m\($0) = \($1)" }
        lines += forecasts.map { "  forecast \($0)" }
        if let forgetAfter { lines.append("  forget after \(forgetAfter)") }
        return lines + ["}", ""]
    }

    var reader: [String] {
        ["  sequence {", "    s: metric.m where m0 >= \(limit)", "  }", "  alert \"found\""]
    }
}

public struct GeneratedAnomaly: Sendable, Equatable {
    /// As written behind `measure NAME =`, up to `of SOURCE`; names are `m0`, `m1`, ...
    public var measures: [String]
    /// Seconds.
    public var every: Int
    public var baseline: String
    public var when: String
    /// `for 2 of the last 3`
    public var judgements: String
    public var minimumMembers: Int
    /// Seconds.
    public var within: Int
    public var isLinked: Bool
    public var options: [String]

    func lines(key: [String]) -> [String] {
        var head = "  anomaly_cluster"
        if !key.isEmpty { head += " by " + key.joined(separator: ", ") }
        var lines = [head + " {"]
        lines += measures.enumerated().map {
            "    measure m\($0) = \($1) every \(every)s by u"
        }
        lines += ["    baseline \(baseline)", "    anomalous when \(when)\(judgements)"]
        lines.append(
            "    cluster when at least \(minimumMembers) u within \(within)s"
                + (isLinked ? " linked by links" : ""))
        lines += options.map { "    \($0)" }
        return lines + ["  }", "  alert \"{members.count} of {members.u}\""]
    }
}
