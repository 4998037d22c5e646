/// A time at which a machine wants to be called for a key; at one time by depth, rule and key.
///
/// Deadlines are never removed early: one whose key has gone or has another wish is skipped when it
/// comes up (`KeyTable.isCurrent`).
struct Deadline: Comparable, Sendable {
    var time: Int64
    /// The place of the rule in the order of depths and rules (`MachineContext.ranks`).
    var rank: Int32
    var slot: UInt32
    var keyHash: UInt64

    static func < (left: Deadline, right: Deadline) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.rank != right.rank { return left.rank < right.rank }
        if left.keyHash != right.keyHash { return left.keyHash < right.keyHash }
        // Two keys of one hash: rare, and told apart by what is the same in every run.
        return left.slot < right.slot
    }
}

/// Deadlines in order of time.
///
/// Most are wished for in the order in which they come up, since time limits of a rule are all alike
/// and events come in order. Those are appended to a lane, of which there are a few for time limits
/// of different lengths; what fits behind no lane goes to a heap. So a wish costs O(1) where a heap
/// would touch memory at every level.
struct DeadlineQueue: Sendable {
    private var lanes: [Queue<Deadline>] = []
    private var heap = Heap<Deadline>()
    /// The lane with the earliest deadline, `lanes.count` for the heap.
    private var next = 0
    /// The earliest of all; nil without any.
    private(set) var first: Deadline?

    private static let lanesMax = 8

    /// O(1) behind a lane, else O(log count).
    mutating func push(_ deadline: Deadline) {
        let place = lane(for: deadline)
        if place < lanes.count {
            lanes[place].append(deadline)
        } else {
            heap.push(deadline)
        }
        if first.map({ deadline < $0 }) ?? true {
            first = deadline
            next = place
        }
    }

    var count: Int { lanes.reduce(heap.count) { $0 + $1.count } }

    /// All of them: lane by lane in order, then the others.
    func forEach(_ body: (Deadline) -> Void) {
        for lane in lanes {
            for index in 0..<lane.count { body(lane[index]) }
        }
        heap.inAnyOrder.forEach(body)
    }

    /// Lets go of the deadlines that are not wanted. O(count log count).
    mutating func keep(where isWanted: (Deadline) -> Bool) {
        for place in lanes.indices { lanes[place].removeAll { !isWanted($0) } }
        heap.keep(where: isWanted)
        findFirst()
    }

    /// Takes out the earliest.
    mutating func pop() {
        guard first != nil else { return }
        if next < lanes.count { lanes[next].removeFirst() } else { _ = heap.pop() }
        findFirst()
    }

    private mutating func findFirst() {
        first = heap.first
        next = lanes.count
        for (place, lane) in lanes.enumerated() {
            guard let head = lane.first, first.map({ head < $0 }) ?? true else { continue }
            first = head
            next = place
        }
    }

    /// The lane whose last deadline is nearest before this one; `lanes.count` where there is none.
    private mutating func lane(for deadline: Deadline) -> Int {
        var best = lanes.count
        var latest = Int64.min
        var empty: Int?
        for place in lanes.indices {
            guard let last = lanes[place].last else {
                empty = place
                continue
            }
            if last.time >= latest, last < deadline { (best, latest) = (place, last.time) }
        }
        if best < lanes.count { return best }
        if let empty { return empty }
        guard lanes.count < DeadlineQueue.lanesMax else { return lanes.count }
        lanes.append(Queue())
        // The heap stands behind the lanes.
        if next == lanes.count - 1 { next += 1 }
        return lanes.count - 1
    }
}
