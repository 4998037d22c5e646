import RuleModel
import RuleSyntax

// `source`, `sink` and `engine` blocks (part 3): every word is known or an error (D1), secrets are
// references (D2).

extension Checker {
    mutating func deployment() -> DeploymentPlan {
        var plan = DeploymentPlan()
        for block in symbols.streams { plan.sources.append(source(block)) }
        for block in symbols.sinks { plan.sinks.append(sink(block)) }
        for block in symbols.engines { engine(block, into: &plan.engine) }
        return plan
    }

    private func fileName(_ range: SourceRange) -> String {
        set.sources[Int(range.source.rawValue)].name
    }

    // MARK: - Sources

    private mutating func source(_ block: DeploymentDeclaration) -> SourcePlan {
        var plan = SourcePlan(
            name: block.name?.text ?? "", connector: nil, declaredIn: fileName(block.range),
            range: block.name?.range ?? block.range)
        var decoderRange = plan.range
        let words = ["decode", "time", "type", "lateness", "idle", "dedup", "early", "correction"]
        for setting in block.settings {
            guard let key = setting.key else { continue }
            switch key.text {
            case "decode":
                if let name = setting.word(1), Connector.decoders.contains(name.text) {
                    plan.decoder = name.text
                    decoderRange = name.range
                } else {
                    let place = setting.word(1)?.range ?? setting.range
                    report(
                        .badSetting(
                            "decode", wanted: "the name of a decoder", at: place,
                            similarTo: Connector.decoders, found: setting.word(1)?.text))
                }
            case "time": plan.timeField = fieldPath(setting, 1)
            case "type":
                if setting.word(1)?.text == "field" {
                    plan.type = fieldPath(setting, 2).map { .field($0) }
                } else if let text = setting.text(1) {
                    plan.type = .constant(text)
                } else {
                    report(
                        .badSetting("type", wanted: "`field \"kind\"` or a text", at: setting.range)
                    )
                }
            case "correction": plan.correction = length(setting, 1) ?? .zero
            case "lateness": plan.lateness = length(setting, 1) ?? .zero
            case "idle":
                plan.idleAfter =
                    length(setting, setting.word(1)?.text == "after" ? 2 : 1) ?? .minute
            case "dedup":
                if let field = fieldPath(setting, 1), setting.word(2)?.text == "for",
                    let span = length(setting, 3), span > .zero
                {
                    plan.deduplication = SourcePlan.Deduplication(field: field, span: span)
                } else if errorFree(setting) {
                    report(
                        .badSetting(
                            "dedup", wanted: "a field and a time: `dedup id for 10m`",
                            at: setting.range))
                }
            case "early":
                switch setting.word(1)?.text {
                case "on": plan.isEarly = true
                case "off": plan.isEarly = false
                default:
                    report(.badSetting("early", wanted: "`on` or `off`", at: setting.range))
                }
            default:
                connector(
                    setting, key, among: Connector.sources, others: words, of: "source",
                    into: &plan.connector)
            }
        }
        if plan.connector == nil, errorFree(block) {
            report(
                .noConnector("source", plan.name, example: "file \"events.ndjson\"", at: plan.range)
            )
        }
        if let kind = plan.connector,
            Connector.named(kind.kind, among: Connector.sources)?.isRun == false
        {
            report(.sourceNotRun(kind.kind, source: plan.name, at: kind.range))
            return plan
        }
        if plan.decoder != "json" {
            report(.decoderNotRun(plan.decoder, source: plan.name, at: decoderRange))
        }
        return plan
    }

    // MARK: - Sinks

