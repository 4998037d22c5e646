import MatchEngine
import RuleModel
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// Where alerts or metrics go: standard output or a file, as readable lines or as NDJSON.
final class AlertOutput {
    private let descriptor: Int32
    private let name: String
    private let form: AlertForm
    private let tellsEmission: Bool
    private var buffer: [UInt8] = []

    /// - Parameters:
    ///   - path: A file that records are appended to; nil is standard output.
    ///   - isJSON: Nil: readable on a terminal, NDJSON otherwise.
    ///   - tellsEmission: Whether records say when they were written. A replay leaves that out, so
    ///     that the same input gives the same bytes.
    /// - Throws: when the file cannot be opened.
    init(path: String?, isJSON: Bool?, colour: Bool, tellsEmission: Bool) throws(Failure) {
        if let path, path != "-" {
            descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw Failure(.failed, "cannot write to `\(path)`: \(systemError())")
            }
            name = "`\(path)`"
        } else {
            descriptor = 1
            name = "standard output"
        }
        form = alertForm(
            isJSON: isJSON, isFile: descriptor != 1, colour: colour, showsDate: !tellsEmission)
        self.tellsEmission = tellsEmission
    }

    /// - Throws: when the records could not be written whole.
    func write(_ alerts: [Alert]) throws(Failure) {
        guard !alerts.isEmpty else { return }
        buffer.removeAll(keepingCapacity: true)
        let now = tellsEmission ? wallTime() : nil
        for alert in alerts { form.append(alert, emittedAt: now, to: &buffer) }
        try flush()
    }

    /// - Throws: when the records could not be written whole.
    func write(_ metrics: [MetricRecord]) throws(Failure) {
        guard !metrics.isEmpty else { return }
        buffer.removeAll(keepingCapacity: true)
        for metric in metrics {
            switch form {
            case .json: metric.appendJSON(to: &buffer)
            case .text(let style): metric.appendLine(style: style, to: &buffer)
            }
        }
        try flush()
    }

    private func flush() throws(Failure) {
        guard writeAll(descriptor, buffer) else {
            throw Failure(.failed, "cannot write to \(name): \(systemError())")
        }
    }
}

/// How alerts look: as `--format` says, else NDJSON in files and lines for people on a terminal.
func alertForm(isJSON: Bool?, isFile: Bool, colour: Bool, showsDate: Bool) -> AlertForm {
    if isJSON ?? (isFile || !Console.outputIsTerminal) { return .json }
    return .text(
        isFile ? AlertLineStyle() : AlertLineStyle(usesColour: colour, showsDate: showsDate))
}

/// The wall clock.
func wallTime() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}
