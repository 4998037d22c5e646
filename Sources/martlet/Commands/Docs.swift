import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// `martlet docs`: the rules as a catalogue for people who do not read rule files.
let docsCommand = CommandSpec(
    name: "docs", summary: "write a catalogue of the rules as web pages",
    positionals: "[PATH]...",
    options: [
        OptionSpec("html", value: "DIR", "the folder to write into; made if it is not there")
    ],
    notes: [
        """
        Paths are files or folders; without one, the folder `rules` or else this one. `index.html`
        lists all rules and a matrix of MITRE ATT&CK techniques by tactic; each rule has a page with
        what it does in words, a drawing of its machine, its tests and its text. The pages need no
        network and run no script. Pages that an earlier run wrote for rules that are gone are removed,
        by the list `.martlet-docs` in the folder; no other file is, nor one that was changed since. Where
        a page would take the place of such a file, nothing is written.
        """
    ],
    examples: ["martlet docs --html site rules/"]
) { arguments throws(Failure) in
    let console = Console(arguments)
    guard let folder = arguments.value("html") else {
        throw Failure(
            .badUsage, "`docs` needs a folder to write into",
            help: "write `martlet docs --html DIR`")
    }
    let set = RuleSet(paths: rulePaths(arguments.positionals), includesTests: true)
    _ = try set.runnable(console)
    try makeFolder(folder)
    let pages = RuleCatalogue(set.compilation).pages
    let manifest = try DocsManifest(folder: folder)
    try manifest.refuseForeign(among: pages)
    for (name, page) in pages {
        try replaceFile("\(folder)/\(name)", with: Array(page.utf8))
    }
    let (removed, changed) = try manifest.exchange(for: pages)
    for path in changed {
        console.warn(
            "martlet: `\(path)` stays: its rule is gone, but it was changed after `docs` wrote it")
    }
    console.note(
        "wrote \(counted(pages.count, "page")) into \(folder)"
            + (removed > 0 ? ", removed \(grouped(removed)) of rules that are gone" : "")
            + "; begin with \(folder)/index.html")
    return .fine
}

/// The pages of a rule set.
struct RuleCatalogue {
    private let compilation: Compilation
    private let plans: [RulePlan]

    init(_ compilation: Compilation) {
        self.compilation = compilation
        plans = compilation.plans
    }

    /// File names and contents.
    var pages: [(name: String, text: String)] {
        [("index.html", index)] + plans.map { (fileName($0), page($0)) }
    }

    private func fileName(_ plan: RulePlan) -> String {
        (plan.isMetric ? "metric." : "rule.") + plan.name + ".html"
    }

    private func source(_ plan: RulePlan) -> (source: SourceText, line: Int) {
        let range = compilation.origins[plan.origin.rawValue]
        let source = compilation.sources[Int(range.source.rawValue)]
        return (source, source.position(at: range.start).line)
    }

    // MARK: - The catalogue

    private var index: String {
        let rules = plans.filter { !$0.isMetric }
        var body =
            "<header><h1>Rules</h1><p>\(counted(rules.count, "rule")), \(counted(plans.count - rules.count, "metric")), "
            + "\(counted(compilation.tests.count, "test"))</p></header>"
        var files: [String] = []
        for plan in plans where !files.contains(source(plan).source.name) {
            files.append(source(plan).source.name)
        }
        for file in files {
            let own = plans.filter { source($0).source.name == file }
            body +=
                "<section><h2>\(escapedHTML(file))</h2><table><thead><tr><th>rule<th>severity<th>kind<th>key<th>techniques<th class=n>tests</tr></thead><tbody>"
            for plan in own {
                let tests = compilation.tests.count { $0.rule == plan.id }
                body +=
                    "<tr><td><a href=\"\(escapedHTML(fileName(plan)))\">\(escapedHTML(plan.name))</a>"
                    + "<small>\(escapedHTML(plan.metadata.title ?? ""))\(plan.metadata.isEnabled ? "" : " (switched off)")</small>"
                    + "<td>\(plan.isMetric ? "" : severity(plan))<td>\(kind(plan))"
                    + "<td>\(escapedHTML(plan.keyNames.joined(separator: ", ")))"
                    + "<td>\(escapedHTML(plan.metadata.attack.joined(separator: ", ")))"
                    + "<td class=n>\(plan.isMetric ? "" : String(tests))</tr>"
            }
            body += "</tbody></table></section>"
        }
        return htmlPage(title: "Rules", body: body + matrix(rules))
    }

    private func severity(_ plan: RulePlan) -> String {
        let word = plan.metadata.severity.rawValue
        return "<i class=\"\(word)\"></i>\(word)"
    }

    private func kind(_ plan: RulePlan) -> String {
        switch plan.pattern {
        case .sequence: "sequence"
        case .threshold: "threshold"
        case .correlation: "correlation"
        case .anomaly: "anomaly cluster"
        case .metric: "metric"
        }
    }

