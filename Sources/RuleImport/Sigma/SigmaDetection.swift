/// Turns the detections of one rule into conditions on fields.
struct SigmaDetection {
    let stream: SigmaStream
    let modifiers: SigmaModifiers
    /// What the conditions need declared.
    private(set) var schema = Schema()
    /// The fields in the order in which they were first read.
    private(set) var fieldsRead: [String] = []
    /// What is not as it was, with line and place.
    private(set) var changes: [ImportLoss] = []

    init(stream: SigmaStream, modifiers: SigmaModifiers) {
        self.stream = stream
        self.modifiers = modifiers
    }

    /// What an element of a list is called.
    private static let element = "element"

    /// Notes a difference, once for the rule.
    private mutating func change(_ loss: ImportLoss) {
        if !changes.contains(where: { $0.reason == loss.reason }) { changes.append(loss) }
    }

    // MARK: - Conditions

    /// The condition of a rule over its detections.
    mutating func condition(
        _ condition: SigmaCondition, _ detections: [(key: String, value: YAMLNode)], line: Int
    ) throws(ImportLoss) -> ImportedCondition {
        switch condition {
        case .name(let name):
            guard let node = detections.first(where: { $0.key == name })?.value else {
                throw ImportLoss(
                    reason: "there is no detection `\(name)`", line: line,
                    place: "detection.condition")
            }
            do throws(ImportLoss) {
                return try selection(node)
            } catch {
                throw ImportLoss(
                    reason: error.reason, line: error.line == 0 ? node.line : error.line,
                    place: "detection.\(name)")
            }
        case .of(let all, let pattern):
            let names = detections.map(\.key).filter { name in
                pattern == "them"
                    ? !name.hasPrefix("_")
                    : fits(name, pattern)
                        && (pattern.hasPrefix("_") || !name.hasPrefix("_"))
            }
            guard !names.isEmpty else {
                throw ImportLoss(
                    reason: "no detection fits `\(pattern)`", line: line,
                    place: "detection.condition")
            }
            var parts: [ImportedCondition] = []
            for name in names {
                parts.append(try self.condition(.name(name), detections, line: line))
            }
            return all ? .all(parts) : .any(parts)
        case .not(let inner): return .not(try self.condition(inner, detections, line: line))
        case .and(let inner):
            var parts: [ImportedCondition] = []
            for part in inner { parts.append(try self.condition(part, detections, line: line)) }
            return .all(parts)
        case .or(let inner):
            var parts: [ImportedCondition] = []
            for part in inner { parts.append(try self.condition(part, detections, line: line)) }
            return .any(parts)
        }
    }

    /// A map wants all its lines, a list one of its elements, and a bare value is a keyword.
    private mutating func selection(_ node: YAMLNode) throws(ImportLoss) -> ImportedCondition {
        switch node.kind {
        case .mapping(let members):
            guard !members.isEmpty else {
                throw ImportLoss(reason: "it is empty", line: node.line)
            }
            var parts: [ImportedCondition] = []
            for member in members { parts.append(try item(key: member.key, member.value)) }
            return .all(parts)
        case .sequence(let elements):
            guard !elements.isEmpty else {
                throw ImportLoss(reason: "it is empty", line: node.line)
            }
            if elements.allSatisfy({ $0.value != nil }) { return try item(key: "", node) }
            var parts: [ImportedCondition] = []
            for element in elements { parts.append(try selection(element)) }
            return .any(parts)
        case .scalar: return try item(key: "", node)
        }
    }

    /// One line of a detection: `field|modifier|modifier: values`.
    private mutating func item(
        key: String, _ node: YAMLNode
    ) throws(ImportLoss) -> ImportedCondition {
        let words = key.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let field = words.first ?? ""
        var nodes = [node]
        if case .sequence(let elements) = node.kind { nodes = elements }
        let values = try modifiers.apply(Array(words.dropFirst()), to: nodes)
        guard !field.isEmpty else { return try keywords(values, line: node.line) }
        // An empty list stands for null, as in Sigma's own tools.
        if values.alternatives.isEmpty {
            return .test("\(try subject(field, line: node.line).text) missing")
        }
        let subject = try subject(field, line: node.line)
        var parts: [ImportedCondition] = []
        for group in values.groups {
            parts.append(try joined(group, subject, line: node.line))
        }
        return values.isNegated ? .not(.all(parts)) : .all(parts)
    }

    /// The field of a Sigma rule, declared.
    mutating func subject(_ field: String, line: Int) throws(ImportLoss) -> Subject {
        let name = stream.fields[field] ?? field
        guard let path = RuleWriter.path(name) else {
            throw ImportLoss(reason: "the field name `\(name)` cannot be written", line: line)
        }
        if name == "time" {
            change(
                ImportLoss(
                    reason: "`time` is the time of the event here, whatever the field of that name "
                        + "holds; give it another name with a mapping", line: line))
            return Subject(text: path, type: "time")
        }
        let type = stream.type(of: name)
        if !fieldsRead.contains(path) { fieldsRead.append(path) }
        schema.add(field: path, type: type, of: stream.event)
        return Subject(text: path, type: type)
    }

