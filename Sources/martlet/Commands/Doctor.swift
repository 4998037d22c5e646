import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet doctor`: what would keep an engine from its work.
let doctorCommand = CommandSpec(
    name: "doctor", summary: "look at everything that an engine needs, and say what to do about it",
    positionals: "",
    options: [
        OptionSpec(
            "rules", value: "PATH",
            "a rule file or folder; may be given several times (default: rules)"),
        OptionSpec(
            "data", value: "DIR", "the data folder (default: the engine block's `data`)"),
        OptionSpec("format", choices: ["text", "json"], "how to print it (default: text)"),
    ],
    notes: [
        """
        Compiles the rules, loads their lists, reads the first 1,000 lines of each source, dials each
        sink, reads every checksum of the data folder, asks the engine that runs on it, and looks at the
        clock and the limits of this machine. Nothing is changed, and no sink gets an alert: a webhook is
        asked with HEAD.
        """,
        """
        One line each: `ok`, `warn` for what may be meant so, `FAIL` for what stands in the way. Ends
        with 4 if something fails, else with 0.
        """,
    ],
    examples: ["martlet doctor --rules rules --data state", "martlet doctor --format json"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    var doctor = Doctor(arguments)
    doctor.examine()
    if arguments.value("format") == "json" {
        console.print(doctor.json.line)
    } else {
        let width = min(32, max(16, doctor.findings.map(\.subject.count).max() ?? 0))
        for finding in doctor.findings {
            console.print(finding.text(width: width, isColoured: console.coloursOutput))
        }
    }
    return doctor.findings.contains { $0.outcome == .fail } ? .failed : .fine
}

private struct Doctor {
    enum Outcome: String { case ok, warn, fail = "FAIL" }

    struct Finding {
        var outcome: Outcome
        /// What was looked at, for example `sink soc`.
        var subject: String
        var what: String
        var fix: String?

        func text(width: Int, isColoured: Bool) -> String {
            let colour = [Outcome.ok: "32", .warn: "33", .fail: "31"][outcome] ?? "0"
            let word = outcome.rawValue.padded(to: 4)
            let shown = isColoured ? "\u{1B}[\(colour)m\(word)\u{1B}[0m" : word
            return "\(shown)  \(subject.padded(to: width))  \(visible(what))"
                + (fix.map { "\n      -> \(visible($0))" } ?? "")
        }
    }

    private(set) var findings: [Finding] = []
    private let arguments: ParsedArguments
    private let ruleSet: RuleSet
    private var deployment: DeploymentPlan { ruleSet.compilation.deployment }

    /// Lines of a source that are looked at.
    private static let sampleLines = 1_000

    init(_ arguments: ParsedArguments) {
        self.arguments = arguments
        let paths = arguments.values("rules")
        ruleSet = RuleSet(paths: paths.isEmpty ? rulePaths([]) : paths)
    }

    mutating func examine() {
        rules()
        lists()
        for source in deployment.sources { self.source(source) }
        let names = AlertNames(ruleSet.compilation)
        for sink in deployment.sinks { self.sink(sink, names) }
        data()
        machine()
    }

    /// What keeps a block from being run; that it is about the block is said in front.
    private mutating func note(_ failure: Failure, _ subject: String) {
        let what = failure.message.split(separator: "`: ", maxSplits: 1)
        let isAboutBlock =
            what.count == 2 && failure.message.hasPrefix(subject.prefix { $0 != " " })
        note(
            .fail, subject, isAboutBlock ? String(what[1]) : failure.message, fix: failure.help)
    }

    private mutating func note(
        _ outcome: Outcome, _ subject: String, _ what: String, fix: String? = nil
    ) {
        findings.append(Finding(outcome: outcome, subject: subject, what: what, fix: fix))
    }

    var json: JSONDocument {
        .object([
            ("schema", 1),
            ("failed", .number(findings.count { $0.outcome == .fail })),
            (
                "checks",
                .array(
                    findings.map { finding in
                        .object([
                            ("outcome", .text(finding.outcome.rawValue.lowercased())),
                            ("subject", .text(finding.subject)), ("what", .text(finding.what)),
                            ("fix", finding.fix.map { .text($0) } ?? .null),
                        ])
                    })
            ),
        ])
    }

    // MARK: - Rules and lists

    private mutating func rules() {
        let diagnostics = ruleSet.compilation.diagnostics
        let errors = diagnostics.count { $0.severity == .error }
        let warnings = diagnostics.count { $0.severity == .warning }
        for problem in ruleSet.problems {
            note(.fail, "rules", problem, fix: "name the files with `--rules PATH`")
        }
        if errors > 0 {
            note(
                .fail, "rules", "\(counted(errors, "error")), so no engine starts with them",
                fix: "`martlet check` shows where, and what was needed")
        } else if ruleSet.compilation.plans.isEmpty {
            note(
                .fail, "rules", "there is no rule", fix: "name a file or folder with `--rules PATH`"
            )
        } else {
            note(
                warnings > 0 ? .warn : .ok, "rules",
                counted(ruleSet.compilation.plans.count, "rule")
                    + (warnings > 0 ? ", \(counted(warnings, "warning"))" : ""),
                fix: warnings > 0 ? "`martlet check` shows them" : nil)
        }
        for unused in unusedSettings(deployment) {
            note(.warn, "settings", unused, fix: "leave it out until a version runs it")
        }
    }

    private mutating func lists() {
        // Where rules do not compile, what they declare may be misunderstood.
        guard !ruleSet.compilation.hasErrors else { return }
        for plan in ruleSet.compilation.tables.lists {
            let subject = "list \(plan.name)"
            switch loadList(plan) {
            case .success(let table):
                note(
                    table.rows.isEmpty ? .warn : .ok, subject,
                    counted(table.rows.count, "row"),
                    fix: table.rows.isEmpty ? "rules that read it compare with nothing" : nil)
            case .failure(let fault):
                note(.fail, subject, "\(fault)", fix: "no engine starts without the list")
            }
        }
    }

    // MARK: - Sources

    private mutating func source(_ plan: SourcePlan) {
        let subject = "source \(plan.name)"
        let options: InputOptions
        do throws(Failure) { options = try declaredInput(plan).options } catch {
            note(error, subject)
            return
        }
        guard plan.connector?.kind == "file", let path = plan.connector?.text("path") else {
            note(.ok, subject, "standard input of the engine")
            return
        }
        let file = resolvedPath(path, relativeTo: plan.declaredIn)
        guard fileKind(file) != .absent else {
            let isFollowed = plan.connector?.has("follow") == true
            note(
                isFollowed ? .warn : .fail, subject, "there is no file `\(file)`",
                fix: isFollowed
                    ? "it is read from when it is there; is the name right?"
                    : "name a file that is there, or write `follow` to wait for it")
            return
        }
        guard isFileOrFolder(file) else {
            note(.ok, subject, "`\(file)` is a pipe or device, which is not read ahead")
            return
        }
        let sample = LineSample(paths: [file], limit: Doctor.sampleLines)
        if let fault = sample.report.faults.first {
            note(.fail, subject, fault.description, fix: "let this user read it")
            return
        }
        events(of: sample, options, plan, subject, file)
    }

    /// What the first lines of a source say about how it is declared.
    private mutating func events(
        of sample: LineSample, _ options: InputOptions, _ plan: SourcePlan, _ subject: String,
        _ file: String
    ) {
        let events = EventSample(
            sample.lines, typeName: options.typeName, typeField: options.typeField,
            timeField: options.timeField)
        let read = ruleSet.compilation.tables.eventTypes
        let known = events.types.filter { read.contains($0.key) }.reduce(0) { $0 + $1.value.count }
        let lines = counted(sample.lines.count, "line")
        if sample.lines.isEmpty {
            note(.warn, subject, "`\(file)` is empty so far")
        } else if events.unreadable == sample.lines.count {
            note(
                .fail, subject, "none of the first \(lines) is a JSON object",
                fix: "martlet reads one JSON object a line")
        } else if known == 0 {
            let seen = events.types.keys.sorted().prefix(3).map { "`\($0)`" }
            note(
                .warn, subject,
                "no rule reads any of the first \(lines)"
                    + (seen.isEmpty ? "" : ": their types are " + seen.joined(separator: ", ")),
                fix:
                    "`martlet fields` compares events with what rules read; `type` in the source block says where the type stands"
            )
        } else {
            var words = "of the first \(lines) rules read \(grouped(known))"
            if events.unreadable > 0 {
                words += "; \(grouped(events.unreadable)) are no JSON objects"
            }
            let isTooLate = events.disorder > plan.lateness
            if isTooLate {
                words +=
                    "; out of order by up to \(events.disorder), and `lateness` is \(plan.lateness)"
            }
            var fix =
                isTooLate
                ? "write `lateness \(events.disorder)` or more into the source block" : nil
            if let id = plan.deduplication?.field {
                let with = events.types.values.reduce(0) { $0 + ($1.fields[id]?.present ?? 0) }
                if with < events.events {
                    words +=
                        "; \(grouped(events.events - with)) have no `\(id)`, which `dedup` compares"
                    fix = fix ?? "events without it always count; is `\(id)` the right field?"
                }
            }
            note(
                fix != nil || events.unreadable > 0 ? .warn : .ok, subject, words, fix: fix)
        }
    }

    // MARK: - Sinks

    private mutating func sink(_ plan: SinkPlan, _ names: AlertNames) {
        let subject = "sink \(plan.name)"
        let sink: any Sink
        do throws(Failure) {
            sink = try declaredSink(plan, names, Console(arguments)).route.sink
        } catch {
            note(error, subject)
            return
        }
        switch sink.probe() {
        case .reached(let what): note(.ok, subject, what)
        case .doubtful(let what, let fix): note(.warn, subject, what, fix: fix)
        case .unreachable(let what, let fix): note(.fail, subject, what, fix: fix)
        }
    }

    // MARK: - Data folder

    private mutating func data() {
        guard let path = dataFolder(arguments, deployment) else {
            note(
                .warn, "data folder", "there is none: a crash loses state and undelivered alerts",
                fix: "run with `--data DIR`, or write `data \"state/\"` into the engine block")
            return
        }
        guard fileKind(path) != .absent else {
            let parent = parentFolder(path)
            let isWritable = access(parent, W_OK) == 0
            note(
                isWritable ? .ok : .fail, "data folder",
                "`\(path)` is not there yet"
                    + (isWritable ? "; an engine makes it" : ", and `\(parent)` cannot be written"),
                fix: isWritable ? nil : "make it, owned by the user of the engine")
            return
        }
        space(path)
        do {
            let disk = try DataFolder.reading(path: path)
            if access(path, W_OK) != 0 {
                note(
                    .fail, "data folder", "`\(path)` cannot be written by this user",
                    fix: "run the engine as the folder's owner, or change the owner")
            }
            let report = try FolderReport(disk)
            for file in report.files {
                guard let damage = file.damage else { continue }
                note(
                    .fail, "data folder", "`\(file.name)` is damaged: \(damage)",
                    fix:
                        "the engine falls back to the checkpoint before; `martlet state restore` puts a backup in its place"
                )
            }
            let bytes = report.files.reduce(0) { $0 + $1.bytes }
            note(
                .ok, "data folder",
                "\(counted(report.files.count, "file")), \(grouped(bytes)) bytes, all read")
            let letters = try DeadLetter.all(in: disk)
            if let letter = letters.last {
                note(
                    .warn, "dead letters",
                    "\(counted(letters.count, "alert")) not taken; the last by \(letter.sink): \(letter.reason)",
                    fix: "`martlet dlq ls` lists them, `martlet dlq retry --all` sends them again")
            }
        } catch {
            note(.fail, "data folder", Failure(of: error).message)
        }
        engine(path)
    }

    private mutating func space(_ path: String) {
        var system = statvfs()
        guard statvfs(path, &system) == 0 else { return }
        let free = Int(system.f_bavail) * Int(system.f_frsize)
        let whole = max(1, Int(system.f_blocks) * Int(system.f_frsize))
        let isShort = free < 256 << 20 || free < whole / 50
        note(
            isShort ? .warn : .ok, "disk",
            "\(grouped(free >> 20)) MiB free of \(grouped(whole >> 20))",
            fix: isShort
                ? "make room: with a full disk an engine stops reading until there is some" : nil)
    }

    /// What the engine says that runs on the folder.
    private mutating func engine(_ path: String) {
        guard let owner = DataFolder.owner(path: path) else {
            note(.ok, "engine", "none runs on the data folder")
            return
        }
        let answer: ControlAnswer?
        do throws(ControlSocket.Failure) {
            answer = ControlAnswer(
                line: try ControlSocket.ask(
                    ControlRequest(.status, isJSON: true).line,
                    at: arguments.value("control") ?? controlPath(inData: path),
                    waitingAtMost: 15))
        } catch {
            note(
                .fail, "engine", "process \(owner) has the folder and does not answer: \(error)",
                fix: "`martlet status --data \(path)` asks again; SIGTERM ends it without loss")
            return
        }
        guard let answer, answer.code == 0,
            let status = try? JSONDocument(parsing: Array(answer.output.utf8))
        else {
            note(
                .warn, "engine", "process \(owner) is busy: \(answer?.errors ?? "no answer")",
                fix: "whoever reads its output may have stopped; ask again")
            return
        }
        note(
            .ok, "engine",
            "process \(owner), \(grouped(status["events"]?.integer ?? 0)) events, "
                + "\(grouped(status["alerts"]?.integer ?? 0)) records")
        for sink in status["sinks"]?.elements ?? [] {
            guard let trouble = sink["trouble"]?.text else { continue }
            note(
                .fail, "sink \(sink["name"]?.text ?? "")",
                "\(trouble); \(counted(status["waiting"]?.integer ?? 0, "alert")) waiting",
                fix: "they are kept and sent when it works again")
        }
        for source in status["sources"]?.elements ?? [] {
            let bad = source["bad_lines"]?.integer ?? 0
            if bad > 0 {
                note(
                    .warn, "source \(source["name"]?.text ?? "")",
                    "\(counted(bad, "line")) could not be read",
                    fix: "`--dead-letter FILE` keeps them with the reasons")
            }
            if let forgotten = source["forgotten_ids"]?.integer, forgotten > 0 {
                note(
                    .warn, "source \(source["name"]?.text ?? "")",
                    "\(counted(forgotten, "id")) of `dedup` forgotten before their time",
                    fix: "`ids per source` in the `engine` block keeps more")
            }
        }
        if case .decimal(let lag)? = status["lag_s"], lag < -5 {
            note(
                .warn, "clock",
                "the last event is \(Int(-lag)) s ahead of this machine's clock",
                fix: "set the clock of whoever sends it: events that come after it may be late")
        }
        if let dropped = status["dropped"]?.integer, dropped > 0 {
            note(
                .warn, "limits",
                "\(grouped(dropped)) keys, runs or events were dropped for a limit",
                fix:
                    "`martlet explain RULE` says what a rule keeps; `keys per rule` and `events per key` widen it"
            )
        }
    }

    // MARK: - This machine

    private mutating func machine() {
        let now = wallTime()
        if now < Timestamp(nanoseconds: 1_767_225_600_000_000_000) {
            note(
                .fail, "clock", "it is \(now) on this machine",
                fix: "set the clock, and let an NTP client keep it")
        } else if !clockIsKept {
            note(
                .warn, "clock", "\(now), and nothing keeps it right",
                fix: "let an NTP client keep it (chrony, systemd-timesyncd)")
        } else {
            note(.ok, "clock", "\(now), kept by NTP")
        }
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        let isFew = files.rlim_cur < 256
        note(
            isFew ? .warn : .ok, "open files", "at most \(grouped(Int(clamping: files.rlim_cur)))",
            fix: isFew ? "`ulimit -n 1024`, or `LimitNOFILE=` in the unit" : nil)
        let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        if let limit = deployment.engine.memoryBytes, limit > physical {
            note(
                .warn, "memory",
                "the engine block allows \(grouped(limit >> 20)) MiB, and this machine has \(grouped(physical >> 20))",
                fix:
                    "write a `memory` that is there, so that the engine gives up state before the system ends it"
            )
        } else {
            note(
                .ok, "memory",
                (deployment.engine.memoryBytes.map { "limit \(grouped($0 >> 20)) MiB, " } ?? "")
                    + "this machine has \(grouped(physical >> 20)) MiB")
        }
    }
}
