import MatchEngine
import RuleModel

/// What a webhook posts where the receiver wants members of its own and not the record: a JSON object of
/// texts in which `{name}` stands for something of the alert.
///
/// Values are put into texts, and texts into JSON as strings, so no alert makes the object invalid.
public struct AlertBody: Sendable {
    /// Why a body cannot be read.
    public struct Fault: Error, Sendable {
        public let text: String
        /// The name that stands for nothing, if that is why, and those that stand for something.
        public let unknown: (name: String, known: [String])?
    }

    private enum Part: Sendable {
        case text(String)
        case value(String)
    }

    private var members: [(name: String, parts: [Part])] = []

    /// What any alert has, by the names of its JSON form; `key` is the whole key as `user=ben host=db-1`.
    private static let common = [
        "id", "rule", "kind", "state", "severity", "title", "message", "key", "matched_at",
        "emitted_at", "first_event", "last_event", "duration_s", "strength", "confidence", "reason",
        "grouped", "redelivery",
    ]

    /// - Parameters:
    ///   - lines: One for each member: `text: {severity} {message}`. `{{` and `}}` are braces.
    ///   - keyParts: Names that `{key.NAME}` takes.
    ///   - measures: Names that `{measures.NAME}` takes.
    public init(
        _ lines: [String], keyParts: Set<String>, measures: Set<String>
    ) throws(Fault) {
        let known =
            AlertBody.common + keyParts.sorted().map { "key." + $0 }
            + measures.sorted().map { "measures." + $0 }
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw Fault(text: "`\(line)` has no name and colon in front", unknown: nil)
            }
            let name = String(line[..<colon])
            guard !members.contains(where: { $0.name == name }) else {
                throw Fault(text: "`\(name)` is there twice", unknown: nil)
            }
            let text = line[line.index(after: colon)...].drop { $0 == " " }
            members.append((name, try AlertBody.parts(of: text, known: known)))
        }
        guard !members.isEmpty else { throw Fault(text: "it is empty", unknown: nil) }
    }

    private static func parts(
        of text: Substring, known: [String]
    ) throws(Fault) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text
        while let sign = rest.popFirst() {
            if sign == "{" || sign == "}", rest.first == sign {
                plain.append(sign)
                rest.removeFirst()
            } else if sign == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Fault(text: "a `{` is not closed in `\(text)`", unknown: nil)
                }
                let name = String(rest[..<end])
                guard known.contains(name) else {
                    throw Fault(
                        text: "`{\(name)}` stands for nothing of an alert",
                        unknown: (name, known))
                }
                parts += [.text(plain), .value(name)]
                plain = ""
                rest = rest[rest.index(after: end)...]
            } else if sign == "}" {
                throw Fault(text: "a `}` closes nothing in `\(text)`", unknown: nil)
            } else {
                plain.append(sign)
            }
        }
        return parts + [.text(plain)]
    }

    /// Appends the object, without a line feed.
    func append(_ entry: OutboxEntry, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.appendJSON(member.name)
            bytes.append(UInt8(ascii: ":"))
            bytes.appendJSON(
                member.parts.map { part in
                    switch part {
                    case .text(let text): text
                    case .value(let name): AlertBody.value(name, of: entry)
                    }
                }.joined())
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Empty where this alert has no such thing.
    private static func value(_ name: String, of entry: OutboxEntry) -> String {
        let alert = entry.alert
        func decimal(_ number: Double) -> String { Value.float(number).plainText }
        switch name {
        case "id": return alert.id
        case "rule": return alert.rule
        case "kind": return alert.kind
        case "state": return alert.state.rawValue
        case "severity": return alert.severity.rawValue
        case "title": return alert.title ?? ""
        case "message": return alert.message
        case "key": return alert.keyText
        case "matched_at": return alert.matchedAt.description
        case "emitted_at": return entry.emittedAt.description
        case "first_event": return alert.firstTime.description
        case "last_event": return alert.lastTime.description
        case "duration_s": return decimal((alert.lastTime - alert.firstTime).seconds)
        case "strength": return decimal(alert.strength)
        case "confidence": return decimal(alert.confidence)
        case "reason": return alert.reason ?? ""
        case "grouped": return String(alert.grouped)
        case "redelivery": return String(entry.isRedelivery)
        default:
            let values = name.hasPrefix("key.") ? alert.key : alert.measures
            let own = name.drop { $0 != "." }.dropFirst()
            return values.first { $0.name == own }?.value.plainText ?? ""
        }
    }
}
