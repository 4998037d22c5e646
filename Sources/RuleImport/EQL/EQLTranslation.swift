/// Turns conditions of EQL into conditions of ours.
///
/// EQL has three truth values: a comparison with a field that is absent is unknown, and so is its
/// opposite. Ours are two. So a condition is asked in two ways, when it is true and when it is false, and
/// `not` changes from one to the other; where a comparison is to be false, its fields must be there.
struct EQLTranslation {
    /// The event type that all queries look at.
    let event: String
    /// The line for losses.
    var line: Int
    private(set) var schema = Schema()
    /// The fields in the order in which they were first read.
    private(set) var fieldsRead: [String] = []

    init(event: String, line: Int) {
        self.event = event
        self.line = line
    }

    private func loss(_ reason: String) -> ImportLoss { ImportLoss(reason: reason, line: line) }

    /// The path of a field, declared.
    mutating func path(_ field: EQLField) throws(ImportLoss) -> String {
        guard let path = RuleWriter.path(field.name) else {
            throw loss("the field name `\(field.name)` cannot be written")
        }
        schema.add(field: path, type: "any", of: event)
        if !fieldsRead.contains(path) { fieldsRead.append(path) }
        return path
    }

    // MARK: - Conditions

    /// When an expression is true, or when it is false; nil for always.
    ///
    /// - Parameter isTrue: Which of the two is asked.
    mutating func condition(
        _ expression: EQLExpression, isTrue: Bool = true
    ) throws(ImportLoss) -> ImportedCondition {
        switch expression {
        case .bool(let bool): return .test(bool == isTrue ? "true" : "false")
        case .and(let parts), .or(let parts):
            var conditions: [ImportedCondition] = []
            for part in parts { conditions.append(try condition(part, isTrue: isTrue)) }
            var isAnd = false
            if case .and = expression { isAnd = true }
            return isAnd == isTrue ? .all(conditions) : .any(conditions)
        case .not(let inner): return try condition(inner, isTrue: !isTrue)
        case .comparison(let sign, let left, let right):
            return try comparison(sign, left, right, isTrue: isTrue)
        case .test(let word, let left, let values):
            return try test(word, left, values, isTrue: isTrue)
        case .call(let name, let ignoringCase, let arguments):
            return try call(name, ignoringCase, arguments, isTrue: isTrue)
        case .field(let field):
            return .test("\(try path(field)) == \(isTrue)")
        case .text, .number, .null, .arithmetic:
            throw loss("a value stands where a condition is wanted")
        }
    }

    /// A test that is true, or one that is false while its fields are there.
    private func judged(
        _ test: ImportedCondition, _ fields: [String], isTrue: Bool
    ) -> ImportedCondition {
        isTrue ? test : .all(fields.map { .test("\($0) exists") } + [.not(test)])
    }

    private mutating func comparison(
        _ sign: String, _ left: EQLExpression, _ right: EQLExpression, isTrue: Bool
    ) throws(ImportLoss) -> ImportedCondition {
        for (value, other) in [(left, right), (right, left)] where other == .null {
            guard sign == "==" || sign == "!=" else { throw loss("null is neither more nor less") }
            guard case .field(let field) = value else {
                throw loss("only a field can be compared with null")
            }
            return .test("\(try path(field)) \((sign == "==") == isTrue ? "missing" : "exists")")
        }
        let opposites = ["==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"]
        let asked = isTrue ? sign : opposites[sign] ?? sign
        let fields = try names(left) + names(right)
        let test = ImportedCondition.test("\(try value(left)) \(asked) \(try value(right))")
        // `!=` alone holds for what is missing; the order of what is missing is never known.
        guard asked == "!=" else {
            // A value of another kind is neither more nor less nor equal.
            return test
        }
        return .all(unique(fields).map { .test("\($0) exists") } + [test])
    }

    private mutating func test(
        _ word: String, _ left: EQLExpression, _ values: [EQLExpression], isTrue: Bool
    ) throws(ImportLoss) -> ImportedCondition {
        let subject = Subject(text: try value(left), type: "any")
        let fields = unique(try names(left))
        var tests: [FieldTest] = []
        let ignoringCase = word == ":" || word.hasSuffix("~")
        for item in values {
            switch (word, item) {
            case ("in", _), ("in~", _):
                if item == .null { throw loss("null stands in a list of values") }
                let isText = { if case .text = item { true } else { false } }()
                tests.append(
                    FieldTest(
                        .equal, subject.text, try value(item),
                        ignoringCase: ignoringCase && isText))
            case (":", .number(let number)): tests.append(FieldTest(.equal, subject.text, number))
            case (":", .bool(let bool)): tests.append(FieldTest(.equal, subject.text, "\(bool)"))
            case (":", .text(let text)), ("like", .text(let text)), ("like~", .text(let text)):
                tests.append(
                    FieldTest(
                        WildcardPattern(wildcards: text), subject, isCased: !ignoringCase))
            case ("regex", .text(let text)), ("regex~", .text(let text)):
                tests.append(regex(text, subject, ignoringCase: ignoringCase))
            default: throw loss("`\(word)` is followed by something that is no text")
            }
        }
        guard !tests.isEmpty else { throw loss("`\(word)` is followed by no values") }
        return judged(FieldTest.anyOf(tests), fields, isTrue: isTrue)
    }

