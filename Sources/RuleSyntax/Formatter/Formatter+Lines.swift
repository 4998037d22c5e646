// How one clause is broken into lines.
//
// A clause that fits stands on one line. Else it is broken, in this order of preference: at a block
// that was written within the line, at each `and` and `or`, before `where`, `within` and `for`, and
// last between brackets. The pieces are broken by the same rules. A comment inside a clause ends its
// line, so what holds one is broken there in any case.

extension Formatter {
    mutating func write(_ clause: Range<Int>, indent: Int) {
        write(clause, indent: indent, hanging: indent + Self.continuationWidth)
    }

    /// - Parameters:
    ///   - indent: Where the first line begins.
    ///   - hanging: Where the lines behind a break outside of brackets begin.
    private mutating func write(_ piece: Range<Int>, indent: Int, hanging: Int) {
        if fits(piece, indent) {
            writeFlat(piece, indent: indent)
            return
        }
        if let brace = piece.first(where: {
            tokens[$0].layout == .inlineOpen && isClosed($0, in: piece)
        }) {
            writeBroken(piece, at: brace, indent: indent, hanging: hanging)
            return
        }
        for breaks in [conjunctions(in: piece), clauseWords(in: piece), comments(in: piece)]
        where !breaks.isEmpty {
            writeSplit(piece, before: breaks, indent: indent, hanging: hanging)
            return
        }
        if let bracket = bracketToBreak(in: piece) {
            writeBroken(piece, at: bracket, indent: indent, hanging: hanging)
            return
        }
        writeFlat(piece, indent: indent)
    }

    private mutating func writeSplit(
        _ piece: Range<Int>, before breaks: [Int], indent: Int, hanging: Int
    ) {
        var start = piece.lowerBound
        for end in breaks + [piece.upperBound] {
            let isFirst = start == piece.lowerBound
            if !isFirst {
                for comment in tokens[start].leading { writeLine(comment.text, indent: hanging) }
            }
            write(
                start..<end, indent: isFirst ? indent : hanging,
                hanging: isFirst ? hanging : hanging + Self.continuationWidth)
            start = end
        }
    }

    /// Writes a piece with a bracket opened: what stands between on lines of its own, as many items on
    /// each as fit; the clauses of a block each on its own.
    private mutating func writeBroken(
        _ piece: Range<Int>, at opening: Int, indent: Int, hanging: Int
    ) {
        guard let closing = partner(of: opening), closing < piece.upperBound else {
            writeFlat(piece, indent: indent)
            return
        }
        write(piece.lowerBound..<opening + 1, indent: indent, hanging: hanging)
        let inner = indent + Self.indentWidth
        let isBlock = [.inlineStart, .fieldStart].contains(tokens[opening + 1].layout)
        var start = opening + 1
        let ends = itemEnds(in: opening + 1..<closing, isBlock: isBlock)
        for (position, end) in ends.enumerated() where start < closing {
            let next = position + 1 < ends.count ? ends[position + 1] : end
            let isFull = isBlock || next == end || !fits(start..<next, inner)
            guard isFull else { continue }
            for comment in tokens[start].leading { writeLine(comment.text, indent: inner) }
            write(start..<end, indent: inner, hanging: inner + Self.continuationWidth)
            start = end
        }
        for comment in tokens[closing].leading { writeLine(comment.text, indent: inner) }
        write(closing..<piece.upperBound, indent: indent, hanging: hanging)
    }

    // MARK: Flat

    /// Whether a block that was written within its line is too long for that.
    func willOpenBlock(_ clause: Range<Int>) -> Bool {
        !fits(clause, 0)
            && clause.contains { [.inlineStart, .fieldStart].contains(tokens[$0].layout) }
    }

    private func fits(_ piece: Range<Int>, _ indent: Int) -> Bool {
        if piece.count == 1 { return true }
        let holdsComment =
            piece.dropLast().contains { tokens[$0].trailing != nil }
            || piece.dropFirst().contains { !tokens[$0].leading.isEmpty }
        return !holdsComment && indent + flat(piece).unicodeScalars.count <= Self.widthMax
    }

    private mutating func writeFlat(_ piece: Range<Int>, indent: Int) {
        let comment = tokens[piece.upperBound - 1].trailing.map { "  " + $0 } ?? ""
        writeLine(flat(piece) + comment, indent: indent)
    }

