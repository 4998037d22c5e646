import RuleModel
import RuleSyntax

// The event types that the engine itself makes.

extension EventSymbol {
    /// `alert`: what is in every alert. Its key, measures and attached values have the names that
    /// the rule gave them, so other fields may be there too.
    static let alert: EventSymbol = {
        var event = EventSymbol(name: "alert", kind: .alert)
        let fields: [(String, ValueType, optional: Bool)] = [
            ("id", .text, false), ("rule", .text, false), ("kind", .text, false),
            ("state", .text, false), ("severity", severityType, false), ("title", .text, true),
            ("message", .text, false), ("tags", .list(.text), false),
            ("attack", .list(.text), false), ("tactic", .text, true), ("owner", .text, true),
            ("strength", .number, false), ("confidence", .number, false),
            ("matched_at", .time, false), ("first_time", .time, false),
            ("last_time", .time, false), ("duration", .span, false),
        ]
        for (name, type, isOptional) in fields {
            _ = event.add(
                Field(path: FieldPath([name]), type: type, isOptional: isOptional, range: nil))
        }
        return event
    }()

    /// `risk.NAME`: points that an alert put on an entity, and what the entity has come to.
    static func risk(_ name: String) -> EventSymbol {
        var event = EventSymbol(name: "risk.\(name)", kind: .risk(name))
        let fields: [(String, ValueType)] = [
            (name, .unknown), ("points", .number), ("score", .number), ("rule", .text),
            ("severity", severityType), ("alert", .text),
        ]
        for (name, type) in fields {
            _ = event.add(
                Field(path: FieldPath([name]), type: type, isOptional: false, range: nil))
        }
        return event
    }

    /// Severities have an order of their own, which is not that of the alphabet.
    static let severityType = ValueType.enumeration(Severity.allCases.map(\.rawValue))
}

extension ExpressionSyntax {
    /// Whether the expression reads a field or value of this name.
    func names(_ name: String) -> Bool {
        if case .name(let own) = kind { return own.text == name }
        return children.contains { $0.names(name) }
    }
}
