/// Why a line was refused, as the scanner says it: one small value, no allocation.
enum ScanFault: UInt8, Sendable {
    case unexpectedEnd
    case unclosedString
    case expectedObject
    case arrayLine
    case expectedKey
    case expectedColon
    case expectedCommaOrBrace
    case expectedCommaOrBracket
    case expectedValue
    case badLiteral
    case badNumber
    case leadingZero
    case numberOutOfRange
    case badEscape
    case loneSurrogate
    case controlCharacter
    case nulByte
    case invalidUTF8
    case tooDeep
    case trailingBytes
    case lineTooLong
    case typeMissing
    case typeUnreadable
    case timeMissing
    case timeUnreadable
    case timeAbsurd

    var reason: InputFault.Reason {
        switch self {
        case .unexpectedEnd, .unclosedString: .truncated
        case .expectedObject, .arrayLine: .notAnObject
        case .expectedKey, .expectedColon, .expectedCommaOrBrace, .expectedCommaOrBracket,
            .expectedValue, .badLiteral, .badNumber, .leadingZero, .badEscape:
            .malformed
        case .numberOutOfRange: .numberOutOfRange
        case .loneSurrogate: .loneSurrogate
        case .controlCharacter, .nulByte: .controlCharacter
        case .invalidUTF8: .invalidUTF8
        case .tooDeep: .tooDeep
        case .trailingBytes: .trailingBytes
        case .lineTooLong: .lineTooLong
        case .typeMissing: .typeMissing
        case .typeUnreadable: .typeUnreadable
        case .timeMissing: .timeMissing
        case .timeUnreadable: .timeUnreadable
        case .timeAbsurd: .timeAbsurd
        }
    }

    /// The sentence for people. `rest` is the line from the fault on.
    func message(rest: some Collection<UInt8>, options: InputOptions) -> String {
        switch self {
        case .unexpectedEnd:
            "the line ends in the middle of the object; an event stands on one line"
        case .unclosedString: "the line ends in the middle of a text"
        case .expectedObject: "expected a JSON object, found \(shown(rest))"
        case .arrayLine: "expected a JSON object, found an array; each line must hold one event"
        case .expectedKey: "expected a key in double quotes, found \(shown(rest))"
        case .expectedColon: "expected `:` after the key, found \(shown(rest))"
        case .expectedCommaOrBrace: "expected `,` or `}` after the value, found \(shown(rest))"
        case .expectedCommaOrBracket: "expected `,` or `]` after the value, found \(shown(rest))"
        case .expectedValue: "expected a value, found \(shown(rest))"
        case .badLiteral: "expected `true`, `false` or `null`, found \(shown(rest))"
        case .badNumber: "a number is not complete: a digit is missing"
        case .leadingZero: "a number begins with a needless 0"
        case .numberOutOfRange: "number out of range: \(shown(rest))"
        case .badEscape: "a backslash in a text is followed by \(shown(rest.dropFirst()))"
        case .loneSurrogate: "a text holds one half of a surrogate pair: \(shown(rest))"
        case .controlCharacter: "a control character stands bare in a text: \(shown(rest))"
        case .nulByte: "a NUL byte stands in the line"
        case .invalidUTF8: "a text is not valid UTF-8: \(shown(rest))"
        case .tooDeep: "objects and arrays are nested more than \(LineScanner.depthMax) deep"
        case .trailingBytes: "something follows after the object: \(shown(rest))"
        case .lineTooLong: tooLongMessage(options.lineBytesMax)
        case .typeMissing: "the event has no field `\(options.typeField)` that names its type"
        case .typeUnreadable: "the type of the event is neither a text nor a whole number"
        case .timeMissing: "the event has no time in the field `\(options.timeField)`"
        case .timeUnreadable:
            "the time is neither RFC 3339 nor seconds since 1970: \(shown(rest))"
        case .timeAbsurd: "absurd time, before 1971 or after 2200: \(shown(rest))"
        }
    }
}

/// The first word of some bytes of a line, fit for a message: cut, and with odd bytes as numbers.
private func shown(_ bytes: some Collection<UInt8>) -> String {
    guard let first = bytes.first else { return "the end of the line" }
    let isText = first == 0x22
    var word: [UInt8] = [first]
    for byte in bytes.dropFirst().prefix(31) {
        // Take a quoted text to its end, a word to the next sign.
        if byte < 0x20 || byte >= 0x7F || (!isText && [0x20, 0x2C, 0x7D, 0x5D].contains(byte)) {
            break
        }
        word.append(byte)
        if isText && byte == 0x22 { break }
    }
    if first < 0x20 || first >= 0x7F {
        let digits = String(first, radix: 16, uppercase: true)
        return "the byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
    }
    return "`" + String(decoding: word, as: UTF8.self) + "`"
}
