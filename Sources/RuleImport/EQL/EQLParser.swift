/// Reads one query.
///
/// - Throws: what was not understood, or is not in the part of EQL that we know.
func parseEQL(_ tokens: [EQLToken]) throws(ImportLoss) -> EQLQuery {
    var parser = EQLParser(tokens: tokens)
    return try parser.query()
}

struct EQLParser {
    private let tokens: [EQLToken]
    private var place = 0
    private var depth = 0

    private static let depthMax = 100

    init(tokens: [EQLToken]) { self.tokens = tokens }

    private var current: EQLToken { tokens[min(place, tokens.count - 1)] }

    private func at(_ sign: String) -> Bool { current.kind == .sign(sign) }

    private func at(word: String) -> Bool { current.kind == .word(word) }

    private mutating func take(_ sign: String) -> Bool {
        guard at(sign) else { return false }
        place += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard at(word: word) else { return false }
        place += 1
        return true
    }

    private func loss(_ reason: String) -> ImportLoss {
        ImportLoss(reason: reason, line: current.line)
    }

    /// The current token as messages name it.
    private var shown: String {
        switch current.kind {
        case .word(let text), .number(let text), .sign(let text): "`\(text)`"
        case .quotedName(let name): "`\(name)`"
        case .text(let text): "the text \"\(text.prefix(40))\""
        case .end: "the end"
        }
    }

    private mutating func expect(_ sign: String) throws(ImportLoss) {
        guard take(sign) else { throw loss("`\(sign)` is missing before \(shown)") }
    }

    private mutating func expect(word: String) throws(ImportLoss) {
        guard take(word: word) else { throw loss("`\(word)` is missing before \(shown)") }
    }

    // MARK: - Queries

    mutating func query() throws(ImportLoss) -> EQLQuery {
        for word in ["sample", "join", "macro", "const"] where at(word: word) {
            throw loss("`\(word)` has no counterpart here")
        }
        let kind: EQLQuery.Kind
        if at(word: "sequence") {
            kind = .sequence(try sequence())
        } else {
            kind = .event(try eventQuery())
        }
        var pipes: [String] = []
        while take("|") {
            guard case .word(let word) = current.kind else {
                throw loss("`|` is followed by no word")
            }
            pipes.append(word)
            while current.kind != .end, !at("|") { place += 1 }
        }
        guard current.kind == .end else { throw loss("\(shown) is not expected here") }
        return EQLQuery(kind: kind, pipes: pipes)
    }

    private mutating func eventQuery() throws(ImportLoss) -> EQLEventQuery {
        let category: String
        switch current.kind {
        case .word(let word): category = word
        case .text(let text): category = text
        default: throw loss("a query begins with a kind of event, not with \(shown)")
        }
        place += 1
        try expect(word: "where")
        let condition = try expression()
        return EQLEventQuery(category: category == "any" ? nil : category, condition: condition)
    }

    private mutating func sequence() throws(ImportLoss) -> EQLSequence {
        try expect(word: "sequence")
        var sequence = EQLSequence(keys: [], maxspan: nil, items: [], until: nil)
        while true {
            if take(word: "by") {
                sequence.keys = try keys()
            } else if take(word: "with") {
                try expect(word: "maxspan")
                guard take("=") || take("==") else { throw loss("`maxspan` is followed by no `=`") }
                sequence.maxspan = try span()
            } else {
                break
            }
        }
        while at("[") || at("![") { sequence.items.append(try item()) }
        if take(word: "until") { sequence.until = try item() }
        guard !sequence.items.isEmpty else { throw loss("the sequence has no events") }
        return sequence
    }

    private mutating func item() throws(ImportLoss) -> EQLSequence.Item {
        let line = current.line
        let isMissing = take("![")
        if !isMissing { try expect("[") }
        let query = try eventQuery()
        try expect("]")
        var item = EQLSequence.Item(query: query, keys: [], isMissing: isMissing, line: line)
        if take(word: "by") { item.keys = try keys() }
        if take(word: "with") {
            try expect(word: "runs")
            guard take("=") || take("==") else { throw loss("`runs` is followed by no `=`") }
            guard case .number(let text) = current.kind, let runs = Int(text), runs > 0 else {
                throw loss("`runs` needs a number")
            }
            place += 1
            item.runs = runs
        }
        if at(word: "fork") || at(word: "as") { throw loss("\(shown) has no counterpart here") }
        return item
    }

    private mutating func keys() throws(ImportLoss) -> [EQLField] {
        var keys: [EQLField] = []
        repeat {
            guard case .field(let field) = try primary() else {
                throw loss("`by` is followed by something that is no field")
            }
            keys.append(field)
        } while take(",")
        return keys
    }

