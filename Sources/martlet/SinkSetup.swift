import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

extension Failure {
    /// What stops a run, as a message. What is wrong with a data folder is a matter of settings, what
    /// happens to it is not.
    init(of error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case DurableFailure.refused(let reason): self.init(.badUsage, reason)
        default: self.init(.failed, "\(error)")
        }
    }
}

/// Does something whose errors end the command.
func orFail<Result>(_ body: () throws -> Result) throws(Failure) -> Result {
    do { return try body() } catch { throw Failure(of: error) }
}

/// The data folder that `--data` or the engine block names.
func dataFolder(_ arguments: ParsedArguments, _ deployment: DeploymentPlan) -> String? {
    if let path = arguments.value("data") { return path }
    let engine = deployment.engine
    guard let path = engine.dataFolder, let file = engine.declaredIn else { return nil }
    return resolvedPath(path, relativeTo: file)
}

/// Opens the data folder and the sinks, and tells what each path from source to sink promises (D3).
///
/// - Parameter showsAlways: Whether the promises are told without a data folder and sinks, too.
/// - Returns: No store when there are neither, so that alerts are simply printed.
func openStore(
    _ arguments: ParsedArguments, _ compilation: Compilation, _ console: Console,
    inputs: [PipelineInput], showsAlways: Bool
) throws(Failure) -> (store: DurableStore?, guarantees: [Guarantee]) {
    let deployment = compilation.deployment
    var routes: [(route: SinkRoute, shown: String)] = []
    let names = AlertNames(compilation)
    for plan in deployment.sinks {
        routes.append(try declaredSink(plan, names, console))
    }
    let isJSON = arguments.value("format").map { $0 == "json" }
    if let path = arguments.value("to"), path != "-" {
        let form = alertForm(isJSON: isJSON, isFile: true, colour: false, showsDate: false)
        var route = SinkRoute(name: "file \(path)", sink: FileSink(path: path, form: form))
        route.takesAll = true
        routes.append((route, "file \(path)"))
    } else {
        let form = alertForm(
            isJSON: isJSON, isFile: false, colour: console.coloursOutput, showsDate: false)
        var route = SinkRoute(name: "standard output", sink: OutputSink(form: form))
        route.takesUnrouted = true
        routes.append((route, "standard output"))
    }
    let folder = dataFolder(arguments, deployment)
    let guarantees = inputs.flatMap { input in
        routes.map { route, shown in
            Guarantee(
                source: input.name, sink: shown,
                promise: guarantee(
                    isKept: folder != nil, canReread: input.source.canReread, route.promise))
        }
    }
    if folder != nil || !deployment.sinks.isEmpty || showsAlways {
        for guarantee in guarantees { console.note("  \(guarantee.line)") }
    }
    guard folder != nil || !deployment.sinks.isEmpty else { return (nil, guarantees) }
    let store = try orFail {
        let disk: any Disk
        if let folder { disk = try DataFolder.open(path: folder) } else { disk = MemoryDisk() }
        var options = DurableOptions()
        options.isAskedToStop = { StopRequest.isPending }
        return try DurableStore(
            disk, routes: routes.map(\.route), keepsState: folder != nil, options: options,
            tell: { console.warn("martlet: \($0)") })
    }
    return (store, guarantees)
}

/// What a path from a source to a sink promises (P8), for people.
struct Guarantee: Sendable {
    var source: String
    var sink: String
    var promise: String

    var line: String { "guarantee   \(source) -> \(sink): \(promise)" }
}

/// `effectively once (...)`, for a person.
private func guarantee(isKept: Bool, canReread: Bool, _ promise: SinkPromise) -> String {
    guard isKept else { return "best effort (no data folder: nothing is kept over a restart)" }
    let input = canReread ? "" : "; what was read and not yet logged at a crash is gone"
    switch promise {
    case .effectivelyOnce(let why): return "effectively once (\(why)\(input))"
    case .atLeastOnce(let why): return "at least once (\(why)\(input))"
    }
}

extension SinkRoute {
    /// What of the sink's promise is left: a group that a crash has cut may be another one afterwards.
    fileprivate var promise: SinkPromise {
        guard grouping != nil, case .effectivelyOnce = sink.promise else { return sink.promise }
        return .atLeastOnce("after a crash a group may come again, larger or smaller")
    }
}

/// Names that a sink may ask an alert for.
struct AlertNames {
    /// Of the parts of all rules' keys.
    var keyParts: Set<String>
    /// Of the measures of all thresholds.
    var measures: Set<String>

    init(_ compilation: Compilation) {
        keyParts = Set(compilation.plans.flatMap(\.keyNames))
        measures = []
        for plan in compilation.plans {
            if case .threshold(let threshold) = plan.pattern {
                measures.formUnion(threshold.measures.map(\.name))
            }
        }
    }
}

// MARK: - Declared sinks

