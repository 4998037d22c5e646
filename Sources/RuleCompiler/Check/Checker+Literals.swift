import RuleModel
import RuleSyntax
import TextPatterns

// Literals with a meaning of their own: regular expressions, times, schedules, zones.

extension Checker {
    /// Compiles a regular expression; a mistake is shown inside the literal.
    mutating func checkPattern(
        _ literal: TextLiteral, isSlashed: Bool, ignoringCase: Bool
    ) -> Bool {
        let key = PatternKey(source: literal.value, ignoresCase: ignoringCase)
        if goodPatterns.contains(key) { return true }
        do throws(TextPattern.Fault) {
            _ = try TextPattern(literal.value, ignoringCase: ignoringCase)
            goodPatterns.insert(key)
            return true
        } catch {
            // Behind the opening delimiter the bytes are those of the pattern unless escapes were undone.
            let inner = Array(sourceText(literal.range).utf8)
            let prefix = literal.isRaw && !isSlashed ? 2 : 1
            let isVerbatim = inner.count == literal.value.utf8.count + prefix + 1
            let range: SourceRange
            if isVerbatim, let part = error.place(in: literal.value) {
                let start = literal.range.start + UInt32(prefix)
                range = SourceRange(
                    source: literal.range.source, start: start + UInt32(part.lowerBound),
                    end: start + UInt32(part.upperBound))
            } else {
                range = literal.range
            }
            report(.badPattern(error.message, argument: error.argument, at: range))
            return false
        }
    }

    mutating func check(zone: TextLiteral) {
        if knownZones == nil { knownZones = .some(options.zones()) }
        guard case .some(.some(let zones)) = knownZones, !zones.contains(zone.value) else { return }
        report(.unknownZone(zone.value, at: zone.range, similarTo: zones.sorted()))
    }

    mutating func schedule(_ declaration: ScheduleDeclaration) -> SchedulePlan {
        check(zone: declaration.zone)
        var spans: [SchedulePlan.Span] = []
        switch parseSchedule(declaration.times.value) {
        case .success(let parsed): spans = parsed
        case .failure(let fault):
            report(.badSchedule(fault.text, fault.reason, at: declaration.times.range))
        }
        return SchedulePlan(name: declaration.name.text, spans: spans, zone: declaration.zone.value)
    }
}

/// A regular expression that was found good.
struct PatternKey: Hashable {
    var source: String
    var ignoresCase: Bool
}

extension TextPattern.Fault {
    /// The bytes of the pattern that the fault is about; nil when the library does not say.
    func place(in pattern: String) -> Range<Int>? {
        let bytes = Array(pattern.utf8)
        // The library quotes the whole pattern when a group is not closed: show where it opens.
        if message.hasPrefix("missing )") {
            return openGroup(in: bytes).map { $0..<$0 + 1 }
        }
        let part = Array(argument.utf8)
        guard !part.isEmpty, part.count <= bytes.count else { return nil }
        for start in 0...(bytes.count - part.count)
        where bytes[start..<start + part.count].elementsEqual(part) {
            return start..<start + part.count
        }
        return nil
    }

    /// The last group that is opened and not closed.
    private func openGroup(in bytes: [UInt8]) -> Int? {
        var open: [Int] = []
        var index = 0
        var isInClass = false
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case UInt8(ascii: "(") where !isInClass: open.append(index)
            case UInt8(ascii: ")") where !isInClass: _ = open.popLast()
            default: break
            }
            index += 1
        }
        return open.last
    }
}

/// Why a schedule's text was not understood.
struct ScheduleFault: Error {
    /// The piece that is wrong.
    var text: String
    var reason: String
}