    /// Which techniques the rules name, by tactic. A technique of several tactics stands under each.
    private func matrix(_ rules: [RulePlan]) -> String {
        var byTechnique: [String: [RulePlan]] = [:]
        for plan in rules {
            for id in plan.metadata.attack where id.hasPrefix("T") && !id.hasPrefix("TA") {
                byTechnique[id, default: []].append(plan)
            }
        }
        guard !byTechnique.isEmpty else { return "" }
        var columns: [(name: String, techniques: [String])] = RuleMetadata.tactics.map { tactic in
            (
                tactic.name,
                byTechnique.keys.filter {
                    attackTechniques[tactic.name]?.contains(String($0.prefix(5))) ?? false
                }.sorted()
            )
        }
        let placed = Set(columns.flatMap(\.techniques))
        columns.append(("other", byTechnique.keys.filter { !placed.contains($0) }.sorted()))
        columns.removeAll { $0.techniques.isEmpty }
        var text =
            "<section><h2>MITRE ATT&amp;CK</h2><p>\(counted(byTechnique.count, "technique")) in \(counted(columns.count, "tactic"))</p><div class=matrix>"
        for column in columns {
            text += "<div><b>\(column.name)</b>"
            for technique in column.techniques {
                let plans = byTechnique[technique] ?? []
                text += "<p>\(escapedHTML(technique))<small>"
                text += plans.map {
                    "<a href=\"\(escapedHTML(fileName($0)))\">\(escapedHTML($0.name))</a>"
                }.joined(separator: "<br>")
                text += "</small></p>"
            }
            text += "</div>"
        }
        return text + "</div></section>"
    }

    // MARK: - A rule

    private func page(_ plan: RulePlan) -> String {
        let (source, line) = source(plan)
        let data = plan.metadata
        var facts: [(String, String)] = [("file", "\(source.name):\(line)"), ("kind", kind(plan))]
        if !plan.keyNames.isEmpty { facts.append(("key", plan.keyNames.joined(separator: ", "))) }
        if !data.tags.isEmpty { facts.append(("tags", data.tags.joined(separator: ", "))) }
        if !data.attack.isEmpty { facts.append(("ATT&CK", data.attack.joined(separator: ", "))) }
        if let owner = data.owner { facts.append(("owner", owner)) }
        if let runbook = data.runbook { facts.append(("runbook", runbook)) }
        for text in data.references { facts.append(("reference", text)) }
        for text in data.falsePositives { facts.append(("false positive", text)) }
        if !plan.emit.sinks.isEmpty {
            facts.append(("sends to", plan.emit.sinks.joined(separator: ", ")))
        }
        var body =
            "<header><p><a href=\"index.html\">All rules</a></p><h1>\(escapedHTML(plan.name))</h1>"
            + "<p>\(escapedHTML(data.title ?? ""))</p></header>"
        if !plan.isMetric { body += "<p>\(severity(plan))</p>" }
        body +=
            "<table>"
            + facts.map { "<tr><th>\(escapedHTML($0.0))<td>\(escapedHTML($0.1))</tr>" }.joined()
            + "</table><section><h2>What it does</h2><pre>"
            + escapedLines(explain(plan, tables: compilation.tables, program: compilation.program))
            + "</pre></section>"
        let drawing = machineDrawing(plan, tables: compilation.tables)
        if !drawing.isEmpty {
            body += "<section><h2>Machine</h2><div class=drawing>\(drawing)</div></section>"
        }
        let tests = compilation.tests.filter { $0.rule == plan.id }
        if !plan.isMetric {
            body += "<section><h2>Tests</h2>"
            if tests.isEmpty { body += "<p>This rule has no test.</p>" }
            for test in tests {
                let own = compilation.sources[Int(test.range.source.rawValue)]
                body +=
                    "<details><summary>\(escapedHTML(test.title))</summary><pre>\(escapedLines(own.text(test.range)))</pre></details>"
            }
            body += "</section>"
        }
        if let text = text(of: plan) {
            body += "<section><h2>Rule</h2><pre>\(escapedLines(text))</pre></section>"
        }
        return htmlPage(title: plan.name, body: body)
    }

    private func text(of plan: RulePlan) -> String? {
        let range = compilation.origins[plan.origin.rawValue]
        let file = compilation.files[Int(range.source.rawValue)]
        for declaration in file.declarations {
            let own: SourceRange
            switch declaration {
            case .rule(let rule): own = rule.range
            case .metric(let metric): own = metric.range
            default: continue
            }
            if own.start <= range.start, range.end <= own.end {
                return compilation.sources[Int(range.source.rawValue)].text(own)
            }
        }
        return nil
    }

    private func escapedLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { escapedHTML(String($0)) }.joined(separator: "\n")
    }
}
