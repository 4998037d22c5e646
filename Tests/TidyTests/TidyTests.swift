import RuleSyntax
import Testing

/// Reads the sources and holds them to the architecture. Invariants, not taste.
@Suite("Tidy") struct TidyTests {
    /// Our own modules that each target may import. Nothing of one tower is in the other.
    private static let edges: [String: Set<String>] = [
        "RuleModel": [],
        "RuleSyntax": [],
        "RuleCompiler": ["RuleModel", "RuleSyntax", "TextPatterns"],
        "LanguageServer": ["RuleModel", "RuleSyntax", "RuleCompiler"],
        "RuleImport": ["RuleSyntax", "RuleCompiler", "CYaml"],
        "MatchEngine": ["RuleModel", "TextPatterns", "CPrefetch"],
        "StreamRuntime": [
            "RuleModel", "MatchEngine", "CZlib", "CZstd", "CCurl", "CCrypto", "CSQLite",
        ],
        "TextPatterns": ["CTextPatterns"],
        "martlet": [
            "RuleModel", "RuleSyntax", "RuleCompiler", "LanguageServer", "RuleImport",
            "MatchEngine", "StreamRuntime", "CBench",
        ],
    ]

    /// Modules without Foundation, input or output, clocks or tasks.
    private static let pure = [
        "RuleModel", "RuleSyntax", "RuleCompiler", "LanguageServer", "RuleImport", "MatchEngine",
    ]

    /// Files that need C's functions for computing: trigonometry, and searching in bytes.
    private static let computeWithC = [
        "Sources/MatchEngine/Evaluate/Functions.swift",
        "Sources/MatchEngine/Evaluate/TextTests.swift",
    ]

    @Test("there are sources to read") func thereAreSources() {
        #expect(SourceTree.sources.count > 30)
        #expect(SourceTree.tests.count > 10)
        #expect(Set(SourceTree.sources.map(\.target)).isSubset(of: Self.edges.keys))
    }

