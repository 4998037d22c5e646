import RuleCompiler
import RuleModel
import RuleSyntax
import StreamRuntime

/// The rules that a command works on: read, compiled, and what was wrong with them.
struct RuleSet {
    var compilation: Compilation
    /// Files and folders that could not be read.
    var problems: [String]

    /// Reads and compiles files and folders together.
    init(paths: [String], includesTests: Bool = false) {
        var files = RuleFiles(paths: paths)
        self.init(files: &files, includesTests: includesTests)
    }

    init(files: inout RuleFiles, includesTests: Bool) {
        compilation = compile(
            files.sources,
            options: CompileOptions(
                includesTests: includesTests, zones: knownZones,
                load: { path in
                    readFile(path).map {
                        SourceText(id: SourceID(rawValue: 0), name: path, bytes: $0)
                    }
                },
                identity: canonicalPath))
        problems = files.problems
    }

    /// Prints what is wrong on standard error.
    ///
    /// - Returns: The program, for commands that run rules.
    /// - Throws: when there is an error or an unreadable file.
    func runnable(_ console: Console) throws(Failure) -> Program {
        if !console.isQuiet || compilation.hasErrors || !problems.isEmpty {
            writeAll(2, Array(findings(colour: console.coloursErrors).utf8))
        }
        return try program()
    }

    /// What is wrong, from warnings up, as text of whole lines.
    func findings(colour: Bool) -> String {
        let shown = compilation.diagnostics.filter { $0.severity >= .warning }
        return problems.map { "martlet: \($0)\n" }.joined()
            + (shown.isEmpty
                ? ""
                : render(shown, sources: compilation.sources, format: .text, colour: colour))
    }

    /// - Throws: when there is an error or an unreadable file.
    func program() throws(Failure) -> Program {
        guard let program = compilation.program else {
            throw Failure(
                .badRules, "the rules do not compile, so nothing was run",
                help: "`martlet check` shows the same messages without running anything")
        }
        guard problems.isEmpty else {
            throw Failure(.badRules, "some rules could not be read, so nothing was run")
        }
        guard !program.rules.isEmpty else {
            throw Failure(
                .badRules,
                "there is no rule to run in \(counted(compilation.sources.count, "file"))",
                help: "name a file or folder with `--rules PATH`")
        }
        return program
    }
}
