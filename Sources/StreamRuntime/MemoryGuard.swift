import Dispatch

/// How much memory the process may have, and how it is asked what it has.
public struct MemoryLimit: Sendable {
    /// What the process may have.
    public var bytes: Int
    /// What has been allocated and not given back, in bytes.
    public var allocatedBytes: @Sendable () -> Int
    /// Gives memory that is no longer allocated back to the system.
    public var giveBack: @Sendable () -> Void

    /// - Parameter bytes: What the process may have.
    public init(
        bytes: Int, allocatedBytes: @escaping @Sendable () -> Int,
        giveBack: @escaping @Sendable () -> Void
    ) {
        self.bytes = bytes
        self.allocatedBytes = allocatedBytes
        self.giveBack = giveBack
    }
}

/// Looks every few milliseconds whether the process is about to have more memory than it may.
///
/// What counts for the limit is what is resident. Memory that was freed in between stays resident, and
/// is used again; so state is dropped only when what is allocated comes near the limit too.
struct MemoryGuard {
    enum Advice: Equatable {
        case goOn
        /// Drop this share of the state.
        case shed(Double)
        /// There is room again for what was cut.
        case widen
    }

    let limit: MemoryLimit
    private var nextLook = DispatchTime.now()
    /// Whether something was cut and not all of it has been given again.
    private var isCut = false

    /// At which part of the limit something is done.
    private static let high = 0.9
    /// How much must be allocated of the limit for that to be dropped.
    private static let full = 0.8
    private static let low = 0.6
    private static let share = 0.1
    private static let milliseconds = 10
    /// Between two steps of giving back what was cut.
    private static let calmMilliseconds = 1_000

    init(_ limit: MemoryLimit) { self.limit = limit }

    mutating func advice() -> Advice {
        let now = DispatchTime.now()
        guard now >= nextLook else { return .goOn }
        nextLook = now + .milliseconds(MemoryGuard.milliseconds)
        let resident = Double(residentBytes()) / Double(limit.bytes)
        if resident < MemoryGuard.low, isCut {
            nextLook = now + .milliseconds(MemoryGuard.calmMilliseconds)
            return .widen
        }
        guard resident > MemoryGuard.high else { return .goOn }
        if Double(limit.allocatedBytes()) > MemoryGuard.full * Double(limit.bytes) {
            isCut = true
            return .shed(MemoryGuard.share)
        }
        limit.giveBack()
        // To look at all free memory takes a while, and helps only once in a while.
        nextLook = .now() + .milliseconds(MemoryGuard.calmMilliseconds)
        return .goOn
    }
}