    /// A regular expression of EQL is for the whole text, and its point for any character.
    private func regex(_ source: String, _ subject: Subject, ignoringCase: Bool) -> FieldTest {
        FieldTest(
            plain: "\(subject.text) matches \(RuleWriter.pattern("(?s)^(?:\(source))$"))"
                + (ignoringCase ? " ignoring case" : ""))
    }

    private mutating func call(
        _ name: String, _ ignoringCase: Bool, _ arguments: [EQLExpression], isTrue: Bool
    ) throws(ImportLoss) -> ImportedCondition {
        guard let first = arguments.first else { throw loss("`\(name)` has no arguments") }
        let others = Array(arguments.dropFirst())
        let words = [
            "startswith": "starts with", "endswith": "ends with", "stringcontains": "contains",
        ]
        switch name.lowercased() {
        case "startswith", "endswith", "stringcontains":
            guard others.count == 1, let word = words[name.lowercased()] else {
                throw loss("`\(name)` takes two arguments")
            }
            let fields = try names(first) + names(others[0])
            let test = ImportedCondition.test(
                "\(try value(first)) \(word) \(try value(others[0]))"
                    + (ignoringCase ? " ignoring case" : ""))
            return judged(test, unique(fields), isTrue: isTrue)
        case "wildcard":
            return try test(ignoringCase ? "like~" : "like", first, others, isTrue: isTrue)
        case "match", "matchlite":
            return try test(ignoringCase ? "regex~" : "regex", first, others, isTrue: isTrue)
        case "cidrmatch":
            let subject = try value(first)
            var networks: [FieldTest] = []
            for item in others {
                guard case .text(let text) = item else { throw loss("a network is no text") }
                networks.append(FieldTest(.network, subject, RuleWriter.text(text)))
            }
            guard !networks.isEmpty else { throw loss("`\(name)` names no network") }
            return judged(
                FieldTest.anyOf(networks), unique(try names(first)), isTrue: isTrue)
        case "arraycontains":
            let list = try value(first)
            var tests: [FieldTest] = []
            for item in others {
                let isText = { if case .text = item { true } else { false } }()
                tests.append(
                    FieldTest(
                        .equal, "element", try value(item), ignoringCase: ignoringCase && isText))
            }
            let inner = FieldTest.anyOf(tests).simplified.text
            return judged(
                .quantified("any element in \(list): \(inner)"), unique(try names(first)),
                isTrue: isTrue)
        case "safe": return try condition(first, isTrue: isTrue)
        default: throw loss("the function `\(name)` has no counterpart here")
        }
    }

    // MARK: - Values

    private mutating func value(_ expression: EQLExpression) throws(ImportLoss) -> String {
        switch expression {
        case .text(let text): return RuleWriter.text(text)
        case .number(let number): return number
        case .bool(let bool): return "\(bool)"
        case .field(let field): return try path(field)
        case .arithmetic(let sign, let left, let right):
            return try arithmetic(sign, left, right)
        case .call(let name, _, let arguments):
            let words = ["length": "length", "number": "number", "string": "text"]
            if name.lowercased() == "safe", arguments.count == 1 { return try value(arguments[0]) }
            let signs = [
                "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "%",
            ]
            if let sign = signs[name.lowercased()], arguments.count == 2 {
                return try arithmetic(sign, arguments[0], arguments[1])
            }
            guard let word = words[name.lowercased()], arguments.count == 1 else {
                throw loss("the function `\(name)` has no counterpart here")
            }
            return "\(word)(\(try value(arguments[0])))"
        case .null: throw loss("null stands where a value is wanted")
        case .and, .or, .not, .comparison, .test:
            throw loss("a condition stands where a value is wanted")
        }
    }

    private mutating func arithmetic(
        _ sign: String, _ left: EQLExpression, _ right: EQLExpression
    ) throws(ImportLoss) -> String {
        let isDecimal = [left, right].contains { side in
            if case .number(let text) = side { return text.contains(".") }
            return false
        }
        guard sign != "/" || isDecimal else {
            throw loss("a division that may be one of whole numbers is rounded there and not here")
        }
        return "(\(try value(left)) \(sign) \(try value(right)))"
    }

    /// The fields that a value is made of.
    private mutating func names(_ expression: EQLExpression) throws(ImportLoss) -> [String] {
        switch expression {
        case .field(let field): return [try path(field)]
        case .arithmetic(_, let left, let right): return try names(left) + names(right)
        case .call(_, _, let arguments):
            var all: [String] = []
            for argument in arguments { all += try names(argument) }
            return all
        case .text, .number, .bool, .null, .and, .or, .not, .comparison, .test: return []
        }
    }

    private func unique(_ names: [String]) -> [String] {
        names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
