import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// What `martlet bench` can measure.
enum BenchGroup: String, CaseIterable, Sendable {
    case queries, rules, patterns, sequences, keys, lateness, cores, latency, start, own, peer

    /// Those that a run without a word measures.
    static let standard = allCases.filter { $0 != .own && $0 != .peer }

    var title: String {
        switch self {
        case .queries: "five queries over a shop"
        case .rules: "many simple rules"
        case .patterns: "3,000 rules over text"
        case .sequences: "long sequences"
        case .keys: "a million live keys"
        case .lateness: "events out of order"
        case .cores: "two cores"
        case .latency: "latency at 100,000 events/s"
        case .start: "from nothing"
        case .own: "your rules"
        case .peer: "beside another command"
        }
    }
}

/// The state of one `martlet bench`: its folder, its files of events, its table.
final class BenchSession {
    private let events: Int
    private let rounds: Int
    private let folder: String
    private var report: BenchReport
    private var files: [String: BenchFile] = [:]

    /// - Throws: when there is no place for temporary files.
    init(console: Console, isJSON: Bool, events: Int, rounds: Int) throws(Failure) {
        self.events = events
        self.rounds = rounds
        report = BenchReport(console: console, isJSON: isJSON)
        let base = environmentVariable("TMPDIR") ?? "/tmp"
        var template = Array((base + "/martlet-bench-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(.failed, "cannot make a folder in `\(base)`: \(systemError())")
        }
        folder = template.withUnsafeBufferPointer { text in
            String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Writes what the queries are measured with, for other engines: `shop.ndjson`, and `q1.rules` to
    /// `q6.rules`, of which the last holds the other five.
    static func write(_ events: Int, to folder: String) throws(Failure) {
        var source = BenchEvents(.shop)
        try makeFolder(folder)
        _ = try source.write(events, to: folder + "/shop.ndjson")
        for number in 1...6 {
            try writeWhole(BenchRules.query(number), to: "\(folder)/q\(number).rules")
        }
    }

    /// Takes the temporary files away.
    func close() {
        for file in files.values where file.path.hasPrefix(folder) { unlink(file.path) }
        unlink(folder + "/bench.rules")
        rmdir(folder)
    }

    func measure(_ group: BenchGroup) throws(Failure) {
        switch group {
        case .queries: try measureQueries()
        case .rules: try measureRules()
        case .patterns: try measurePatterns()
        case .sequences: try measureSequences()
        case .keys: try measureKeys()
        case .lateness: try measureLateness()
        case .cores: try measureCores()
        case .latency: try measureLatency()
        case .start: try measureStart()
        case .own, .peer: break
        }
    }

    /// The user's own rules over the user's own file.
    func measureOwn(_ program: Program, file: BenchFile) throws(Failure) {
        report.add(scanRow(.own, file.scan(for: program)))
        let run = try compared(program, file)
        report.add(row(.own, "\(counted(program.rules.count, "rule")), one thread", run))
        let two = try compared(program, file, threads: 2)
        report.add(row(.own, "the same, two threads", two))
    }

    /// A command of the user's beside `martlet replay` on the same file, in turns, both as processes.
    ///
    /// - Parameter rules: Nil: the five queries over the shop.
    func measurePeer(_ command: String, rules: [String]?, from given: BenchFile?) throws(Failure) {
        let file: BenchFile
        if let given { file = given } else { file = try shop() }
        let paths: [String]
        if let rules { paths = rules } else { paths = [try written(BenchRules.query(6))] }
        var ours: [ChildProcess] = []
        var theirs: [ChildProcess] = []
        let quoted = shellWord(file.path)
        let script =
            command.contains("{}") ? command.replacing("{}", with: quoted) : command + " " + quoted
        for _ in 0..<rounds {
            ours.append(try ChildProcess(replaying(file, by: paths)))
            theirs.append(try ChildProcess(["/bin/sh", "-c", script]))
        }
        if let failed = (ours + theirs).first(where: { $0.code != 0 }) {
            throw Failure(.failed, "a command ended with \(failed.code), so nothing was compared")
        }
        let count = file.countEvents()
        for (name, runs) in [("martlet replay", ours), (command, theirs)] {
            let middle = runs.sorted { $0.cpuSeconds < $1.cpuSeconds }[(runs.count - 1) / 2]
            report.add(
                BenchRow(
                    group: .peer, name: name,
                    cost: BenchCost(
                        events: count, alerts: 0, cpuSeconds: middle.cpuSeconds,
                        wallSeconds: middle.wallSeconds, peakBytes: middle.peakBytes)))
        }
        let pairs = zip(ours, theirs)
        report.add(
            figure(
                .peer, "processor time of the other, in martlet's",
                median(pairs.map { $1.cpuSeconds / $0.cpuSeconds }), "times"))
        report.add(
            figure(
                .peer, "time on the clock of the other, in martlet's",
                median(pairs.map { $1.wallSeconds / $0.wallSeconds }), "times"))
    }

    // MARK: - Cases

    private func measureQueries() throws(Failure) {
        let bars = [0.85, 0.62, 0.62, 0.58, 0.62, 0.48]
        let names = [
            "Q1 status >= 500", "Q2 failures, then a success", "Q3 failures in a sliding minute",
            "Q4 average and p95 by host", "Q5 three rising payments", "Q6 all five",
        ]
        let file = try shop()
        // The fields of Q6 for all of them: a query alone reads fewer and has less to scan.
        let all = try program(BenchRules.query(6))
        report.add(scanRow(.queries, file.scan(for: all)))
        for number in 1...6 {
            let program = try program(BenchRules.query(number))
            var run = try compared(program, file, scanning: all)
            run.allocations = try file.allocationsPerEvent(program, events: events)
            var row = row(.queries, names[number - 1], run)
            row.bar = .atLeast(bars[number - 1], run.ratio)
            report.add(row)
            if number == 6 {
                let peak = Double(run.cost.peakBytes) / 1e6
                report.add(
                    figure(.queries, "Q6, peak memory", peak, "MB", .under(100, peak, " MB")))
            }
        }
    }

    private func measureRules() throws(Failure) {
        let file = try shop()
        func measured(
            _ count: Int
        ) throws(Failure) -> (run: Compared, compiling: Double, bytes: Int) {
            let text = BenchRules.simple(count)
            let before = allocatedBytes()
            let started = processSeconds()
            let program = try program(text)
            let compiling = processSeconds() - started
            var bytes = 0
            let run = try compared(program, file) { _ in bytes = allocatedBytes() - before }
            return (run, compiling, bytes)
        }
        // Buffers and tables that one rule needs as well are not counted as memory of the others.
        let base = try measured(1).bytes
        for (count, bar, seconds) in [(1_000, 0.6, 0.1), (10_000, 0.4, 1.0)] {
            let (run, compiling, bytes) = try measured(count)
            var row = row(.rules, "\(grouped(count)) rules", run)
            row.bar = .atLeast(bar, run.ratio)
            report.add(row)
            report.add(
                figure(
                    .rules, "\(grouped(count)) rules, to compile", compiling, "s",
                    .under(seconds, compiling, " s")))
            let each = Double(bytes - base) / Double(count - 1)
            report.add(
                figure(
                    .rules, "\(grouped(count)) rules, memory each", each, "bytes",
                    .atMost(2000, each, " bytes")))
        }
    }

    private func measurePatterns() throws(Failure) {
        let program = try program(BenchRules.textPatterns(3_000))
        let file = try generated(.processes, min(events, 100_000))
        report.add(scanRow(.patterns, file.scan(for: program)))
        let run = try compared(program, file)
        var row = row(.patterns, "contains, starts, ends, like, matches", run)
        row.bar = .atLeast(0.15, run.ratio)
        report.add(row)
    }

    private func measureSequences() throws(Failure) {
        let file = try generated(.steps, min(events, 200_000))
        for (steps, bar) in [(3, 0.3), (6, 0.16), (12, 0.08)] {
            var parts: [Double] = []
            for window in [100, 10_000] {
                let program = try program(
                    BenchRules.sequence(
                        steps: steps, windowEvents: window, overlap: "all limit 10"))
                let run = try compared(program, file)
                parts.append(run.ratio)
                var row = row(
                    .sequences,
                    "all combinations, \(steps) steps, window \(grouped(window))", run)
                row.bar = .atLeast(bar, run.ratio)
                report.add(row)
            }
            let slower = parts[0] / parts[1]
            report.add(
                figure(
                    .sequences, "the long window, in times of the short", slower, "times",
                    .atMost(1.5, slower)))
        }
        for (steps, bar) in [(3, 0.8), (12, 0.6)] {
            let program = try program(
                BenchRules.sequence(steps: steps, windowEvents: 1_000, overlap: "each"))
            let run = try compared(program, file)
            var row = row(.sequences, "each beginning, \(steps) steps", run)
            row.bar = .atLeast(bar, run.ratio)
            report.add(row)
        }
    }

    private func measureKeys() throws(Failure) {
        let many = min(1_000_000, events * 5)
        let program = try program(BenchRules.liveKeys)
        var limits = EngineLimits()
        limits.keysPerRule = many
        let large = try generated(.users, many)
        let small = try generated(.users, many, users: 1_000)
        let before = allocatedBytes()
        var bytes = 0
        let few = try small.run(program, limits: limits)
        let run = try large.run(program, limits: limits) { _ in bytes = allocatedBytes() - before }
        report.add(BenchRow(group: .keys, name: "a thousand keys", cost: few))
        report.add(
            BenchRow(
                group: .keys, name: "\(grouped(many)) keys", cost: run,
                bar: .atLeast(few.rate / 2e6, run.rate / 1e6, " M events/s")))
        let each = Double(bytes) / Double(many)
        report.add(
            figure(
                .keys, "memory of a partial match", each, "bytes", .atMost(128, each, " bytes")))
    }

    private func measureLateness() throws(Failure) {
        let file = try shop()
        let program = try program(BenchRules.query(6))
        for isEarly in [false, true] {
            var costs: [Double] = []
            var last = BenchCost()
            for _ in 0..<rounds {
                let ordered = try file.run(program)
                last = try file.run(program, lateness: .second + .second, isEarly: isEarly)
                costs.append((last.cpuSeconds / ordered.cpuSeconds - 1) * 100)
            }
            let suffix = isEarly ? ", matches told on arrival" : ""
            report.add(BenchRow(group: .lateness, name: "Q6, lateness 2s" + suffix, cost: last))
            let cost = median(costs)
            report.add(
                figure(
                    .lateness, "what lateness costs" + suffix, cost, "%",
                    isEarly ? nil : .under(10, cost, " %")))
        }
    }

    private func measureCores() throws(Failure) {
        let file = try shop()
        let program = try program(BenchRules.query(6))
        var gains: [Double] = []
        var costs: [BenchCost] = []
        for _ in 0..<rounds {
            let one = try file.run(program)
            let two = try file.run(program, threads: 2)
            costs = [one, two]
            // One core does in its processor time what both do on the clock.
            gains.append(one.cpuSeconds / two.wallSeconds)
        }
        report.add(BenchRow(group: .cores, name: "Q6, one thread", cost: costs[0]))
        report.add(BenchRow(group: .cores, name: "Q6, two threads", cost: costs[1]))
        let gain = median(gains)
        report.add(
            figure(
                .cores, "two cores on the clock, in one core's time", gain, "times",
                .atLeast(1.7, gain)))
        if let most = try gainOfTwoRuns(file) {
            report.add(figure(.cores, "two runs apart, the most to be had here", most, "times"))
        }
    }

    /// How much more two cores do than one when nothing has to pass between them: two processes, each
    /// held to its core, beside one of them alone. Nil where processes cannot be held so.
    private func gainOfTwoRuns(_ file: BenchFile) throws(Failure) -> Double? {
        let replay = replaying(file, by: [try written(BenchRules.query(6))]).map(shellWord)
            .joined(separator: " ")
        func pinned(_ core: Int) -> String { "taskset -c \(core) \(replay) >/dev/null" }
        var gains: [Double] = []
        for _ in 0..<rounds {
            let one = try ChildProcess(["/bin/sh", "-c", pinned(0)])
            let two = try ChildProcess(
                ["/bin/sh", "-c", "\(pinned(0)) & \(pinned(1)) && wait $!"])
            guard one.code == 0, two.code == 0 else { return nil }
            gains.append(2 * one.wallSeconds / two.wallSeconds)
        }
        return median(gains)
    }

    private func replaying(_ file: BenchFile, by rules: [String]) -> [String] {
        [ownPath, "replay", file.path, "--quiet", "--format", "json"]
            + rules.flatMap { ["--rules", $0] } + file.flags
    }

    /// A word as `sh` takes it, whatever is in it.
    private func shellWord(_ word: String) -> String {
        "'" + word.replacing("'", with: "'\\''") + "'"
    }

    private func measureLatency() throws(Failure) {
        let program = try program(BenchRules.twenty)
        var source = BenchEvents(.shop)
        let lines = source.next(min(events, 500_000))
        let probe = try LatencyProbe(program, lines: lines, rate: 100_000, threads: 2)
        for (name, part, bar) in [("p50", 0.5, 1.0), ("p99", 0.99, 10), ("p99.9", 0.999, 50)] {
            let value = probe.percentile(part) * 1000
            report.add(
                figure(
                    .latency, "\(name) of \(grouped(probe.seconds.count)) alerts", value, "ms",
                    .under(bar, value, " ms")))
        }
    }

    private func measureStart() throws(Failure) {
        let file = try shop()
        let replay = replaying(file, by: [try written(BenchRules.query(6))])
        var times: [Double] = []
        for _ in 0..<max(3, rounds) {
            let run = try ChildProcess(replay)
            times.append((run.firstByteSeconds ?? .infinity) * 1000)
        }
        let time = median(times)
        report.add(
            figure(
                .start, "from the start of the process to the first alert", time, "ms",
                .under(50, time, " ms")))
    }

    // MARK: - Measuring

    private struct Compared {
        var cost: BenchCost
        var ratio: Double
        var allocations: Double?
    }

    /// Scan and run in turns, so that a busy machine slows both.
    private func compared(
        _ program: Program, _ file: BenchFile, scanning: Program? = nil, threads: Int = 1,
        then body: (Pipeline) -> Void = { _ in }
    ) throws(Failure) -> Compared {
        var costs: [BenchCost] = []
        var ratios: [Double] = []
        for _ in 0..<rounds {
            let scan = file.scan(for: scanning ?? program)
            costs.append(try file.run(program, threads: threads, then: body))
            ratios.append(scan.cpuSeconds / (costs.last?.cpuSeconds ?? 1))
        }
        costs.sort { $0.cpuSeconds < $1.cpuSeconds }
        return Compared(cost: costs[(costs.count - 1) / 2], ratio: median(ratios))
    }

    private func scanRow(_ group: BenchGroup, _ cost: BenchCost) -> BenchRow {
        BenchRow(group: group, name: "the bare scan", cost: cost, ratio: 1)
    }

    private func row(_ group: BenchGroup, _ name: String, _ run: Compared) -> BenchRow {
        BenchRow(
            group: group, name: name, cost: run.cost, ratio: run.ratio,
            allocations: run.allocations)
    }

    private func figure(
        _ group: BenchGroup, _ name: String, _ value: Double, _ unit: String,
        _ bar: BenchBar? = nil
    ) -> BenchRow {
        BenchRow(group: group, name: name, figure: (value, unit), bar: bar)
    }

    // MARK: - Files and rules

    private func shop() throws(Failure) -> BenchFile { try generated(.shop, events) }

    /// A file of made-up events, written once.
    private func generated(
        _ stream: BenchStream, _ count: Int, users: Int = 1_000_000
    ) throws(Failure) -> BenchFile {
        let path = "\(folder)/\(stream)-\(users).ndjson"
        if let file = files[path] { return file }
        var source = BenchEvents(stream, users: users)
        _ = try source.write(count, to: path)
        let file = BenchFile(path: path)
        files[path] = file
        return file
    }

    private func written(_ rules: String) throws(Failure) -> String {
        let path = folder + "/bench.rules"
        try writeWhole(rules, to: path)
        return path
    }

    private func program(_ rules: String) throws(Failure) -> Program {
        let compilation = compile([SourceText(name: "bench.rules", text: rules)])
        guard let program = compilation.program else {
            let text = render(
                compilation.diagnostics, sources: compilation.sources, format: .text, colour: false)
            throw Failure(.badRules, "the rules of the benchmark do not compile:\n" + text)
        }
        return program
    }

    private var ownPath: String { canonicalPath("/proc/self/exe") }
}

private func writeWhole(_ text: String, to path: String) throws(Failure) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else {
        throw Failure(.failed, "cannot write `\(path)`: \(systemError())")
    }
    defer { close(file) }
    guard writeAll(file, Array(text.utf8)) else {
        throw Failure(.failed, "cannot write `\(path)`: \(systemError())")
    }
}
