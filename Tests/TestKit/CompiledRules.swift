import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax

/// Rules of a text made ready to run.
public struct CompiledRules: Sendable {
    public var program: Program
    /// Lists with values in the rules themselves.
    public var lists: [ListID: ListTable]

    /// - Throws: The messages of the compiler, where it does not take the rules.
    public init(_ text: String) throws {
        let compilation = compile([SourceText(name: "test.rules", text: text)])
        guard let program = compilation.program else {
            throw Refusal(messages: compilation.diagnostics.map(\.message))
        }
        self.program = program
        lists = [:]
        for (index, table) in inlineLists(compilation.tables).enumerated() {
            lists[ListID(index)] = table
        }
    }

    public struct Refusal: Error {
        public var messages: [String]
    }

    public var environment: EngineEnvironment { EngineEnvironment(lists: lists) }

    public func engine(_ options: EngineOptions = EngineOptions()) -> Engine {
        Engine(program: program, environment: environment, options: options)
    }

    /// An engine that goes on from snapshots.
    public func engine(
        restoring snapshots: [[UInt8]], _ options: EngineOptions = EngineOptions(),
        report: inout RestoreReport, emitting output: inout [Alert]
    ) throws(SnapshotError) -> Engine {
        try Engine(
            restoring: snapshots, program: program, environment: environment, options: options,
            report: &report, emitting: &output)
    }

    /// Processes events in order.
    ///
    /// - Parameter firstArrival: The arrival number of the first.
    public func process(
        _ events: [TestEvent], by engine: inout Engine, firstArrival: UInt64 = 1,
        emitting output: inout [Alert]
    ) {
        let batch = makeBatch(events, tables: program.tables, firstArrival: firstArrival)
        engine.process(batch, rows: 0..<batch.count, emitting: &output)
    }
}
