/// A duration outside a rules file, in the language's spelling: `90s`, `1h30m`.
///
/// - Returns: Nanoseconds; nil when the text is not a duration.
public func parseDuration(_ text: String) -> Int64? {
    guard let first = text.utf8.first, first >= 0x30, first <= 0x39 else { return nil }
    return Literals.duration(Array(text.utf8)[...])
}
