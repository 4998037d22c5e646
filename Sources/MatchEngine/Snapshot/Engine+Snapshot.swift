import RuleModel

/// The form of a snapshot:
///
///     mark            8 bytes
///     section engine  names of types and columns, order, what waits, what rules share
///     count of rules
///     for each rule   name, shape, counts for the report
///       section rule    farewells, counters, ids, keys, and in it
///         section of the machine's own version
///
/// A rule's state is written for every program in which the rule has the same shape, so a snapshot is
/// read by other programs and by any number of shards.
enum SnapshotForm {
    static let mark: [UInt8] = Array("MARTLET".utf8) + [0x01]
    /// 2: what was given up for limits.
    static let engineVersion = 2
    /// 2: up to when the rule sees nothing; the points that were dropped.
    static let ruleVersion = 2
}

extension Engine {
    /// All that the engine knows, as bytes: an engine that is made of them goes on as if nothing had
    /// been (`init(restoring:...)`). The same state gives the same bytes.
    ///
    /// Not in it, since they come from outside: the program, options, what lists hold, and records and
    /// near misses that were handed out or wait to be taken. Nor are the events of the past that late
    /// ones are compared with (T3): an engine made of a snapshot corrects what came after it.
    ///
    /// - Complexity: linear in the state.
    public func snapshot() -> [UInt8] { snapshot(withoutKeysOf: []) }

    /// - Parameter moved: Rules whose keys go on in memory, by index.
    func snapshot(withoutKeysOf moved: Set<Int>) -> [UInt8] {
        var writer = StateWriter()
        for byte in SnapshotForm.mark { writer.write(byte: byte) }
        writer.section(version: SnapshotForm.engineVersion) { writer in
            let tables = context.program.tables
            writer.write(tables.eventTypes)
            writer.write(tables.columns.count)
            for column in tables.columns { writer.write(column.segments) }
            writer.write(context.instant)
            writeBegin(to: &writer)
            watermark.write(to: &writer)
            writer.write(context.counters.sources)
            writer.write(context.counters.hurriedEvents)
            writer.write(context.counters.early)
            writer.write(context.counters.overflows)
            writer.write(context.highestTime)
            writer.write(sorted: context.earlyAlerts.inNoOrder) { sent, writer in
                writer.write(sent.alert)
                writer.write(sent.seen)
            }
            context.emission.write(to: &writer)
            context.risks.write(to: &writer)
            context.derived.write(to: &writer)
            writeWaiting(to: &writer)
        }
        writer.write(machines.count)
        for rule in 0..<machines.count {
            write(
                rule: rule, keys: moved.contains(rule) ? [] : context.keys[rule].keysByUse,
                to: &writer)
        }
        return writer.bytes
    }

    private func writeBegin(to writer: inout StateWriter) {
        switch begin {
        case .done:
            writer.write(true)
        case .pending(let earliest):
            writer.write(false)
            writer.write(earliest)
        }
    }

    /// Events that wait in the reorder buffer, as cells of the columns that they have.
    private func writeWaiting(to writer: inout StateWriter) {
        let events = waiting.inOrder
        writer.write(events.count)
        for (event, time) in events {
            let batch = event.batch.events
            writer.write(Int(batch.source))
            writer.write(time)
            writer.write(batch.times[event.row])
            writer.write(event.type)
            writer.write(unsigned: event.arrival)
            let filled = batch.columns.indices.filter {
                batch.columns[$0][event.row].kind != .missing
            }
            writer.write(filled.count)
            for column in filled {
                writer.write(column)
                let cell = batch.columns[column][event.row]
                writer.write(byte: cell.kind.rawValue)
                switch cell.kind {
                case .missing: break
                case .bool, .int, .float: writer.write(word: cell.bits)
                case .text, .json: writer.write(bytes: batch.bytes[cell.textRange])
                }
            }
        }
    }

    /// How many keys and open matches each rule has now.
    ///
    /// - Complexity: linear in the keys.
    public var holdings: RestoreReport {
        var report = RestoreReport()
        for rule in 0..<machines.count {
            var context = context
            context.rule = rule
            let keys = context.keys[rule].keysByUse
            report.rules.append(
                RestoreReport.Rule(
                    context.program.rules[rule].name, .kept, keys: keys.count,
                    openMatches: keys.reduce(0) {
                        $0 + machines.openMatches($1, rule, in: context)
                    }))
        }
        return report
    }

    private func write(rule: Int, keys: [KeySlot], to writer: inout StateWriter) {
        var context = context
        context.rule = rule
        let program = context.program.rules[rule]
        let table = context.keys[rule]
        writer.write(program.name)
        writer.write(word: program.shape)
        writer.write(keys.count)
        writer.write(keys.reduce(0) { $0 + machines.openMatches($1, rule, in: context) })
        writer.section(version: SnapshotForm.ruleVersion) { [context] writer in
            writer.write(
                keys.compactMap {
                    machines.farewell($0, rule, reason: Engine.removed, in: context)
                })
            writer.write(context.watchStarts[rule])
            writer.write(context.unseen)
            writer.write(context.counters.rules[rule].droppedRisks)
            writer.write(context.counters.rules[rule])
            context.emission.write(rule: rule, to: &writer)
            writer.write(table.hasEvicted)
            writer.section(version: machines.stateVersion(rule)) { writer in
                machines.writeCommon(rule, to: &writer)
                // That not used for longest first: read in this order, they are so again.
                writer.write(keys.count)
                for key in keys {
                    writer.write(table.values(key))
                    writer.write(table.scheduled(key))
                    writer.write(byte: table.doubts(key).rawValue)
                    machines.write(key, rule, to: &writer)
                }
            }
        }
    }

    static var removed: String { "rule removed" }
    static var changed: String { "rule changed" }
}
