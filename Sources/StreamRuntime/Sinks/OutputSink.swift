import Foundation
import RuleModel

/// Writes alerts to standard output.
public final class OutputSink: Sink {
    private let form: AlertForm

    public init(form: AlertForm) { self.form = form }

    /// See `Sink`.
    public var promise: SinkPromise { .atLeastOnce("marked `redelivery`") }
    /// See `Sink`.
    public var inFlightMax: Int { 32 }
    /// See `Sink`.
    public var isConcurrent: Bool { false }

    /// See `Sink`.
    public func open(mark: Int) {}

    /// See `Sink`.
    public func probe() -> ProbeResult { .reached("standard output of the engine") }

    /// See `Sink`.
    public func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        var bytes: [UInt8] = []
        for entry in entries { form.append(entry, to: &bytes) }
        guard writeAll(STDOUT_FILENO, bytes) else {
            let reason = "standard output cannot be written: " + systemError()
            return entries.map { _ in .broken(reason) }
        }
        return entries.map { _ in .done }
    }
}
