import CBench
import MatchEngine
import RuleModel
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// What one run over a file cost.
struct BenchCost {
    var events = 0
    var alerts = 0
    /// Processor time of the whole process, all threads together.
    var cpuSeconds = 0.0
    var wallSeconds = 0.0
    /// The most memory that was in use, the process itself included.
    var peakBytes = 0

    /// Events a second of processor time: what one core does.
    var rate: Double { cpuSeconds > 0 ? Double(events) / cpuSeconds : 0 }
}

/// A file of events that is measured, and how it is read.
struct BenchFile {
    var path: String
    var options = InputOptions()
    /// The options as flags of `replay`.
    var flags: [String] = []

    /// The shipped decoder alone, taking the fields that the program reads.
    func scan(for program: Program) -> BenchCost {
        measured(onOneCore: true) { cost in
            cost.events = decode(
                fields: program.tables.columns, eventTypes: program.tables.outsideTypes)
        }
    }

    /// How many events the file holds.
    func countEvents() -> Int { decode(fields: [], eventTypes: []) }

    private func decode(fields: [FieldPath], eventTypes: [String?]) -> Int {
        let source = makeSource(.files([path]), options: options)
        var decoder = NDJSONDecoder(fields: fields, eventTypes: eventTypes, options: options)
        var batch = EventBatch(source: 0, fieldCount: fields.count)
        var chunk = LineChunk()
        var report = InputReport()
        var arrival: UInt64 = 0
        while source.next(into: &chunk, waitingAtMost: 1_000, report: &report) == .lines {
            while !chunk.isDecoded {
                batch.removeAll()
                decoder.decode(&chunk, into: &batch, arrival: &arrival, report: &report)
            }
        }
        return report.events
    }

    /// From the bytes of the file to alerts, written as JSON to nowhere.
    ///
    /// - Parameter body: Called with the pipeline when it has run, its state still in memory.
    func run(
        _ program: Program, threads: Int = 1, lateness: TimeSpan = .zero, isEarly: Bool = false,
        limits: EngineLimits = EngineLimits(),
        then body: (Pipeline) -> Void = { _ in }
    ) throws(Failure) -> BenchCost {
        let pipeline = Pipeline(
            program: program,
            inputs: [
                PipelineInput(
                    name: path, source: makeSource(.files([path]), options: options),
                    options: options, lateness: lateness, isEarly: isEarly)
            ], mode: .replay, shardCount: threads,
            environment: EngineEnvironment(zones: zoneTables(of: program)), lists: nil,
            limits: limits)
        let output = try AlertOutput(
            path: "/dev/null", isJSON: true, colour: false, tellsEmission: false)
        var failure: Failure?
        let cost = measured(onOneCore: threads == 1) { cost in
            do {
                let summary = try pipeline.run(shouldStop: { false }) { alerts, _, _ in
                    try output.write(alerts)
                }
                cost.events = summary.input.events
                cost.alerts = summary.alerts.sent
            } catch {
                failure = error as? Failure ?? Failure(.failed, "\(error)")
            }
        }
        if let failure { throw failure }
        body(pipeline)
        return cost
    }

    /// How often an event asks for memory once all has been seen: the calls of malloc during the
    /// second half of the file, those for alerts included.
    func allocationsPerEvent(_ program: Program, events: Int) throws(Failure) -> Double {
        let pipeline = Pipeline(
            program: program,
            inputs: [
                PipelineInput(
                    name: path, source: makeSource(.files([path]), options: options),
                    options: options)
            ], mode: .replay, shardCount: 1,
            environment: EngineEnvironment(zones: zoneTables(of: program)), lists: nil)
        var begin: Int?
        let summary = try orFail {
            try pipeline.run(shouldStop: { false }) { _, _, summary in
                if begin == nil, summary.input.events >= events / 2 {
                    begin = summary.input.events
                    martlet_allocations_begin()
                }
            }
        }
        let allocations = martlet_allocations_end()
        return Double(allocations) / Double(max(1, summary.input.events - (begin ?? 0)))
    }
}

/// Bytes of memory that are in use.
func allocatedBytes() -> Int { Int(martlet_allocated_bytes()) }

/// Runs `work` and completes what it says with times and memory.
///
/// - Parameter onOneCore: Keeps all threads on one processor: two that share a core, as those of rented
///   machines do, slow each other, and then processor time no longer says what one core does.
func measured(onOneCore: Bool, _ work: (inout BenchCost) -> Void) -> BenchCost {
    if onOneCore { martlet_use_one_processor() }
    defer { if onOneCore { martlet_use_all_processors() } }
    // What earlier runs have left behind goes back to the system, and the peak begins anew.
    martlet_release_free_memory()
    writeFile("/proc/self/clear_refs", "5")
    var cost = BenchCost()
    let wall = monotonicSeconds()
    let cpu = processSeconds()
    work(&cost)
    cost.cpuSeconds = processSeconds() - cpu
    cost.wallSeconds = monotonicSeconds() - wall
    cost.peakBytes = peakBytes()
    return cost
}

/// Processor time of all threads so far.
func processSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The most memory in use since the peak was last begun anew; zero where the system does not tell.
private func peakBytes() -> Int {
    guard let status = readFile("/proc/self/status") else { return 0 }
    for line in String(decoding: status, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("VmHWM:") {
        let digits = line.filter { $0.isASCII && $0.isNumber }
        return (Int(digits) ?? 0) * 1024
    }
    return 0
}

private func writeFile(_ path: String, _ text: String) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    writeAll(file, Array(text.utf8))
    close(file)
}

/// The middle one; of an even number the lower of the two.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    return values.sorted()[(values.count - 1) / 2]
}

/// Whether a file can be opened; if not, `errno` says why.
func readableFile(_ path: String) -> Bool { access(path, R_OK) == 0 }
