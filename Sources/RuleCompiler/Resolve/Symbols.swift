import RuleModel
import RuleSyntax

/// The shape of an event as far as it is known.
public struct EventSymbol: Sendable {
    public enum Kind: Sendable, Equatable {
        case declared
        /// Named by a rule and declared nowhere: every field is of unknown type (T7).
        case undeclared
        /// `alert`: the fields of an alert, its key and its metadata.
        case alert
        /// `metric.NAME`, made by a metric.
        case metric(String)
        /// `risk.NAME`, made by rules with `risk ... on NAME`.
        case risk(String)
    }

    public struct Field: Sendable {
        public var path: FieldPath
        public var type: ValueType
        public var isOptional: Bool
        public var range: SourceRange?
    }

    public var name: String
    public var kind: Kind
    /// In order of declaration; `index` finds one by its dotted name.
    public var fields: [Field] = []
    var index: [String: Int] = [:]
    /// The name in the declaration.
    public var range: SourceRange?

    /// Whether a field that is not listed is a mistake.
    var isClosed: Bool {
        switch kind {
        case .declared, .metric, .risk: true
        case .undeclared, .alert: false
        }
    }
    var fieldNames: [String] { fields.map(\.path.description) }

    func field(_ name: String) -> Field? { index[name].map { fields[$0] } }

    /// Returns the earlier field of the same name, if there is one.
    mutating func add(_ field: Field) -> Field? {
        let name = field.path.description
        if let earlier = index[name] { return fields[earlier] }
        index[name] = fields.count
        fields.append(field)
        return nil
    }
}

struct ListSymbol {
    var declaration: ListDeclaration
    var kind: ListPlan.Kind
    var id: ListID
}

/// A name that stands for something that is worked out when it is first used.
enum Lazily<Value> {
    case untouched
    /// Its own definition leads back to it.
    case inProgress
    case known(Value)
}

/// The names that all files of a rule set share. Order is that of files and lines.
struct Symbols {
    var events: [EventSymbol] = []
    var eventIndex: [String: Int] = [:]
    var selects: [SelectDeclaration] = []
    var selectIndex: [String: Int] = [:]
    var lists: [ListSymbol] = []
    var listIndex: [String: Int] = [:]
    var schedules: [ScheduleDeclaration] = []
    var scheduleIndex: [String: Int] = [:]
    var lets: [LetDeclaration] = []
    var letIndex: [String: Int] = [:]
    var defines: [DefineDeclaration] = []
    var defineIndex: [String: Int] = [:]
    var rules: [RuleDeclaration] = []
    var ruleIndex: [String: Int] = [:]
    var metrics: [MetricDeclaration] = []
    var metricIndex: [String: Int] = [:]
    var sinks: [DeploymentDeclaration] = []
    var sinkIndex: [String: Int] = [:]
    var streams: [DeploymentDeclaration] = []
    var streamIndex: [String: Int] = [:]
    var tests: [TestDeclaration] = []
    var engines: [DeploymentDeclaration] = []
    /// Names of the streams a rule can read, for suggestions.
    var streamNames: [String] {
        events.filter(\.isClosed).map(\.name) + selects.map(\.name.text)
    }
}

/// Gathers the declarations of all files; reports names that are given twice (E0303).
func collectSymbols(_ set: LoadedRuleSet, into diagnostics: inout [Diagnostic]) -> Symbols {
    var collector = SymbolCollector(set: set)
    for file in set.files {
        for declaration in file.declarations { collector.add(declaration) }
    }
    diagnostics += collector.diagnostics
    return collector.symbols
}

private struct SymbolCollector {
    let set: LoadedRuleSet
    var symbols = Symbols()
    var diagnostics: [Diagnostic] = []

    init(set: LoadedRuleSet) { self.set = set }

    mutating func add(_ declaration: Declaration) {
        switch declaration {
        case .import: break
        case .event(let event): add(event)
        case .select(let select):
            let first = symbols.selectIndex[select.name.text].map { symbols.selects[$0].name }
            if isNew(select.name, kind: "select", first: first) {
                symbols.selectIndex[select.name.text] = symbols.selects.count
                symbols.selects.append(select)
            }
        case .list(let list): add(list)
        case .schedule(let schedule):
            let first = symbols.scheduleIndex[schedule.name.text].map { symbols.schedules[$0].name }
            if isNew(schedule.name, kind: "schedule", first: first) {
                symbols.scheduleIndex[schedule.name.text] = symbols.schedules.count
                symbols.schedules.append(schedule)
            }
        case .let(let constant):
            let first = symbols.letIndex[constant.name.text].map { symbols.lets[$0].name }
            if isNew(constant.name, kind: "constant", first: first) {
                symbols.letIndex[constant.name.text] = symbols.lets.count
                symbols.lets.append(constant)
            }
        case .define(let define):
            let first = symbols.defineIndex[define.name.text].map { symbols.defines[$0].name }
            if isNew(define.name, kind: "definition", first: first) {
                symbols.defineIndex[define.name.text] = symbols.defines.count
                symbols.defines.append(define)
            }
        case .rule(let rule):
            let first = symbols.ruleIndex[rule.name.text].map { symbols.rules[$0].name }
            // A second rule of one name is still checked: only its name is wrong.
            if isNew(rule.name, kind: "rule", first: first) {
                symbols.ruleIndex[rule.name.text] = symbols.rules.count
            }
            symbols.rules.append(rule)
        case .metric(let metric):
            let first = symbols.metricIndex[metric.name.text].map { symbols.metrics[$0].name }
            if isNew(metric.name, kind: "metric", first: first) {
                symbols.metricIndex[metric.name.text] = symbols.metrics.count
                symbols.metrics.append(metric)
            }
        case .test(let test): symbols.tests.append(test)
        case .deployment(let block): add(block)
        }
    }