    private mutating func sink(_ block: DeploymentDeclaration) -> SinkPlan {
        var plan = SinkPlan(
            name: block.name?.text ?? "", connector: nil, declaredIn: fileName(block.range),
            range: block.name?.range ?? block.range)
        for setting in block.settings {
            guard let key = setting.key else { continue }
            switch key.text {
            case "when": plan.minimumSeverity = severityLimit(setting)
            case "group":
                let words = setting.items.compactMap(\.word).map(\.text)
                guard words.count >= 3, words[1] == "by", let split = words.lastIndex(of: "for"),
                    split > 2, let last = setting.items.last, case .value(let value) = last,
                    case .duration(let nanoseconds) = value.kind
                else {
                    report(
                        .badSetting(
                            "group", wanted: "fields and a time: `group by rule for 10s`",
                            at: setting.range))
                    continue
                }
                plan.grouping = SinkPlan.Grouping(
                    fields: Array(words[2..<split]), span: TimeSpan(nanoseconds: nanoseconds))
            case "rate":
                let units: [String: TimeSpan] = [
                    "second": .second, "minute": .minute, "hour": .hour, "day": .day,
                ]
                if let count = setting.integer(1), count > 0, setting.word(2)?.text == "per",
                    let unit = setting.word(3).flatMap({ units[$0.text] })
                {
                    plan.rate = SinkPlan.Rate(count: count, per: unit)
                } else {
                    report(
                        .badSetting(
                            "rate", wanted: "a count and a unit: `rate 1 per second`",
                            at: setting.range))
                }
            default:
                connector(
                    setting, key, among: Connector.sinks, others: ["when", "group", "rate"],
                    of: "sink", into: &plan.connector)
            }
        }
        if plan.connector == nil, errorFree(block) {
            report(
                .noConnector("sink", plan.name, example: "file \"alerts.ndjson\"", at: plan.range))
        }
        return plan
    }

    /// `severity >= high`
    private mutating func severityLimit(_ setting: SettingSyntax) -> Severity? {
        guard setting.items.count == 2, case .value(let condition) = setting.items[1] else {
            return nil
        }
        if case .binary(.greaterOrEqual, let left, let right, _) = condition.kind,
            case .name(let field) = left.kind, field.text == "severity",
            case .name(let name) = right.kind
        {
            if let severity = Severity(rawValue: name.text) { return severity }
            report(.unknownSeverity(name.text, at: name.range))
            return nil
        }
        if case .missing = condition.kind { return nil }
        report(
            .badSetting("when", wanted: "a least severity: `severity >= high`", at: condition.range)
        )
        return nil
    }

    // MARK: - Engine

    private mutating func engine(_ block: DeploymentDeclaration, into plan: inout EnginePlan) {
        plan.declaredIn = fileName(block.range)
        for setting in block.settings {
            guard let key = setting.key else { continue }
            switch key.text {
            case "data":
                plan.dataFolder = setting.text(1)
                if plan.dataFolder == nil {
                    report(.badSetting("data", wanted: "a folder in quotes", at: setting.range))
                }
            case "listen":
                plan.listen = setting.text(1) ?? setting.bare(1)
                if plan.listen == nil {
                    report(
                        .badSetting(
                            "listen", wanted: "an address such as `127.0.0.1:8686`",
                            at: setting.range))
                }
            case "memory":
                plan.memoryBytes = setting.integer(1)
                if (plan.memoryBytes ?? 0) <= 0 {
                    report(.badSetting("memory", wanted: "a size such as `1GB`", at: setting.range))
                }
            case "keys":
                plan.keysPerRule = count(setting, "keys", per: "rule", such: 100_000)
            case "events":
                plan.eventsPerKey = count(setting, "events", per: "key", such: 10_000)
            case "ids":
                plan.idsPerSource = count(setting, "ids", per: "source", such: 1_000_000)
            default:
                report(
                    .unknownSetting(
                        key.text, of: "engine", at: key.range,
                        similarTo: ["data", "listen", "memory", "keys", "events", "ids"]))
            }
        }
    }

    /// `keys per rule 100000`
    private mutating func count(
        _ setting: SettingSyntax, _ things: String, per unit: String, such example: Int
    ) -> Int? {
        let count = setting.integer(3)
        if setting.word(1)?.text != "per" || setting.word(2)?.text != unit || (count ?? 0) <= 0 {
            report(
                .badSetting(
                    things, wanted: "a count: `\(things) per \(unit) \(example)`",
                    at: setting.range))
        }
        return count
    }

    // MARK: - Connectors

    private mutating func connector(
        _ setting: SettingSyntax, _ key: Name, among connectors: [Connector], others: [String],
        of block: String, into plan: inout ConnectorPlan?
    ) {
        guard let known = Connector.named(key.text, among: connectors) else {
            report(
                .unknownSetting(
                    key.text, of: block, at: key.range, similarTo: others + connectors.map(\.name)))
            return
        }
        if let first = plan {
            report(.severalConnectors(block, at: key.range, first: first.range))
            return
        }
        var result = ConnectorPlan(kind: key.text, settings: [], range: key.range)
        // `file "events.ndjson"` is short for a block with its first key.
        if setting.items.count > 1, let first = known.keys.first {
            let values = self.values(Array(setting.items.dropFirst()), of: first)
            result.settings.append(
                ConnectorSetting(name: first, values: values, range: setting.range))
        }
        for inner in setting.block ?? [] {
            guard let name = inner.key else { continue }
            guard known.keys.contains(name.text) else {
                report(
                    .unknownSetting(
                        name.text, of: known.name, at: name.range, similarTo: known.keys))
                continue
            }
            let values = self.values(Array(inner.items.dropFirst()), of: name.text)
            result.settings.append(
                ConnectorSetting(name: name.text, values: values, range: inner.range))
        }
        plan = result
    }

