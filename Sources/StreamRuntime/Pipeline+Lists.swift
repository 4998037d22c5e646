import Dispatch
import MatchEngine
import RuleModel

/// List files that change while a live pipeline runs.
extension Pipeline {
    /// Looks at the files and puts new content in force at one position of the stream.
    func reloadLists(
        _ output: ([Alert], [InputFault], PipelineSummary) throws -> Void
    ) throws {
        let now = Int64(clamping: DispatchTime.now().uptimeNanoseconds)
        guard let updates = lists?.poll(now: now), !updates.isEmpty else { return }
        try finishAll(output)
        try passOn(output)
        wantsCheckpoint = store?.keepsState == true
        let time = summary.lastTime ?? .distantPast
        for feed in feeds { feed.loaded = nil }
        var failures: [Alert] = []
        for update in updates {
            switch update {
            case .failed(list: let index, let fault):
                summary.listFaults.append(fault)
                failures.append(listFailed(index, fault, at: time))
            case .changed(list: let index, let table):
                for shard in shards {
                    shard.perform { engine, alerts in
                        engine.setList(ListID(index), table, at: time, emitting: &alerts)
                    }
                }
                judge = shards[0].judge
            }
        }
        guard !failures.isEmpty else { return }
        var sent: [Alert] = []
        stage.process(failures, emitting: &sent)
        summary.alerts = stage.counters
        try output(sent, [], summary)
    }

    /// A list whose file has turned bad is told once for each state of the file; its old content
    /// stays in force.
    private func listFailed(_ index: Int, _ fault: ListFault, at time: Timestamp) -> Alert {
        let name = program.tables.lists[index].name
        let sinks = program.rules.flatMap(\.emit.sinks)
        return Alert(
            engine: "engine.list_failed", about: Alert.NamedValue("list", .text(name)),
            message: "list \(name): \(fault); the old content stays in force",
            reason: "list failed", idTime: time, ruleID: RuleID(-1), fingerprint: 0,
            sinks: sinks.indices.filter { sinks[..<$0].firstIndex(of: sinks[$0]) == nil }.map {
                sinks[$0]
            },
            order: AlertOrder(
                instant: time.nanoseconds, arrival: .max, depth: 0, rule: -1, key: 0,
                serial: index),
            at: time)
    }
}
