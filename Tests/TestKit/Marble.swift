import RuleModel

/// One example of the language's semantics, drawn in time: a letter is an event, `-` a unit of
/// time, a digit the number of matches found there.
///
///     == S2 the first A is too old, the second is not
///     sequence within 10s {
///       x: A
///       then y: B
///     }
///     in    A--------A-B
///     out   -----------1
///     match x=2 y=3
///
/// The lines of one example, each kind as often as needed:
///
///     == TITLE              begins an example; the title begins with the sentences it shows
///     unit 1m               what one column stands for; a second when left out
///     list NAME = [...]     and `select`, `let`, `define`, `schedule`: go before the rule
///     a = A k="p" v=2       what a small letter stands for; capital letters are bare events
///     lateness 3s           of the source
///     watch                 the input is watched since the first column, not since the first event
///     in    A-B             events by column; several lines lie over each other, upper ones first;
///                           `|` is how far time goes, otherwise it stops at the last event
///     arrive B A            order of arrival where it is not that of the columns
///     out   --1             matches and updates by column, `r` one resolved; several lines add up
///     match x=1,2 y=3       the bound events of each match, by place in `in`; `key=`, `state=`,
///                           `reason=` and measures work too, for resolved records as well
///     alerts N              how many records come out at all (suppressed ones do not)
///     refused E0207         the compiler does not take the rule, with this number
///     engine only: WHY      the reference matcher does not know this
///
/// Everything else is the body of the rule.
public struct Marble: Sendable {
    public var file: String
    public var line: Int
    public var title: String
    public var declarations: [String] = []
    public var body: [String] = []
    public var unit = TimeSpan.second
    public var lateness = TimeSpan.zero
    public var isWatched = false
    /// In order of arrival, numbered in the order of `in`.
    public var events: [TestEvent] = []
    public var end: TimeSpan?
    /// What comes out: column and whether it is a match or its end.
    public var expected: [Expected] = []
    public var bindings: [[String]] = []
    public var refusal: String?
    public var engineOnly: String?
    /// Lines that make no sense, as messages.
    public var faults: [String] = []

    public struct Expected: Sendable, Equatable, Comparable {
        public var time: TimeSpan
        public var isResolved: Bool

        public init(time: TimeSpan, isResolved: Bool) {
            self.time = time
            self.isResolved = isResolved
        }

        public static func < (left: Expected, right: Expected) -> Bool {
            (left.time, left.isResolved ? 1 : 0) < (right.time, right.isResolved ? 1 : 0)
        }
    }

    /// The file that the compiler gets.
    public var text: String {
        var lines = ["A", "B", "C", "D", "E"].map {
            "event \($0) { k: text?  n: number  v: number?  u: text?  q: text?  ok: bool? }"
        }
        lines += declarations + ["rule marble {"] + body
        if !body.contains(where: { $0.hasPrefix("alert ") }) { lines.append("alert \"found\"") }
        let steps = stepNames
        if !steps.isEmpty {
            lines.append("attach " + steps.map { "\($0).n" }.joined(separator: ", "))
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    /// The steps or members that may hold events: their numbers are attached, so that they are kept.
    private var stepNames: [String] {
        guard
            body.contains(where: { $0.hasPrefix("sequence") || $0.hasPrefix("correlation") })
        else { return [] }
        return body.compactMap { line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(where: { $0.hasSuffix(":") }) else { return nil }
            let before = words[..<place]
            if ["no", "without", "until"].contains(where: { word in before.contains { $0 == word } }
            ) {
                return nil
            }
            if words[0].hasPrefix("\"") || words[0] == "alert" { return nil }
            return String(words[place].dropLast())
        }
    }
}

/// Reads the examples of a file.
public func parseMarbles(_ text: String, file: String) -> [Marble] {
    var marbles: [Marble] = []
    var reader: MarbleReader?
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let line = String(raw)
        if line.hasPrefix("== ") {
            if let done = reader?.finished() { marbles.append(done) }
            reader = MarbleReader(
                marble: Marble(file: file, line: index + 1, title: String(line.dropFirst(3))))
        } else {
            reader?.read(line)
        }
    }
    if let done = reader?.finished() { marbles.append(done) }
    return marbles
}

private struct MarbleReader {
    var marble: Marble
    private var letters: [Character: (type: String, fields: [String: Value])] = [:]
    private var rows: [String] = []
    private var outs: [String] = []
    private var arrivals: [Character]?

