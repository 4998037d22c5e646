import RuleModel
import RuleSyntax

// Functions, aggregates, measures of other windows, definitions, look-ups.

extension Checker {
    mutating func call(
        _ name: Name, _ arguments: [ExpressionSyntax], _ scope: Scope, range: SourceRange
    ) -> Operand {
        if let define = symbols.defineIndex[name.text] {
            return expand(define, name, arguments, scope, range: range)
        }
        // `min(a, b)` is of values, `min(x.f)` of a step's events.
        if let aggregate = AggregateBuiltin.byName[name.text],
            Builtin.byName[name.text] == nil || arguments.count == 1
        {
            return .value(self.aggregate(aggregate, name, arguments, scope, range: range))
        }
        if let builtin = Builtin.byName[name.text] {
            return .value(self.builtin(builtin, name, arguments, scope, range: range))
        }
        switch name.text {
        case "previous", "same_time":
            return .value(earlierMeasure(name, arguments, scope, range: range))
        default: break
        }
        if let score = score(name, arguments, scope, range: range) { return .value(score) }
        report(
            .unknownFunction(
                name.text, at: name.range,
                similarTo: Builtin.all.map(\.name) + AggregateBuiltin.all.map(\.name)
                    + ["previous", "same_time"] + symbols.defines.map(\.name.text)))
        for argument in arguments { _ = operand(argument, scope) }
        return .value(.unknown(range))
    }

    // MARK: - Functions

    private mutating func builtin(
        _ builtin: Builtin, _ name: Name, _ arguments: [ExpressionSyntax], _ scope: Scope,
        range: SourceRange
    ) -> Typed {
        let parameters = builtin.parameters
        let fits =
            builtin.isVariadic
            ? arguments.count >= parameters.count : arguments.count == parameters.count
        guard fits, let function = builtin.function else {
            report(
                .argumentCount(
                    name.text, wanted: parameters.count, isVariadic: builtin.isVariadic,
                    found: arguments.count, signature: builtin.signature, at: range,
                    name: name.range))
            for argument in arguments { _ = operand(argument, scope) }
            return .unknown(range)
        }
        var terms: [Term] = []
        var isOptional = false
        var type = ValueType.unknown
        for (index, argument) in arguments.enumerated() {
            let wanted = parameters[min(index, parameters.count - 1)].type
            guard let typed = coerced(check(argument, scope), to: wanted) else {
                return .unknown(range)
            }
            isOptional = isOptional || typed.isOptional
            terms.append(typed.term)
            if builtin.result == nil {
                // Several values of one kind that have an order.
                guard typed.type.isOrdered, typed.type.agrees(with: type) else {
                    report(
                        .argumentType(
                            name.text, wanted: type.isUnknown ? .number : type, typed.type,
                            signature: builtin.signature, at: argument.range))
                    return .unknown(range)
                }
                type = type.joined(with: typed.type)
            } else if !typed.type.agrees(with: wanted) || !accepts(function, typed.type) {
                report(
                    .argumentType(
                        name.text, wanted: wanted.isUnknown ? .text : wanted, typed.type,
                        signature: builtin.signature, at: argument.range))
                return .unknown(range)
            }
        }
        // What is outside a function's domain is missing.
        let canFail = function == .sqrt || function == .number || function == .geoKilometres
        return Typed(
            .call(function, terms), builtin.result ?? type, isOptional: isOptional || canFail,
            range: range)
    }

    private func accepts(_ function: Function, _ type: ValueType) -> Bool {
        switch function {
        case .length: type.isText || type.element != nil || type.isUnknown
        case .number: type.isText || type == .number || type.isUnknown
        default: true
        }
    }

    // MARK: - Aggregates

