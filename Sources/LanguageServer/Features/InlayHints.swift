import RuleCompiler
import RuleModel
import RuleSyntax

extension LanguageServer {
    /// What is not written and yet decided: the types of constants and measures, and the most memory
    /// that a rule may keep.
    func inlayHints(_ view: DocumentView, _ parameters: JSONDocument) -> JSONDocument {
        let start = view.map.offset(parameters["range"]?["start"]) ?? 0
        let end = view.map.offset(parameters["range"]?["end"]) ?? UInt32(view.source.bytes.count)
        var hints: [(offset: UInt32, hint: JSONDocument)] = []
        var seen: Set<SourceRange> = []
        for use in view.compilation.uses
        where use.isDeclaration && use.range.source == view.id && seen.insert(use.range).inserted {
            guard use.kind == .constant || use.kind == .measure, let type = use.type,
                type != .unknown
            else { continue }
            hints.append(
                (
                    use.range.end,
                    [
                        "position": view.map.json(use.range.end), "label": .text(": \(type)"),
                        "kind": 1, "paddingLeft": false, "paddingRight": false,
                    ]
                ))
        }
        for plan in view.compilation.plans {
            let name = view.compilation.origins[plan.origin.rawValue]
            guard name.source == view.id else { continue }
            let line = view.source.lineBytes(view.source.line(at: name.start))
            let offset = UInt32(line.endIndex)
            hints.append(
                (
                    offset,
                    [
                        "position": view.map.json(offset),
                        "label": .text(boundTotalWords(plan.bound)),
                        "tooltip": .text(boundWords(of: plan)), "paddingLeft": true,
                    ]
                ))
        }
        hints.sort { $0.offset < $1.offset }
        return .array(hints.filter { start <= $0.offset && $0.offset <= end }.map(\.hint))
    }
}