    private func flat(_ piece: Range<Int>) -> String {
        var line = ""
        var last: FormatToken?
        for index in piece {
            let token = tokens[index]
            if token.kind == .comma, isNeedlessComma(index, endsLine: index == piece.upperBound - 1)
            {
                continue
            }
            if let last, FormatToken.isSpaced(last, token) { line += " " }
            line += token.text
            last = token
        }
        return line
    }

    /// Whether a comma stands before a closing bracket, or ends a line of a block.
    private func isNeedlessComma(_ index: Int, endsLine: Bool) -> Bool {
        guard index + 1 < tokens.count else { return false }
        switch tokens[index + 1].layout {
        case .clauseStart, .blockClose, .inlineClose: return true
        case .fieldStart: return endsLine
        default: return [.rightParenthesis, .rightBracket].contains(tokens[index + 1].kind)
        }
    }

    // MARK: Places to break at

    /// The tokens of a piece that stand in no bracket of it, but its first.
    private func outermost(_ piece: Range<Int>) -> [Int] {
        var depth = 0
        return piece.dropFirst().filter { index in
            switch tokens[index].kind {
            case .leftParenthesis, .leftBracket, .leftBrace:
                depth += 1
                return depth == 1
            case .rightParenthesis, .rightBracket, .rightBrace:
                depth -= 1
                return depth == 0
            default: return depth == 0
            }
        }
    }

    /// Whether a token is this word as an operator or a clause's word, and no name.
    private func isWord(_ index: Int) -> Bool {
        tokens[index - 1].kind != .dot && tokens[index + 1].kind != .colon
    }

    /// The conjunctions of a condition, and the limits behind it, which are not part of its last term.
    private func conjunctions(in piece: Range<Int>) -> [Int] {
        let words = outermost(piece).filter(isWord)
        guard words.contains(where: { [.and, .or].contains(tokens[$0].keyword) }) else { return [] }
        return words.filter { [.and, .or, .within, .for].contains(tokens[$0].keyword) }
    }

    private func clauseWords(in piece: Range<Int>) -> [Int] {
        outermost(piece).filter {
            [.where, .within, .for].contains(tokens[$0].keyword) && isWord($0)
        }
    }

    /// Where comments force a line to end outside of brackets.
    private func comments(in piece: Range<Int>) -> [Int] {
        outermost(piece).filter { tokens[$0 - 1].trailing != nil || !tokens[$0].leading.isEmpty }
    }

    /// The bracket whose content goes to lines of its own: one with a comment inside, else the widest.
    private func bracketToBreak(in piece: Range<Int>) -> Int? {
        var best: (opening: Int, width: Int)?
        for opening in piece where tokens[opening].kind.isOpening {
            guard isClosed(opening, in: piece), let closing = partner(of: opening),
                closing > opening + 1
            else {
                continue
            }
            if !fits(opening..<closing + 1, -Self.widthMax * 1000) { return opening }
            let width = flat(opening..<closing + 1).unicodeScalars.count
            if width > best?.width ?? 0 { best = (opening, width) }
        }
        return best?.opening
    }

    private func isClosed(_ opening: Int, in piece: Range<Int>) -> Bool {
        partner(of: opening).map { $0 < piece.upperBound } ?? false
    }

    private func partner(of opening: Int) -> Int? {
        var depth = 0
        for index in opening..<tokens.count {
            if tokens[index].kind.isOpening { depth += 1 }
            if tokens[index].kind.isClosing { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    /// The ends of the items between brackets: before the clauses of a block, else behind commas.
    private func itemEnds(in range: Range<Int>, isBlock: Bool) -> [Int] {
        var depth = 0
        var ends: [Int] = []
        for index in range {
            let startsClause = [.inlineStart, .fieldStart].contains(tokens[index].layout)
            if isBlock, startsClause, depth == 0, index > range.lowerBound { ends.append(index) }
            if tokens[index].kind.isOpening { depth += 1 }
            if tokens[index].kind.isClosing { depth -= 1 }
            if !isBlock, depth == 0, tokens[index].kind == .comma { ends.append(index + 1) }
        }
        return (ends + [range.upperBound]).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}

extension Token.Kind {
    fileprivate var isOpening: Bool {
        self == .leftParenthesis || self == .leftBracket || self == .leftBrace
    }
    fileprivate var isClosing: Bool {
        self == .rightParenthesis || self == .rightBracket || self == .rightBrace
    }
}
