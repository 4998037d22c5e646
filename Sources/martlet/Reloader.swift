import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The rules of a running engine. Reads the files again when they change, when SIGHUP comes, and when
/// somebody asks; checks them; and lets what is good take over.
///
/// Rules that are no good change nothing: those in force stay in force.
final class Reloader: Sendable {
    private struct State: Sendable {
        var rules: RunnableRules
        var counts = ReloadCounts()
        /// What was read last, taken or refused, so that what has not changed is not told twice.
        var lastRead: [String: [UInt8]]
    }

    private let selection: RuleSelection
    private let setup: EngineSetup
    private let requests: PipelineRequests
    private let console: Console
    private let state: Mutex<State>
    /// One reload at a time.
    private let turn = Mutex(())

    /// How long a caller waits who did not ask to wait.
    static let patienceSeconds = 10.0

    init(
        _ selection: RuleSelection, running rules: RunnableRules, setup: EngineSetup,
        requests: PipelineRequests, console: Console
    ) {
        self.selection = selection
        self.setup = setup
        self.requests = requests
        self.console = console
        state = Mutex(State(rules: rules, lastRead: texts(rules.compilation.sources)))
    }

    /// How often rules were exchanged, and which version is in force.
    var counts: ReloadCounts { state.withLock(\.counts) }

    /// The plans of the rules in force.
    var plans: RuleSetPlans { state.withLock { $0.rules.plans } }

    /// Reads the rules and lets them take over.
    ///
    /// What was done is logged as well.
    func reload(_ wanted: Wanted) -> ControlAnswer {
        turn.withLock { _ in
            let set = selection.read()
            do throws(Failure) {
                return try take(set, wanted)
            } catch {
                return refuse(set, error, wanted)
            }
        }
    }

    /// How a reload is asked for.
    struct Wanted {
        /// Who asks, for the log.
        var trigger: String
        /// Only say what would happen.
        var isDryRun = false
        /// For as long as the engine takes to come to it; otherwise a few seconds.
        var waits = true
        var isJSON = false

        var seconds: Double? { waits ? nil : Reloader.patienceSeconds }
    }

