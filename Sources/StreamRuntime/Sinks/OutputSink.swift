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
    public func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        var bytes: [UInt8] = []
        for entry in entries { form.append(entry, to: &bytes) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(STDOUT_FILENO, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if count > 0 {
                done += count
            } else if count < 0, errno == EINTR || errno == EAGAIN {
                continue
            } else {
                let reason = "standard output cannot be written: " + lastSystemError()
                return entries.map { _ in .broken(reason) }
            }
        }
        return entries.map { _ in .done }
    }
}
