import RuleSyntax

/// A rule file as JSON: its clauses as a tree, in order, with their comments. Nothing is lost: what is made
/// of it is the file in its canonical form.
///
///     {"text": "sequence by user within 5m", "body": [{"text": "a: login where ok"}, ...]}
enum RuleJSON {
    /// Why a text or a JSON form cannot be turned.
    struct Fault: Error {
        var message: String
        var help: String?

        init(_ message: String) { self.message = message }

        /// - Parameter place: A JSON pointer.
        init(_ place: String, _ message: String, help: String? = nil) {
            self.message = "at \(place.isEmpty ? "the top" : "`\(place)`"): \(message)"
            self.help = help
        }
    }

    /// - Parameter text: A file in its canonical form.
    static func clauses(of text: String) throws(Fault) -> [JSONDocument] {
        var reader = LineReader(text)
        let clauses = try reader.clauses(depth: 0)
        guard reader.isAtEnd else { throw Fault("a `}` closes nothing") }
        return clauses
    }

    /// The form of what `to-json` writes and `from-json` reads (JSON Schema, draft 2020-12).
    static let schema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "A Martlet rule file as JSON, version 1",
          "type": "object",
          "required": ["schema", "clauses"],
          "properties": {
            "schema": {"const": 1},
            "file": {"type": "string", "description": "where it came from; not read"},
            "clauses": {"$ref": "#/$defs/clauses"}
          },
          "additionalProperties": false,
          "$defs": {
            "clauses": {"type": "array", "items": {"$ref": "#/$defs/clause"}},
            "clause": {
              "type": "object",
              "properties": {
                "text": {"type": "string", "pattern": "[^ \\t\\r\\n]", "description": "the clause as a rule writes it, without braces; a line break where a comment stands inside"},
                "body": {"$ref": "#/$defs/clauses", "description": "what stands between the braces"},
                "after": {"type": "string", "description": "what stands behind the closing brace"},
                "comment": {"type": "string", "pattern": "^#", "not": {"pattern": "\\n"}, "description": "a comment on a line of its own, in place of `text`"},
                "space": {"const": true, "description": "an empty line stands before it"},
                "word": {"type": "string", "description": "the first word of the text, to find clauses by; not read"},
                "name": {"type": "string", "description": "what a declaration declares; not read"}
              },
              "oneOf": [{"required": ["text"]}, {"required": ["comment"]}],
              "dependentRequired": {"body": ["text"], "after": ["body"]},
              "additionalProperties": false
            }
          }
        }
        """#
}

/// Reads the lines of a file in its canonical form.
private struct LineReader {
    private let lines: [Substring]
    private var next = 0
    /// By line: what its last token that is no comment is, and where its first one begins a clause.
    private var opens: Set<Int> = []
    private var closes: Set<Int> = []

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let source = SourceText(name: "file", text: text)
        var lastOnLine: [Int: Token] = [:]
        for token in parse(source).tokens where !token.isTrivia && token.kind != .endOfFile {
            let line = source.position(at: token.range.start).line - 1
            if lastOnLine[line] == nil, token.kind == .rightBrace { closes.insert(line) }
            lastOnLine[line] = token
        }
        for (line, token) in lastOnLine where token.kind == .leftBrace { opens.insert(line) }
    }

    var isAtEnd: Bool { next >= lines.count }

    mutating func clauses(depth: Int) throws(RuleJSON.Fault) -> [JSONDocument] {
        let indent = depth * 2
        var clauses: [JSONDocument] = []
        var hasSpace = false
        while next < lines.count, !closes.contains(next) {
            let line = lines[next]
            let own = line.drop { $0 == " " }
            if own.isEmpty {
                hasSpace = true
                next += 1
                continue
            }
            var members: [(String, JSONDocument)] = []
            if hasSpace, !clauses.isEmpty { members.append(("space", true)) }
            hasSpace = false
            if own.hasPrefix("#") {
                members.append(("comment", .text(String(own))))
                next += 1
                clauses.append(.object(members))
                continue
            }
            // Lines that are indented further go on with the clause.
            var text = [String(own)]
            var opened = opens.contains(next)
            next += 1
            while !opened, next < lines.count, !closes.contains(next),
                lines[next].prefix(while: { $0 == " " }).count > indent, !lines[next].isEmpty
            {
                text.append(String(lines[next].drop { $0 == " " }))
                opened = opens.contains(next)
                next += 1
            }
            var whole = text.joined(separator: "\n")
            if opened { whole = withoutBrace(whole) }
            members.append(("text", .text(whole)))
            let words = whole.split(whereSeparator: { " \n:(".contains($0) })
            if let word = words.first { members.append(("word", .text(String(word)))) }
            if depth == 0, words.count > 1,
                [
                    "rule", "event", "metric", "list", "select", "let", "define", "schedule",
                    "source", "sink",
                ]
                .contains(words[0])
            {
                members.append(("name", .text(String(words[1]))))
            }
            if opened {
                members.append(("body", .array(try self.clauses(depth: depth + 1))))
                guard next < lines.count else {
                    throw RuleJSON.Fault("a block is not closed")
                }
                let after = lines[next].drop { $0 == " " }.dropFirst().drop { $0 == " " }
                if !after.isEmpty { members.append(("after", .text(String(after)))) }
                next += 1
            }
            clauses.append(.object(members))
        }
        return clauses
    }

    /// The text without the brace at its end; a comment behind the brace stays.
    private func withoutBrace(_ text: String) -> String {
        let source = SourceText(name: "clause", text: text)
        guard let brace = parse(source).tokens.last(where: { $0.kind == .leftBrace }) else {
            return text
        }
        let bytes = Array(text.utf8)
        let head = String(decoding: bytes[..<Int(brace.range.start)], as: UTF8.self)
        let tail = String(decoding: bytes[Int(brace.range.end)...], as: UTF8.self)
        var trimmed = head
        while trimmed.hasSuffix(" ") { trimmed.removeLast() }
        return trimmed + tail
    }
}
