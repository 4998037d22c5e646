import RuleSyntax

extension RuleJSON {
    /// The text of a rule file, not yet in the canonical form.
    struct Text {
        fileprivate(set) var text = ""
        /// By line of the text: the clause that it was made of, as a JSON pointer.
        fileprivate(set) var places: [String] = []

        fileprivate mutating func add(_ line: String, _ place: String) {
            text += line + "\n"
            places.append(place)
            for byte in line.utf8 where byte == UInt8(ascii: "\n") { places.append(place) }
        }
    }

    /// The text that a JSON form stands for.
    ///
    /// - Throws: for all that `schema` refuses, and for a member that stands twice, of which one
    ///   would be passed over.
    static func text(of document: JSONDocument) throws(Fault) -> Text {
        let file = try Members(
            of: document, at: "", what: "a rule file", names: ["schema", "file", "clauses"])
        let version = try file.required("schema")
        guard version == 1 || version == .decimal(1) else {
            throw Fault(
                "/schema", "this is \(named(version)), and the number 1 is needed",
                help: "this version reads version 1 of the form")
        }
        _ = try file.text("file")
        var text = Text()
        try write(try file.required("clauses"), at: "/clauses", depth: 0, to: &text)
        return text
    }

    private static func write(
        _ value: JSONDocument, at place: String, depth: Int, to text: inout Text
    ) throws(Fault) {
        guard let clauses = value.elements else {
            throw Fault(place, "this is \(named(value)), and an array of clauses is needed")
        }
        guard depth < 64 else { throw Fault(place, "clauses are nested more than 64 levels deep") }
        for (index, clause) in clauses.enumerated() {
            try write(clause: clause, at: "\(place)/\(index)", depth: depth, to: &text)
        }
    }

    private static func write(
        clause: JSONDocument, at place: String, depth: Int, to text: inout Text
    ) throws(Fault) {
        let members = try Members(
            of: clause, at: place, what: "a clause",
            names: ["text", "body", "after", "comment", "space", "word", "name"])
        let comment = try members.text("comment")
        let own = try members.text("text")
        let after = try members.text("after")
        for name in ["word", "name"] { _ = try members.text(name) }
        if let space = members["space"] {
            guard space == true else {
                throw Fault(
                    place + "/space", "this is \(named(space)), and only `true` may stand here",
                    help: "leave `space` out where no empty line stands before the clause")
            }
            text.add("", place)
        }
        if let comment {
            guard comment.hasPrefix("#"), !comment.utf8.contains(UInt8(ascii: "\n")) else {
                throw Fault(
                    place + "/comment", "a comment begins with `#` and is one line",
                    help: "write a comment of several lines as several clauses")
            }
            for name in ["text", "body", "after"] where members[name] != nil {
                throw Fault(
                    "\(place)/\(name)", "a clause with a `comment` has no `\(name)`",
                    help: "a comment is a clause of its own; write two clauses")
            }
            text.add(comment, place)
            return
        }
        guard let own else {
            throw Fault(place, "this clause has neither a `text` nor a `comment`, and needs one")
        }
        guard !own.utf8.allSatisfy(" \t\r\n".utf8.contains) else {
            throw Fault(
                place + "/text", "this text is empty, and a clause is needed",
                help: "for an empty line write `\"space\": true` in the clause behind it")
        }
        guard let body = members["body"] else {
            guard after == nil else {
                throw Fault(
                    place + "/after",
                    "`after` stands behind a closing brace, and there is no `body`",
                    help: "add `body`, or write it into `text`")
            }
            text.add(own, place)
            return
        }
        // A comment behind the opening brace stands behind the text.
        let (head, remark) = split(own)
        text.add(head + " {" + (remark.isEmpty ? "" : " " + remark), place)
        try write(body, at: place + "/body", depth: depth + 1, to: &text)
        text.add(after.map { "} " + $0 } ?? "}", place)
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

    fileprivate static func named(_ value: JSONDocument) -> String {
        switch value {
        case .null: "`null`"
        case .text: "a text"
        case .number(let number): "the number \(number)"
        case .decimal(let number): "the number \(number)"
        case .bool(let bool): "`\(bool)`"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of an object, all of them known and none of them there twice.
private struct Members {
    private let document: JSONDocument
    private let place: String

    init(
        of document: JSONDocument, at place: String, what: String, names: [String]
    ) throws(RuleJSON.Fault) {
        guard case .object(let members) = document else {
            throw RuleJSON.Fault(
                place, "this is \(RuleJSON.named(document)), and an object is needed: \(what)")
        }
        var seen: Set<String> = []
        for (name, _) in members {
            let own = place + "/" + Self.pointerPart(name)
            guard names.contains(name) else {
                throw RuleJSON.Fault(
                    own, "\(what) has no member `\(visible(name))`",
                    help: suggest(name, among: names).map {
                        "there is a member with a similar name: `\($0)`"
                    } ?? "the members are \(names.map { "`\($0)`" }.joined(separator: ", "))")
            }
            guard seen.insert(name).inserted else {
                throw RuleJSON.Fault(own, "this member stands twice, and only one could be read")
            }
        }
        self.document = document
        self.place = place
    }

    subscript(name: String) -> JSONDocument? { document[name] }

    func required(_ name: String) throws(RuleJSON.Fault) -> JSONDocument {
        guard let value = document[name] else {
            throw RuleJSON.Fault(place, "the member `\(name)` is missing")
        }
        return value
    }

    func text(_ name: String) throws(RuleJSON.Fault) -> String? {
        guard let value = document[name] else { return nil }
        guard let text = value.text else {
            throw RuleJSON.Fault(
                "\(place)/\(name)", "this is \(RuleJSON.named(value)), and a text is needed")
        }
        return text
    }

    /// As RFC 6901 writes a name.
    private static func pointerPart(_ name: String) -> String {
        visible(name).replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
