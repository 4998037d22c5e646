import MatchEngine
import RuleModel
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// How long it takes from the moment at which an event is there to the alert that it causes, while
/// events come at a steady rate.
///
/// The clock of an event starts when the schedule has it come, not when it was read: when the
/// engine falls behind, the waiting counts, as it would for those who wait for the alert. Measuring
/// from the read would leave that out (G. Tene, "How NOT to Measure Latency", 2013, calls it
/// coordinated omission).
struct LatencyProbe {
    /// By alert, sorted.
    private(set) var seconds: [Double] = []
    private(set) var wallSeconds = 0.0

    init(_ program: Program, lines: [UInt8], rate: Double, threads: Int) throws(Failure) {
        let source = PacedSource(lines: lines, rate: rate)
        let pipeline = Pipeline(
            program: program,
            inputs: [PipelineInput(name: "paced", source: source, options: InputOptions())],
            mode: .live, shardCount: threads,
            environment: EngineEnvironment(zones: zoneTables(of: program)), lists: nil)
        let output = try AlertOutput(
            path: "/dev/null", isJSON: true, colour: false, tellsEmission: true)
        var found: [Double] = []
        var failure: Failure?
        let started = monotonicSeconds()
        do {
            _ = try pipeline.run(shouldStop: { false }) { alerts, _, _ in
                guard !alerts.isEmpty else { return }
                try output.write(alerts)
                let now = monotonicSeconds()
                // A deadline has no event that it could be late for.
                for alert in alerts where alert.order.arrival != .max {
                    found.append(now - source.due(Int(alert.order.arrival)))
                }
            }
        } catch {
            failure = error as? Failure ?? Failure(.failed, "\(error)")
        }
        if let failure { throw failure }
        wallSeconds = monotonicSeconds() - started
        seconds = found.sorted()
    }

    /// The time within which this part of the alerts was written; zero without alerts.
    func percentile(_ part: Double) -> Double {
        guard !seconds.isEmpty else { return 0 }
        let place = Int((Double(seconds.count) * part).rounded(.up)) - 1
        return seconds[min(max(0, place), seconds.count - 1)]
    }
}

/// Lines that come at a steady rate, as through a pipe.
private final class PacedSource: ByteSource {
    private let lines: [UInt8]
    /// Where each line begins, and the end of the last.
    private let starts: [Int]
    private let rate: Double
    private var begin: Double?
    private var position = 0

    init(lines: [UInt8], rate: Double) {
        self.lines = lines
        self.rate = rate
        var starts = [0]
        for (index, byte) in lines.enumerated() where byte == 0x0A { starts.append(index + 1) }
        self.starts = starts
    }

    /// When a line is there, on the monotonic clock.
    func due(_ line: Int) -> Double { (begin ?? 0) + Double(line + 1) / rate }

    func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        let count = starts.count - 1
        let now = monotonicSeconds()
        let begin = begin ?? now
        self.begin = begin
        let limit = now + Double(waitMilliseconds) / 1000
        while position < count {
            let now = monotonicSeconds()
            // A pipe holds about so many lines.
            let end = min(count, Int((now - begin) * rate), position + 256)
            if end > position {
                chunk = LineChunk(
                    lines[starts[position]..<starts[end]], line: position + 1,
                    fileOffset: starts[position])
                position = end
                return .lines
            }
            if now >= limit {
                chunk = LineChunk()
                return .idle
            }
            usleep(20)
        }
        chunk = LineChunk()
        return .end
    }
}
