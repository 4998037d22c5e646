import RuleModel
import RuleSyntax

/// What the caller decides about a compilation; the compiler itself reads no files.
public struct CompileOptions: Sendable {
    /// Reads the file that an `import` names; nil when there is none.
    ///
    /// The path is the import's text resolved against the folder of the importing file; an absolute
    /// one is passed as it is. The id of the result is ignored.
    public var load: @Sendable (_ path: String) -> SourceText?
    /// What makes two paths the same file. A command passes the path without links.
    public var identity: @Sendable (_ path: String) -> String
    /// Whether the expectations of `test` blocks become `probes` of their rules.
    public var includesTests: Bool
    /// The names of all time zones, asked for when a rule names one; nil: names are not checked.
    public var zones: @Sendable () -> Set<String>?

    public init(
        includesTests: Bool = false, zones: @escaping @Sendable () -> Set<String>? = { nil },
        load: @escaping @Sendable (_ path: String) -> SourceText? = { _ in nil },
        identity: @escaping @Sendable (_ path: String) -> String = normalisedPath
    ) {
        self.includesTests = includesTests
        self.zones = zones
        self.load = load
        self.identity = identity
    }
}

/// All that the compiler knows of a rule set.
public struct Compilation: Sendable {
    /// The sound rules, in order of files and lines; a rule with an error is left out.
    /// `plans[i].id.rawValue == i`.
    public var plans: [RulePlan]
    /// The same plans before the optimiser's passes, for `explain --passes`.
    public var plansAsWritten: [RulePlan]
    public var tables: RuleSetTables
    /// What an engine runs; nil exactly if there is an error.
    public var program: Program?
    /// By file, then position.
    public var diagnostics: [Diagnostic]
    /// The files given and those imported; the index is the `SourceID` of every range.
    public var sources: [SourceText]
    /// The trees of `sources`, in the same order.
    public var files: [RuleFile]
    /// Where each plan's name stands; the index is the `OriginID`.
    public var origins: [SourceRange]
    /// How many rules the files declare, good or not.
    public var ruleCount: Int
    public var tests: [TestPlan]
    public var deployment: DeploymentPlan
    /// The event types that are known, declared or not, with their fields.
    public var events: [EventSymbol]
    /// What each name in the files stands for, in no particular order, some more than once.
    public var uses: [NameUse]

    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// Compiles files together: reads their imports, resolves names, checks types, builds the plans
/// and the program.
///
/// Never fails. What is wrong is in `diagnostics`; what is sound is compiled all the same.
public func compile(_ sources: [SourceText], options: CompileOptions = CompileOptions())
    -> Compilation
{
    let set = loadRuleSet(sources, options: options)
    let checked = check(set, options: options)
    var diagnostics = set.diagnostics + checked.diagnostics + lint(set, checked)
    diagnostics = withoutAllowed(diagnostics, in: set.files)
    diagnostics.sort { $0.precedes($1) }
    let hasErrors = diagnostics.contains { $0.severity == .error }
    let plans = finished(
        checked.plans, tables: checked.tables, engine: checked.deployment.engine)
    return Compilation(
        plans: plans, plansAsWritten: checked.plans, tables: checked.tables,
        program: hasErrors ? nil : emit(plans, tables: checked.tables),
        diagnostics: diagnostics, sources: set.sources, files: set.files, origins: checked.origins,
        ruleCount: set.ruleCount, tests: checked.tests, deployment: checked.deployment,
        events: checked.symbols.events, uses: checked.uses)
}

/// Leaves out the warnings that a rule allows in itself.
private func withoutAllowed(_ diagnostics: [Diagnostic], in files: [RuleFile]) -> [Diagnostic] {
    var allowed: [(number: String, rule: SourceRange)] = []
    for file in files {
        for case .rule(let rule) in file.declarations {
            for clause in rule.clauses {
                if case .allow(let number, reason: _) = clause.kind {
                    allowed.append((number.text, rule.range))
                }
            }
        }
    }
    if allowed.isEmpty { return diagnostics }
    return diagnostics.filter { diagnostic in
        let place = diagnostic.primary.range
        return diagnostic.severity == .error
            || !allowed.contains { entry in
                entry.number == diagnostic.code.number && entry.rule.source == place.source
                    && entry.rule.start <= place.start && place.start < entry.rule.end
            }
    }
}

extension Diagnostic {
    /// The order of the output: by file, then position, then number.
    func precedes(_ other: Diagnostic) -> Bool {
        let (left, right) = (primary.range, other.primary.range)
        if left.source != right.source { return left.source < right.source }
        if left.start != right.start { return left.start < right.start }
        return code.number < other.code.number
    }
}
