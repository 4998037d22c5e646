// E01: characters and literals.

extension DiagnosticCode {
    static let lexical: [DiagnosticCode] = [
        unexpectedCharacter, unclosedLiteral, notUTF8, unknownEscape, badDuration, byteOrderMark,
        nulByte, numberTooLarge, foreignQuotes, unknownUnit, needlessSemicolon, badMessage,
        unquotedAddress,
    ]

    static let unexpectedCharacter = DiagnosticCode(
        "E0101", "unexpected-character",
        explanation: """
            A character stands where the language has no use for it. Most often it came along \
            when a rule was copied from a web page or a document: a single typographic quote, a \
            long dash, a space that is none. Names are made of the letters a to z, digits and \
            `_`; a field whose name has other characters is written in backquotes.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" § }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let unclosedLiteral = DiagnosticCode(
        "E0102", "unclosed-literal",
        explanation: """
            A text, a regular expression or a name in backquotes begins and the line ends before \
            its closing quote. Texts never go over a line end, so a forgotten quote spoils one \
            line and not the rest of the file. A line break inside a text is written `\\n`.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let notUTF8 = DiagnosticCode(
        "E0103", "not-utf8",
        explanation: """
            Rules files are UTF-8. This one holds bytes that are not, so it was probably saved \
            in an older encoding such as Latin-1 or Windows-1252, or it is no text file. Only \
            the first place is reported. `iconv -f WINDOWS-1252 -t UTF-8 FILE` converts one.
            """,
        wrong: "", right: "")

    static let unknownEscape = DiagnosticCode(
        "E0104", "unknown-escape",
        explanation: """
            In a quoted text a backslash begins an escape: `\\"`, `\\\\`, `\\n`, `\\t`, `\\r`, \
            `\\{`, `\\}` or `\\u{...}` with the number of a character. A Windows path or a \
            pattern full of backslashes is easier to read as a raw text, `r"C:\\Windows"`, in \
            which a backslash is only a backslash.
            """,
        wrong: #"""
            event process.start { host: text, path: text }

            rule from_temp {
              sequence by host { hit: process.start where path starts with "C:\Temp" }
              alert "program started from Temp on {host}"
            }
            """#,
        right: #"""
            event process.start { host: text, path: text }

            rule from_temp {
              sequence by host { hit: process.start where path starts with r"C:\Temp" }
              alert "program started from Temp on {host}"
            }
            """#)

    static let badDuration = DiagnosticCode(
        "E0105", "bad-duration",
        explanation: """
            A length of time is a number with its unit directly behind it: `250ms`, `90s`, `5m`, \
            `1h30m`, `7d`, `4w`. A bare number is not taken for seconds, because half of all \
            readers would have guessed minutes. Months and years have no fixed length and so are \
            no units.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed_password {
              sequence by user within 10min {
                at least 5 fails: login where not ok
                then hit: login where ok
              }
              alert "{user} guessed a password"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed_password {
              sequence by user within 10m {
                at least 5 fails: login where not ok
                then hit: login where ok
              }
              alert "{user} guessed a password"
            }
            """)

    static let byteOrderMark = DiagnosticCode(
        "W0106", "byte-order-mark",
        explanation: """
            The file begins with a byte order mark, three invisible bytes that some editors put \
            in front of UTF-8 text. They are skipped. Other tools stumble over them, so save the \
            file as "UTF-8" rather than "UTF-8 with BOM".
            """,
        wrong: "\u{FEFF}let limit = 5\n", right: "let limit = 5\n")

    static let nulByte = DiagnosticCode(
        "E0107", "nul-byte",
        explanation: """
            The file holds a byte of value 0. No text does: this is a binary file, or one saved \
            as UTF-16. Only the first is reported.
            """,
        wrong: "let limit = 5\u{0}\n", right: "let limit = 5\n")

    static let numberTooLarge = DiagnosticCode(
        "E0108", "number-too-large",
        explanation: """
            A number is too large to be held: a decimal number goes up to about 1.8e308, a count \
            up to 9,223,372,036,854,775,807, and a duration up to 292 years.
            """,
        wrong: """
            event login { user: text }

            rule many_logins {
              threshold by user {
                over login
                window 400000d
                when count > 5
              }
              alert "{user} logs in a lot"
            }
            """,
        right: """
            event login { user: text }

            rule many_logins {
              threshold by user {
                over login
                window 30d
                when count > 5
              }
              alert "{user} logs in a lot"
            }
            """)

    static let foreignQuotes = DiagnosticCode(
        "E0109", "foreign-quotes",
        explanation: """
            Texts stand in plain double quotes. Single quotes mean different things in different \
            languages, a text in SQL and one character in C, and so mean nothing here; \
            typographic quotes come along when a rule is copied from a document.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == 'root' }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let unknownUnit = DiagnosticCode(
        "E0110", "unknown-unit",
        explanation: """
            Letters stand directly behind a number and are no unit. Sizes are written with `B`, \
            `kB`, `MB`, `GB`, `TB` (thousands) or `KiB`, `MiB`, `GiB`, `TiB` (1024s); upper and \
            lower case count, since `Mb` is a megabit to many. For times see E0105.
            """,
        wrong: """
            event net.flow { host: text, bytes: number }

            rule big_flow {
              sequence by host { hit: net.flow where bytes > 10mb }
              alert "{host} sent {hit.bytes} bytes"
            }
            """,
        right: """
            event net.flow { host: text, bytes: number }

            rule big_flow {
              sequence by host { hit: net.flow where bytes > 10MB }
              alert "{host} sent {hit.bytes} bytes"
            }
            """)

    static let needlessSemicolon = DiagnosticCode(
        "E0111", "needless-semicolon",
        explanation: """
            A clause ends at the end of its line, so there is nothing for a semicolon to \
            separate.
            """,
        wrong: "let limit = 5;\n", right: "let limit = 5\n")

    static let badMessage = DiagnosticCode(
        "E0112", "bad-message",
        explanation: """
            Braces in a message hold an expression, which may be followed by `|` and a format: \
            `{user}`, `{fails.count + 1}`, `{user | masked}`, `{time | in "Europe/Berlin"}`, \
            `{users | first 5}`. A brace that is meant as such is doubled or escaped: `{{` or \
            `\\{`.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "{user is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "{user} is here"
            }
            """)

    static let unquotedAddress = DiagnosticCode(
        "E0113", "unquoted-address",
        explanation: """
            In a condition an address is written as a text in quotes, `"10.0.0.1"`, and a \
            network too: `src_ip in cidr "10.0.0.0/8"`. Without quotes it reads as a row of \
            numbers.
            """,
        wrong: """
            event login { src_ip: ip }

            rule from_gateway {
              sequence by src_ip { hit: login where src_ip == 10.0.0.1 }
              alert "login from the gateway"
            }
            """,
        right: """
            event login { src_ip: ip }

            rule from_gateway {
              sequence by src_ip { hit: login where src_ip == "10.0.0.1" }
              alert "login from the gateway"
            }
            """)
}

// MARK: - Characters

extension Diagnostic {
    static func unexpectedCharacter(_ text: String, at range: SourceRange) -> Diagnostic {
        let scalars = Array(text.unicodeScalars)
        if scalars.contains(where: \.properties.isAlphabetic) {
            return Diagnostic(
                .unexpectedCharacter, "the name `\(text)` has other letters than a to z", at: range,
                label: "not a plain name",
                help: [
                    Help(
                        "a field with such a name is written in backquotes: `` `\(text)` ``",
                        fix: .replace(range, with: "`\(text)`", .always))
                ])
        }
        let codes = scalars.prefix(3).map(codePoint).joined(separator: " ")
        var help: [Help] = []
        if scalars.allSatisfy({ "“”„‟«»″".unicodeScalars.contains($0) }) {
            help = [
                Help("write a plain double quote: `\"`", fix: .replace(range, with: "\"", .always))
            ]
        } else if scalars.allSatisfy({ "‘’‚‛′".unicodeScalars.contains($0) }) {
            help = [
                Help("texts stand in plain double quotes: `\"`", fix: .replace(range, with: "\""))
            ]
        } else if scalars.allSatisfy({ "–—−‐‑".unicodeScalars.contains($0) }) {
            help = [Help("write a plain minus: `-`", fix: .replace(range, with: "-", .always))]
        } else if scalars.allSatisfy(\.properties.isWhitespace) {
            help = [Help("write a plain space", fix: .replace(range, with: " ", .always))]
        }
        let shown =
            scalars.allSatisfy { $0.properties.isWhitespace || $0.value < 0x20 } ? codes : text
        return Diagnostic(
            .unexpectedCharacter, "`\(shown)` means nothing here", at: range,
            label: "this is \(codes)",
            help: help)
    }

    private static func codePoint(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    static func notUTF8(byte: UInt8, at range: SourceRange) -> Diagnostic {
        let value = String(byte, radix: 16, uppercase: true)
        return Diagnostic(
            .notUTF8, "the file is not UTF-8: byte 0x\(value) belongs to no character", at: range,
            label: "the first such byte", help: [Help("save the file as UTF-8")])
    }

    static func nulByte(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .nulByte, "the file holds a NUL byte, so it is no text file", at: range,
            label: "the first one",
            help: [Help("if the file was saved as UTF-16, save it as UTF-8")])
    }

    static func byteOrderMark(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .byteOrderMark, "the file begins with a byte order mark", at: range,
            label: "three invisible bytes",
            help: [Help("remove it", fix: .replace(range, with: "", .always))])
    }

    static func needlessSemicolon(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .needlessSemicolon, "`;` is not needed: a clause ends at the end of its line",
            at: range,
            label: "needless", help: [Help("remove it", fix: .replace(range, with: "", .probably))])
    }
}