    init(marble: Marble) { self.marble = marble }

    mutating func read(_ raw: String) {
        let line = raw.trimmed
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first, !line.hasPrefix("#") else { return }
        switch first {
        case "in": rows.append(drawing(raw, after: "in"))
        case "out": outs.append(drawing(raw, after: "out"))
        case "arrive": arrivals = words.dropFirst().joined().map { $0 }
        case "match": marble.bindings.append(Array(words.dropFirst()))
        case "unit": marble.unit = span(words.last)
        case "lateness": marble.lateness = span(words.last)
        case "watch": marble.isWatched = true
        case "refused": marble.refusal = words.last
        case "engine" where words.count > 1 && words[1].hasPrefix("only"): marble.engineOnly = line
        case "list", "select", "let", "define", "schedule": marble.declarations.append(line)
        default:
            if first.count == 1, words.count >= 3, words[1] == "=", let letter = first.first {
                letters[letter] = (words[2], fields(words.dropFirst(3)))
            } else {
                marble.body.append(line)
            }
        }
    }

    /// What is drawn behind the word; a comment may follow two spaces later.
    private func drawing(_ line: String, after word: String) -> String {
        let rest = line.trimmed.dropFirst(word.count).drop { $0 == " " }
        return String(rest.prefix { $0 != " " })
    }

    private mutating func fields(_ words: ArraySlice<String>) -> [String: Value] {
        var fields: [String: Value] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                marble.faults.append("not a field: \(word)")
                continue
            }
            if parts[1].hasPrefix("\"") {
                fields[parts[0]] = .text(String(parts[1].dropFirst().dropLast()))
            } else if let whole = Int64(parts[1]) {
                fields[parts[0]] = .int(whole)
            } else if let decimal = Double(parts[1]) {
                fields[parts[0]] = .float(decimal)
            } else if let bool = Bool(parts[1]) {
                fields[parts[0]] = .bool(bool)
            } else {
                marble.faults.append("not a value: \(word)")
            }
        }
        return fields
    }

    private mutating func span(_ word: String?) -> TimeSpan {
        guard let word, let unit = word.last, let number = Int64(word.dropLast()) else {
            marble.faults.append("not a duration: \(word ?? "")")
            return .second
        }
        switch unit {
        case "s": return .second * number
        case "m": return .minute * number
        case "h": return .hour * number
        case "d": return .day * number
        default:
            marble.faults.append("not a duration: \(word)")
            return .second
        }
    }

    mutating func finished() -> Marble {
        var placed: [(letter: Character, event: TestEvent)] = []
        let width = rows.map(\.count).max() ?? 0
        for column in 0..<width {
            for row in rows {
                let characters = Array(row)
                guard column < characters.count, characters[column] != "-" else { continue }
                let letter = characters[column]
                let time = marble.unit * Int64(column)
                if letter == "|" {
                    marble.end = time
                    continue
                }
                let meaning = letters[letter] ?? (String(letter), [:])
                var event = TestEvent(meaning.type, at: time, meaning.fields)
                event.fields["n"] = .int(Int64(placed.count + 1))
                placed.append((letter, event))
            }
        }
        if let arrivals {
            for letter in arrivals {
                guard let index = placed.firstIndex(where: { $0.letter == letter }) else {
                    marble.faults.append("`arrive` names \(letter) too often")
                    continue
                }
                marble.events.append(placed.remove(at: index).event)
            }
            if !placed.isEmpty { marble.faults.append("`arrive` leaves out events") }
        } else {
            marble.events = placed.map(\.event)
        }
        for out in outs {
            for (column, character) in out.enumerated() {
                let time = marble.unit * Int64(column)
                if let count = character.wholeNumberValue {
                    for _ in 0..<count {
                        marble.expected.append(.init(time: time, isResolved: false))
                    }
                } else if character == "r" {
                    marble.expected.append(.init(time: time, isResolved: true))
                } else if character != "-", character != "|" {
                    marble.faults.append("not an outcome: \(character)")
                }
            }
        }
        marble.expected.sort()
        return marble
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
