import RuleModel
import RuleSyntax

/// A place where a name stands for something that is declared: what an editor needs to jump, to
/// rename, and to say the type of.
///
/// The checker notes one at every name that it resolves, and one at every declaration, so nobody
/// resolves names a second time. One place may have several: `by user` names the field of every
/// event type that the rule looks at.
public struct NameUse: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case event, field, select, list, schedule, constant, define, parameter, rule, metric
        case step, measure, key, variable, source, sink
    }

    /// Where the name stands; a dotted name is one range.
    public var range: SourceRange
    public var kind: Kind
    /// Where the same name is declared; equal to `range` at the declaration itself.
    public var declaration: SourceRange
    /// The type of the value; nil where the name stands for no value.
    public var type: ValueType?
    public var isOptional: Bool

    public var isDeclaration: Bool { range == declaration }
}

extension Checker {
    /// Notes what the name at a range stands for.
    ///
    /// Does nothing where the declaration has no place, as with the fields of alerts.
    mutating func use(
        _ kind: NameUse.Kind, at range: SourceRange, of declaration: SourceRange?,
        type: ValueType? = nil, isOptional: Bool = false
    ) {
        guard let declaration else { return }
        uses.append(
            NameUse(
                range: range, kind: kind, declaration: declaration, type: type,
                isOptional: isOptional))
    }

    /// Notes a name at its own declaration.
    mutating func declare(_ kind: NameUse.Kind, _ range: SourceRange?, type: ValueType? = nil) {
        if let range { use(kind, at: range, of: range, type: type) }
    }

    /// Notes the declarations that all files share. Steps, measures and keys are noted where the
    /// rule is checked.
    mutating func declareSymbols() {
        for event in symbols.events {
            declare(event.useKind, event.range)
            for field in event.fields {
                guard let range = field.range else { continue }
                use(.field, at: range, of: range, type: field.type, isOptional: field.isOptional)
            }
        }
        for select in symbols.selects { declare(.select, select.name.range) }
        for list in symbols.lists { declare(.list, list.declaration.name.range) }
        for schedule in symbols.schedules { declare(.schedule, schedule.name.range) }
        for (index, constant) in symbols.lets.enumerated() {
            declare(.constant, constant.name.range, type: letValue(index).type)
        }
        for define in symbols.defines { declare(.define, define.name.range) }
        for rule in symbols.rules { declare(.rule, rule.name.range) }
        for sink in symbols.sinks { declare(.sink, sink.name?.range) }
        for source in symbols.streams { declare(.source, source.name?.range) }
    }

    /// Notes the names of the rule's key: where it is declared, and everywhere it is read.
    ///
    /// A key part is a field of each event that has no alias for it, so its name stands for all of
    /// those fields. Where there is none it is a name of the rule's own. Called once all inputs are
    /// known.
    mutating func noteKeyUses() {
        for part in rule.keys {
            for place in [part.range] + part.mentions {
                if part.declarations.isEmpty {
                    use(.key, at: place, of: part.range, type: part.type)
                }
                for field in part.declarations {
                    use(.field, at: place, of: field, type: part.type)
                }
            }
        }
    }
}

extension EventSymbol {
    /// What its name is: a metric's stands for the metric.
    var useKind: NameUse.Kind {
        if case .metric = kind { return .metric }
        return .event
    }
}

extension [Name] {
    /// From the first name to the last.
    var joinedRange: SourceRange { self[0].range.joined(with: self[count - 1].range) }
}