    private func take(_ set: RuleSet, _ wanted: Wanted) throws(Failure) -> ControlAnswer {
        let current = state.withLock { $0.rules }
        try refuseEmptied(set, current)
        let rules = try selection.rules(of: set)
        try refuseNewSinks(rules, current)
        let warnings = set.findings(colour: false)
        let notes = deploymentNotes(rules, current)
        func answer(_ plan: ReloadPlan, _ last: String?, _ members: [(String, JSONDocument)])
            -> ControlAnswer
        {
            var answer = ControlAnswer()
            if wanted.isDryRun, plan.dropsState { answer.code = ExitCode.findings.rawValue }
            answer.errors = warnings + notes.map { "martlet: \($0)\n" }.joined()
            answer.output =
                wanted.isJSON
                ? JSONDocument.object(members + plan.jsonMembers).line + "\n"
                : ([plan.text] + [last].compactMap(\.self)).joined(separator: "\n") + "\n"
            return answer
        }
        if wanted.isDryRun {
            guard let held = requests.perform(waitingAtMost: wanted.seconds, { $0.held }) else {
                throw Reloader.busy
            }
            var plan = ReloadPlan(from: current.plans, to: rules.plans, held: held)
            plan.isBefore = true
            return answer(plan, nil, [("applied", false)])
        }
        if rules.program == current.program {
            let version = state.withLock { state in
                state.rules.compilation = rules.compilation
                state.lastRead = texts(set.compilation.sources)
                return state.counts.version
            }
            return answer(
                ReloadPlan(from: current.plans, to: rules.plans),
                "nothing has changed: version \(version) stays in force",
                [("applied", false), ("version", .number(version))])
        }
        let prepared = PreparedRules(
            program: rules.program, environment: rules.environment, lists: rules.listWatcher,
            setup: setup)
        let result = requests.perform(waitingAtMost: wanted.seconds) { pipeline in
            do throws(SnapshotError) {
                return Result<ReloadResult, SnapshotError>.success(
                    try pipeline.replace(with: prepared))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case nil: throw Reloader.busy
        case .failure(let error):
            throw Failure(.failed, "the state could not be carried over: \(error)")
        case .success(let result):
            let version = state.withLock { state in
                state.rules = rules
                state.lastRead = texts(set.compilation.sources)
                state.counts.version += 1
                return state.counts.version
            }
            let plan = ReloadPlan(from: current.plans, to: rules.plans, held: result.report)
            log(wanted, "version \(version) of the rules is in force (\(wanted.trigger))", plan)
            return answer(
                plan,
                "version \(version) is in force; events waited \(milliseconds(result.pauseSeconds))",
                [
                    ("applied", true), ("version", .number(version)),
                    ("pause_ms", .decimal((result.pauseSeconds * 1e6).rounded() / 1000)),
                ])
        }
    }

    private func refuse(_ set: RuleSet, _ failure: Failure, _ wanted: Wanted) -> ControlAnswer {
        let version = state.withLock { state in
            state.lastRead = texts(set.compilation.sources)
            if !wanted.isDryRun { state.counts.refused += 1 }
            return state.counts.version
        }
        var answer = ControlAnswer()
        answer.code = failure.code.rawValue
        let message = failure.message.replacing(", so nothing was run", with: "")
        answer.errors =
            set.findings(colour: false)
            + "martlet: \(message); version \(version) of the rules stays in force\n"
        if !wanted.isDryRun { writeAll(2, Array(answer.errors.utf8)) }
        if wanted.isJSON {
            answer.output =
                JSONDocument.object([
                    ("schema", 1), ("applied", false), ("version", .number(version)),
                    ("refused", .text(message)),
                ]).line + "\n"
        }
        return answer
    }

    static var busy: Failure {
        Failure(
            .failed,
            "the engine did not come to it in \(Int(patienceSeconds)) s, since it waits for its output"
        )
    }

    // MARK: - What does not go while running

    /// An editor that has just cut a file to write it anew, or a disk that is full, must not take rules
    /// out of force.
    private func refuseEmptied(_ set: RuleSet, _ current: RunnableRules) throws(Failure) {
        let before = texts(current.compilation.sources)
        for source in set.compilation.sources
        where source.bytes.isEmpty && before[source.name]?.isEmpty == false {
            throw Failure(.badRules, "`\(source.name)` is empty now, and was not before")
        }
    }

    private func refuseNewSinks(
        _ rules: RunnableRules, _ current: RunnableRules
    ) throws(Failure) {
        let open = Set(current.compilation.deployment.sinks.map(\.name))
        for rule in rules.program.rules {
            for sink in rule.emit.sinks where !open.contains(sink) {
                throw Failure(
                    .badRules,
                    "rule `\(rule.name)` sends to sink `\(sink)`, which is opened at the start only"
                )
            }
        }
    }

    private func deploymentNotes(_ rules: RunnableRules, _ current: RunnableRules) -> [String] {
        rules.compilation.deployment.changedBlocks(since: current.compilation.deployment).map {
            "\($0) has changed, which is in force after a restart only"
        }
    }

    // MARK: - Files that change, and SIGHUP

    /// Looks at the files, on a thread of its own, for as long as the process lives.
    ///
    /// - Parameter looks: Whether a change of a file is enough; SIGHUP is in any case.
    func watch(looks: Bool) {
        HangupRequest.listen()
        startThread { [self] in
            let watcher = PathWatcher()
            // What comes through a pipe comes once.
            if looks, selection.paths.allSatisfy(isFileOrFolder) { catchUp(watcher) }
            while true {
                if HangupRequest.take() {
                    _ = reload(Wanted(trigger: "SIGHUP"))
                    continue
                }
                guard watcher.hasChanged(waitingAtMost: 250) else { continue }
                // Until whoever writes has written all of it.
                var waits = 0
                while waits < 10, watcher.hasChanged(waitingAtMost: 200) { waits += 1 }
                catchUp(watcher)
            }
        }
    }

    /// Watches first and reads then, so that nothing that changes in between is missed.
    private func catchUp(_ watcher: PathWatcher) {
        while true {
            watcher.watch(watchedPaths)
            guard hasOtherTexts else { return }
            _ = reload(Wanted(trigger: "files changed"))
        }
    }

    private var hasOtherTexts: Bool {
        let set = selection.read()
        return texts(set.compilation.sources) != state.withLock { $0.lastRead }
    }

    /// All files of the rules, those imported as well, and the folders they are looked for in.
    private var watchedPaths: [String] {
        selection.paths.flatMap(foldersBelow) + state.withLock { Array($0.lastRead.keys) }
    }

    private func log(_ wanted: Wanted, _ line: String, _ plan: ReloadPlan) {
        let lines = plan.text.split(separator: "\n").map { "\n  \($0)" }.joined()
        console.note("martlet: \(line)\(lines)")
    }
}

/// Which version of the rules is in force, and how many were refused.
struct ReloadCounts: Sendable {
    var version = 1
    var refused = 0
}

/// The bytes of each file by its name.
private func texts(_ sources: [SourceText]) -> [String: [UInt8]] {
    Dictionary(sources.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
}

/// The path, and all folders below it.
private func foldersBelow(_ path: String) -> [String] {
    guard fileKind(path) == .folder, let names = folderEntries(path) else { return [path] }
    return [path]
        + names.filter { !$0.hasPrefix(".") && fileKind(path + "/" + $0) == .folder }
        .flatMap { foldersBelow(path + "/" + $0) }
}
