import RuleModel
import RuleSyntax

// Names and members: which field, step, key part, measure or constant a word stands for.

extension Checker {
    /// `base.member`
    mutating func member(
        _ base: ExpressionSyntax, _ name: Name, _ scope: Scope, range: SourceRange
    ) -> Operand {
        // A plain dotted name is resolved as a whole: a field's own name may hold dots.
        if var names = base.dottedNames {
            names.append(name)
            return resolve(names, scope, range: range)
        }
        if case .lookup(let list, let key) = base.kind {
            return .value(lookup(list, key, column: name, scope, range: range))
        }
        switch operand(base, scope) {
        case .event(let reference): return .value(read([name], of: reference, scope, range: range))
        case .value(let typed):
            if typed.type.isUnknown { return .value(.unknown(range)) }
            report(.memberOfValue(name.text, typed.type, at: name.range, base: base.range))
            return .value(.unknown(range))
        }
    }

    /// Whether the name stands for something nearer than a declared list.
    func isVisible(_ name: Name, _ scope: Scope) -> Bool {
        if scope.variables.contains(where: { $0.name == name.text }) { return true }
        if scope.parameters[name.text] != nil { return true }
        switch scope.subject {
        case .event(let event):
            return rule.stepIndex[name.text] != nil || symbols.events[event].index[name.text] != nil
        case .match: return rule.stepIndex[name.text] != nil || rule.keyIndex[name.text] != nil
        case .window: return rule.keyIndex[name.text] != nil || rule.measureIndex[name.text] != nil
        case .nothing: return false
        }
    }

    /// A dotted name. From near to far: the element of a quantified expression, a parameter, a
    /// step, what the place offers (fields; key, measures, facts), a constant.
    mutating func resolve(_ names: [Name], _ scope: Scope, range: SourceRange) -> Operand {
        let head = names[0]
        let rest = names.dropFirst()
        if let variable = scope.variables.last(where: { $0.name == head.text }) {
            let typed = Typed(.variable(variable.depth), variable.type, range: range)
            use(.variable, at: head.range, of: variable.range, type: variable.type)
            if let member = rest.first, !variable.type.isUnknown {
                report(
                    .memberOfValue(member.text, variable.type, at: member.range, base: head.range))
                return .value(.unknown(range))
            }
            return .value(rest.isEmpty ? typed : .unknown(range))
        }
        if let parameter = scope.parameters[head.text] {
            return self.parameter(parameter, head, rest, scope, range: range)
        }
        switch scope.subject {
        case .nothing: break
        case .event(let event):
            if let step = rule.stepIndex[head.text] {
                return readStep(step, head, rest, scope, range: range)
            }
            if let typed = field(names, of: event, place: .current, isOptional: false, range: range)
            {
                return .value(typed)
            }
            if rest.isEmpty, let typed = constant(head, range: range) { return .value(typed) }
            // `severity >= medium` in a rule over alerts.
            if symbols.events[event].kind == .alert, rest.isEmpty,
                let severity = Severity(rawValue: head.text)
            {
                return .value(Typed(.constant(.text(severity.rawValue)), .text, range: range))
            }
            if !symbols.events[event].isClosed {
                return .value(openField(names, of: event, place: .current, range: range))
            }
            reportUnknownField(names, of: event, at: range, includingSteps: true)
            return .value(.unknown(range))
        case .match:
            if let step = rule.stepIndex[head.text] {
                return readStep(step, head, rest, scope, range: range)
            }
            if let typed = clusterName(names, range: range) { return .value(typed) }
            if let typed = measureOfMembers(names, range: range) { return .value(typed) }
            if let typed = windowName(names, range: range) { return .value(typed) }
        case .window:
            if let typed = windowName(names, range: range) { return .value(typed) }
        }
        if rest.isEmpty, let typed = constant(head, range: range) { return .value(typed) }
        reportUnknownName(names, scope, range: range)
        return .value(.unknown(range))
    }

    private mutating func parameter(
        _ parameter: Operand, _ head: Name, _ rest: ArraySlice<Name>, _ scope: Scope,
        range: SourceRange
    ) -> Operand {
        switch parameter {
        case .event(var reference):
            reference.range = range
            if rest.isEmpty { return .event(reference) }
            return .value(read(Array(rest), of: reference, scope, range: range))
        case .value(var typed):
            // While a definition is checked by itself, its parameters have the place of their names.
            if expansions.isEmpty { use(.parameter, at: head.range, of: typed.range) }
            if let member = rest.first {
                if !typed.type.isUnknown {
                    report(
                        .memberOfValue(member.text, typed.type, at: member.range, base: head.range))
                }
                return .value(.unknown(range))
            }
            typed.range = range
            return .value(typed)
        }
    }

