import RuleModel
import RuleSyntax

/// A `test` block, resolved: events with values, and what is expected of them, in virtual time.
public struct TestPlan: Sendable, Equatable {
    /// Where virtual time begins: `0s` is 2026-01-01T00:00:00Z.
    public static let epoch = Timestamp(nanoseconds: 1_767_225_600_000_000_000)

    public enum Outcome: String, Sendable { case alert, resolve, correction }

    /// An event as a test writes it. Fields that the test leaves out are missing.
    public struct Event: Sendable, Equatable {
        public var typeName: String
        /// `.unread` when no rule reads the type.
        public var type: EventTypeID
        /// In the order written.
        public var fields: [FieldValue]
    }

    public struct FieldValue: Sendable, Equatable {
        public var path: FieldPath
        /// Index into `RuleSetTables.columns`; nil when no rule reads the field.
        public var column: Int?
        public var value: Value
    }

    /// One `with` expression: indices into the rule's `probes`.
    public struct Probe: Sendable, Equatable {
        /// The whole expression; a `bool`.
        public var condition: Int
        /// The two sides when it is a comparison, so that a failure can show both values.
        public var sides: Sides?
        public var range: SourceRange
    }

    public struct Sides: Sendable, Equatable {
        public var left: Int
        public var right: Int
        public var leftRange: SourceRange
        public var rightRange: SourceRange
    }

    public struct Line: Sendable, Equatable {
        public enum Kind: Sendable, Equatable {
            /// `count` events, the first at `time`, each `every` after the one before.
            case event(Event, time: Timestamp, count: Int, every: TimeSpan)
            /// An event of `time` that arrives when event time has reached `arrives`.
            case late(Event, arrives: Timestamp, time: Timestamp)
            /// What a list holds in this test.
            case list(ListID, [Value])
            case watch(from: Timestamp)
            case advance(to: Timestamp)
            /// The engine stops behind the events that have arrived by then, and another goes on from
            /// a snapshot.
            case crash(at: Timestamp)
            case expect(Outcome, at: Timestamp, with: [Probe])
            case expectNothing(else: Bool, before: Timestamp?)
        }

        public var kind: Kind
        public var range: SourceRange
    }

    public var title: String
    public var rule: RuleID
    public var lines: [Line]
    public var range: SourceRange
}
