import RuleSyntax

extension Lints {
    /// W0605: a `let`, `define`, `select`, `list` or `schedule` that nothing uses.
    ///
    /// Only in files that have rules: a file of definitions is there for others to import.
    mutating func reportUnusedNames(in file: RuleFile) {
        let hasRules = file.declarations.contains { declaration in
            switch declaration {
            case .rule, .metric: true
            default: false
            }
        }
        guard hasRules else { return }
        for declaration in file.declarations {
            guard let (name, kind) = declaration.helper, words.count(of: name.text) == 1 else {
                continue
            }
            report(.unusedName(name.text, kind: kind, at: name.range))
        }
    }
}

extension Declaration {
    /// The name of a declaration that exists only for rules to use.
    fileprivate var helper: (name: Name, kind: String)? {
        switch self {
        case .select(let select): (select.name, "select")
        case .list(let list): (list.name, "list")
        case .schedule(let schedule): (schedule.name, "schedule")
        case .let(let constant): (constant.name, "constant")
        case .define(let define): (define.name, "definition")
        case .import, .event, .rule, .metric, .test, .deployment: nil
        }
    }
}