    // MARK: - Match and window

    /// A part of the key, a measure, a fact, or the count that every threshold has.
    private mutating func windowName(_ names: [Name], range: SourceRange) -> Typed? {
        let text = names.count == 1 ? names[0].text : names.map(\.text).joined(separator: ".")
        if let measure = rule.measureIndex[text] {
            use(
                .measure, at: range, of: rule.measureRanges[text],
                type: rule.measureTypes[measure], isOptional: rule.measures[measure].isOptional)
            return Typed(
                .measure(measure, .now), rule.measureTypes[measure],
                isOptional: rule.measures[measure].isOptional, range: range)
        }
        if let key = rule.keyIndex[text] {
            rule.keys[key].mentions.append(range)
            return Typed(.key(key), rule.keys[key].type, range: range)
        }
        if rule.kind == .threshold, text == "count" {
            let plan = MeasurePlan(
                name: "count", function: .count, argument: nil, parameter: nil, condition: nil)
            let measure = rule.add(measure: plan, type: .number)
            rule.measureIndex[text] = measure
            return Typed(.measure(measure, .now), .number, range: range)
        }
        if let fact = MatchFact(rawValue: text) {
            return Typed(.fact(fact), fact.type, range: range)
        }
        return nil
    }

    private mutating func constant(_ name: Name, range: SourceRange) -> Typed? {
        guard let index = symbols.letIndex[name.text] else { return nil }
        var typed = letValue(index)
        typed.range = range
        use(.constant, at: name.range, of: symbols.lets[index].name.range, type: typed.type)
        if brokenLets.contains(index) { rule.isPoisoned = true }
        return typed
    }

    /// The value of a `let`, worked out when it is first needed.
    mutating func letValue(_ index: Int) -> Typed {
        let declaration = symbols.lets[index]
        switch letValues[index] {
        case .known(let typed): return typed
        case .inProgress:
            report(.circular(declaration.name.text, kind: "constant", at: declaration.name.range))
            letValues[index] = .known(.unknown(declaration.value.range))
            brokenLets.insert(index)
            return .unknown(declaration.value.range)
        case .untouched: break
        }
        letValues[index] = .inProgress
        // Its own mistakes are shown where they stand, not where the constant is used.
        let outer = expansions
        let errors = errorCount
        let outerBudget = budget
        expansions = []
        let typed = expression(declaration.value, in: .constant)
        expansions = outer
        budget = outerBudget
        if errorCount > errors { brokenLets.insert(index) }
        if case .known(let circular) = letValues[index] { return circular }
        letValues[index] = .known(typed)
        return typed
    }

    private mutating func reportUnknownName(
        _ names: [Name], _ scope: Scope, range: SourceRange
    ) {
        let text = names.map(\.text).joined(separator: ".")
        if names.count == 1, let list = symbols.listIndex[text] {
            report(
                .listAsValue(
                    text, at: range, declared: symbols.lists[list].declaration.name.range))
            return
        }
        switch scope.subject {
        case .match, .window:
            let fieldOwners = owners(of: text)
            let isInputField = rule.input.map { symbols.events[$0].index[text] != nil } ?? false
            if rule.hasUnknownKey, !fieldOwners.isEmpty || isInputField { return }
            if let step = fieldOwners.first {
                report(.fieldWithoutStep(text, step: step, at: range))
                return
            }
            if let input = rule.input, rule.kind == .threshold,
                symbols.events[input].index[text] != nil || !symbols.events[input].isClosed
            {
                report(
                    .fieldOutsideMeasure(
                        text, event: symbols.events[input].name,
                        isDeclared: symbols.events[input].isClosed, at: range,
                        candidates: windowNames))
                return
            }
            report(.unknownName(text, at: range, similarTo: windowNames))
        case .nothing:
            let candidates = Array(scope.parameters.keys).sorted() + symbols.lets.map(\.name.text)
            report(.unknownConstant(text, at: range, similarTo: candidates))
        case .event:
            report(.unknownName(text, at: range, similarTo: symbols.lets.map(\.name.text)))
        }
    }

