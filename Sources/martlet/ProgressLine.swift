import RuleModel
import StreamRuntime

/// One line on the terminal that says how far a long replay is; nothing where nobody watches.
struct ProgressLine {
    private let isShown: Bool
    private let started = monotonicSeconds()
    private var nextUpdate: Double
    private var isOnScreen = false

    /// - Parameter isShown: False keeps the line away, for example when errors go to a file.
    init(isShown: Bool) {
        self.isShown = isShown
        // Short jobs stay silent.
        nextUpdate = started + 1
    }

    /// - Parameters:
    ///   - fraction: Part of the input that was read, 0 to 1; nil when its size is unknown.
    mutating func update(events: Int, alerts: Int, fraction: Double?) {
        guard let elapsed = elapsedIfDue() else { return }
        var text = ""
        if let fraction {
            let filled = Int(fraction * 24)
            text += "[" + String(repeating: "=", count: filled)
            text +=
                String(repeating: " ", count: max(0, 24 - filled)) + "] \(Int(fraction * 100)) %  "
            if fraction > 0.02 {
                text += "\(Int(elapsed / fraction * (1 - fraction)) + 1) s left  "
            }
        }
        text += "\(grouped(events)) events  \(grouped(Int(Double(events) / elapsed)))/s  "
        show(text + counted(alerts, "alert"))
    }

    /// For a replay with a pace.
    ///
    /// - Parameters:
    ///   - reached: Where event time stands; nil before the first event.
    ///   - pause: How long it takes on the clock until the next event is due.
    mutating func update(reached: Timestamp?, pause: TimeSpan, alerts: Int) {
        guard elapsedIfDue() != nil, let reached else { return }
        var text = "event time \(reached)  "
        let seconds = Int64(pause.seconds)
        if seconds > 0 { text += "next event in \(TimeSpan.second * seconds)  " }
        show(text + counted(alerts, "alert"))
    }

    /// Seconds since the start; nil when the line was shown a moment ago.
    private mutating func elapsedIfDue() -> Double? {
        guard isShown else { return nil }
        let now = monotonicSeconds()
        guard now >= nextUpdate else { return nil }
        nextUpdate = now + 0.2
        return now - started
    }

    private mutating func show(_ text: String) {
        isOnScreen = true
        writeAll(2, Array("\r\u{1B}[K\(text)".utf8))
    }

    /// Takes the line away, before other text and at the end.
    mutating func clear() {
        guard isOnScreen else { return }
        isOnScreen = false
        writeAll(2, Array("\r\u{1B}[K".utf8))
    }
}
