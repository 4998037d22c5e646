import RuleCompiler
import RuleSyntax

/// `martlet plan`: what a reload would do to the state of each rule.
let planCommand = CommandSpec(
    name: "plan", summary: "say what a reload from one set of rules to another would do",
    positionals: "OLD NEW",
    options: [OptionSpec("format", choices: ["text", "json"], "how to print it (default: text)")],
    notes: [
        """
        OLD and NEW are files or folders. A rule keeps its state when what that depends on is as it
        was: kind, keys, inputs, steps with their conditions, windows, policies. Other rules begin
        anew, and the parts that changed are printed. What else changed costs nothing.

        Exit 1: the state of some rule would be dropped, since it begins anew or is removed.
        `martlet reload --dry-run` says the same of a running engine, with what each rule holds.
        """
    ],
    examples: ["martlet plan rules.before rules", "martlet plan --format json old.rules new.rules"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard arguments.positionals.count == 2 else {
        throw Failure(
            .badUsage, "`plan` needs two sets of rules, and got \(arguments.positionals.count)",
            help: "write `martlet plan OLD NEW`")
    }
    let old = try plans(arguments.positionals[0], console)
    let new = try plans(arguments.positionals[1], console)
    let plan = ReloadPlan(from: old, to: new)
    let isJSON = arguments.value("format") == "json"
    console.print(isJSON ? JSONDocument.object(plan.jsonMembers).line : plan.text)
    return plan.dropsState ? .findings : .fine
}

private func plans(_ path: String, _ console: Console) throws(Failure) -> RuleSetPlans {
    let set = RuleSet(paths: [path])
    _ = try set.runnable(console)
    return RuleSetPlans(plans: set.compilation.plans, tables: set.compilation.tables)
}
