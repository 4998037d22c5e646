import Dispatch

/// How much memory the process may have.
public struct MemoryLimit: Sendable {
    /// What the process may have.
    public var bytes: Int
    /// Gives memory that is no longer used back to the system.
    public var giveBack: @Sendable () -> Void

    /// - Parameter bytes: What the process may have.
    public init(bytes: Int, giveBack: @escaping @Sendable () -> Void) {
        self.bytes = bytes
        self.giveBack = giveBack
    }
}

/// Looks every few milliseconds whether the process is about to have more memory than it may.
///
/// Much of what a dropped key had stays with its table, for the next key. So it is not asked whether
/// dropping has made the process smaller, but whether it has grown since.
struct MemoryGuard {
    enum Advice: Equatable {
        case goOn
        /// Drop this share of the state, and say so with `noteShed`.
        case shed(Double)
        /// There is room again for what was cut.
        case widen
    }

    let limit: MemoryLimit
    private var nextLook = DispatchTime.now()
    /// What was resident after state was dropped last, of the limit; nil while nothing is cut.
    private var afterShed: Double?

    /// At which part of the limit something is done. A table that grows has its memory twice for a
    /// moment, so there must be room for that.
    private static let high = 0.8
    private static let low = 0.6
    /// How much the process may grow before more is dropped.
    private static let step = 0.02
    private static let share = 0.1
    private static let milliseconds = 10
    /// Between two steps of giving back what was cut.
    private static let calmMilliseconds = 1_000

    init(_ limit: MemoryLimit) { self.limit = limit }

    mutating func advice() -> Advice {
        let now = DispatchTime.now()
        guard now >= nextLook else { return .goOn }
        nextLook = now + .milliseconds(MemoryGuard.milliseconds)
        let resident = resident
        if resident < MemoryGuard.low, afterShed != nil {
            nextLook = now + .milliseconds(MemoryGuard.calmMilliseconds)
            return .widen
        }
        let bar = max(MemoryGuard.high, afterShed.map { $0 + MemoryGuard.step } ?? 0)
        return resident > bar ? .shed(MemoryGuard.share) : .goOn
    }

    /// State was dropped.
    mutating func noteShed() {
        limit.giveBack()
        afterShed = resident
    }

    private var resident: Double { Double(residentBytes()) / Double(limit.bytes) }
}
