import Dispatch
import RuleModel
import Synchronization

/// Decodes the next batches of a file while those before are being processed.
///
/// It decodes what the pipeline would decode itself, only sooner: what depends on when a batch is
/// taken, its arrival numbers and its part of the report, comes with the taking.
final class ReadAhead: Sendable {
    private struct Batches {
        /// In order, the next one to be taken first.
        var made: [(batch: EventBatch, report: InputReport, isEnded: Bool)] = []
        var spares: [EventBatch]
    }

    /// Used on the queue only.
    private let reader: Mutex<BatchReader>
    private let batches: Mutex<Batches>
    private let queue: DispatchQueue
    /// Counts the batches that are made.
    private let made = DispatchSemaphore(value: 0)

    /// Two, so that the queue need not be woken for each batch.
    private static let batchesAhead = 2
    private static let waitMilliseconds = 100

    /// - Parameter batch: An empty one.
    init(_ source: FileSource, options: InputOptions, program: Program, batch: EventBatch) {
        let spares = Array(repeating: batch, count: ReadAhead.batchesAhead)
        reader = Mutex(BatchReader(source, options: options, program: program))
        batches = Mutex(Batches(spares: spares))
        queue = DispatchQueue(label: "martlet.read.\(batch.source)")
        for _ in spares { begin() }
    }

    private func begin() {
        queue.async { [self] in
            var batch = batches.withLock { $0.spares.removeLast() }
            batch.removeAll()
            var arrival: UInt64 = 0
            var report = InputReport()
            let isEnded = reader.withLock { reader in
                _ = reader.fill(
                    &batch, rowMax: Pipeline.batchRows,
                    waitMilliseconds: ReadAhead.waitMilliseconds, arrival: &arrival,
                    report: &report)
                return reader.isEnded
            }
            batches.withLock { $0.made.append((batch, report, isEnded)) }
            made.signal()
        }
    }

    /// Exchanges a batch that nobody needs any more for the next one.
    ///
    /// - Returns: Whether nothing more comes.
    func take(
        _ batch: inout EventBatch, arrival: inout UInt64, report: inout InputReport
    ) -> Bool {
        made.wait()
        let isEnded = batches.withLock { batches in
            let next = batches.made.removeFirst()
            batches.spares.append(batch)
            batch = next.batch
            report.add(next.report)
            return next.isEnded
        }
        for row in 0..<batch.count { batch.arrivals[row] = arrival &+ UInt64(row) }
        arrival += UInt64(batch.count)
        if !isEnded { begin() }
        return isEnded
    }
}
