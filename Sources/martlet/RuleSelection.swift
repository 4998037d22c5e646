import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// Which rules a run takes from which files: at its start, and each time they are read again.
struct RuleSelection: Sendable {
    /// Files and folders.
    var paths: [String]
    /// Names of the rules that run; empty: all.
    var wanted: [String]
    /// Whether metrics that no rule reads are measured.
    var keepsMetrics: Bool
    /// Where people's judgements of alerts lie, from which rules have their confidence; nil: rules have
    /// what they state.
    var dataFolder: String?

    /// Reads and compiles the files; what is wrong with them is in the set.
    func read() -> RuleSet { RuleSet(paths: paths) }

    /// What of a rule set runs, with the lists it reads.
    ///
    /// - Throws: when there is an error, an unreadable file or list, or nothing to run.
    func rules(of set: RuleSet) throws(Failure) -> RunnableRules {
        var program = try set.program()
        for name in wanted where !program.rules.contains(where: { $0.name == name }) {
            throw Failure(
                .badUsage, "there is no rule `\(name)` that runs",
                help: suggest(name, among: program.rules.map(\.name)).map {
                    "there is a rule with a similar name: `\($0)`"
                })
        }
        if !wanted.isEmpty {
            let ids = program.rules.filter { wanted.contains($0.name) }.map(\.id)
            let needed = withSources(Set(ids), in: set.compilation.plans)
            program.rules.removeAll { !needed.contains($0.id) }
        }
        // What nobody reads need not be measured.
        let isIdle: (RuleProgram) -> Bool = { $0.isMetric && !$0.place.isRead }
        // To remove none would be to copy them all.
        if !keepsMetrics, program.rules.contains(where: isIdle) {
            program.rules.removeAll(where: isIdle)
            guard !program.rules.isEmpty else {
                throw Failure(
                    .badRules, "there is no rule to run, and no rule reads the metrics",
                    help: "print them with `--metrics`")
            }
        }
        if let dataFolder, let judgements = try orFail({ try Judgements(dataFolder: dataFolder) }) {
            for index in program.rules.indices {
                program.rules[index].metadata.confidence = judgements.confidence(
                    stated: program.rules[index].metadata.confidence,
                    rule: program.rules[index].name)
            }
        }
        return RunnableRules(
            program: program,
            environment: EngineEnvironment(
                lists: try loadLists(program.tables.lists), zones: zoneTables(of: program)),
            compilation: set.compilation)
    }
}

/// Rules that can run, with all that they read.
struct RunnableRules: Sendable {
    var program: Program
    var environment: EngineEnvironment
    var compilation: Compilation

    /// Looks at the list files.
    var listWatcher: ListWatcher {
        ListWatcher(program.tables.lists, defaultRefresh: .second)
    }

    /// The plans of the rules that run.
    var plans: RuleSetPlans {
        let ids = Set(program.rules.map(\.id))
        return RuleSetPlans(
            plans: compilation.plans.filter { ids.contains($0.id) }, tables: compilation.tables)
    }
}
