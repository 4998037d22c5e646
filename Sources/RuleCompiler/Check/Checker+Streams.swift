import RuleModel
import RuleSyntax

// Where events come from: event types, selects, alerts, metrics; and the key they are split by.

/// A source with its names resolved.
struct ResolvedStream {
    /// As written: the event type or the name of a `select`.
    var name: String
    /// Index into `Symbols.events`.
    var event: Int
    /// The condition of the `select`s.
    var condition: Term?
    /// Nil: events from outside.
    var producer: Producer?
}

/// Which records of an alert are events for a rule.
enum AlertStates {
    /// Those that say that something has begun, unless the condition asks for `state`.
    case beginnings
    case all
}

extension Checker {
    /// The stream a source names, without the source's own condition. Nil: left out, reported.
    mutating func stream(
        _ syntax: SourceSyntax, alertStates: AlertStates = .beginnings
    ) -> ResolvedStream? {
        switch syntax.stream {
        case .missing: return nil
        case .alert(let name):
            if let name { useRule(name) }
            if let name, symbols.ruleIndex[name.text] == nil {
                report(
                    .unknownRule(
                        name.text, at: name.range, similarTo: symbols.rules.map(\.name.text)))
            }
            let producer = Producer.alerts(of: name?.text)
            rule.reads.append((producer, name?.range ?? syntax.range))
            var condition: Term?
            if let name {
                let field = fields.field(FieldPath(["rule"]), .text)
                condition = .compare(
                    .equal, .field(field), .constant(.text(name.text)), ignoringCase: false)
            }
            if alertStates == .beginnings, !(syntax.condition?.names("state") ?? false) {
                let field = fields.field(FieldPath(["state"]), .text)
                condition = conjunction(
                    condition,
                    .compare(
                        .equal, .field(field),
                        .constant(.text(Alert.State.firing.rawValue)), ignoringCase: false))
            }
            return ResolvedStream(
                name: name.map { "alert \($0.text)" } ?? "alert", event: alertEvent(),
                condition: condition, producer: producer)
        case .named(let path):
            if path.segments.count == 1, let select = symbols.selectIndex[path.segments[0].text] {
                use(.select, at: path.range, of: symbols.selects[select].name.range)
                return selected(select)
            }
            let event = self.event(path)
            let producer: Producer? =
                switch symbols.events[event].kind {
                case .declared, .undeclared, .alert: nil
                case .metric(let name): .metric(name)
                case .risk(let name): .risk(name)
                }
            if let producer { rule.reads.append((producer, path.range)) }
            return ResolvedStream(
                name: path.text, event: event, condition: nil, producer: producer)
        }
    }

    /// The event type of a name. One that nobody declares is taken as it is, with one warning.
    mutating func event(_ path: PathSyntax) -> Int {
        let name = path.text
        if let known = symbols.eventIndex[name] {
            let event = symbols.events[known]
            // Of `metric.revenue` only the second word is the metric's name.
            let range = event.useKind == .metric ? path.segments.last?.range : nil
            use(event.useKind, at: range ?? path.range, of: event.range)
            return known
        }
        report(
            .undeclaredEvent(name, at: path.range, similarTo: symbols.streamNames))
        symbols.eventIndex[name] = symbols.events.count
        symbols.events.append(EventSymbol(name: name, kind: .undeclared))
        return symbols.events.count - 1
    }

    /// Notes the name of a rule.
    mutating func useRule(_ name: Name) {
        guard let index = symbols.ruleIndex[name.text] else { return }
        use(.rule, at: name.range, of: symbols.rules[index].name.range)
    }

    /// Notes the name of a list.
    mutating func useList(_ name: Name) {
        guard let index = symbols.listIndex[name.text] else { return }
        use(.list, at: name.range, of: symbols.lists[index].declaration.name.range)
    }

    private mutating func alertEvent() -> Int {
        if let known = symbols.eventIndex["alert"], symbols.events[known].kind == .alert {
            return known
        }
        symbols.eventIndex["alert"] = symbols.events.count
        symbols.events.append(.alert)
        return symbols.events.count - 1
    }

