import RuleSyntax
import Testing

/// Nobody should have to trust a shipped rule: its tests show when it fires and when it does not.
@Suite("Shipped rules") struct ShippedRuleTests {
    private static let declarations: [Declaration] = SourceTree.names(in: "rules").flatMap { pack in
        SourceTree.names(in: "rules/\(pack)").filter { $0.hasSuffix(".rules") }.flatMap { name in
            let path = "rules/\(pack)/\(name)"
            let text = SourceTree.text(path) ?? ""
            return parse(SourceText(name: path, text: text)).file.declarations
        }
    }

    private static let rules = declarations.compactMap { declaration -> String? in
        if case .rule(let rule) = declaration { rule.name.text } else { nil }
    }

    @Test("are found") func found() { #expect(Self.rules.count > 50) }

    @Test("have a test that makes them fire and one that keeps them silent", arguments: rules)
    func tests(_ rule: String) {
        let tests = Self.declarations.compactMap { declaration -> TestDeclaration? in
            guard case .test(let test) = declaration, test.rule.text == rule else { return nil }
            return test
        }
        #expect(tests.contains(where: fires), "nothing makes \(rule) fire")
        #expect(tests.contains { !fires($0) && isSilent($0) }, "nothing keeps \(rule) silent")
    }

    private func fires(_ test: TestDeclaration) -> Bool {
        test.lines.contains { line in
            if case .expect(.alert, at: _, with: _) = line.kind { true } else { false }
        }
    }

    private func isSilent(_ test: TestDeclaration) -> Bool {
        test.lines.contains { line in
            if case .expectNothing = line.kind { true } else { false }
        }
    }
}
