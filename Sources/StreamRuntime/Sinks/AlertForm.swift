import MatchEngine
import RuleModel

/// How alerts are written for a file or a stream: NDJSON, or lines for people.
public enum AlertForm: Sendable {
    case json
    case text(AlertLineStyle)

    /// Appends the record with its line feed.
    /// - Parameter emittedAt: Nil leaves it out.
    public func append(
        _ alert: Alert, emittedAt: Timestamp?, isRedelivery: Bool = false, to bytes: inout [UInt8]
    ) {
        switch self {
        case .json: alert.appendJSON(emittedAt: emittedAt, isRedelivery: isRedelivery, to: &bytes)
        case .text(let style):
            alert.appendLine(style: style, to: &bytes)
            if isRedelivery {
                bytes.removeLast()
                bytes += " [sent again after a crash]\n".utf8
            }
        }
    }

    func append(_ entry: OutboxEntry, to bytes: inout [UInt8]) {
        append(
            entry.alert, emittedAt: entry.emittedAt, isRedelivery: entry.isRedelivery, to: &bytes)
    }
}
