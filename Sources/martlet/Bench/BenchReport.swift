import RuleModel
import StreamRuntime

/// What a figure should be, and whether it is.
struct BenchBar {
    var text: String
    var isMet: Bool

    static func atLeast(_ bar: Double, _ value: Double, _ unit: String = "") -> BenchBar {
        BenchBar(text: "at least \(shortNumber(bar))\(unit)", isMet: value >= bar)
    }

    static func under(_ bar: Double, _ value: Double, _ unit: String = "") -> BenchBar {
        BenchBar(text: "under \(shortNumber(bar))\(unit)", isMet: value < bar)
    }

    static func atMost(_ bar: Double, _ value: Double, _ unit: String = "") -> BenchBar {
        BenchBar(text: "at most \(shortNumber(bar))\(unit)", isMet: value <= bar)
    }
}

/// A line of the table.
struct BenchRow {
    var group: BenchGroup
    var name: String
    /// What a run over a file cost; nil for a single figure.
    var cost: BenchCost?
    /// The run's rate as a part of the bare scan's.
    var ratio: Double?
    var allocations: Double?
    /// A single figure with its unit.
    var figure: (value: Double, unit: String)?
    var bar: BenchBar?
}

/// Prints rows as they are measured.
struct BenchReport {
    let isJSON: Bool
    private let console: Console
    private var group: BenchGroup?

    init(console: Console, isJSON: Bool) {
        self.console = console
        self.isJSON = isJSON
    }

    mutating func add(_ row: BenchRow) {
        if isJSON {
            console.print(json(row))
            return
        }
        if group != row.group {
            if group != nil { console.print("") }
            group = row.group
            console.print(line(row.group.title, header))
        }
        console.print(line("  " + row.name, cells(row)) + verdict(row.bar))
    }

    // MARK: - Text

    private let header = [
        "M events/s", "of scan", "CPU s", "wall s", "peak MB", "allocs/event", "alerts",
    ]

    private func cells(_ row: BenchRow) -> [String] {
        if let figure = row.figure { return ["\(shortNumber(figure.value)) \(figure.unit)"] }
        guard let cost = row.cost else { return [] }
        return [
            fixed(cost.rate / 1e6, 3), row.ratio.map { fixed($0, 3) } ?? "",
            fixed(cost.cpuSeconds, 2), fixed(cost.wallSeconds, 2),
            fixed(Double(cost.peakBytes) / 1e6, 0), row.allocations.map { fixed($0, 3) } ?? "",
            grouped(cost.alerts),
        ]
    }

    private func line(_ name: String, _ cells: [String]) -> String {
        var text = name + String(repeating: " ", count: max(1, 46 - name.count))
        for (cell, title) in zip(cells, header) {
            let width = title.count + 2
            text += String(repeating: " ", count: max(0, width - cell.count)) + cell
        }
        return text
    }

    private func verdict(_ bar: BenchBar?) -> String {
        guard let bar else { return "" }
        return "   \(bar.text): \(bar.isMet ? "met" : "NOT MET")"
    }

    // MARK: - JSON

    private func json(_ row: BenchRow) -> String {
        var members: [Alert.NamedValue] = [
            .init("case", .text(Text(row.group.rawValue))), .init("name", .text(Text(row.name))),
        ]
        func add(_ name: String, _ value: Value) { members.append(.init(name, value)) }
        if let cost = row.cost {
            add("events", .int(Int64(cost.events)))
            add("events_per_second", .float(cost.rate))
            add("cpu_seconds", .float(cost.cpuSeconds))
            add("wall_seconds", .float(cost.wallSeconds))
            add("peak_bytes", .int(Int64(cost.peakBytes)))
            add("alerts", .int(Int64(cost.alerts)))
        }
        if let ratio = row.ratio { add("ratio_to_scan", .float(ratio)) }
        if let allocations = row.allocations { add("allocations_per_event", .float(allocations)) }
        if let figure = row.figure {
            add("value", .float(figure.value))
            add("unit", .text(Text(figure.unit)))
        }
        if let bar = row.bar {
            add("bar", .text(Text(bar.text)))
            add("met", .bool(bar.isMet))
        }
        var bytes: [UInt8] = []
        bytes.appendJSON(members)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A number with so many decimals.
func fixed(_ number: Double, _ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (number * Double(scale)).rounded()
    guard scaled.magnitude < 1e15 else { return "\(number)" }
    let whole = Int(scaled.magnitude)
    let sign = scaled < 0 ? "-" : ""
    guard decimals > 0 else { return sign + grouped(whole) }
    let rest = String(whole % scale)
    return sign + grouped(whole / scale) + "."
        + String(repeating: "0", count: decimals - rest.count) + rest
}

/// A number with as many decimals as its size asks for: `0.85`, `12.5`, `940`.
func shortNumber(_ number: Double) -> String {
    let decimals =
        number.magnitude >= 100 || number == number.rounded()
        ? 0
        : number.magnitude >= 10 ? 1 : 2
    return fixed(number, decimals)
}
