import RuleCompiler
import RuleSyntax

/// A declaration as an outline shows it.
struct Outline {
    /// The kinds of the protocol that fit.
    enum Kind: Int {
        case module = 2, classLike = 5, method = 6, property = 7, field = 8, function = 12
        case variable = 13, constant = 14, array = 18, structLike = 23, event = 24
    }

    var name: String
    var detail: String
    var kind: Kind
    var range: SourceRange
    var nameRange: SourceRange
    var children: [Outline] = []
}

extension LanguageServer {
    func documentSymbols(_ view: DocumentView) -> JSONDocument {
        .array(outlines(view.file).map { json($0, view.map) })
    }

    private func json(_ outline: Outline, _ map: PositionMap) -> JSONDocument {
        [
            "name": .text(outline.name), "detail": .text(outline.detail),
            "kind": .number(outline.kind.rawValue), "range": map.json(outline.range),
            "selectionRange": map.json(outline.nameRange),
            "children": .array(outline.children.map { json($0, map) }),
        ]
    }

    /// The declarations of all files whose names hold the query's letters in order.
    mutating func workspaceSymbols(_ query: String) -> JSONDocument {
        var found: [JSONDocument] = []
        var seen: Set<String> = []
        for place in workspace.places() {
            let analysis = workspace.analysis(place)
            for (index, file) in analysis.compilation.files.enumerated()
            where seen.insert(analysis.identities[index]).inserted {
                for outline in outlines(file) where fits(outline.name, query) {
                    found.append([
                        "name": .text(outline.name), "kind": .number(outline.kind.rawValue),
                        "location": location(outline.nameRange, in: analysis),
                    ])
                }
            }
        }
        return .array(found)
    }

    private func fits(_ name: String, _ query: String) -> Bool {
        var rest = query.lowercased()[...]
        for character in name.lowercased() where character == rest.first { rest.removeFirst() }
        return rest.isEmpty
    }
}

/// The declarations of a file with what they are made of.
func outlines(_ file: RuleFile) -> [Outline] {
    file.declarations.compactMap { declaration in
        switch declaration {
        case .import: return nil
        case .event(let event):
            let fields = event.fields.map { field in
                Outline(
                    name: field.path.text, detail: field.isOptional ? "may be missing" : "",
                    kind: .field, range: field.path.range.joined(with: field.type.range),
                    nameRange: field.path.range)
            }
            return Outline(
                name: event.path.text, detail: "event", kind: .structLike, range: event.range,
                nameRange: event.path.range, children: fields)
        case .select(let select):
            return Outline(select.name, "select", .variable, select.range)
        case .list(let list): return Outline(list.name, "list", .array, list.range)
        case .schedule(let schedule):
            return Outline(schedule.name, "schedule", .constant, schedule.range)
        case .let(let constant): return Outline(constant.name, "let", .constant, constant.range)
        case .define(let define): return Outline(define.name, "define", .function, define.range)
        case .rule(let rule):
            var outline = Outline(rule.name, ruleKind(rule), .classLike, rule.range)
            outline.children =
                rule.steps.map { Outline($0.name, "step", .variable, $0.range) }
                + rule.measures.map { Outline($0.name, "measure", .property, $0.range) }
            return outline
        case .metric(let metric):
            var outline = Outline(metric.name, "metric", .event, metric.range)
            outline.children = metric.measures.map {
                Outline($0.name, "measure", .property, $0.range)
            }
            return outline
        case .test(let test):
            return Outline(
                name: test.title.value.isEmpty ? "test" : test.title.value,
                detail: "test for \(test.rule.text)", kind: .method, range: test.range,
                nameRange: test.title.range)
        case .deployment(let block):
            guard let name = block.name else {
                let start = block.range.start
                let word = SourceRange(
                    source: block.range.source, start: start,
                    end: min(block.range.end, start + UInt32(block.kind.rawValue.utf8.count)))
                return Outline(
                    name: block.kind.rawValue, detail: "", kind: .module, range: block.range,
                    nameRange: word)
            }
            return Outline(name, block.kind.rawValue, .module, block.range)
        }
    }
}

private func ruleKind(_ rule: RuleDeclaration) -> String {
    switch rule.pattern?.kind {
    case .sequence: "sequence"
    case .threshold: "threshold"
    case .correlation: "correlation"
    case .anomalyCluster: "anomaly_cluster"
    case nil: "rule"
    }
}

extension Outline {
    fileprivate init(_ name: Name, _ detail: String, _ kind: Kind, _ range: SourceRange) {
        // A name that was left out is empty, which no client takes.
        self.init(
            name: name.text.isEmpty ? detail : name.text, detail: detail, kind: kind,
            range: range.joined(with: name.range), nameRange: name.range)
    }
}