    /// Values without a field: looked for in the fields that hold an event's text.
    private mutating func keywords(
        _ values: SigmaValues, line: Int
    ) throws(ImportLoss) -> ImportedCondition {
        if !stream.hasKeywordFields {
            change(
                ImportLoss(
                    reason: "keywords are looked for in the field `message`; name others with "
                        + "`keywords` in a mapping", line: line))
        }
        var subjects: [Subject] = []
        for field in stream.keywordFields { subjects.append(try subject(field, line: line)) }
        // Of several keywords that must all occur each may be in another field.
        var parts: [ImportedCondition] = []
        for group in values.groups {
            guard !group.contains(.null) else {
                throw ImportLoss(reason: "null is no keyword", line: line)
            }
            var ways: [ImportedCondition] = []
            for subject in subjects {
                ways.append(try joined(group.map(openOnBothSides), subject, line: line))
            }
            parts.append(.any(ways))
        }
        return values.isNegated ? .not(.all(parts)) : .all(parts)
    }

    /// A keyword may stand anywhere in a text.
    private func openOnBothSides(_ value: SigmaValue) -> SigmaValue {
        switch value {
        case .pattern(let pattern, let isCased):
            .pattern(pattern.prefixed(by: .star).suffixed(by: .star), isCased: isCased)
        case .number(let text):
            .pattern(WildcardPattern([.star, .text(text), .star]), isCased: false)
        default: value
        }
    }

    // MARK: - Tests of one field

    /// Values of one field, one of which must fit.
    private mutating func joined(
        _ values: [SigmaValue], _ subject: Subject, line: Int
    ) throws(ImportLoss) -> ImportedCondition {
        guard subject.isList else { return try scalar(values, subject, line: line) }
        // Of a list it is enough that one element fits. Whether there is a list is asked of the field.
        let asked = values.filter(\.isAboutPresence)
        let others = values.filter { !$0.isAboutPresence }
        var ways: [ImportedCondition] = []
        if !asked.isEmpty { ways.append(try scalar(asked, subject, line: line)) }
        if !others.isEmpty {
            let element = Subject(text: Self.element, type: "text")
            let inner = try scalar(others, element, line: line).simplified
            ways.append(.quantified("any \(Self.element) in \(subject.text): \(inner.text)"))
        }
        return .any(ways)
    }

    private mutating func scalar(
        _ values: [SigmaValue], _ subject: Subject, line: Int
    ) throws(ImportLoss) -> ImportedCondition {
        var tests: [FieldTest] = []
        for value in values { tests.append(try test(value, subject, line: line)) }
        return FieldTest.anyOf(tests)
    }

    private mutating func test(
        _ value: SigmaValue, _ subject: Subject, line: Int
    ) throws(ImportLoss) -> FieldTest {
        switch value {
        case .pattern(let pattern, let isCased):
            return FieldTest(pattern, subject, isCased: isCased)
        case .number(let number):
            if subject.type == "text" {
                return FieldTest(.equal, subject.text, RuleWriter.text(number))
            }
            return FieldTest(.equal, subject.asNumber, number)
        case .bool(let bool):
            if subject.type == "bool" { return FieldTest(.equal, subject.text, "\(bool)") }
            return FieldTest(
                .equal, subject.asText(mayBePlain: true), "\"\(bool)\"", ignoringCase: true)
        case .null: return FieldTest(plain: "\(subject.text) missing")
        case .exists(let exists):
            return FieldTest(plain: "\(subject.text) \(exists ? "exists" : "missing")")
        case .regex(let source, let ignoringCase):
            return FieldTest(
                plain: "\(subject.asText(mayBePlain: mayMatchPlainValue(source))) matches "
                    + RuleWriter.pattern(source)
                    + (ignoringCase ? " ignoring case" : ""))
        case .network(let network):
            return FieldTest(.network, subject.text, RuleWriter.text(network))
        case .comparison(let sign, let number):
            return FieldTest(plain: "\(subject.asNumber) \(sign) \(number)")
        case .field(let name, let comparison, let isCased):
            let other = try self.subject(name, line: line)
            return FieldTest(
                plain: "\(subject.asText(mayBePlain: true)) \(comparison) "
                    + other.asText(mayBePlain: true) + (isCased ? "" : " ignoring case"))
        case .list(let name, let isCased):
            let identifier = RuleWriter.identifier(from: name)
            schema.add(list: identifier, "of text from \"\(identifier).txt\"")
            change(
                ImportLoss(
                    reason: "`%\(name)%` is the list `\(identifier)`, read from "
                        + "`\(identifier).txt` beside the rules; make that file, or give the values "
                        + "with `--values`", line: line))
            return FieldTest(
                plain: "\(subject.asText(mayBePlain: false)) in list \(identifier)"
                    + (isCased ? "" : " ignoring case"))
        }
    }
}
