import Foundation
import RuleImport
import RuleSyntax
import TestKit
import Testing

@testable import RuleImport

@Suite("YAML") struct YAMLTests {
    @Test(
        "scalars mean what YAML 1.1 says",
        arguments: [
            ("~", YAMLValue.null), ("Null", .null), ("''", .text("")), ("yes", .bool(true)),
            ("Off", .bool(false)), ("'yes'", .text("yes")), ("y", .text("y")), ("12", .int(12)),
            ("-7", .int(-7)), ("0x1F", .int(31)), ("0X1F", .text("0X1F")), ("017", .int(15)),
            ("0b101", .int(5)),
            ("1_000", .int(1000)), ("1.5", .float(1.5)), ("-.5", .float(-0.5)),
            ("1e5", .text("1e5")), ("1.5e+3", .float(1500)), ("12a", .text("12a")),
            ("99999999999999999999", .text("99999999999999999999")),
            ("0x", .text("0x")), ("!!str 12", .text("12")), (".inf", .text(".inf")),
        ])
    func scalars(_ written: String, _ meant: YAMLValue) {
        let (documents, fault) = readYAML(Array("key: \(written)".utf8))
        #expect(fault == nil)
        #expect(documents.first?["key"]?.value == meant)
    }

    @Test("documents before a fault are kept") func fault() {
        let (documents, fault) = readYAML(Array("a: 1\n---\nb: [1, 2\n".utf8))
        #expect(documents.count == 1)
        #expect(fault?.line == 4)
    }

    @Test("aliases to aliases have an end") func billionLaughs() {
        var text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for (name, before) in zip("bcdefgh", "abcdefg") {
            let row = Array(repeating: "*\(before)", count: 10).joined(separator: ", ")
            text += "\(name): &\(name) [\(row)]\n"
        }
        let (_, fault) = readYAML(Array(text.utf8))
        #expect(fault?.reason.contains("million") == true)
    }

    @Test("deep nesting is refused") func depth() {
        let text = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(readYAML(Array(text.utf8)).fault != nil)
    }
}

@Suite("Sigma's values") struct SigmaValueTests {
    @Test("base64 is that of RFC 4648, section 10")
    func base64Vectors() {
        let vectors = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==",
            "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy",
        ]
        for (plain, encoded) in vectors { #expect(base64(Array(plain.utf8)) == encoded) }
    }

    @Test("one of the three texts is found wherever the value stands in encoded text")
    func offsets() {
        for word in ["ab", "foo", "http://", "password1"] {
            let wanted = base64AtAnyOffset(Array(word.utf8)).filter { !$0.isEmpty }
            for before in ["", "x", "xy", "xyz", "wxyz"] {
                for behind in ["", "!", "!!", "!!!"] {
                    let text = base64(Array((before + word + behind).utf8))
                    #expect(wanted.contains { text.contains($0) }, "\(word) in \(text)")
                }
            }
        }
    }

    @Test("a value that may vanish between other bytes is not looked for")
    func tooShort() {
        #expect(base64AtAnyOffset(Array("a".utf8)).contains(""))
        let file = """
            title: One letter
            logsource: {product: linux}
            detection:
              selection: {a|base64offset|contains: x}
              condition: selection
            """
        let result = importSigma([ImportInput(name: "x.yml", bytes: Array(file.utf8))])
        #expect(result.keptCount == 0)
        #expect(result.notes.first?.reason.contains("too short") == true)
    }

    @Test(
        "whether a regular expression may match a number or truth value is never denied wrongly",
        arguments: [
            ("12", true), ("^\\d+$", true), ("[a-f0-9]+", true), ("abc|1", true), ("a?1", true),
            ("(abc)", true), ("a*", true), ("[]x]1", true), ("[[:digit:]x]", true), ("\\x31", true),
            ("x{0,2}1", true), ("-1\\.5", true), ("abc", false), ("1b2", false),
            ("\\\\temp", false),
            ("\\s/\\d", false), ("(a|b)c", false), ("b+", false), ("=1", false), ("Rue", true),
        ])
    func numberPatterns(_ pattern: String, _ mayMatch: Bool) {
        #expect(mayMatchPlainValue(pattern) == mayMatch)
    }

