import Foundation
import MatchEngine
import RuleCompiler
import RuleModel
import RuleSyntax
import TestKit
import Testing

@Suite("Marbles") struct MarbleTests {
    @Test("the engine and the reference matcher find what is drawn", arguments: allMarbles)
    func marble(_ marble: Marble) throws {
        for fault in marble.faults { Issue.record("\(marble.place): \(fault)") }
        let compilation = compile([SourceText(name: marble.file, text: marble.text)])
        let errors = compilation.diagnostics.filter { $0.severity == .error }
        if let refusal = marble.refusal {
            #expect(errors.map { "\($0.code.number)" } == [refusal], "\(marble.place)")
            return
        }
        guard let program = compilation.program, let plan = compilation.plans.first else {
            Issue.record(
                "\(marble.place): the rule does not compile: \(errors.map(\.message))\n\(marble.text)"
            )
            return
        }
        let end = marble.end.map { TestEvent.epoch + $0 }
        let lists = inlineLists(compilation.tables)
        var run = EngineRun()
        run.lateness = marble.lateness
        run.watchedFrom = marble.isWatched ? TestEvent.epoch : nil
        let alerts = run.alerts(of: program, lists: lists, events: marble.events, end: end)
        judge(testRecords(alerts), by: "the engine", marble)

        if marble.engineOnly != nil { return }
        var reference = ReferenceMatcher(tables: compilation.tables, lists: lists)
        reference.watchedFrom = run.watchedFrom
        let events = makeReferenceEvents(marble.events, tables: compilation.tables)
        // Without an end, time stops at the last event, and a deadline needs a later watermark.
        let last = marble.events.map(\.timestamp).max() ?? TestEvent.epoch
        let matches = reference.matches(
            of: plan, in: events, lateness: marble.lateness, watermark: end ?? last)
        let numbers = marble.events.map { plainText($0.fields["n"] ?? .missing) }
        judge(
            matches.map { TestRecord($0, plan: plan, numbers: numbers) },
            by: "the reference matcher", marble)
    }

    private func judge(_ records: [TestRecord], by name: String, _ marble: Marble) {
        let ordered = inOrder(records)
        let found = ordered.map {
            Marble.Expected(time: $0.matchedAt, isResolved: $0.state == .resolved)
        }
        #expect(
            found.sorted() == marble.expected,
            "\(marble.place): \(name) found \(ordered.map(\.description))")
        if marble.bindings.isEmpty { return }
        guard marble.bindings.count == ordered.count else {
            Issue.record("\(marble.place): \(name) found \(ordered.map(\.description))")
            return
        }
        for (record, expected) in zip(ordered, marble.bindings) {
            var facts = record.steps + record.measures
            facts.append("key=" + record.key.joined(separator: "/"))
            facts.append("state=\(record.state.rawValue)")
            if let reason = record.reason { facts.append("reason=" + reason) }
            let wanted = expected.joined(separator: " ").replacing("\"", with: "")
            let missing = Marble.facts(wanted).filter { !facts.contains($0) }
            #expect(missing.isEmpty, "\(marble.place): \(name) found \(record)")
        }
    }
}

let specFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Spec")

/// The examples of all `*.marbles` files, by name of file.
let allMarbles: [Marble] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: specFolder.path())) ?? []
    return files.filter { $0.hasSuffix(".marbles") }.sorted().flatMap { name in
        let text =
            (try? String(contentsOf: specFolder.appending(path: name), encoding: .utf8)) ?? ""
        return parseMarbles(text, file: name)
    }
}()

extension Marble: CustomTestStringConvertible {
    public var testDescription: String { "\(file): \(title)" }

    var place: String { "\(file):\(line) \(title)" }

    /// `x=1 reason=no data` as `["x=1", "reason=no data"]`.
    static func facts(_ text: String) -> [String] {
        var facts: [String] = []
        for word in text.split(separator: " ") {
            if word.contains("=") || facts.isEmpty {
                facts.append(String(word))
            } else {
                facts[facts.count - 1] += " " + word
            }
        }
        return facts
    }
}
