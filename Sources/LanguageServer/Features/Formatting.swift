import RuleSyntax

extension LanguageServer {
    /// What `martlet fmt` would change, as one edit of the lines between the first and the last that
    /// differ, so that a cursor elsewhere stays where it is.
    func formatting(_ view: DocumentView) throws(RequestFault) -> JSONDocument {
        let parsed = parse(view.source)
        guard let formatted = format(parsed, source: view.source) else {
            throw RequestFault(.requestFailed, "a file with a syntax error cannot be formatted")
        }
        let old = view.source.bytes
        let new = Array(formatted.utf8)
        if old == new { return [] }
        let newline = UInt8(ascii: "\n")
        let shorter = min(old.count, new.count)
        var start = 0
        while start < shorter, old[start] == new[start] { start += 1 }
        while start > 0, old[start - 1] != newline { start -= 1 }
        var tail = 0
        while tail < shorter - start, old[old.count - 1 - tail] == new[new.count - 1 - tail] {
            tail += 1
        }
        // The common end begins behind a line end too.
        while tail > 0, old[old.count - tail - 1] != newline { tail -= 1 }
        let text = String(decoding: new[start..<new.count - tail], as: UTF8.self)
        return [
            [
                "range": view.map.json(UInt32(start), UInt32(old.count - tail)),
                "newText": .text(text),
            ]
        ]
    }
}