/// A `sink` block, with what it is called where people read it. Its secrets are read.
func declaredSink(
    _ plan: SinkPlan, _ names: AlertNames, _ console: Console
) throws(Failure) -> (route: SinkRoute, shown: String) {
    let connector = plan.connector
    let sink: any Sink
    var shown = plan.name
    switch connector?.kind {
    case "file":
        let path = resolvedPath(try text("path", plan), relativeTo: plan.declaredIn)
        shown += " (file \(path))"
        sink = FileSink(path: path, form: try form(plan, console, isFile: true))
    case "stdout":
        shown += " (standard output)"
        sink = OutputSink(form: try form(plan, console, isFile: false))
    case "sqlite":
        let path = resolvedPath(try text("path", plan), relativeTo: plan.declaredIn)
        shown += " (sqlite \(path))"
        sink = SQLiteSink(path: path, table: connector?.text("table") ?? "alerts")
    case "webhook":
        shown += " (webhook)"
        sink = WebhookSink(try webhook(plan, names))
    case let kind:
        throw Failure(
            .badUsage,
            "sink `\(plan.name)`: this version sends to `file`, `stdout`, `webhook` and `sqlite`, and not to `\(kind ?? "nothing")`"
        )
    }
    var route = SinkRoute(name: plan.name, sink: sink)
    route.minimumSeverity = plan.minimumSeverity
    route.rate = plan.rate.map { SinkRate(count: $0.count, nanoseconds: $0.per.nanoseconds) }
    if let grouping = plan.grouping {
        for part in grouping.fields where !["rule", "severity"].contains(part) {
            guard !names.keyParts.contains(part) else { continue }
            let known = ["rule", "severity"] + names.keyParts.sorted()
            throw Failure(
                .badUsage,
                "sink `\(plan.name)`: `group by` takes `rule`, `severity` and parts of keys, and no rule has the key `\(part)`",
                help: suggest(part, among: known).map { "there is a similar name: `\($0)`" })
        }
        route.grouping = SinkGrouping(
            parts: grouping.fields, nanoseconds: grouping.span.nanoseconds)
    }
    return (route, shown)
}

private func form(
    _ plan: SinkPlan, _ console: Console, isFile: Bool
) throws(Failure) -> AlertForm {
    let word = plan.connector?.text("format")
    if let word, word != "json", word != "text" {
        throw Failure(
            .badUsage, "sink `\(plan.name)`: `format` is `json` or `text`, and not `\(word)`")
    }
    return alertForm(
        isJSON: word.map { $0 == "json" }, isFile: isFile, colour: console.coloursOutput,
        showsDate: false)
}

private func webhook(
    _ plan: SinkPlan, _ names: AlertNames
) throws(Failure) -> WebhookSettings {
    var settings = WebhookSettings(url: try text("url", plan))
    guard settings.url.hasPrefix("https://") || settings.url.hasPrefix("http://") else {
        throw Failure(
            .badUsage, "sink `\(plan.name)`: the `url` of a webhook begins with https:// or http://"
        )
    }
    for setting in plan.connector?.settings ?? [] {
        switch (setting.name, setting.values.first) {
        case ("headers", _): settings.headers = setting.values.flatMap(texts)
        case ("body", _):
            settings.body = try body(setting.values.flatMap(texts), of: plan, names)
        case ("timeout", .span(let span)):
            settings.timeoutSeconds = max(1, Int(span.nanoseconds / 1_000_000_000))
        case ("verify", .text(let word)): settings.verifies = word != "false"
        case ("ca", .text(let path)):
            settings.authorities = resolvedPath(path, relativeTo: plan.declaredIn)
        case ("certificate", .text(let path)):
            settings.certificate = resolvedPath(path, relativeTo: plan.declaredIn)
        case ("private_key", .secret(.file(let path))):
            settings.privateKey = resolvedPath(path, relativeTo: plan.declaredIn)
        case ("secret", .secret(let reference)):
            settings.secret = Array(try read(reference, of: plan).utf8)
        default: break
        }
    }
    return settings
}

private func body(
    _ lines: [String], of plan: SinkPlan, _ names: AlertNames
) throws(Failure) -> AlertBody {
    do throws(AlertBody.Fault) {
        return try AlertBody(lines, keyParts: names.keyParts, measures: names.measures)
    } catch {
        var help = "write `body [\"text: {severity} {message}\"]`, one text for each member"
        if let (name, known) = error.unknown {
            help =
                suggest(name, among: known).map { "there is a similar name: `{\($0)}`" }
                ?? "known are `{\(known.joined(separator: "}`, `{"))}`"
        }
        throw Failure(
            .badUsage, "sink `\(plan.name)`: `body`: \(error.text)", help: help)
    }
}

private func texts(_ value: SettingValue) -> [String] {
    switch value {
    case .text(let text): [text]
    case .list(let values): values.flatMap(texts)
    default: []
    }
}

/// The text behind a key that must be there; a secret is read.
private func text(_ key: String, _ plan: SinkPlan) throws(Failure) -> String {
    for setting in plan.connector?.settings ?? [] where setting.name == key {
        switch setting.values.first {
        case .text(let text): return text
        case .secret(let reference): return try read(reference, of: plan)
        default: break
        }
    }
    throw Failure(.badUsage, "sink `\(plan.name)` names no `\(key)`")
}

private func read(_ secret: SecretReference, of plan: SinkPlan) throws(Failure) -> String {
    switch secret {
    case .environment(let name):
        guard let text = environmentVariable(name) else {
            throw Failure(
                .badUsage, "sink `\(plan.name)`: the variable `\(name)` with a secret is not set")
        }
        return text
    case .file(let file):
        let path = resolvedPath(file, relativeTo: plan.declaredIn)
        guard let bytes = readFile(path) else {
            throw Failure(
                .badUsage,
                "sink `\(plan.name)`: the file `\(path)` with a secret cannot be read: "
                    + systemError())
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.prefix { $0 != "\n" && $0 != "\r\n" })
    }
}
