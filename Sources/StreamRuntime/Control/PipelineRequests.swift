import Dispatch
import Synchronization

/// How other threads ask a running pipeline for something: it answers between two batches, at one
/// position of the stream.
public final class PipelineRequests: Sendable {
    private struct Queue: Sendable {
        var waiting: [@Sendable (Pipeline?) -> Void] = []
        var isClosed = false
    }

    private let queue = Mutex(Queue())
    /// Looked at for every batch, so not behind the lock.
    private let hasWaiting = Atomic(false)

    /// Nobody asks yet.
    public init() {}

    /// Has the pipeline's thread do something and waits for what comes of it.
    ///
    /// - Parameter seconds: How long to wait; nil: for as long as it takes.
    /// - Returns: Nil when the pipeline has ended, or did not come to it in time. Then nothing was done,
    ///   and nothing will be.
    public func perform<Answer: Sendable>(
        waitingAtMost seconds: Double?, _ body: @escaping @Sendable (Pipeline) -> Answer
    ) -> Answer? {
        let request = Request<Answer>()
        guard submit({ request.run(by: $0, body) }) else { return nil }
        return request.answer(waitingAtMost: seconds)
    }

    /// Has the pipeline's thread do something, without waiting.
    ///
    /// - Parameter body: Is given nil when the pipeline ends before it comes to it.
    /// - Returns: Whether the pipeline still runs; otherwise nothing is done.
    func submit(_ body: @escaping @Sendable (Pipeline?) -> Void) -> Bool {
        let isOpen = queue.withLock { queue in
            if !queue.isClosed { queue.waiting.append(body) }
            return !queue.isClosed
        }
        if isOpen { hasWaiting.store(true, ordering: .releasing) }
        return isOpen
    }

    var isPending: Bool { hasWaiting.load(ordering: .acquiring) }

    func answer(by pipeline: Pipeline) {
        hasWaiting.store(false, ordering: .releasing)
        for request in take(closing: false) { request(pipeline) }
    }

    /// The pipeline ends: nothing more is answered.
    func close() { for request in take(closing: true) { request(nil) } }

    private func take(closing: Bool) -> [@Sendable (Pipeline?) -> Void] {
        queue.withLock { queue in
            defer { queue.waiting = [] }
            queue.isClosed = queue.isClosed || closing
            return queue.waiting
        }
    }
}

/// One thing that was asked for.
private final class Request<Answer: Sendable>: Sendable {
    private enum State: Sendable {
        case waiting
        /// The pipeline is at it, so whoever asked waits for the end.
        case begun
        case abandoned
        case done(Answer?)
    }

    private let state = Mutex(State.waiting)
    private let isDone = DispatchSemaphore(value: 0)

    func run(by pipeline: Pipeline?, _ body: (Pipeline) -> Answer) {
        let isWanted = state.withLock { state in
            guard case .waiting = state else { return false }
            state = .begun
            return true
        }
        guard isWanted else { return }
        let answer = pipeline.map(body)
        state.withLock { $0 = .done(answer) }
        isDone.signal()
    }

    func answer(waitingAtMost seconds: Double?) -> Answer? {
        if let seconds, isDone.wait(timeout: .now() + seconds) == .timedOut {
            let isAbandoned = state.withLock { state in
                guard case .waiting = state else { return false }
                state = .abandoned
                return true
            }
            if isAbandoned { return nil }
            isDone.wait()
        } else if seconds == nil {
            isDone.wait()
        }
        guard case .done(let answer) = state.withLock({ $0 }) else { return nil }
        return answer
    }
}