// MARK: - Texts

extension Diagnostic {
    static func unclosedLiteral(_ what: String, quote: UInt8, at range: SourceRange) -> Diagnostic {
        let mark = String(UnicodeScalar(quote))
        let shown = mark == "`" ? "a backquote" : "`\(mark)`"
        let end = SourceRange(source: range.source, start: range.end, end: range.end)
        let start = SourceRange(source: range.source, start: range.start, end: range.start + 1)
        return Diagnostic(
            .unclosedLiteral, "this \(what) is not closed", at: start, label: "begins here",
            secondary: [Label(end, "no \(shown) before the end of the line")],
            help: [Help("close it with \(shown)", fix: .replace(end, with: mark))])
    }

    static func unknownEscape(_ escape: String, isBadScalar: Bool, at range: SourceRange)
        -> Diagnostic
    {
        if isBadScalar {
            return Diagnostic(
                .unknownEscape, "`\(escape)` is not a character", at: range,
                label: "no such character",
                help: [
                    Help("write the number of a character in braces, for example `\\u{e9}` for é")
                ])
        }
        return Diagnostic(
            .unknownEscape, "`\(escape)` is not an escape", at: range, label: "unknown escape",
            notes: [#"the escapes are `\"`, `\\`, `\n`, `\t`, `\r`, `\{`, `\}` and `\u{...}`"#],
            help: [
                Help(
                    #"for a backslash write `\\`, or make it a raw text: `r"..."`"#,
                    fix: .replace(range, with: "\\" + escape))
            ])
    }

    static func foreignQuotes(_ text: String, at range: SourceRange) -> Diagnostic {
        let escaped = text.contains("\"") ? nil : "\"\(text)\""
        return Diagnostic(
            .foreignQuotes, "texts stand in plain double quotes", at: range,
            label: "in other quotes",
            help: [
                Help(
                    "write \(escaped.map { "`\($0)`" } ?? "double quotes around it")",
                    fix: escaped.map { .replace(range, with: $0, .always) })
            ])
    }

    static func unclosedBraceInMessage(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badMessage, "this brace in the message is not closed", at: range,
            label: "begins an expression",
            help: [Help("close it with `}`, or write `{{` for a brace in the text")])
    }

