import Foundation
import RuleSyntax
import TestKit
import Testing

@testable import RuleCompiler

@Suite("Any text")
struct CompileMutationTests {
    /// The files that the golden tests use: every construct and every mistake is in there.
    static let corpus: [[UInt8]] = DiagnosticGolden.all.compactMap { file in
        FileManager.default.contents(atPath: file.path).map(Array.init)
    }

    @Test("compiles to a program or to errors, never to a crash", arguments: 0..<8)
    func mutations(_ worker: Int) {
        var random = RandomSource(seed: UInt64(worker) &+ 2026)
        for _ in 0..<60 {
            let text = Self.mutant(&random)
            let compilation = compile(
                [SourceText(id: SourceID(rawValue: 0), name: "mutant.rules", bytes: text)],
                options: CompileOptions(includesTests: true, zones: { ["Europe/Berlin", "UTC"] }))
            #expect((compilation.program == nil) == compilation.hasErrors)
            #expect(
                compilation.plans.indices.allSatisfy { compilation.plans[$0].id.rawValue == $0 })
            for diagnostic in compilation.diagnostics {
                for label in [diagnostic.primary] + diagnostic.secondary {
                    #expect(
                        label.range.start <= label.range.end && Int(label.range.end) <= text.count)
                }
            }
        }
    }

    /// Lines and words of several files, mixed.
    private static func mutant(_ random: inout RandomSource) -> [UInt8] {
        var text = random.pick(corpus)
        for _ in 0...random.number(0...3) {
            let separator = random.chance(50) ? UInt8(ascii: "\n") : UInt8(ascii: " ")
            let piece = random.pick(pieces(of: random.pick(corpus), separator))
            var own = pieces(of: text, separator)
            let place = random.number(0...own.count - 1)
            switch random.number(0...3) {
            case 0: own.insert(piece, at: place)
            case 1: own[place] = piece
            case 2: own.swapAt(place, random.number(0...own.count - 1))
            default: own.remove(at: place)
            }
            text = Array(own.joined(separator: [separator]))
        }
        return text
    }

    private static func pieces(of text: [UInt8], _ separator: UInt8) -> [[UInt8]] {
        text.split(separator: separator, omittingEmptySubsequences: false).map(Array.init)
    }

    @Test("with deep chains of constants, definitions and selects is refused, not followed")
    func chains() {
        let count = 1000
        var text = "event e { a: number }\n"
        for index in 0..<count {
            text += "let l\(index) = l\(index + 1) + 1\n"
            text += "define d\(index)(x) = d\(index + 1)(x) + 1\n"
            text += "select s\(index) = s\(index + 1) where a > 1\n"
        }
        text += "let l\(count) = 1\ndefine d\(count)(x) = x\nselect s\(count) = e\n"
        let codes = Set(
            compile([SourceText(name: "deep.rules", text: text)]).diagnostics.map(\.code.number))
        #expect(codes == ["E0319"])
    }
}