    private mutating func add(_ event: EventDeclaration) {
        let name = event.path.text
        if RuleSetTables.isMade(name) {
            diagnostics.append(.reservedEvent(name, at: event.path.range))
            return
        }
        if let earlier = symbols.eventIndex[name], let range = symbols.events[earlier].range {
            _ = isNew(
                Name(name, event.path.range), kind: "event", first: Name(name, range))
            return
        }
        var symbol = EventSymbol(name: name, kind: .declared, range: event.path.range)
        for field in event.fields {
            let type = valueType(of: field.type)
            // `any` promises nothing, not even that there is a value.
            let new = EventSymbol.Field(
                path: FieldPath(field.path.segments.map(\.text)),
                type: type, isOptional: field.isOptional || type.isUnknown,
                range: field.path.range)
            if let earlier = symbol.add(new), let range = earlier.range {
                diagnostics.append(
                    .duplicateName(
                        field.path.text, kind: "field", at: field.path.range, first: range,
                        place: nil))
            }
        }
        symbols.eventIndex[name] = symbols.events.count
        symbols.events.append(symbol)
    }

    private mutating func add(_ list: ListDeclaration) {
        let first = symbols.listIndex[list.name.text].map { symbols.lists[$0].declaration.name }
        guard isNew(list.name, kind: "list", first: first) else { return }
        var kind = ListPlan.Kind.text
        if let element = list.element {
            if let known = ListPlan.Kind(rawValue: element.text) {
                kind = known
            } else {
                diagnostics.append(.unknownListKind(element))
            }
        } else if let values = list.values, let value = values.first {
            switch value.kind {
            case .number: kind = .number
            case .list: kind = .pair
            default: break
            }
        }
        symbols.listIndex[list.name.text] = symbols.lists.count
        symbols.lists.append(
            ListSymbol(declaration: list, kind: kind, id: ListID(symbols.lists.count)))
    }

    private mutating func add(_ block: DeploymentDeclaration) {
        switch block.kind {
        case .engine:
            if let first = symbols.engines.first {
                diagnostics.append(
                    .duplicateName(
                        "engine", kind: "block", at: block.range, first: first.range,
                        place: place(first.range)))
            }
            symbols.engines.append(block)
        case .sink:
            guard let name = block.name else { return symbols.sinks.append(block) }
            let first = symbols.sinkIndex[name.text].flatMap { symbols.sinks[$0].name }
            if isNew(name, kind: "sink", first: first) {
                symbols.sinkIndex[name.text] = symbols.sinks.count
                symbols.sinks.append(block)
            }
        case .source:
            guard let name = block.name else { return symbols.streams.append(block) }
            let first = symbols.streamIndex[name.text].flatMap { symbols.streams[$0].name }
            if isNew(name, kind: "source", first: first) {
                symbols.streamIndex[name.text] = symbols.streams.count
                symbols.streams.append(block)
            }
        }
    }

    private mutating func isNew(_ name: Name, kind: String, first: Name?) -> Bool {
        guard let first else { return true }
        diagnostics.append(
            .duplicateName(
                name.text, kind: kind, at: name.range, first: first.range, place: place(first.range)
            ))
        return false
    }

    /// `rules/auth.rules:8:6`
    private func place(_ range: SourceRange) -> String {
        let source = set.sources[Int(range.source.rawValue)]
        let (line, column) = source.position(at: range.start)
        return "\(source.name):\(line):\(column)"
    }

    private mutating func valueType(of syntax: TypeSyntax) -> ValueType {
        switch syntax.kind {
        case .named(let name):
            if let type = namedTypes[name] { return type }
            diagnostics.append(.unknownType(name, at: syntax.range))
            return .unknown
        case .oneOf(let cases): return .enumeration(cases.map(\.value))
        case .list(let element): return .list(valueType(of: element))
        }
    }
}

/// The types a field can be declared with, by name.
let namedTypes: [String: ValueType] = [
    "bool": .bool, "number": .number, "text": .text, "ip": .ip, "cidr": .network, "time": .time,
    "duration": .span, "any": .unknown,
]

/// The same in the order in which messages list them.
let typeNames = ["text", "number", "bool", "ip", "cidr", "time", "duration", "any"]

/// What other languages call our types.
let typeSynonyms: [String: String] = [
    "int": "number", "integer": "number", "float": "number", "double": "number", "long": "number",
    "decimal": "number", "string": "text", "str": "text", "keyword": "text", "varchar": "text",
    "boolean": "bool", "timestamp": "time", "datetime": "time", "date": "time",
    "timespan": "duration", "interval": "duration", "network": "cidr", "ipaddress": "ip",
    "inet": "ip", "array": "[text]", "list": "[text]",
]
