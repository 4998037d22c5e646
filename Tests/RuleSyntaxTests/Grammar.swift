import Foundation
import TestKit

/// `grammar/martlet.ebnf`, read for the tests that hold it and the parser together.
struct Grammar {
    indirect enum Part {
        case word(String)
        case token(String)
        case production(String)
        case sequence([Part])
        case choice([Part])
        case optional(Part)
        case repetition(Part)
        /// All of them, in any order.
        case interleaved([Part])
    }

    var productions: [String: Part] = [:]
    /// Every quoted word and sign.
    var words: Set<String> = []
    /// The fewest tokens that a production can be written with; keeps sentences finite.
    private var sizes: [String: Int] = [:]

    init() throws {
        let path = DiagnosticGolden.testsFolder + "/../grammar/martlet.ebnf"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var reader = GrammarReader(text)
        while let (name, part) = try reader.production() { productions[name] = part }
        words = reader.words
        // Sizes settle after as many rounds as productions depend on one another.
        for _ in productions { for (name, part) in productions { sizes[name] = size(part) } }
    }

    private func size(_ part: Part) -> Int {
        switch part {
        case .word, .token: 1
        case .production(let name): min(sizes[name] ?? 1_000_000, 1_000_000)
        case .sequence(let parts), .interleaved(let parts):
            min(parts.map(size).reduce(0, +), 1_000_000)
        case .choice(let parts): parts.map(size).min() ?? 0
        case .optional, .repetition: 0
        }
    }

    /// A random sentence of a production.
    ///
    /// - Parameter budget: About how many choices are free; behind it the shortest way is taken.
    func sentence(_ production: String, _ random: inout RandomSource, budget: Int) -> String {
        var writer = SentenceWriter(grammar: self, random: random, budget: budget)
        writer.write(.production(production))
        random = writer.random
        return writer.text
    }

    fileprivate func shortest(_ parts: [Part]) -> Part {
        parts.min { size($0) < size($1) } ?? .sequence([])
    }
}

/// Writes one sentence.
private struct SentenceWriter {
    let grammar: Grammar
    var random: RandomSource
    var budget: Int
    var text = ""

    mutating func write(_ part: Grammar.Part) {
        switch part {
        case .word(let word): append(word)
        case .token(let token): append(spelling(of: token))
        case .production(let name): write(grammar.productions[name] ?? .sequence([]))
        case .sequence(let parts): for part in parts { write(part) }
        case .choice(let parts):
            budget -= 1
            write(
                budget > 0
                    ? parts.randomElement(using: &random) ?? parts[0] : grammar.shortest(parts))
        case .optional(let part):
            budget -= 1
            if budget > 0, Bool.random(using: &random) { write(part) }
        case .repetition(let part):
            while budget > 0, Bool.random(using: &random) {
                budget -= 1
                write(part)
            }
        case .interleaved(let parts): for part in parts.shuffled(using: &random) { write(part) }
        }
    }

    private mutating func append(_ word: String) {
        let isTight = [".", "("].contains(word) && Bool.random(using: &random)
        if !text.isEmpty, !text.hasSuffix("\n"), !isTight { text += " " }
        text += word
    }

    private mutating func pick(_ spellings: String...) -> String {
        spellings.randomElement(using: &random) ?? spellings[0]
    }