    static func emptyBracesInMessage(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badMessage, "these braces in the message are empty", at: range, label: "no expression",
            help: [Help("put a field between them, or write `{{` for a brace in the text")])
    }

    static func unknownMessageFormat(_ found: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badMessage, "\(found) is not a format", at: range, label: "unknown format",
            help: [Help("the formats are `masked`, `in \"TIME ZONE\"` and `first N`")])
    }

    static func unquotedAddress(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unquotedAddress, "an address is written in quotes", at: range,
            label: "reads as a number",
            help: [Help("put quotes around the address")])
    }
}

// MARK: - Numbers

extension Diagnostic {
    static func missingUnit(_ found: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .badDuration, "expected a duration, found `\(found)`", at: range,
            label: "write \(found)s, \(found)m or \(found)h")
    }

    /// - Parameters:
    ///   - number: The digits in front of the unit.
    ///   - whole: The number and its unit.
    static func unknownUnit(
        _ word: String, number: String, at range: SourceRange, whole: SourceRange
    ) -> Diagnostic {
        if Units.isCalendarWord(word) {
            return Diagnostic(
                .badDuration, "`\(word)` is not a unit of time", at: range,
                label: "has no fixed length",
                help: [Help("say it in days: `30d`, `365d`")])
        }
        if let unit = Units.unit(meantBy: word) {
            let right = number + unit
            let isSpaced = whole.end - whole.start > UInt32(number.utf8.count + word.utf8.count)
            let message =
                unit == word && isSpaced
                ? "a duration is written without a space" : "`\(word)` is not a unit of time"
            return Diagnostic(
                .badDuration, message, at: range,
                label: unit == word && isSpaced ? "belongs to the number" : "unknown unit",
                notes: [units],
                help: [Help("write `\(right)`", fix: .replace(whole, with: right, .always))])
        }
        if let size = meantSize(word) {
            return Diagnostic(
                .unknownUnit, "`\(word)` is not a unit", at: range, label: "unknown unit",
                notes: [
                    "sizes are written with `B`, `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or `TiB`"
                ],
                help: [Help("write `\(number)\(size)`", fix: .replace(whole, with: number + size))])
        }
        return Diagnostic(
            .unknownUnit, "`\(word)` is not a unit", at: range, label: "unknown unit",
            notes: [
                units,
                "sizes are written with `B`, `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or `TiB`",
            ])
    }

    private static let units =
        "the units of time are `ns`, `us`, `ms`, `s`, `m`, `h`, `d` and `w`; a longer time is a sum: `1h30m`"

    private static func meantSize(_ word: String) -> String? {
        ["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"].first {
            $0.lowercased() == word.lowercased() || $0.lowercased() == word.lowercased() + "b"
        }
    }

    static func numberTooLarge(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .numberTooLarge, "`\(text)` is too large for a number", at: range, label: "too large")
    }

    static func durationTooLong(_ text: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .numberTooLarge, "`\(text)` is too long for a duration", at: range, label: "too long",
            notes: ["a duration is at most 292 years"])
    }
}
