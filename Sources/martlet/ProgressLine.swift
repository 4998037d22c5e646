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
        guard isShown else { return }
        let now = monotonicSeconds()
        guard now >= nextUpdate else { return }
        nextUpdate = now + 0.2
        isOnScreen = true
        let elapsed = now - started
        var text = "\r\u{1B}[K"
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
        text += counted(alerts, "alert")
        writeAll(2, Array(text.utf8))
    }

    /// Takes the line away, before other text and at the end.
    mutating func clear() {
        guard isOnScreen else { return }
        isOnScreen = false
        writeAll(2, Array("\r\u{1B}[K".utf8))
    }
}
