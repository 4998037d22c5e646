import RuleModel

/// One event for each member that is there: the witness of a correlation (C3).
struct MemberChoice: Sendable {
    /// By member; nil for those left out.
    var events: [CapturedEvent?]

    /// The members that are there, as bits.
    var members: UInt64 {
        events.indices.reduce(0) { events[$1] == nil ? $0 : $0 | 1 << UInt64($1) }
    }
}

extension MemberChoice {
    func write(to writer: inout StateWriter) {
        for event in events {
            writer.write(event != nil)
            event?.write(to: &writer)
        }
    }

    init(from reader: inout StateReader, by captures: CaptureReading) throws(SnapshotError) {
        events = []
        for _ in 0..<captures.steps {
            events.append(
                try reader.bool() ? try CapturedEvent(from: &reader, by: captures) : nil)
        }
        guard members != 0 else { throw reader.damaged("a match of nothing") }
    }
}

/// What two members owe each other, where both are there.
struct MemberConstraint: Sendable {
    var earlier: Int
    var later: Int
    /// `before`: not the same event. `order` lets one event stand for both.
    var isStrict: Bool
    /// The most time between them.
    var within: TimeSpan?

    func holds(_ first: CapturedEvent, _ second: CapturedEvent) -> Bool {
        isInOrder(first, second) && isNear(first, second)
    }

    func isInOrder(_ first: CapturedEvent, _ second: CapturedEvent) -> Bool {
        isStrict ? first.ordinal < second.ordinal : first.ordinal <= second.ordinal
    }

    func isNear(_ first: CapturedEvent, _ second: CapturedEvent) -> Bool {
        within.map { second.instant <= first.instant + $0 } ?? true
    }
}

/// Looks for the choice that a correlation needs (C2, C3).
///
/// All constraints say how far one member may lie behind another. Of two choices that satisfy such
/// constraints, the later event for each member satisfies them too; so there is one choice that is
/// the latest for every member, and it is found by going back from the latest events only as far
/// as a constraint forces. No event is tried twice.
/// - SeeAlso: Jeavons and Cooper, "Tractable constraints on ordered domains", Artificial
///   Intelligence 79, 1995 (max-closed constraints).
struct MemberSearch {
    let constraints: [MemberConstraint]
    /// Members that some constraint names, as bits.
    let constrained: UInt64
    let required: Int
    let triesMax: Int
    /// Whether not every set of members could be tried.
    private(set) var isExhausted = false

    init(_ program: CorrelationProgram, triesMax: Int) {
        var constraints: [MemberConstraint] = []
        // Each pair, not only neighbours: one in the middle may be missing.
        for (place, earlier) in program.order.enumerated() {
            for later in program.order.dropFirst(place + 1) {
                constraints.append(
                    MemberConstraint(
                        earlier: earlier.rawValue, later: later.rawValue, isStrict: false))
            }
        }
        constraints += program.precedences.map {
            MemberConstraint(
                earlier: $0.earlier.rawValue, later: $0.later.rawValue, isStrict: true,
                within: $0.within)
        }
        self.constraints = constraints
        constrained = constraints.reduce(0) { $0 | 1 << UInt64($1.earlier) | 1 << UInt64($1.later) }
        required = program.required
        self.triesMax = triesMax
    }

    /// The latest choice with as many members as can be there together, but no fewer than required;
    /// of equally many those that are written first.
    mutating func choice(in windows: [MemberWindow]) -> MemberChoice? {
        isExhausted = false
        var present: UInt64 = 0
        for (member, window) in windows.enumerated() where !window.isEmpty {
            present |= 1 << UInt64(member)
        }
        var spare = present.nonzeroBitCount - required
        if spare < 0 { return nil }
        if let all = latest(of: present, in: windows) { return all }
        // Leaving out a member that nothing is asked of helps nobody.
        let bound = windows.indices.reversed().filter {
            (present & constrained) >> UInt64($0) & 1 == 1
        }
        spare = min(spare, bound.count)
        var tries = 0
        for number in stride(from: 1, through: spare, by: 1) {
            // Sets of this many places of `bound`, the last written members first.
            var places: UInt64 = (1 << UInt64(number)) - 1
            while places >> UInt64(bound.count) == 0 {
                tries += 1
                if tries > triesMax {
                    isExhausted = true
                    return nil
                }
                var left = present
                for (place, member) in bound.enumerated() where places >> UInt64(place) & 1 == 1 {
                    left &= ~(1 << UInt64(member))
                }
                if let choice = latest(of: left, in: windows) { return choice }
                guard let next = following(places) else { break }
                places = next
            }
        }
        return nil
    }

    /// The next greater number with as many bits (Gosper).
    private func following(_ bits: UInt64) -> UInt64? {
        let lowest = bits & (0 &- bits)
        let (ripple, overflow) = bits.addingReportingOverflow(lowest)
        return overflow ? nil : ripple | (((bits ^ ripple) / lowest) >> 2)
    }

    /// The latest choice for exactly these members; nil when there is none.
    private func latest(of members: UInt64, in windows: [MemberWindow]) -> MemberChoice? {
        var events = windows.indices.map { member in
            members >> UInt64(member) & 1 == 1 ? windows[member].latest : nil
        }
        var isSettled = false
        while !isSettled {
            isSettled = true
            for constraint in constraints {
                guard let first = events[constraint.earlier], let second = events[constraint.later]
                else { continue }
                if !constraint.isInOrder(first, second) {
                    let earlier = windows[constraint.earlier].latest {
                        constraint.isInOrder($0, second)
                    }
                    guard let earlier else { return nil }
                    events[constraint.earlier] = earlier
                    isSettled = false
                } else if !constraint.isNear(first, second) {
                    let earlier = windows[constraint.later].latest { constraint.isNear(first, $0) }
                    guard let earlier else { return nil }
                    events[constraint.later] = earlier
                    isSettled = false
                }
            }
        }
        return MemberChoice(events: events)
    }
}