    /// A `select`, followed to its event type. Worked out once.
    private mutating func selected(_ index: Int) -> ResolvedStream? {
        let declaration = symbols.selects[index]
        switch selectStreams[index] {
        case .known(let stream):
            if brokenSelects.contains(index) { rule.isPoisoned = true }
            return stream
        case .inProgress:
            report(.circular(declaration.name.text, kind: "select", at: declaration.name.range))
            selectStreams[index] = .known(nil)
            brokenSelects.insert(index)
            return nil
        case .untouched: break
        }
        let errors = errorCount
        defer { if errorCount > errors { brokenSelects.insert(index) } }
        selectStreams[index] = .inProgress
        depth += 1
        defer { depth -= 1 }
        guard depth <= Checker.depthMax else {
            report(
                .expressionTooLarge(
                    nodesMax: Checker.expressionNodesMax, at: declaration.name.range))
            selectStreams[index] = .known(nil)
            return nil
        }
        guard var stream = stream(declaration.source) else {
            selectStreams[index] = .known(nil)
            return nil
        }
        stream.name = declaration.name.text
        if let syntax = declaration.source.condition {
            // A select knows nothing of the rule that uses it.
            let outer = rule
            rule = RuleContext()
            let term = condition(
                syntax, in: Scope(.event(stream.event)), keyword: "where",
                keywordRange: declaration.source.whereRange)
            rule = outer
            stream.condition = conjunction(stream.condition, term)
        }
        selectStreams[index] = .known(stream)
        return stream
    }

    func conjunction(_ first: Term?, _ second: Term?) -> Term? {
        guard let first else { return second }
        guard let second else { return first }
        var parts: [Term] = []
        for term in [first, second] {
            if case .and(let terms) = term { parts += terms } else { parts.append(term) }
        }
        return .and(parts)
    }

    // MARK: - Keys

    /// Sets the parts of the rule's key. Types come with the inputs.
    mutating func beginKeys(_ keys: KeySyntax?) {
        for path in keys?.fields ?? [] {
            let name = path.text
            if let earlier = rule.keyIndex[name] {
                report(
                    .duplicateName(
                        name, kind: "key", at: path.range, first: rule.keys[earlier].range,
                        place: nil)
                )
                continue
            }
            rule.keyIndex[name] = rule.keys.count
            rule.keys.append(RuleContext.KeyPart(name: name, type: .unknown, range: path.range))
        }
    }

    /// The key's fields in one of the rule's inputs.
    ///
    /// - Parameter input: What to call the input in messages: the step's or the event's name.
    mutating func keyFields(
        of event: Int, aliases: [KeyAlias], input: SourceRange
    ) -> [FieldID] {
        var aliasIndex: [String: PathSyntax] = [:]
        for alias in aliases {
            let name = alias.key.text
            if let key = rule.keyIndex[name] {
                rule.keys[key].mentions.append(alias.key.range)
            } else {
                report(
                    .aliasOfNoKey(name, at: alias.key.range, keys: rule.keys.map(\.name)))
            }
            aliasIndex[name] = alias.field
        }
        var result: [FieldID] = []
        for index in rule.keys.indices {
            let part = rule.keys[index]
            let alias = aliasIndex[part.name]
            let path = alias?.text ?? part.name
            let symbol = symbols.events[event]
            if let field = symbol.field(path) {
                if field.type.element != nil {
                    report(.listAsKey(path, field.type, at: alias?.range ?? part.range))
                } else if !part.type.agrees(with: field.type) {
                    report(
                        .keyTypesDiffer(
                            part.name, part.type, field.type, event: symbol.name, at: input,
                            key: part.range))
                }
                rule.keys[index].type = part.type.joined(with: field.type)
                if let alias {
                    use(.field, at: alias.range, of: field.range, type: field.type)
                } else if let declared = field.range,
                    !rule.keys[index].declarations.contains(declared)
                {
                    rule.keys[index].declarations.append(declared)
                }
                result.append(fields.field(field.path, field.type))
            } else if path == "type" || path == "time" {
                rule.keys[index].type = path == "type" ? .text : .time
                result.append(path == "type" ? .type : .time)
            } else if symbol.isClosed {
                reportUnknownKey(path, alias: alias, part, of: symbol, input: input)
                result.append(fields.field(FieldPath([path]), .unknown))
            } else {
                let segments =
                    alias?.segments.map(\.text) ?? part.name.split(separator: ".").map(String.init)
                result.append(fields.field(FieldPath(segments), .unknown))
            }
        }
        return result
    }

    /// One message for each event type, however many steps read it.
    private mutating func reportUnknownKey(
        _ path: String, alias: PathSyntax?, _ part: RuleContext.KeyPart, of symbol: EventSymbol,
        input: SourceRange
    ) {
        rule.hasUnknownKey = true
        let diagnostic = Diagnostic.keyNotInEvent(
            path, event: symbol.name, fields: symbol.fieldNames,
            at: alias?.range ?? part.range, input: alias == nil ? input : nil,
            declared: symbol.range.map(place))
        let earlier = diagnostics.lastIndex { other in
            other.primary == diagnostic.primary && other.message == diagnostic.message
        }
        if let earlier {
            diagnostics[earlier].secondary += diagnostic.secondary
        } else {
            report(diagnostic)
        }
    }
}