    private mutating func aggregate(
        _ aggregate: AggregateBuiltin, _ name: Name, _ arguments: [ExpressionSyntax],
        _ scope: Scope,
        range: SourceRange
    ) -> Typed {
        // In a threshold's conditions and message an aggregate is a measure without a name.
        if rule.kind == .threshold, isWindow(scope) {
            return implicitMeasure(name, arguments, range: range)
        }
        guard arguments.count == 1 else {
            let isMeasureOnly = aggregate.function == .percentile
            if isMeasureOnly {
                report(.aggregateOutsideMeasure(name.text, at: range))
            } else {
                report(
                    .argumentCount(
                        name.text, wanted: 1, isVariadic: false, found: arguments.count,
                        signature: aggregate.signature, at: range, name: name.range))
            }
            return .unknown(range)
        }
        let argument = arguments[0]
        if aggregate.function == .count, case .event(let reference) = operand(argument, scope) {
            if case .step(let step, .only) = reference.place {
                return Typed(.stepCount(StepID(step)), .number, range: range)
            }
            report(
                .eventAsValue(
                    sourceText(argument.range),
                    fields: symbols.events[reference.event].fieldNames, at: argument.range))
            return .unknown(range)
        }
        let typed = check(argument, scope)
        let element: ValueType
        switch typed.type {
        case .list(let type): element = type
        case .unknown: element = .unknown
        default:
            report(
                .aggregateOfOne(
                    name.text, typed.type, source: sourceText(argument.range), at: argument.range))
            return .unknown(range)
        }
        guard !aggregate.needsQuantity || element.isQuantity else {
            report(
                .argumentType(
                    name.text, wanted: ValueType.number, element, signature: aggregate.signature,
                    at: argument.range))
            return .unknown(range)
        }
        let result: ValueType =
            aggregate.function == .distinct || aggregate.function == .count ? .number : element
        if case .stepList(let step, let field) = typed.term {
            return Typed(
                .stepAggregate(aggregate.function, step, field), result,
                isOptional: ![.distinct, .sum, .count].contains(aggregate.function), range: range)
        }
        guard let function = aggregate.listFunction else {
            report(.aggregateOutsideMeasure(name.text, at: range))
            return .unknown(range)
        }
        return Typed(.call(function, [typed.term]), result, isOptional: true, range: range)
    }

    private func isWindow(_ scope: Scope) -> Bool {
        switch scope.subject {
        case .window, .match: true
        case .nothing, .event: false
        }
    }

    private mutating func implicitMeasure(
        _ name: Name, _ arguments: [ExpressionSyntax], range: SourceRange
    ) -> Typed {
        let syntax = AggregateSyntax(
            function: name, arguments: arguments, condition: nil, range: range)
        guard let input = rule.input,
            let (plan, type) = measure(syntax, name: sourceText(range), over: input)
        else { return .unknown(range) }
        // The same aggregate written twice is one measure.
        let same = rule.measures.firstIndex {
            $0.function == plan.function && $0.argument == plan.argument
                && $0.parameter == plan.parameter && $0.condition == plan.condition
        }
        let index = same ?? rule.add(measure: plan, type: type)
        return Typed(.measure(index, .now), type, isOptional: plan.isOptional, range: range)
    }

    /// A measure over the events of a window; nil when something in it is wrong (reported).
    mutating func measure(
        _ syntax: AggregateSyntax, name: String, over event: Int
    ) -> (MeasurePlan, ValueType)? {
        let scope = Scope(.event(event))
        let conditionTerm = syntax.condition.map {
            expression($0, in: scope, keyword: "where")
        }
        guard let aggregate = AggregateBuiltin.byName[syntax.function.text] else {
            report(
                .unknownFunction(
                    syntax.function.text, at: syntax.function.range,
                    similarTo: AggregateBuiltin.all.map(\.name)))
            return nil
        }
        var arguments = syntax.arguments
        var parameter: Double?
        let wanted = aggregate.function == .percentile ? 2 : aggregate.function == .count ? 0 : 1
        guard arguments.count == wanted else {
            report(
                .argumentCount(
                    aggregate.name, wanted: wanted, isVariadic: false, found: arguments.count,
                    signature: aggregate.signature, at: syntax.range, name: syntax.function.range))
            return nil
        }
        if aggregate.function == .percentile {
            let rank = arguments.removeFirst()
            let typed = expression(rank, in: .constant)
            switch typed.term {
            case .constant(.int(let value)) where (0...100).contains(value):
                parameter = Double(value)
            case .constant(.float(let value)) where (0...100).contains(value): parameter = value
            default:
                if !typed.type.isUnknown { report(.badPercentile(at: rank.range)) }
                return nil
            }
        }
        var argument: Typed?
        if let syntax = arguments.first {
            let typed = expression(syntax, in: scope)
            if aggregate.needsQuantity, !typed.type.isQuantity {
                report(
                    .argumentType(
                        aggregate.name, wanted: ValueType.number, typed.type,
                        signature: aggregate.signature,
                        at: syntax.range))
                return nil
            }
            argument = typed
        }
        let type: ValueType
        switch aggregate.function {
        case .count, .distinct, .rate: type = .number
        case .sum, .avg, .min, .max, .percentile, .first, .last: type = argument?.type ?? .number
        }
        let plan = MeasurePlan(
            name: name, function: aggregate.function, argument: argument?.term,
            parameter: parameter,
            condition: conditionTerm)
        return (plan, type)
    }

