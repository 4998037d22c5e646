/// What a list holds at one moment: read whole or not at all, never changed, exchanged as a whole.
public struct ListTable: Sendable, Equatable {
    public var kind: ListPlan.Kind
    /// Column names; a plain list has one, `value`.
    public var columns: [String]
    /// Which column membership and look-ups compare.
    public var keyColumn: Int
    /// Cells of a `table` are numbers where they read as one, else text; of a `cidr` list's key
    /// column networks.
    public var rows: [[Value]]
    /// A hash of the content, recorded by alerts.
    public var version: UInt64
    private var exact: [Value: Int] = [:]
    private var folded: [Text: Int] = [:]
    /// Rows by network, longest prefix first.
    private var prefixes: [UInt8] = []
    private var networks: [IPNetwork: Int] = [:]

    /// An empty list: what a rule sees before its file was read.
    public init(kind: ListPlan.Kind) {
        self.init(kind: kind, columns: ["value"], keyColumn: 0, rows: [])
    }

    /// The first of several rows with equal keys is the one that look-ups find.
    /// - Precondition: `keyColumn` is a column, and every row has as many cells as there are columns.
    public init(kind: ListPlan.Kind, columns: [String], keyColumn: Int, rows: [[Value]]) {
        precondition(columns.indices.contains(keyColumn), "the key is one of the list's columns")
        self.kind = kind
        self.columns = columns
        self.keyColumn = keyColumn
        self.rows = rows
        var hash = StableHash()
        for column in columns { hash.combine(column) }
        for (index, row) in rows.enumerated() {
            precondition(row.count == columns.count, "a row has one cell for each column")
            for value in row { hash.combine(value) }
            let key = row[keyColumn]
            switch key {
            case .network(let network):
                if networks[network] == nil { networks[network] = index }
                if !prefixes.contains(network.prefix) { prefixes.append(network.prefix) }
            default:
                let canonical = ListTable.canonical(key)
                if exact[canonical] == nil { exact[canonical] = index }
                if case .text(let text) = key {
                    let lower = Text(CaseFolding.folded(text.string))
                    if folded[lower] == nil { folded[lower] = index }
                }
            }
        }
        prefixes.sort(by: >)
        version = hash.value
    }

    /// The row whose key equals the value; for networks the one with the longest prefix that holds
    /// the address. O(1); O(prefix lengths) for networks.
    public func row(for value: Value, ignoringCase: Bool = false) -> [Value]? {
        if case .ip(let address) = value, !prefixes.isEmpty {
            for prefix in prefixes {
                if let row = networks[IPNetwork(address: address, prefix: prefix)] {
                    return rows[row]
                }
            }
        }
        if ignoringCase, case .text(let text) = value {
            return folded[Text(CaseFolding.folded(text.string))].map { rows[$0] }
        }
        return exact[ListTable.canonical(value)].map { rows[$0] }
    }

    /// Whether the list has the value. A `pair` list has the list of two values `[a, b]`.
    public func contains(_ value: Value, ignoringCase: Bool = false) -> Bool {
        if kind == .pair, case .list(let pair) = value, pair.count == 2 {
            return rows.contains { $0.count >= 2 && $0[0] == pair[0] && $0[1] == pair[1] }
        }
        return row(for: value, ignoringCase: ignoringCase) != nil
    }

    /// The place of a column; nil when the list has none of this name.
    public func columnIndex(_ name: String) -> Int? { columns.firstIndex(of: name) }

    /// Numbers compare by value, so `2.0` is found as `2` (T7).
    private static func canonical(_ value: Value) -> Value {
        if case .float(let number) = value, let whole = Int64(exactly: number) {
            return .int(whole)
        }
        return value
    }
}
