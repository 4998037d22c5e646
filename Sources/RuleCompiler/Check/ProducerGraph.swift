import RuleModel
import RuleSyntax

/// Which rules and metrics read what others make, for finding those that wait for themselves.
struct ProducerGraph {
    struct Circle {
        /// The first name is repeated at the end.
        var path: [String]
        var range: SourceRange
    }

    private struct Node {
        var name: String
        var reads: [(producer: Producer, range: SourceRange)]
    }

    private var nodes: [Node] = []
    private var rules: [String: Int] = [:]
    private var metrics: [String: Int] = [:]
    private var risks: [String: [Int]] = [:]

    mutating func add(
        _ name: String, isMetric: Bool, reads: [(producer: Producer, range: SourceRange)],
        risks names: [String]
    ) {
        if isMetric {
            metrics[name] = metrics[name] ?? nodes.count
        } else {
            rules[name] = rules[name] ?? nodes.count
        }
        for risk in names { risks[risk, default: []].append(nodes.count) }
        nodes.append(Node(name: isMetric ? "metric.\(name)" : name, reads: reads))
    }

    /// Every circle once.
    ///
    /// - Complexity: linear in nodes and edges, but for the text of the circles.
    func circles() -> [Circle] {
        var search = Search(
            edges: nodes.map { node in
                node.reads.flatMap { read in
                    targets(of: read.producer).map { Search.Edge(target: $0, range: read.range) }
                }
            })
        for index in nodes.indices where !search.edges[index].isEmpty { search.visit(index) }
        var circles: [Circle] = []
        for found in search.found {
            let path = found.path.map { nodes[$0].name }
            // A rule may name the other several times: that is one circle.
            if !circles.contains(where: { $0.path == path }) {
                circles.append(Circle(path: path, range: found.range))
            }
        }
        return circles
    }

    private func targets(of producer: Producer) -> [Int] {
        switch producer {
        case .alerts(of: let name?): rules[name].map { [$0] } ?? []
        case .alerts(of: nil): []
        case .metric(let name): metrics[name].map { [$0] } ?? []
        case .risk(let name): risks[name] ?? []
        }
    }

    private struct Search {
        struct Edge {
            var target: Int
            var range: SourceRange
        }

        enum State { case untouched, open, done }

        let edges: [[Edge]]
        var found: [(path: [Int], range: SourceRange)] = []
        private var states: [State]
        private var path: [Int] = []

        init(edges: [[Edge]]) {
            self.edges = edges
            states = Array(repeating: .untouched, count: edges.count)
        }

        mutating func visit(_ index: Int) {
            guard states[index] == .untouched else { return }
            states[index] = .open
            path.append(index)
            for edge in edges[index] {
                if states[edge.target] == .open, let start = path.firstIndex(of: edge.target) {
                    found.append((Array(path[start...]) + [edge.target], edge.range))
                } else {
                    visit(edge.target)
                }
            }
            path.removeLast()
            states[index] = .done
        }
    }
}