    private mutating func expression(
        _ syntax: ExpressionSyntax, in scope: Scope, keyword: String
    ) -> Term {
        condition(syntax, in: scope, keyword: keyword)
    }

    // MARK: - Measures of other windows

    /// `previous(m)`, `same_time(m, 7d)` (H10).
    private mutating func earlierMeasure(
        _ name: Name, _ arguments: [ExpressionSyntax], _ scope: Scope, range: SourceRange
    ) -> Typed {
        let isPrevious = name.text == "previous"
        let signature = isPrevious ? "previous(measure)" : "same_time(measure, duration)"
        guard arguments.count == (isPrevious ? 1 : 2) else {
            report(
                .argumentCount(
                    name.text, wanted: isPrevious ? 1 : 2, isVariadic: false,
                    found: arguments.count,
                    signature: signature, at: range, name: name.range))
            return .unknown(range)
        }
        let typed = check(arguments[0], scope)
        guard case .measure(let index, .now) = typed.term else {
            if !typed.type.isUnknown || rule.kind != .threshold {
                report(.notAMeasure(name.text, at: arguments[0].range))
            }
            return .unknown(range)
        }
        if isPrevious {
            return Typed(.measure(index, .previous), typed.type, isOptional: true, range: range)
        }
        let span = check(arguments[1], scope)
        guard case .constant(.span(let length)) = span.term, length > .zero else {
            if !span.type.isUnknown {
                report(
                    .argumentType(
                        name.text, wanted: ValueType.span, span.type, signature: signature,
                        at: arguments[1].range))
            }
            return .unknown(range)
        }
        return Typed(.measure(index, .earlier(length)), typed.type, isOptional: true, range: range)
    }

    // MARK: - Definitions

    /// Replaces a use of a definition by its body, whose names mean what they mean at the
    /// definition, never what they happen to mean at the use.
    private mutating func expand(
        _ index: Int, _ name: Name, _ arguments: [ExpressionSyntax], _ scope: Scope,
        range: SourceRange
    ) -> Operand {
        let define = symbols.defines[index]
        use(.define, at: name.range, of: define.name.range)
        guard arguments.count == define.parameters.count else {
            let list = define.parameters.map(\.text).joined(separator: ", ")
            report(
                .argumentCount(
                    name.text, wanted: define.parameters.count, isVariadic: false,
                    found: arguments.count, signature: "\(name.text)(\(list))", at: range,
                    name: name.range))
            for argument in arguments { _ = operand(argument, scope) }
            return .value(.unknown(range))
        }
        var body = Scope(.nothing)
        body.depth = scope.depth
        for (parameter, argument) in zip(define.parameters, arguments) {
            body.parameters[parameter.text] = operand(argument, scope)
        }
        if expansions.contains(index) { return .value(.unknown(range)) }
        guard isSound(index) else {
            rule.isPoisoned = true
            return .value(.unknown(range))
        }
        let before = diagnostics.count
        expansions.append(index)
        let result = operand(define.body, body)
        expansions.removeLast()
        // What is wrong with these arguments is the fault of this use, not of the definition.
        if expansions.isEmpty {
            for position in before..<diagnostics.count {
                diagnostics[position] = .inExpansion(
                    diagnostics[position], of: name.text, at: range)
            }
            // One use, one message.
            if diagnostics.count > before + 1 { diagnostics.removeSubrange((before + 1)...) }
        }
        switch result {
        case .value(var typed):
            typed.range = range
            return .value(typed)
        case .event(var reference):
            reference.range = range
            return .event(reference)
        }
    }

