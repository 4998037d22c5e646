import RuleModel

/// Rules whose keys go on in memory when another program takes over.
public struct MovedRules: Sendable {
    /// By index in the program of before: the index now.
    fileprivate var places: [Int: Int] = [:]
}

/// A reload moves the keys of rules that are quite unchanged as they lie in memory, so it takes hardly
/// longer with a million of them than with one. Everything else goes by way of a snapshot:
///
///     let moved = new.rulesToMove(from: old)
///     let report = try new.restore([old.snapshot(moving: moved)], emitting: &alerts)
///     new.takeKeys(of: moved, from: &old, report: &report)
///
/// With several shards the second line reads the snapshots of all. Until the third line nothing of the old
/// engines has changed.
extension Engine {
    /// The rules whose keys can go on in memory: unchanged, and in the same shard; not those with keys from
    /// lists, which are compared with what the lists hold now.
    ///
    /// - Parameter old: The engine of the same shard under the program of before.
    public func rulesToMove(from old: borrowing Engine) -> MovedRules {
        var moved = MovedRules()
        guard case .done = old.begin, old.context.shardIndex == context.shardIndex,
            old.context.shardCount == context.shardCount
        else { return moved }
        let before = old.context.program
        let now = context.program
        let indices = Dictionary(
            before.rules.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first }
        )
        for (rule, program) in now.rules.enumerated() where program.keyList == nil {
            guard let index = indices[program.name] else { continue }
            let earlier = before.rules[index]
            let hasSameTypes = routes[rule].allSatisfy { route in
                let type = Int(route.type.rawValue)
                return type < before.tables.eventTypes.count
                    && before.tables.eventTypes[type] == now.tables.eventTypes[type]
            }
            if earlier.fingerprint == program.fingerprint, earlier.shape == program.shape,
                earlier.place.home == program.place.home, earlier.keyList == nil, hasSameTypes,
                machines.keepsAs(rule, in: old.machines, index)
            {
                moved.places[index] = rule
            }
        }
        return moved
    }

    /// All that the engine knows but for the keys of rules that are moved.
    public func snapshot(moving moved: MovedRules) -> [UInt8] {
        snapshot(withoutKeysOf: Set(moved.places.keys))
    }

    /// Takes the keys of rules over from the engine whose snapshot this one was made of, which is of no use
    /// afterwards. Of moved rules the report counts the keys, and not the open matches.
    public mutating func takeKeys(
        of moved: MovedRules, from old: inout Engine, report: inout RestoreReport
    ) {
        for (before, rule) in moved.places {
            swap(&context.keys[rule], &old.context.keys[before])
            machines.takeKeys(rule, from: &old.machines, before)
            report.rules[rule].keys += context.keys[rule].count
        }
        old.context.deadlines.forEach { deadline in
            guard let rule = moved.places[Int(old.context.rulesByRank[Int(deadline.rank)])],
                context.keys[rule].isCurrent(deadline)
            else { return }
            var deadline = deadline
            deadline.rank = context.ranks[rule]
            context.deadlines.push(deadline)
        }
    }
}