    /// The steps whose event declares the field.
    private func owners(of field: String) -> [String] {
        rule.steps.filter { $0.role == .taken && symbols.events[$0.event].index[field] != nil }
            .map(\.name.text)
    }

    /// What a message can name, for suggestions.
    private var windowNames: [String] {
        rule.steps.filter { $0.role == .taken }.map(\.name.text)
            + rule.measures.map(\.name).filter { !$0.isEmpty } + rule.keys.map(\.name)
            + symbols.lets.map(\.name.text) + MatchFact.allCases.map(\.rawValue)
    }

    // MARK: - Steps

    private mutating func readStep(
        _ index: Int, _ head: Name, _ rest: ArraySlice<Name>, _ scope: Scope, range: SourceRange
    ) -> Operand {
        let step = rule.steps[index]
        use(.step, at: head.range, of: step.name.range)
        let isOwn = scope.reader == index
        if !isOwn, !isReadable(index, from: scope.reader, head, range: range) {
            return .value(.unknown(range))
        }
        // A single step's own event is the one being looked at.
        let place: EventReference.Place =
            isOwn && !step.isRepeated ? .current : .step(index, .only)
        let reference = EventReference(
            place: place, event: step.event, isOptional: step.isOptional && !isOwn, range: range)
        if rest.isEmpty { return .event(reference) }
        return .value(read(Array(rest), of: reference, scope, range: range))
    }

    /// Whether the reader may look at the step's event; reports why not.
    private mutating func isReadable(
        _ index: Int, from reader: Int?, _ name: Name, range: SourceRange
    ) -> Bool {
        let step = rule.steps[index]
        if rule.kind != .sequence { return true }
        if step.role == .absent || step.role == .without {
            report(
                .absentEvent(
                    step.name.text, event: symbols.events[step.event].name, at: range,
                    declared: step.name.range))
            return false
        }
        guard let reader else {
            if step.role != .until { return true }
            report(
                .absentEvent(
                    step.name.text, event: symbols.events[step.event].name, at: range,
                    declared: step.name.range))
            return false
        }
        // An `until` may name any step: one that has not happened is missing.
        let reading = rule.steps[reader]
        if reading.role == .until { return true }
        if step.element < reading.element, step.role == .taken { return true }
        let isSameGroup = step.element == reading.element
        report(
            .readBeforeBound(
                name.text, at: name.range, declared: step.name.range, readIn: reading.number,
                boundIn: step.number, group: isSameGroup ? step.group : nil))
        return false
    }

    /// A member of an event: a field, or what a repeated step offers.
    mutating func read(
        _ names: [Name], of reference: EventReference, _ scope: Scope, range: SourceRange
    ) -> Typed {
        switch reference.place {
        case .either(let first, let second):
            let left = read(names, of: first, scope, range: range)
            let right = read(names, of: second, scope, range: range)
            return Typed(
                .otherwise(left.term, right.term),
                left.type.agrees(with: right.type) ? left.type.joined(with: right.type) : .unknown,
                isOptional: reference.isOptional || right.isOptional, range: range)
        case .step(let index, .only) where rule.steps[index].isRepeated:
            return readRepeated(names, index, reference, range: range)
        case .current, .step:
            if let typed = field(
                names, of: reference.event, place: reference.place,
                isOptional: reference.isOptional, range: range)
            {
                return typed
            }
            if !symbols.events[reference.event].isClosed {
                return openField(names, of: reference.event, place: reference.place, range: range)
            }
            reportUnknownField(names, of: reference.event, at: range, includingSteps: false)
            return .unknown(range)
        }
    }

