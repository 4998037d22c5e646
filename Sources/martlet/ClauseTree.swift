import RuleSyntax

/// A rule file as JSON: its clauses as a tree, in order, with their comments. Nothing is lost: what is made
/// of it is the file in its canonical form.
///
///     {"text": "sequence by user within 5m", "body": [{"text": "a: login where ok"}, ...]}
enum RuleJSON {
    /// Why a text cannot be turned.
    struct Fault: Error {
        var reason: String
    }

    // MARK: - To JSON

    /// - Parameter text: A file in its canonical form.
    static func clauses(of text: String) throws(Fault) -> [JSONDocument] {
        var reader = LineReader(text)
        let clauses = try reader.clauses(depth: 0)
        guard reader.isAtEnd else { throw Fault(reason: "a `}` closes nothing") }
        return clauses
    }

    // MARK: - From JSON

    /// The text of the clauses; not yet in the canonical form.
    static func text(of clauses: [JSONDocument]) throws(Fault) -> String {
        var text = ""
        try write(clauses, depth: 0, to: &text)
        return text
    }

    private static func write(
        _ clauses: [JSONDocument], depth: Int, to text: inout String
    ) throws(Fault) {
        guard depth < 64 else { throw Fault(reason: "clauses are nested too deeply") }
        for clause in clauses {
            guard case .object(let members) = clause else {
                throw Fault(reason: "a clause is an object with a `text` or a `comment`")
            }
            for (name, _) in members
            where !["text", "body", "after", "comment", "space", "word", "name"].contains(name) {
                throw Fault(reason: "a clause has no member `\(name)`")
            }
            if clause["space"]?.bool == true { text += "\n" }
            if let comment = clause["comment"]?.text {
                guard comment.hasPrefix("#"), !comment.contains("\n") else {
                    throw Fault(reason: "a comment begins with `#` and is one line")
                }
                text += comment + "\n"
                continue
            }
            guard let own = clause["text"]?.text else {
                throw Fault(reason: "a clause has a `text` or a `comment`")
            }
            guard let body = clause["body"] else {
                text += own + "\n"
                continue
            }
            guard let inner = body.elements else { throw Fault(reason: "`body` is an array") }
            // A comment behind the opening brace stands behind the text.
            let (head, remark) = split(own)
            text += head + " {" + (remark.isEmpty ? "" : " " + remark) + "\n"
            try write(inner, depth: depth + 1, to: &text)
            let after = clause["after"]?.text ?? ""
            text += "}" + (after.isEmpty ? "" : " " + after) + "\n"
        }
    }

    /// What stands before the comment at the end of a text, and the comment.
    private static func split(_ text: String) -> (String, String) {
        let source = SourceText(name: "clause", text: text)
        guard let comment = parse(source).tokens.last(where: { $0.kind == .comment }),
            Int(comment.range.end) == text.utf8.count
        else { return (text, "") }
        let bytes = Array(text.utf8)
        var end = Int(comment.range.start)
        while end > 0, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        return (
            String(decoding: bytes[..<end], as: UTF8.self),
            String(decoding: bytes[Int(comment.range.start)...], as: UTF8.self)
        )
    }

    /// The form of what `to-json` writes and `from-json` reads (JSON Schema, draft 2020-12).
    static let schema = """
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
                "text": {"type": "string", "description": "the clause as a rule writes it, without braces; a line break where a comment stands inside"},
                "body": {"$ref": "#/$defs/clauses", "description": "what stands between the braces"},
                "after": {"type": "string", "description": "what stands behind the closing brace"},
                "comment": {"type": "string", "pattern": "^#", "description": "a comment on a line of its own, in place of `text`"},
                "space": {"const": true, "description": "an empty line stands before it"},
                "word": {"type": "string", "description": "the first word of the text, to find clauses by; not read"},
                "name": {"type": "string", "description": "what a declaration declares; not read"}
              },
              "oneOf": [{"required": ["text"]}, {"required": ["comment"]}],
              "additionalProperties": false
            }
          }
        }
        """
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
                    throw RuleJSON.Fault(reason: "a block is not closed")
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
