import RuleModel
import RuleSyntax

/// Where events come from, where alerts go, and what the engine may use (part 3 of the language).
public struct DeploymentPlan: Sendable, Equatable {
    public var sources: [SourcePlan] = []
    public var sinks: [SinkPlan] = []
    public var engine = EnginePlan()

    public init() {}

    /// The blocks that say something else than those of another plan, wherever they stand, as
    /// messages name them.
    public func changedBlocks(since old: DeploymentPlan) -> [String] {
        func changed<Block: Equatable>(
            _ kind: String, _ before: [(String, Block)], _ now: [(String, Block)]
        ) -> [String] {
            let names =
                now.map(\.0)
                + before.map(\.0).filter { name in
                    !now.contains { $0.0 == name }
                }
            return names.filter { name in
                before.first { $0.0 == name }?.1 != now.first { $0.0 == name }?.1
            }.map { "\(kind) `\($0)`" }
        }
        return changed("source", old.sources.map(\.unplaced), sources.map(\.unplaced))
            + changed("sink", old.sinks.map(\.unplaced), sinks.map(\.unplaced))
            + (old.engine == engine ? [] : ["the `engine` block"])
    }
}

extension SourcePlan {
    /// The name, and the block without its place in a file.
    fileprivate var unplaced: (String, SourcePlan) {
        var plan = self
        plan.range = .nowhere
        plan.connector = connector?.unplaced
        return (name, plan)
    }
}

extension SinkPlan {
    /// The name, and the block without its place in a file.
    fileprivate var unplaced: (String, SinkPlan) {
        var plan = self
        plan.range = .nowhere
        plan.connector = connector?.unplaced
        return (name, plan)
    }
}

extension ConnectorPlan {
    fileprivate var unplaced: ConnectorPlan {
        var plan = self
        plan.range = .nowhere
        for index in plan.settings.indices { plan.settings[index].range = .nowhere }
        return plan
    }
}

extension SourceRange {
    fileprivate static let nowhere = SourceRange(source: SourceID(rawValue: 0), start: 0, end: 0)
}

/// A secret by reference: it is read when a connection is made and never printed.
public enum SecretReference: Sendable, Equatable {
    /// `secret file "..."`
    case file(String)
    /// `secret env "NAME"`
    case environment(String)
}

/// One value of a connector's block.
public enum SettingValue: Sendable, Equatable {
    case flag
    case text(String)
    case number(Double)
    case span(TimeSpan)
    case list([SettingValue])
    case secret(SecretReference)
}

/// A key of a connector's block and what stands behind it.
public struct ConnectorSetting: Sendable, Equatable {
    public var name: String
    public var values: [SettingValue]
    public var range: SourceRange
}

/// A connector as written; how it runs is the runtime's business.
public struct ConnectorPlan: Sendable, Equatable {
    /// For example `file`, `stdin`, `kafka`, `slack`.
    public var kind: String
    public var settings: [ConnectorSetting]
    public var range: SourceRange

    /// The text behind a key; nil when the key is not there.
    public func text(_ name: String) -> String? {
        for setting in settings where setting.name == name {
            if case .text(let text)? = setting.values.first { return text }
        }
        return nil
    }

    /// Whether the block sets this.
    public func has(_ name: String) -> Bool { settings.contains { $0.name == name } }
}

/// A `source` block: where events come from and how they are read.
public struct SourcePlan: Sendable, Equatable {
    public enum EventTypeSource: Sendable, Equatable {
        /// `type field "kind"`
        case field(FieldPath)
        /// `type "payment"`
        case constant(String)
    }

    /// `dedup id for 10m`
    public struct Deduplication: Sendable, Equatable {
        public var field: FieldPath
        public var span: TimeSpan
    }

    public var name: String
    /// Nil when it was left out; reported.
    public var connector: ConnectorPlan?
    /// `json` when nothing is said.
    public var decoder = "json"
    /// The field with the event time; nil: the runtime's default.
    public var timeField: FieldPath?
    /// Nil: the runtime's default.
    public var type: EventTypeSource?
    public var lateness = TimeSpan.zero
    /// Whether matches of its events may be told before the watermark has passed them (T2a).
    public var isEarly = true
    /// For how long back late events are compared with what was told (T3); zero: not at all.
    public var correction = TimeSpan.zero
    public var idleAfter = TimeSpan.minute
    public var deduplication: Deduplication?
    /// The file that declares it; paths are relative to it.
    public var declaredIn: String
    public var range: SourceRange
}

/// A `sink` block: where alerts go.
public struct SinkPlan: Sendable, Equatable {
    public struct Grouping: Sendable, Equatable {
        public var fields: [String]
        public var span: TimeSpan
    }

    public struct Rate: Sendable, Equatable {
        public var count: Int
        public var per: TimeSpan
    }

    public var name: String
    public var connector: ConnectorPlan?
    /// `when severity >= high`: a comparison of the alert's severity.
    public var minimumSeverity: Severity?
    public var grouping: Grouping?
    public var rate: Rate?
    public var declaredIn: String
    public var range: SourceRange
}

/// An `engine` block: limits and folders of the engine.
public struct EnginePlan: Sendable, Equatable {
    /// The folder for state, relative to the file that declares it.
    public var dataFolder: String?
    public var listen: String?
    public var memoryBytes: Int?
    public var keysPerRule: Int?
    /// Events that a sequence or correlation keeps of a key.
    public var eventsPerKey: Int?
    /// Ids that `dedup` remembers of a source.
    public var idsPerSource: Int?
    public var declaredIn: String?

    public init() {}
}