    private mutating func span() throws(ImportLoss) -> String {
        guard case .number(let count) = current.kind else { throw loss("a time span is missing") }
        place += 1
        guard case .word(let unit) = current.kind else {
            throw loss("the time span has no unit")
        }
        place += 1
        guard ["ms", "s", "m", "h", "d"].contains(unit) else {
            throw loss("there is no unit of time `\(unit)`")
        }
        return count + unit
    }

    // MARK: - Expressions

    private mutating func expression() throws(ImportLoss) -> EQLExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.depthMax else { throw loss("the condition is nested too deeply") }
        var parts = [try conjunction()]
        while take(word: "or") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction() throws(ImportLoss) -> EQLExpression {
        var parts = [try negation()]
        while take(word: "and") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func negation() throws(ImportLoss) -> EQLExpression {
        var isNegated = false
        while take(word: "not") { isNegated.toggle() }
        let inner = try comparison()
        return isNegated ? .not(inner) : inner
    }

    private mutating func comparison() throws(ImportLoss) -> EQLExpression {
        let left = try sum()
        if case .sign(let sign) = current.kind,
            ["==", "!=", "<", "<=", ">", ">="].contains(sign)
        {
            place += 1
            return .comparison(sign, left, try sum())
        }
        if at("=") { throw loss("values are compared with `==`") }
        if take(":") { return .test(":", left, try values()) }
        var isNegated = false
        if at(word: "not") {
            place += 1
            isNegated = true
        }
        if case .word(let word) = current.kind,
            ["in", "in~", "like", "like~", "regex", "regex~"].contains(word)
        {
            place += 1
            let test = EQLExpression.test(word, left, try values())
            return isNegated ? .not(test) : test
        }
        if isNegated { throw loss("`not` is followed by no comparison") }
        return left
    }

    /// A value, or several in parentheses.
    private mutating func values() throws(ImportLoss) -> [EQLExpression] {
        guard take("(") else { return [try sum()] }
        var values: [EQLExpression] = []
        repeat {
            if at(")") { break }
            values.append(try sum())
        } while take(",")
        try expect(")")
        return values
    }

    private mutating func sum() throws(ImportLoss) -> EQLExpression {
        var left = try product()
        var length = 0
        while case .sign(let sign) = current.kind, sign == "+" || sign == "-" {
            length += 1
            guard length < Self.depthMax else { throw loss("the sum is too long") }
            place += 1
            left = .arithmetic(sign, left, try product())
        }
        return left
    }

    private mutating func product() throws(ImportLoss) -> EQLExpression {
        var left = try primary()
        var length = 0
        while case .sign(let sign) = current.kind, ["*", "/", "%"].contains(sign) {
            length += 1
            guard length < Self.depthMax else { throw loss("the product is too long") }
            place += 1
            left = .arithmetic(sign, left, try primary())
        }
        return left
    }

    private mutating func primary() throws(ImportLoss) -> EQLExpression {
        switch current.kind {
        case .text(let text):
            place += 1
            return .text(text)
        case .number(let number):
            place += 1
            return .number(number.hasPrefix(".") ? "0" + number : number)
        case .sign("-"), .sign("+"):
            let isNegative = at("-")
            place += 1
            guard case .number(let number) = try primary() else {
                throw loss("a sign stands before something that is no number")
            }
            return .number(isNegative ? "-" + number : number)
        case .sign("("):
            place += 1
            let inner = try expression()
            try expect(")")
            return inner
        case .sign("?"):
            place += 1
            guard case .field(var field) = try primary() else {
                throw loss("`?` is followed by no field")
            }
            field.isOptional = true
            return .field(field)
        case .quotedName(let name):
            place += 1
            return .field(try field(from: name))
        case .word(let word):
            place += 1
            switch word {
            case "true", "false": return .bool(word == "true")
            case "null": return .null
            default: break
            }
            if at("(") { return try call(word) }
            guard !word.hasSuffix("~") else { throw loss("`\(word)` is no field") }
            return .field(try field(from: word))
        default: throw loss("\(shown) is not expected here")
        }
    }

    private mutating func call(_ word: String) throws(ImportLoss) -> EQLExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.depthMax else { throw loss("the calls are nested too deeply") }
        let ignoringCase = word.hasSuffix("~")
        try expect("(")
        var arguments: [EQLExpression] = []
        while !at(")") {
            arguments.append(try sum())
            guard take(",") else { break }
        }
        try expect(")")
        return .call(
            ignoringCase ? String(word.dropLast()) : word, ignoringCase: ignoringCase, arguments)
    }

    /// The rest of a dotted name.
    private mutating func field(from first: String) throws(ImportLoss) -> EQLField {
        var name = first
        while at("."), place + 1 < tokens.count {
            switch tokens[place + 1].kind {
            case .word(let part), .quotedName(let part): name += "." + part
            default: throw loss("a point is followed by no name")
            }
            place += 2
        }
        if at("["), place + 1 < tokens.count, case .number = tokens[place + 1].kind {
            throw loss("one element of a list cannot be asked for")
        }
        return EQLField(name: name)
    }
}