    @Test("a pattern that a number or truth value may be spelled like is known")
    func plainValues() {
        for text in ["12", "-1.5", "1*", "*.0", "true", "FALSE", "*ue", "t?ue", "*al*"] {
            #expect(WildcardPattern(parsing: text).mayBePlainValue, "\(text)")
        }
        for text in ["a1", "trues", "*x*", "t??ue", "", "0x1F", "*"] {
            #expect(!WildcardPattern(parsing: text).mayBePlainValue, "\(text)")
        }
    }

    @Test("names fit patterns as file names fit them")
    func names() {
        #expect(fits("selection_a", "selection_*"))
        #expect(fits("selection", "*"))
        #expect(fits("abc", "a*c"))
        #expect(!fits("ac_", "a*c"))
        #expect(!fits("a", "a*a"))
        #expect(!fits("xselection", "selection*"))
    }
}

@Suite("Sigma's own examples") struct SigmaSampleTests {
    private static let folder =
        DiagnosticGolden.testsFolder + "/../../shared/data/sigma-sample"

    @Test("every sample rule is kept and compiles without a warning") func samples() throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: Self.folder)) ?? []
        let inputs = names.filter { $0.hasSuffix(".yml") }.sorted().compactMap { name in
            FileManager.default.contents(atPath: "\(Self.folder)/\(name)").map {
                ImportInput(name: name, bytes: Array($0))
            }
        }
        guard !inputs.isEmpty else {
            print("SKIPPED: there is no folder shared/data/sigma-sample beside the checkout")
            return
        }
        let result = importSigma(inputs)
        #expect(result.keptCount == inputs.count)
        #expect(result.notes.isEmpty)
        expectSound(result, "sigma-sample")
        // The same rules in another order are the same files.
        let reversed = importSigma(inputs.reversed())
        #expect(Set(reversed.files.map(\.text)) == Set(result.files.map(\.text)))
        #expect(reversed.schema == result.schema)
    }
}

@Suite("Fuzz: what is imported") struct ImportFuzzTests {
    @Test("mutated Sigma files never crash, and what comes out is sound") func sigma() {
        let seeds = ImportGolden.all(ending: ".yml").map(\.input.bytes)
        guard !seeds.isEmpty else {
            Issue.record("there are no examples to mutate")
            return
        }
        let environment = ProcessInfo.processInfo.environment
        let cases = min(environment["CASES"].flatMap(Int.init) ?? 400, 20_000)
        var random = RandomSource(seed: 1)
        for number in 0..<cases {
            let bytes = mutated(random.pick(seeds), &random)
            let result = importSigma([ImportInput(name: "case \(number)", bytes: bytes)])
            #expect(result.keptCount <= result.ruleCount)
            if number % 4 == 0 { expectSound(result, "case \(number)") }
        }
    }

    @Test("mutated EQL queries never crash, and what comes out is sound") func eql() {
        let seeds = ImportGolden.all(ending: ".eql").map(\.input.bytes)
        guard !seeds.isEmpty else {
            Issue.record("there are no examples to mutate")
            return
        }
        let environment = ProcessInfo.processInfo.environment
        let cases = min(environment["CASES"].flatMap(Int.init) ?? 400, 20_000)
        var random = RandomSource(seed: 2)
        var kept = 0
        for number in 0..<cases {
            let bytes = mutated(random.pick(seeds), &random)
            let result = importEQL([ImportInput(name: "case \(number).eql", bytes: bytes)])
            kept += result.keptCount
            if number % 4 == 0 { expectSound(result, "case \(number)") }
        }
        #expect(kept > cases, "most queries of a mutated file are still whole")
    }

    private func mutated(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.number(1...6) where bytes.count > 8 {
            let place = random.number(0...(bytes.count - 1))
            switch random.number(0...3) {
            case 0: bytes[place] = UInt8(random.number(0...255))
            case 1: bytes.remove(at: place)
            case 2:
                let marks = Array("*|%&:-[]{}'\"\\`#\n()?<".utf8)
                bytes.insert(random.pick(marks), at: place)
            default:
                // A piece of the file elsewhere.
                let end = min(bytes.count, place + random.number(1...40))
                let piece = bytes[place..<end]
                bytes.insert(contentsOf: piece, at: random.number(0...(bytes.count - 1)))
            }
        }
        return bytes
    }
}