    @Test("the towers meet in the waist only, and at the executable") func imports() {
        let own = Set(Self.edges.keys).union(Self.edges.values.flatMap(\.self))
        for file in SourceTree.sources {
            for (number, line) in file.code where line.hasPrefix("import ") {
                let module = String(line.dropFirst("import ".count))
                guard own.contains(module) else { continue }
                #expect(
                    Self.edges[file.target]?.contains(module) == true,
                    "\(file.path):\(number) imports \(module)")
            }
        }
    }

    @Test("the pure modules import nothing of the system and do nothing but compute")
    func purity() {
        let system = ["Foundation", "Glibc", "Dispatch", "Synchronization", "Observation"]
        let deeds = [
            "print(", "debugPrint(", "readLine(", "Task {", "Task.", "async ", "await ",
            "DispatchQueue",
            "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", ".random(in:",
            "CommandLine.", "FileManager",
        ]
        for file in SourceTree.sources where Self.pure.contains(file.target) {
            for (number, line) in file.code {
                for module in system where line.hasPrefix("import \(module)") {
                    if module == "Glibc", Self.computeWithC.contains(file.path) { continue }
                    Issue.record("\(file.path):\(number) imports \(module)")
                }
                // What stands in quotes is shown to users, not done.
                let code = withoutTexts(line)
                for deed in deeds where code.contains(deed) {
                    let isPartOfName = deed == "print(" && code.contains("Print(")
                    #expect(isPartOfName, "\(file.path):\(number) has `\(deed)`")
                }
            }
        }
    }

    @Test("nothing opts out of safety") func safety() {
        let forbidden = [
            "try!", "@unchecked Sendable", "nonisolated(unsafe)", "as!",
        ]
        for file in SourceTree.sources + SourceTree.tests where file.target != "TidyTests" {
            for (number, line) in file.code {
                for word in forbidden where withoutTexts(line).contains(word) {
                    // From one vector to another of as many bits, nothing can go wrong.
                    if word == "unsafeBitCast", line.contains("to: SIMD") { continue }
                    Issue.record("\(file.path):\(number) has `\(word)`")
                }
            }
        }
    }

    @Test("nothing is left for later") func nothingLeftForLater() {
        for file in SourceTree.sources + SourceTree.tests where file.target != "TidyTests" {
            for (index, line) in file.lines.enumerated() {
                for word in ["TODO", "FIXME"] where line.contains(word) {
                    Issue.record("\(file.path):\(index + 1) has \(word)")
                }
            }
        }
    }

    @Test("fatal errors say why") func fatalErrors() {
        for file in SourceTree.sources {
            for (number, line) in file.code {
                #expect(!line.contains("fatalError()"), "\(file.path):\(number)")
                #expect(!line.contains("fatalError(\"\")"), "\(file.path):\(number)")
            }
        }
    }

    @Test("every public type and function has a doc comment") func documentation() {
        for file in SourceTree.sources {
            for (index, line) in file.lines.enumerated() where isDocumented(kind: line, in: file) {
                var above = index - 1
                while above >= 0, file.lines[above].trimmedText.hasPrefix("@") { above -= 1 }
                #expect(
                    above >= 0 && file.lines[above].trimmedText.hasPrefix("///"),
                    "\(file.path):\(index + 1) has no doc comment: \(line.trimmedText)")
            }
        }
    }

    /// Types of a file's top level and functions. Members that a protocol asks for are documented
    /// there, nested types and stored properties where the type is.
    private func isDocumented(kind line: String, in file: SourceTree.File) -> Bool {
        let isTopLevel = !line.hasPrefix(" ")
        let words = line.trimmedText.split(separator: " ").map(String.init)
        guard let visible = words.firstIndex(of: "public"), visible < 2 else { return false }
        let modifiers: Set = ["static", "mutating", "final", "indirect", "consuming", "borrowing"]
        let rest = words[(visible + 1)...].drop { modifiers.contains($0) }
        guard let kind = rest.first else { return false }
        switch kind {
        case "struct", "enum", "class", "protocol", "typealias", "actor": return isTopLevel
        case "func":
            guard let name = rest.dropFirst().first?.prefix(while: { $0 != "(" && $0 != "<" })
            else {
                return false
            }
            let required = ["hash", "encode", "next", "combine", "makeIterator", ""]
            return !required.contains(String(name)) && name.first?.isLetter == true
        default: return false
        }
    }

    @Test("every diagnostic has a golden file and a page") func diagnostics() {
        let goldens = SourceTree.names(in: "Tests/Golden/diagnostics")
        for code in DiagnosticCode.all {
            #expect(
                goldens.contains { $0.hasPrefix(code.number + "-") && !$0.contains("near-miss") },
                "\(code.number) \(code.slug) has no golden file")
            #expect(!code.explanation.isEmpty, "\(code.number) has no explanation")
            #expect(!code.slug.isEmpty, "\(code.number) has no slug")
        }
        let numbers = DiagnosticCode.all.map(\.number)
        #expect(Set(numbers).count == numbers.count, "a number is used twice")
    }

    @Test("every keyword of the lexer stands in the grammar") func grammar() {
        guard let grammar = SourceTree.text("grammar/martlet.ebnf") else {
            Issue.record("there is no grammar/martlet.ebnf")
            return
        }
        // Terminals are quoted; some are two words.
        var terminals: Set<String> = []
        for (index, part) in grammar.components(separatedBy: "\"").enumerated() where index % 2 == 1
        {
            for word in part.split(separator: " ") { terminals.insert(String(word)) }
        }
        for keyword in Keyword.allCases {
            #expect(
                terminals.contains(keyword.rawValue), "`\(keyword.rawValue)` is not in the grammar")
        }
    }

    @Test(
        "every keyword of the lexer stands in each grammar for editors",
        arguments: [
            "textmate/martlet.tmLanguage.json", "tree-sitter/grammar.js", "vim/syntax/martlet.vim",
            "pygments/martlet_lexer.py", "vscode/syntaxes/martlet.tmLanguage.json",
        ])
    func editorGrammars(path: String) {
        guard let text = SourceTree.text("grammar/\(path)") else {
            Issue.record("there is no grammar/\(path)")
            return
        }
        let words = Set(text.split { !($0.isLetter || $0 == "_") }.map(String.init))
        for keyword in Keyword.allCases {
            #expect(words.contains(keyword.rawValue), "`\(keyword.rawValue)` is not in \(path)")
        }
    }

    @Test("no file names a machine or its folders") func noMachines() {
        for file in SourceTree.sources + SourceTree.tests where file.target != "TidyTests" {
            for (index, line) in file.lines.enumerated() {
                for word in ["/work/", "/home/", "/root/"] where line.contains(word) {
                    Issue.record("\(file.path):\(index + 1) names \(word)")
                }
            }
        }
    }

    /// The line with the content of its string literals taken out.
    private func withoutTexts(_ line: String) -> String {
        line.components(separatedBy: "\"").enumerated()
            .filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: "\"")
    }
}

extension String {
    fileprivate var trimmedText: String { String(drop { $0 == " " }) }
}
