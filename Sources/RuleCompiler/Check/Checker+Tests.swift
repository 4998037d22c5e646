import RuleModel
import RuleSyntax

/// A test that waits for the id of its rule.
struct TestDraft {
    var title: String
    var lines: [TestPlan.Line]
    var range: SourceRange
}

// `test` blocks: events with values, and expectations checked in the scope of the rule's match.

extension Checker {
    /// Nil: the test has a mistake (reported). The context is that of the rule it tests.
    mutating func test(_ test: TestDeclaration, probes: inout [Term]) -> TestDraft? {
        let before = errorCount
        var lines: [TestPlan.Line] = []
        for line in test.lines {
            if let kind = testLine(line, &probes) {
                lines.append(TestPlan.Line(kind: kind, range: line.range))
            }
        }
        guard errorCount == before, !hasSyntaxError(in: test.range) else { return nil }
        return TestDraft(title: test.title.value, lines: lines, range: test.range)
    }

    private mutating func testLine(
        _ line: TestLine, _ probes: inout [Term]
    ) -> TestPlan.Line.Kind? {
        switch line.kind {
        case .event(at: let at, let event, count: let count, every: let every):
            if let count { atLeastOne(count) }
            guard let plan = testEvent(event) else { return nil }
            return .event(
                plan, time: instant(at), count: max(1, count?.value ?? 1),
                every: every.map(span) ?? .zero)
        case .late(arrives: let arrives, let event, time: let time):
            guard let plan = testEvent(event) else { return nil }
            return .late(plan, arrives: instant(arrives), time: instant(time))
        case .list(let name, let elements):
            useList(name)
            guard let index = symbols.listIndex[name.text] else {
                report(.unknownList(name.text, at: name.range, similarTo: listNames))
                return nil
            }
            let list = symbols.lists[index]
            return .list(list.id, elements.compactMap { listValue($0, list.kind) })
        case .watch(from: let from): return .watch(from: instant(from))
        case .advance(to: let to): return .advance(to: instant(to))
        case .crash(at: let at): return .crash(at: instant(at))
        case .expect(let outcome, at: let at, with: let expressions):
            let outcome = TestPlan.Outcome(rawValue: outcome.rawValue) ?? .alert
            return .expect(
                outcome, at: instant(at), with: expressions.map { probe($0, &probes) })
        case .expectNothing(else: let isElse, before: let before):
            return .expectNothing(else: isElse, before: before.map(instant))
        }
    }

    private func instant(_ literal: DurationLiteral) -> Timestamp { TestPlan.epoch + span(literal) }

    /// The whole expression goes first, then the sides of a comparison.
    private mutating func probe(
        _ syntax: ExpressionSyntax, _ probes: inout [Term]
    ) -> TestPlan.Probe {
        let term = condition(syntax, in: Scope(.match), keyword: "with")
        var probe = TestPlan.Probe(condition: probes.count, sides: nil, range: syntax.range)
        probes.append(term)
        if case .compare(_, let left, let right, _) = term,
            case .binary(_, let leftSyntax, let rightSyntax, _) = syntax.kind
        {
            probe.sides = TestPlan.Sides(
                left: probes.count, right: probes.count + 1, leftRange: leftSyntax.range,
                rightRange: rightSyntax.range)
            probes += [left, right]
        }
        return probe
    }

    private mutating func testEvent(_ syntax: TestEvent) -> TestPlan.Event? {
        let name = syntax.type.text
        let index: Int
        if let select = syntax.type.segments.count == 1 ? symbols.selectIndex[name] : nil {
            report(
                .selectAsEvent(
                    name, at: syntax.type.range, declared: symbols.selects[select].name.range))
            return nil
        }
        index = event(syntax.type)
        let symbol = symbols.events[index]
        var values: [TestPlan.FieldValue] = []
        for (path, valueSyntax) in syntax.fields {
            let field = symbol.field(path.text)
            if field == nil, symbol.isClosed {
                reportUnknownField(
                    path.segments, of: index, at: path.range, includingSteps: false)
                continue
            }
            use(.field, at: path.range, of: field?.range, type: field?.type)
            let typed = expression(valueSyntax, in: .constant)
            guard let value = constantValue(typed, at: valueSyntax.range) else { continue }
            let type = field?.type ?? .unknown
            guard case .some(let read) = valueOfField(value, typed, type, at: valueSyntax.range)
            else {
                continue
            }
            values.append(
                TestPlan.FieldValue(
                    path: FieldPath(path.segments.map(\.text)), column: nil, value: read))
        }
        return TestPlan.Event(typeName: name, type: .unread, fields: values)
    }

    /// The value as the field's declared type has it; nil when it is none (reported).
    private mutating func valueOfField(
        _ value: Value, _ typed: Typed, _ type: ValueType, at range: SourceRange
    ) -> Value? {
        if case .enumeration(let cases) = type, case .text(let text) = value {
            if cases.contains(text.string) { return value }
            report(.notACase(text.string, of: type, cases: cases, at: range))
            return nil
        }
        guard let read = coerced(typed, to: type) else { return nil }
        guard read.type.agrees(with: type) || (type.element != nil && read.type.element != nil)
        else {
            report(.valueOfOtherType(read.type, wanted: type, at: range))
            return nil
        }
        if case .constant(let constant) = read.term { return constant }
        return value
    }

    /// A constant; nil when it depends on something (reported).
    mutating func constantValue(_ typed: Typed, at range: SourceRange) -> Value? {
        switch typed.term {
        case .constant(.missing) where typed.type.isUnknown: return nil
        case .constant(let value): return value
        case .negate(.constant(.span(let span))):
            return .span(TimeSpan(nanoseconds: 0) - span)
        default:
            report(.notConstant(at: range))
            return nil
        }
    }

    /// One element of a list written out, as the list's kind has it.
    mutating func listValue(_ syntax: ExpressionSyntax, _ kind: ListPlan.Kind) -> Value? {
        let typed = expression(syntax, in: .constant)
        guard let value = constantValue(typed, at: syntax.range) else { return nil }
        let wanted: ValueType
        switch (kind, value) {
        case (.text, .text), (.table, .text), (.table, .int), (.table, .float), (.number, .int),
            (.number, .float):
            return value
        case (.cidr, .text(let text)):
            if let network = IPNetwork(text.string) { return .network(network) }
            report(.badLiteral(text.string, ValueType.network, isNetwork: false, at: syntax.range))
            return nil
        case (.pair, .list(let values)) where values.count == 2: return value
        case (.text, _), (.table, _): wanted = .text
        case (.number, _): wanted = .number
        case (.cidr, _): wanted = .network
        case (.pair, _): wanted = .list(.text)
        }
        report(.valueOfOtherType(typed.type, wanted: wanted, at: syntax.range))
        return nil
    }
}