    /// `x.count`, `x.first.f`, `x.last.f`, and `x.f`, the list of all values.
    private mutating func readRepeated(
        _ names: [Name], _ index: Int, _ reference: EventReference, range: SourceRange
    ) -> Typed {
        let step = StepID(index)
        let event = symbols.events[reference.event]
        if ["count", "first", "last"].contains(names[0].text),
            let hidden = event.field(names[0].text),
            let declared = hidden.range
        {
            report(
                .reservedMember(
                    names[0].text, step: rule.steps[index].name.text, event: event.name,
                    at: names[0].range, declared: declared))
        }
        switch names[0].text {
        case "count" where names.count == 1:
            return Typed(.stepCount(step), .number, range: range)
        case "first" where names.count > 1, "last" where names.count > 1:
            let occurrence: Term.Occurrence = names[0].text == "first" ? .first : .last
            let place = EventReference(
                place: .step(index, occurrence), event: reference.event,
                isOptional: reference.isOptional, range: range)
            return read(Array(names.dropFirst()), of: place, .constant, range: range)
        case "first", "last":
            report(
                .eventAsValue(sourceText(range), fields: event.fieldNames, at: range))
            return .unknown(range)
        default: break
        }
        guard let known = lookUp(names, in: event) else {
            if event.isClosed {
                report(
                    .unknownStepMember(
                        rule.steps[index].name.text, names.map(\.text).joined(separator: "."),
                        at: range, member: names[0].range, fields: event.fieldNames))
                return .unknown(range)
            }
            let id = fields.field(FieldPath(names.map(\.text)), .unknown)
            return Typed(.stepList(step, id), .list(.unknown), range: range)
        }
        let typed = Typed(.stepList(step, known.id), .list(known.type), range: range)
        use(.field, at: names.joinedRange, of: known.declaration, type: typed.type)
        note(typed, declaration: known.declaration, event: event.name)
        return typed
    }

    // MARK: - Fields

    private struct FoundField {
        var id: FieldID
        var type: ValueType
        var isOptional: Bool
        var declaration: SourceRange?
    }

    /// A declared field, or the event's own `time` and `type`.
    private mutating func lookUp(_ names: [Name], in event: EventSymbol) -> FoundField? {
        let text = names.count == 1 ? names[0].text : names.map(\.text).joined(separator: ".")
        // The time of an event is what orders it, whichever field it was read from.
        if text == "time" {
            return FoundField(id: .time, type: .time, isOptional: false, declaration: nil)
        }
        if let field = event.field(text) {
            let id = fields.field(field.path, field.type)
            return FoundField(
                id: id, type: field.type, isOptional: field.isOptional, declaration: field.range)
        }
        if text == "type" {
            return FoundField(id: .type, type: .text, isOptional: false, declaration: nil)
        }
        return nil
    }

    private mutating func field(
        _ names: [Name], of event: Int, place: EventReference.Place, isOptional: Bool,
        range: SourceRange
    ) -> Typed? {
        guard let found = lookUp(names, in: symbols.events[event]) else { return nil }
        let typed = Typed(
            term(found.id, place), found.type, isOptional: isOptional || found.isOptional,
            range: range)
        use(
            .field, at: names.joinedRange, of: found.declaration, type: found.type,
            isOptional: typed.isOptional)
        note(typed, declaration: found.declaration, event: symbols.events[event].name)
        return typed
    }

    /// A field of an event whose fields nobody declared.
    private mutating func openField(
        _ names: [Name], of event: Int, place: EventReference.Place, range: SourceRange
    ) -> Typed {
        let id = fields.field(FieldPath(names.map(\.text)), .unknown)
        return Typed(term(id, place), .unknown, isOptional: true, range: range)
    }

    private func term(_ field: FieldID, _ place: EventReference.Place) -> Term {
        switch place {
        case .current: .field(field)
        case .step(let step, let occurrence): .stepField(StepID(step), occurrence, field)
        case .either(let first, let second):
            .otherwise(term(field, first.place), term(field, second.place))
        }
    }

    mutating func reportUnknownField(
        _ names: [Name], of event: Int, at range: SourceRange, includingSteps: Bool
    ) {
        let symbol = symbols.events[event]
        let text = names.map(\.text).joined(separator: ".")
        let member = names[0].range.joined(with: names[names.count - 1].range)
        let others =
            includingSteps ? rule.steps.map(\.name.text) + symbols.lets.map(\.name.text) : []
        report(
            .unknownField(
                text, on: symbol.name, fields: symbol.fieldNames, others: others, at: member,
                declared: symbol.range.map(place)))
    }
}

extension ExpressionSyntax {
    /// `a.b.c` as its names; nil when the base is anything but names.
    package var dottedNames: [Name]? {
        switch kind {
        case .name(let name): return [name]
        case .member(let base, let name):
            guard var names = base.dottedNames else { return nil }
            names.append(name)
            return names
        default: return nil
        }
    }
}

extension MatchFact {
    var type: ValueType {
        switch self {
        case .matchedAt, .firstTime, .lastTime: .time
        case .duration: .span
        case .rule, .severity, .state: .text
        case .strength, .confidence: .number
        }
    }
}

extension MeasurePlan {
    /// On an empty window `count` and `sum` are 0, all others missing (H3).
    var isOptional: Bool { function != .count && function != .sum }
}