    /// Checks the body by itself, with parameters of unknown type; reports once what is wrong.
    mutating func isSound(_ index: Int) -> Bool {
        switch soundDefines[index] {
        case .known(let sound): return sound
        case .inProgress: return true
        case .untouched: break
        }
        soundDefines[index] = .inProgress
        let define = symbols.defines[index]
        if recursive.contains(index) {
            report(.circular(define.name.text, kind: "definition", at: define.name.range))
            soundDefines[index] = .known(false)
            return false
        }
        var scope = Scope(.nothing)
        var seen: [String: Name] = [:]
        let before = diagnostics.count
        for parameter in define.parameters {
            if let first = seen[parameter.text] {
                report(
                    .duplicateName(
                        parameter.text, kind: "parameter", at: parameter.range, first: first.range,
                        place: nil))
            }
            seen[parameter.text] = parameter
            declare(.parameter, parameter.range)
            scope.parameters[parameter.text] = .value(.unknown(parameter.range))
        }
        let outer = expansions
        let rule = self.rule
        expansions = []
        self.rule = RuleContext()
        _ = operand(define.body, scope)
        self.rule = rule
        expansions = outer
        let sound = diagnostics.count == before
        soundDefines[index] = .known(sound)
        return sound
    }

    /// The definitions that lead back to themselves, or stand between two that do.
    ///
    /// What calls nothing, or is called by nothing, is in no circle; without it the same holds of
    /// what is left, until only circles are. O(calls).
    func recursiveDefines() -> Set<Int> {
        var callees = symbols.defines.map { define in
            define.body.calledNames.compactMap { symbols.defineIndex[$0] }
        }
        var remaining = Set(callees.indices)
        for _ in 0..<2 {
            var callers = [[Int]](repeating: [], count: callees.count)
            var open = [Int](repeating: 0, count: callees.count)
            for index in remaining {
                for callee in callees[index] where remaining.contains(callee) {
                    callers[callee].append(index)
                    open[index] += 1
                }
            }
            var ends = remaining.filter { open[$0] == 0 }
            while let end = ends.popFirst() {
                remaining.remove(end)
                for caller in callers[end] {
                    open[caller] -= 1
                    if open[caller] == 0 { ends.insert(caller) }
                }
            }
            // The second time the other way round: from those that nothing calls.
            callees = callers
        }
        return remaining
    }

    // MARK: - Look-ups

    /// `slo[service].p95_ms`, `pairs[name]`.
    mutating func lookup(
        _ base: ExpressionSyntax, _ key: ExpressionSyntax, column: Name?, _ scope: Scope,
        range: SourceRange
    ) -> Typed {
        let keyValue = check(key, scope)
        guard case .name(let name) = base.kind, !isVisible(name, scope) else {
            let typed = check(base, scope)
            if !typed.type.isUnknown { report(.notATable(sourceText(base.range), at: base.range)) }
            return .unknown(range)
        }
        useList(name)
        guard let index = symbols.listIndex[name.text] else {
            report(.unknownList(name.text, at: name.range, similarTo: listNames))
            return .unknown(range)
        }
        let list = symbols.lists[index]
        if column == nil, list.kind != .pair {
            report(.lookupWithoutColumn(name.text, at: range))
            return .unknown(range)
        }
        if list.declaration.values != nil, list.kind != .pair {
            report(
                .columnsOfValues(
                    name.text, at: range, declared: list.declaration.name.range))
            return .unknown(range)
        }
        // The key of a pair is one of its two values.
        var read = keyValue
        if list.kind != .pair {
            guard let fitted = fitting(keyValue, list, at: key.range) else {
                return .unknown(range)
            }
            read = fitted
        }
        // What a column holds is in the file, and the row may not be there.
        return Typed(
            .lookup(list.id, key: read.term, column: column?.text), .unknown, isOptional: true,
            range: range)
    }
}

extension ValueType {
    /// Whether it can be added up or put in order as an amount.
    var isQuantity: Bool {
        switch self {
        case .number, .span, .time, .unknown: true
        default: false
        }
    }
}

extension ExpressionSyntax {
    /// The names of the functions it calls.
    fileprivate var calledNames: [String] {
        switch kind {
        case .call(let name, let arguments): [name.text] + arguments.flatMap(\.calledNames)
        case .number, .duration, .text, .bool, .regex, .name, .missing: []
        case .member(let base, _): base.calledNames
        case .lookup(let base, let key): base.calledNames + key.calledNames
        case .list(let elements): elements.flatMap(\.calledNames)
        case .unary(_, let inner), .exists(let inner, _), .parenthesised(let inner):
            inner.calledNames
        case .binary(_, let left, let right, _), .otherwise(let left, let right):
            left.calledNames + right.calledNames
        case .quantified(_, _, let list, let body): list.calledNames + body.calledNames
        }
    }
}