/// Reads `Mon-Fri 08:00-18:00; Sat,Sun 00:00-24:00`. A span over midnight becomes two.
func parseSchedule(_ text: String) -> Result<[SchedulePlan.Span], ScheduleFault> {
    var spans: [SchedulePlan.Span] = []
    for entry in text.split(separator: ";") {
        let words = entry.split(separator: " ")
        guard words.count == 2 else {
            return .failure(
                ScheduleFault(text: String(entry), reason: "is not days and a span of hours"))
        }
        let days: [Int]
        switch parseDays(words[0]) {
        case .success(let parsed): days = parsed
        case .failure(let fault): return .failure(fault)
        }
        let times = words[1].split(separator: "-", omittingEmptySubsequences: false)
        guard times.count == 2, let start = minutes(times[0]), let end = minutes(times[1]),
            start < 1440
        else {
            return .failure(
                ScheduleFault(text: String(words[1]), reason: "is not a span such as `08:00-18:00`")
            )
        }
        guard start != end else {
            return .failure(ScheduleFault(text: String(words[1]), reason: "is no time at all"))
        }
        if start < end {
            spans.append(SchedulePlan.Span(days: days, startMinute: start, endMinute: end))
        } else {
            spans.append(SchedulePlan.Span(days: days, startMinute: start, endMinute: 1440))
            if end > 0 {
                let next = days.map { $0 % 7 + 1 }.sorted()
                spans.append(SchedulePlan.Span(days: next, startMinute: 0, endMinute: end))
            }
        }
    }
    guard !spans.isEmpty else {
        return .failure(ScheduleFault(text: text, reason: "names no hours"))
    }
    return .success(spans)
}

private let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

/// `Mon-Fri`, `Sat,Sun`, `Fri-Mon`.
private func parseDays(_ text: Substring) -> Result<[Int], ScheduleFault> {
    var days: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false)
        var indices: [Int] = []
        for end in ends {
            guard let index = dayNames.firstIndex(of: end.lowercased()) else {
                return .failure(
                    ScheduleFault(
                        text: String(end),
                        reason: "is not a day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun"))
            }
            indices.append(index)
        }
        guard let first = indices.first, let last = indices.last, indices.count <= 2 else {
            return .failure(ScheduleFault(text: String(part), reason: "is not a span of days"))
        }
        var day = first
        while true {
            days.insert(day + 1)
            if day == last { break }
            day = (day + 1) % 7
        }
    }
    return .success(days.sorted())
}

/// `08:00` in minutes; `24:00` is the end of the day.
private func minutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].utf8.count == 2, (1...2).contains(parts[0].utf8.count),
        parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
        let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60
    else { return nil }
    let total = hour * 60 + minute
    return total <= 1440 ? total : nil
}

/// A time as RFC 3339 writes it, `2026-01-02T03:04:05Z`; also a date alone, which is its midnight
/// in UTC.
func timestamp(rfc3339 text: String) -> Timestamp? {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(digits) {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        rest = rest.dropFirst(digits)
        return value
    }
    func skip(_ characters: String) -> UInt8? {
        guard let byte = rest.first, characters.utf8.contains(byte) else { return nil }
        rest = rest.dropFirst()
        return byte
    }
    guard let year = number(4), skip("-") != nil, let month = number(2), skip("-") != nil,
        let day = number(2), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let days = daysSince1970(year: year, month: month, day: day)
    // The 31st of a shorter month is no date.
    guard civilDate(daysSince1970: days) == (year, month, day) else { return nil }
    // What nanoseconds of 64 bits can hold.
    guard (1678...2261).contains(year) else { return nil }
    if rest.isEmpty { return Timestamp(nanoseconds: days * 86_400_000_000_000) }
    guard skip("Tt ") != nil, let hour = number(2), skip(":") != nil, let minute = number(2),
        skip(":") != nil, let second = number(2), hour < 24, minute < 60, second < 60
    else { return nil }
    var nanoseconds: Int64 = 0
    if skip(".") != nil {
        var scale: Int64 = 100_000_000
        guard let first = rest.first, (48...57).contains(first) else { return nil }
        while let byte = rest.first, (48...57).contains(byte) {
            nanoseconds += Int64(byte - 48) * scale
            scale /= 10
            rest = rest.dropFirst()
        }
    }
    guard let sign = skip("Zz+-") else { return nil }
    var offset: Int64 = 0
    if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
        guard let hours = number(2), skip(":") != nil, let minutes = number(2), hours < 24,
            minutes < 60
        else { return nil }
        offset = (hours * 60 + minutes) * 60 * (sign == UInt8(ascii: "+") ? 1 : -1)
    }
    guard rest.isEmpty else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
}
