import RuleModel

/// How alerts look on a terminal.
public struct AlertLineStyle: Sendable {
    public var usesColour: Bool
    /// Whether the day stands before the time: for input that is not of today.
    public var showsDate: Bool

    public init(usesColour: Bool = false, showsDate: Bool = false) {
        self.usesColour = usesColour
        self.showsDate = showsDate
    }
}

extension Alert {
    /// Appends the record as one line for people, with the line feed:
    ///
    ///     12:00:07 HIGH ssh_bruteforce src_ip=198.51.100.7 host=web1  5 failed logins on web1
    ///
    /// The time is UTC. The end and the repetition of an alert say so in place of the severity.
    /// What comes from the data cannot reach the terminal as a command: control characters are
    /// shown as `\n`, `\u{1b}` and so on.
    public func appendLine(style: AlertLineStyle, to output: inout [UInt8]) {
        let time = matchedAt.description.utf8
        // RFC 3339 with a year of four digits: the day takes ten characters, the time the next eight.
        let start = style.showsDate ? 0 : 11
        output.append(
            contentsOf: time.dropFirst(start).prefix(19 - start).map { $0 == 84 ? 32 : $0 })
        output.append(UInt8(ascii: " "))
        if style.usesColour { output.append(contentsOf: "\u{1B}[\(colour)m".utf8) }
        output.append(contentsOf: word.utf8)
        if style.usesColour { output.append(contentsOf: "\u{1B}[0m".utf8) }
        output.append(UInt8(ascii: " "))
        output.appendVisibly(rule)
        for part in key {
            output.append(UInt8(ascii: " "))
            output.appendVisibly(part.name)
            output.append(UInt8(ascii: "="))
            output.appendVisibly(part.value.plainText)
        }
        output.append(contentsOf: "  ".utf8)
        output.appendVisibly(message)
        if let reason {
            output.append(contentsOf: " (".utf8)
            output.appendVisibly(reason)
            output.append(UInt8(ascii: ")"))
        }
        if !incompleteBecause.isEmpty {
            output.append(contentsOf: " [incomplete: ".utf8)
            output.appendVisibly(incompleteBecause.joined(separator: ", "))
            output.append(UInt8(ascii: "]"))
        }
        output.append(UInt8(ascii: "\n"))
    }

    private var word: String {
        switch state {
        case .firing: severity.rawValue.uppercased() + (isEarly ? " EARLY" : "")
        case .updated: "\(severity.rawValue.uppercased()) UPDATED"
        case .resolved: "RESOLVED"
        case .corrected: "CORRECTED"
        }
    }

    /// Parameters of the escape sequence "select graphic rendition" (ECMA-48, §8.3.117).
    private var colour: String {
        if state == .resolved { return "32" }
        return switch severity {
        case .info: "2"
        case .low: "36"
        case .medium, .warning: "33"
        case .high: "31"
        case .critical: "1;31"
        }
    }
}

extension [UInt8] {
    /// Appends text so that a terminal shows it and does nothing else.
    public mutating func appendVisibly(_ string: String) {
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\n": append(contentsOf: "\\n".utf8)
            case "\r": append(contentsOf: "\\r".utf8)
            case "\t": append(contentsOf: "\\t".utf8)
            default:
                if scalar.isDangerousOnTerminals {
                    append(contentsOf: "\\u{".utf8)
                    append(contentsOf: String(scalar.value, radix: 16).utf8)
                    append(UInt8(ascii: "}"))
                } else {
                    append(contentsOf: scalar.utf8)
                }
            }
        }
    }
}