    private mutating func spelling(of token: String) -> String {
        switch token {
        case "NL": pick("\n", "\n\n", "  # why\n", "\n  # above\n", "\r\n")
        case "NAME": pick("alpha", "b2", "_c", "user_name", "`odd name`", "`within`", "fails", "X")
        case "MEMBER": pick("count", "first", "where", "within", "and", "rule", "`x y`", "f1")
        case "WORD": pick("kafka", "topic", "path", "decode", "follow")
        case "LABEL": pick("ssh", "T1110.001", "initial-access", "\"two words\"", "x-1.2")
        case "BARE": pick("127.0.0.1:8686", "aws.cloudtrail", "localhost:80", "2024-01-01")
        case "TEXT":
            pick(
                "\"\"", "\"a b\"", "\"q \\\" \\\\ \\n \\u{e9}\"", "r\"C:\\x\"", "\"{not a hole\"",
                "\"ü 漢\"")
        case "MESSAGE": message()
        case "REGEX": pick("/^a\\/b$/", "/[\"#{]+/", "/\\d+/")
        case "INTEGER": pick("1", "2", "5", "100", "1_000")
        case "ZERO": "0"
        case "DECIMAL": pick("0.5", "1e6", "2.5e-3", "10.0")
        case "PERCENT": pick("5%", "0.1%")
        case "SIZE": pick("10MB", "1KiB", "5B", "1.5GiB")
        case "DURATION": pick("5m", "1h30m", "250ms", "1.5h", "4w")
        default: "?\(token)?"
        }
    }

    private mutating func message() -> String {
        var inner = SentenceWriter(grammar: grammar, random: random, budget: min(budget, 12))
        inner.write(.production("placeholder"))
        random = inner.random
        // A message stands on one line.
        let hole = inner.text.replacingOccurrences(of: "\n", with: " ")
        return pick("\"plain\"", "\"{{x}} \\{y\\}\"", "\"before {\(hole)} after\"", "\"{\(hole)}\"")
    }
}

/// Reads the notation that the head of the grammar explains.
private struct GrammarReader {
    struct Fault: Error, CustomStringConvertible { var description: String }

    private var symbols: [String]
    private var index = 0
    var words: Set<String> = []

    init(_ text: String) {
        symbols = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            var rest = Substring(line)
            while let first = rest.first {
                if first == " " {
                    rest = rest.dropFirst()
                } else if first == "\"" {
                    let word = rest.dropFirst().prefix { $0 != "\"" }
                    symbols.append("\"" + word)
                    rest = rest.dropFirst(word.count + 2)
                } else if first.isLetter {
                    let word = rest.prefix { $0.isLetter }
                    symbols.append(String(word))
                    rest = rest.dropFirst(word.count)
                } else {
                    symbols.append(String(first))
                    rest = rest.dropFirst()
                }
            }
        }
    }

    private var current: String? { index < symbols.count ? symbols[index] : nil }

    mutating func production() throws -> (String, Grammar.Part)? {
        guard let name = current else { return nil }
        index += 1
        try expect("=")
        let part = try choice()
        try expect(";")
        return (name, part)
    }

    private mutating func expect(_ symbol: String) throws {
        guard current == symbol else {
            throw Fault(description: "expected \(symbol), found \(current ?? "the end")")
        }
        index += 1
    }

    private mutating func choice() throws -> Grammar.Part {
        var parts = [try interleaving()]
        while current == "|" {
            index += 1
            parts.append(try interleaving())
        }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func interleaving() throws -> Grammar.Part {
        var parts = [try sequence()]
        while current == "&" {
            index += 1
            parts.append(try sequence())
        }
        return parts.count == 1 ? parts[0] : .interleaved(parts)
    }

    private mutating func sequence() throws -> Grammar.Part {
        var parts: [Grammar.Part] = []
        while let symbol = current, ![")", "]", "}", "|", "&", ";"].contains(symbol) {
            index += 1
            switch symbol {
            case "(":
                parts.append(try choice())
                try expect(")")
            case "[":
                parts.append(.optional(try choice()))
                try expect("]")
            case "{":
                parts.append(.repetition(try choice()))
                try expect("}")
            case _ where symbol.hasPrefix("\""):
                words.insert(String(symbol.dropFirst()))
                parts.append(.word(String(symbol.dropFirst())))
            case _ where symbol.uppercased() == symbol:
                parts.append(.token(symbol))
            default:
                parts.append(.production(symbol))
            }
        }
        return .sequence(parts)
    }
}