    private mutating func values(_ items: [SettingSyntax.Item], of key: String) -> [SettingValue] {
        guard !items.isEmpty else { return [.flag] }
        // `secret file "..."`, `secret env "NAME"` (D2).
        if items.count == 3, items[0].word?.text == "secret", let kind = items[1].word,
            case .value(let value) = items[2], case .text(let literal) = value.kind
        {
            switch kind.text {
            case "file": return [.secret(.file(literal.value))]
            case "env": return [.secret(.environment(literal.value))]
            default:
                report(
                    .badSetting(
                        "secret", wanted: "`secret file \"...\"` or `secret env \"NAME\"`",
                        at: kind.range))
                return []
            }
        }
        var values: [SettingValue] = []
        for item in items {
            switch item {
            case .word(let name), .bare(let name): values.append(.text(name.text))
            case .value(let syntax):
                if Connector.secretKeys.contains(key), case .text = syntax.kind {
                    report(.plainSecret(key, at: syntax.range))
                }
                if let value = value(syntax) { values.append(value) }
            }
        }
        return values
    }

    private mutating func value(_ syntax: ExpressionSyntax) -> SettingValue? {
        switch syntax.kind {
        case .text(let literal): return .text(literal.value)
        case .number(let value, _): return .number(value)
        case .duration(let nanoseconds): return .span(TimeSpan(nanoseconds: nanoseconds))
        case .bool(let value): return .text(value ? "true" : "false")
        case .name(let name): return .text(name.text)
        case .list(let elements): return .list(elements.compactMap { value($0) })
        case .missing: return nil
        default:
            report(.notConstant(at: syntax.range))
            return nil
        }
    }

    // MARK: - Pieces of a line

    private mutating func fieldPath(_ setting: SettingSyntax, _ index: Int) -> FieldPath? {
        let text =
            setting.word(index)?.text ?? setting.bare(index) ?? setting.text(index)
        guard let text, !text.isEmpty else {
            report(
                .badSetting(
                    setting.key?.text ?? "setting", wanted: "the name of a field", at: setting.range
                ))
            return nil
        }
        return FieldPath(text.split(separator: ".").map(String.init))
    }

    private mutating func length(_ setting: SettingSyntax, _ index: Int) -> TimeSpan? {
        if index < setting.items.count, case .value(let value) = setting.items[index],
            case .duration(let nanoseconds) = value.kind
        {
            return TimeSpan(nanoseconds: nanoseconds)
        }
        if errorFree(setting) {
            report(
                .badSetting(
                    setting.key?.text ?? "setting", wanted: "a time such as `10s`",
                    at: setting.range))
        }
        return nil
    }

    private func errorFree(_ setting: SettingSyntax) -> Bool { !hasSyntaxError(in: setting.range) }

    private func errorFree(_ block: DeploymentDeclaration) -> Bool {
        !hasSyntaxError(in: block.range)
    }
}

extension SettingSyntax.Item {
    fileprivate var word: Name? {
        if case .word(let name) = self { return name }
        return nil
    }
}

extension SettingSyntax {
    fileprivate var key: Name? { items.first?.word }

    fileprivate func word(_ index: Int) -> Name? {
        index < items.count ? items[index].word : nil
    }

    fileprivate func text(_ index: Int) -> String? {
        if index < items.count, case .value(let value) = items[index],
            case .text(let literal) = value.kind
        {
            return literal.value
        }
        return nil
    }

    fileprivate func bare(_ index: Int) -> String? {
        if index < items.count, case .bare(let name) = items[index] { return name.text }
        return nil
    }

    fileprivate func integer(_ index: Int) -> Int? {
        if index < items.count, case .value(let value) = items[index],
            case .number(_, let integer?) = value.kind
        {
            return Int(exactly: integer)
        }
        return nil
    }
}
