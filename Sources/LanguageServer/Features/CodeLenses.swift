import RuleCompiler
import RuleModel
import RuleSyntax

/// The command behind "run test".
let runTestCommand = "martlet.runTest"

// A lens above every test and above every rule that has some.

extension LanguageServer {
    func codeLenses(_ view: DocumentView) -> JSONDocument {
        let uri = workspace.uri(of: view.source)
        var lenses: [(start: UInt32, lens: JSONDocument)] = []
        for test in view.file.tests {
            let lens = lens(
                "run test", test.title.range, view,
                arguments: [.text(uri), .text(test.rule.text), .text(test.title.value)])
            lenses.append((test.range.start, lens))
        }
        let tested = view.compilation.files.flatMap(\.tests)
        for rule in view.file.rules {
            let count = tested.count { $0.rule.text == rule.name.text }
            guard count > 0 else { continue }
            let lens = lens(
                count == 1 ? "run its test" : "run \(count) tests", rule.name.range, view,
                arguments: [.text(uri), .text(rule.name.text)])
            lenses.append((rule.range.start, lens))
        }
        return .array(lenses.sorted { $0.start < $1.start }.map(\.lens))
    }

    private func lens(
        _ title: String, _ range: SourceRange, _ view: DocumentView, arguments: [JSONDocument]
    ) -> JSONDocument {
        [
            "range": view.map.json(range),
            "command": [
                "title": .text(title), "command": .text(runTestCommand),
                "arguments": .array(arguments),
            ],
        ]
    }

    /// `martlet.runTest` with the URI of an open file, a rule's name, and perhaps a test's title; the
    /// result is shown as a message and is the answer.
    mutating func execute(_ parameters: JSONDocument) throws(RequestFault) -> JSONDocument {
        let command = parameters["command"]?.text ?? ""
        guard command == runTestCommand else {
            throw RequestFault(.invalidParameters, "there is no command `\(command)`")
        }
        let arguments = parameters["arguments"]?.elements ?? []
        guard arguments.count >= 2, let uri = arguments[0].text, let rule = arguments[1].text else {
            throw RequestFault(
                .invalidParameters, "`\(runTestCommand)` needs a URI, a rule and perhaps a title")
        }
        guard let view = workspace.view(uri) else {
            throw RequestFault(.invalidParameters, "`\(uri)` is not open")
        }
        let title = arguments.count > 2 ? arguments[2].text : nil
        let report = run(view.compilation, rule: rule, title: title)
        send(
            "window/showMessage",
            ["type": .number(report.passed ? 3 : 1), "message": .text(report.text)])
        return ["passed": .bool(report.passed), "text": .text(report.text)]
    }

    private func run(_ compilation: Compilation, rule: String, title: String?)
        -> ServerEnvironment.TestReport
    {
        // One mistake anywhere and there is no program; `martlet test` refuses then, too.
        guard compilation.program != nil else {
            let errors = compilation.diagnostics.count { $0.severity == .error }
            return ServerEnvironment.TestReport(
                passed: false,
                text: "nothing was run: the rules have \(errors) error\(errors == 1 ? "" : "s")")
        }
        let tests = compilation.tests.filter { test in
            compilation.plans[test.rule.rawValue].name == rule
                && (title == nil || test.title == title)
        }
        guard !tests.isEmpty else {
            return ServerEnvironment.TestReport(passed: false, text: "there is no such test")
        }
        return environment.runTests(compilation, tests)
    }
}
