import MatchEngine
import RuleModel
import StreamRuntime

/// Rules over recorded events, with the alerts kept instead of printed.
struct RecordedRun {
    /// Beginnings of alerts, in order.
    var alerts: [Alert] = []
    /// When each ended, by id.
    var ends: [String: Timestamp] = [:]
    var summary = PipelineSummary()
    var seconds = 0.0

    /// Nothing ran, so there is nothing.
    init() {}

    /// - Throws: when a file of events cannot be read.
    init(
        _ rules: RunnableRules, files: [String], _ arguments: ParsedArguments, _ console: Console,
        tellsFaults: Bool
    ) throws(Failure) {
        let options = try inputSettings(arguments)
        let lateness = try duration(arguments, "lateness") ?? .zero
        let inputs = files.map { path in
            PipelineInput(
                name: path, source: makeSource(.files([path]), options: options), options: options,
                lateness: lateness, isEarly: false)
        }
        let pipeline = Pipeline(
            program: rules.program, inputs: inputs, mode: .replay,
            shardCount: try arguments.integer("threads", minimum: 1) ?? 1,
            environment: rules.environment, lists: nil)
        StopRequest.listen()
        let started = monotonicSeconds()
        var alerts: [Alert] = []
        var ends: [String: Timestamp] = [:]
        var faults = 0
        summary = try orFail {
            try pipeline.run(shouldStop: { StopRequest.isPending }) { found, lines, _ in
                for alert in found where alert.kind != "engine" {
                    switch alert.state {
                    case .firing: alerts.append(alert)
                    case .resolved: ends[alert.id] = alert.matchedAt
                    case .updated, .corrected: break
                    }
                }
                guard tellsFaults else { return }
                for fault in lines {
                    faults += 1
                    if faults <= 5 { console.warn("martlet: \(fault.description)") }
                    if faults == 6 {
                        console.warn("martlet: further unreadable lines are only counted")
                    }
                }
            }
        }
        self.alerts = alerts
        self.ends = ends
        seconds = monotonicSeconds() - started
        if let code = StopRequest.exitCode { throw Failure(code, "stopped before the end") }
        guard summary.input.badFiles == 0 else {
            throw Failure(.failed, summary.input.summary, help: "a partial answer would mislead")
        }
    }
}
