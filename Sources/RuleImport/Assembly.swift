import RuleCompiler
import RuleSyntax

/// Puts drafts together: compiles each, leaves out those that do not compile, and joins the rest.
struct Assembly {
    let inputs: [ImportInput]
    var drafts: [RuleDraft]
    var notes: [ImportNote]
    /// Rules that were found, drafts or not.
    var ruleCount: Int

    /// The result, every rule of which compiles.
    mutating func result() -> ImportResult {
        var kept: [Bool] = []
        for index in drafts.indices {
            let isComplete = drafts[index].uses.allSatisfy { $0 < index && kept[$0] }
            if !isComplete {
                let draft = drafts[index]
                notes.append(
                    draft.note(
                        .lost, inputs[draft.input].name, "a rule that it builds on was not kept"))
            }
            kept.append(isComplete && compiles(index))
        }
        var schema = Schema()
        var texts = Array(repeating: "", count: inputs.count)
        var uses = Array(repeating: Set<Int>(), count: inputs.count)
        for (index, draft) in drafts.enumerated() where kept[index] {
            schema.add(draft.schema)
            if !texts[draft.input].isEmpty { texts[draft.input] += "\n" }
            texts[draft.input] += draft.text
            for used in draft.uses where drafts[used].input != draft.input {
                uses[draft.input].insert(drafts[used].input)
            }
        }
        let made = inputs.indices.filter { !texts[$0].isEmpty }
        let place = Dictionary(uniqueKeysWithValues: made.enumerated().map { ($1, $0) })
        let files = made.map { input in
            ImportResult.File(
                input: inputs[input].name, text: formatted(texts[input]),
                uses: uses[input].compactMap { place[$0] }.sorted())
        }
        notes.sort { ($0.file, $0.line, $0.reason) < ($1.file, $1.line, $1.reason) }
        return ImportResult(
            schema: schema.isEmpty ? "" : formatted(schema.text), files: files, notes: notes,
            ruleCount: ruleCount, keptCount: kept.count { $0 })
    }

    /// Whether the compiler takes a draft with all that it builds on; a note says why not.
    private mutating func compiles(_ index: Int) -> Bool {
        var schema = Schema()
        var text = ""
        for used in closure(of: index).sorted() {
            schema.add(drafts[used].schema)
            text += drafts[used].text + "\n"
        }
        let sources = [("schema", schema.text), ("rules", text)].enumerated().map { place, source in
            SourceText(
                id: SourceID(rawValue: UInt32(place)), name: source.0, bytes: Array(source.1.utf8))
        }
        let diagnostics = compile(sources).diagnostics
        let draft = drafts[index]
        guard let error = diagnostics.first(where: { $0.severity == .error }) else { return true }
        notes.append(
            draft.note(
                .lost, inputs[draft.input].name,
                "what it would become does not compile: \(error.message) [\(error.code.number)]"))
        return false
    }

    private func closure(of index: Int) -> Set<Int> {
        var found: Set<Int> = []
        var pending = [index]
        while let next = pending.popLast() {
            guard found.insert(next).inserted else { continue }
            pending += drafts[next].uses
        }
        return found
    }

    /// The canonical form. What compiles has no syntax errors, so there always is one.
    private func formatted(_ text: String) -> String {
        let source = SourceText(
            id: SourceID(rawValue: 0), name: "import", bytes: Array(text.utf8))
        return format(parse(source), source: source) ?? text
    }
}

/// Names that are given once each.
public struct NameTable {
    private var taken: Set<String> = []

    public init() {}

    /// The name itself, or with the first number behind it that is free.
    public mutating func unique(_ name: String) -> String {
        var candidate = name
        var number = 2
        while !taken.insert(candidate).inserted {
            candidate = "\(name)_\(number)"
            number += 1
        }
        return candidate
    }
}
