import RuleModel

/// The machine of a rule as an SVG drawing: states from top to bottom, what leads from one to the next
/// beside the arrows. Empty for a metric, which has no states.
///
/// Colours follow the text of the page that it stands in (`currentColor`).
public func machineDrawing(_ plan: RulePlan, tables: RuleSetTables) -> String {
    guard let machine = Machine(plan, tables: tables) else { return "" }
    return MachineDrawing(machine).svg
}

private struct MachineDrawing {
    private let machine: Machine
    private let step = 96
    private let left = 20
    private let width = 190
    private let height = 38
    /// Where the first lane for arrows that pass over states stands, and how far the next one is.
    private let lane = 520
    private let laneWidth = 250

    init(_ machine: Machine) { self.machine = machine }

    var svg: String {
        var body = ""
        var lanes = 0
        var beside: [Int: Int] = [:]
        for edge in machine.edges where edge.to == edge.from + 1 && edge.kind != .drop {
            // Several ways to the next state share the arrow.
            let place = beside[edge.from, default: 0]
            beside[edge.from] = place + 1
            body += down(edge, label: place)
        }
        for edge in machine.edges where !(edge.to == edge.from + 1 && edge.kind != .drop) {
            body += around(edge, lane: lanes)
            lanes += 1
        }
        for index in machine.states.indices { body += box(index) }
        let right = lane + max(1, lanes) * laneWidth
        let bottom = machine.states.count * step + 10
        return """
            <svg viewBox="0 0 \(right) \(bottom)" role="img" aria-label="the machine of the rule" \
            style="max-width:\(right)px" fill="none" stroke="currentColor" font-size="12">\
            <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
            orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor" stroke="none"/></marker></defs>\
            \(body)</svg>
            """
    }

    private func middle(_ state: Int) -> Int { 10 + state * step + height / 2 }

    private func box(_ index: Int) -> String {
        let state = machine.states[index]
        let look =
            switch state.kind {
            case .start: " rx=\"19\""
            case .open: " rx=\"6\""
            case .match: " rx=\"6\" stroke-width=\"3\""
            case .dropped: " rx=\"6\" stroke-dasharray=\"5 4\""
            }
        let y = 10 + index * step
        return "<rect x=\"\(left)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\"\(look)/>"
            + text(
                state.name, x: left + width / 2, y: middle(index) + 4, limit: 28, anchor: "middle")
    }

    private func down(_ edge: Machine.Edge, label place: Int) -> String {
        let x = left + width / 2
        let (from, to) = (10 + edge.from * step + height, 10 + edge.to * step)
        let arrow =
            place == 0
            ? "<path d=\"M\(x) \(from)V\(to)\" marker-end=\"url(#tip)\"\(dashes(edge))/>" : ""
        return arrow + label(edge, x: x + 12, y: from + 20 + place * 15)
    }

    private func around(_ edge: Machine.Edge, lane number: Int) -> String {
        let x = lane + number * laneWidth
        // Arrows of one state do not lie on each other.
        let shift = (number % 5 - 2) * 5
        let (from, to) = (middle(edge.from) + shift, middle(edge.to) + shift)
        let side = left + width
        let end = edge.from == edge.to ? to + 12 : to
        return
            "<path d=\"M\(side) \(from)H\(x)V\(end)H\(side)\" marker-end=\"url(#tip)\"\(dashes(edge))/>"
            + label(edge, x: x + 8, y: (from + end) / 2)
    }

    private func dashes(_ edge: Machine.Edge) -> String {
        switch edge.kind {
        case .step: ""
        case .skip: " stroke-dasharray=\"6 4\""
        case .drop: " stroke-dasharray=\"2 4\""
        }
    }

    private func label(_ edge: Machine.Edge, x: Int, y: Int) -> String {
        let first = text(edge.label, x: x, y: y, limit: 58, anchor: "start")
        guard !edge.limit.isEmpty else { return first }
        return first + text(edge.limit, x: x, y: y + 15, limit: 58, anchor: "start")
    }

    /// Long texts are cut; the whole is shown on pointing at them.
    private func text(_ text: String, x: Int, y: Int, limit: Int, anchor: String) -> String {
        let shown = text.count > limit ? String(text.prefix(limit - 1)) + "…" : text
        return
            "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\" fill=\"currentColor\" stroke=\"none\">"
            + "<title>\(escaped(text))</title>\(escaped(shown))</text>"
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
