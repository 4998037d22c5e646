import Foundation
import RuleModel

/// Why a list could not be read. The old version of the list stays in force.
public struct ListFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name of the list in the rules.
    public var list: String
    /// The file, resolved.
    public var path: String
    /// What is wrong, with the line where there is one; at most `problemsMax` of them.
    public var problems: [Problem]

    /// One thing that is wrong with a list file.
    public struct Problem: Sendable, Equatable {
        /// Counted from 1; nil where the whole file is meant.
        public var line: Int?
        /// One sentence.
        public var message: String
    }

    static let problemsMax = 20

    /// The fault for people, a line for each problem: the list, the file, the line, what is wrong.
    public var description: String {
        problems.map { problem in
            let place = problem.line.map { "\(path):\($0)" } ?? path
            return "list `\(list)`: \(place): \(problem.message)"
        }.joined(separator: "\n")
    }
}

/// The path of a list's file: relative to the folder of the rules file that declares the list.
///
/// Nil for a list whose values stand in the rules.
public func listPath(of plan: ListPlan) -> String? {
    guard let path = plan.path else { return nil }
    if path.hasPrefix("/") { return path }
    let folder = (plan.declaredIn as NSString).deletingLastPathComponent
    return (folder as NSString).appendingPathComponent(path)
}

/// Reads a list whole: the table, or everything that is wrong with it.
///
/// Lists of text, numbers and networks have one value on each line; `#` begins a comment at the
/// start of a line, and for numbers and networks behind a value too. Pairs, tables, and any list with
/// a `key` column are CSV with a header.
public func loadList(_ plan: ListPlan) -> Result<ListTable, ListFault> {
    guard let path = listPath(of: plan) else {
        return .success(ListTable(kind: plan.kind, values: plan.values))
    }
    func failure(_ problems: [ListFault.Problem]) -> Result<ListTable, ListFault> {
        .failure(ListFault(list: plan.name, path: path, problems: problems))
    }
    let bytes: [UInt8]
    do throws(ListFault.Problem) {
        bytes = try readWhole(path)
    } catch {
        return failure([error])
    }
    var reading = ListReading(plan: plan)
    let isTable = plan.kind == .pair || plan.kind == .table || plan.keyColumn != nil
    if isTable { reading.readTable(bytes) } else { reading.readLines(bytes) }
    if !reading.problems.isEmpty { return failure(reading.problems) }
    return .success(
        ListTable(
            kind: plan.kind, columns: reading.columns, keyColumn: reading.keyColumn,
            rows: reading.rows))
}

extension ListTable {
    /// A list whose values stand in the rules: `list admins = ["ann", "bob"]`.
    public init(kind: ListPlan.Kind, values: [Value]) {
        guard kind == .pair else {
            self.init(kind: kind, columns: ["value"], keyColumn: 0, rows: values.map { [$0] })
            return
        }
        let rows = values.compactMap { value -> [Value]? in
            if case .list(let pair) = value, pair.count == 2 { return pair }
            return nil
        }
        self.init(kind: kind, columns: ["first", "second"], keyColumn: 0, rows: rows)
    }
}

extension ListFault.Problem: Error {}

/// The bytes of a list file, without a byte order mark, checked to be UTF-8.
private func readWhole(_ path: String) throws(ListFault.Problem) -> [UInt8] {
    let bytesMax = 256 << 20
    let reader: DescriptorReader
    do throws(OpenFailure) {
        reader = try DescriptorReader(path: path)
    } catch {
        throw ListFault.Problem(line: nil, message: error.message)
    }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 256 << 10)
    reading: while true {
        let step = piece.withUnsafeMutableBytes { reader.read(into: $0, waitingAtMost: 1000) }
        switch step {
        case .bytes(let count): bytes += piece[..<count]
        case .end: break reading
        case .idle: throw ListFault.Problem(line: nil, message: "the file gives nothing to read")
        case .failed(_, let message): throw ListFault.Problem(line: nil, message: message)
        }
        if bytes.count > bytesMax {
            throw ListFault.Problem(
                line: nil, message: "the file is larger than \(grouped(bytesMax)) bytes")
        }
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if String(validating: bytes, as: UTF8.self) == nil {
        let lines = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false)
        let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ListFault.Problem(line: bad.map { $0 + 1 }, message: "the line is not valid UTF-8")
    }
    return bytes
}

/// A list while it is being read.
private struct ListReading {
    let plan: ListPlan
    var columns = ["value"]
    var keyColumn = 0
    var rows: [[Value]] = []
    var problems: [ListFault.Problem] = []

    init(plan: ListPlan) { self.plan = plan }

    private mutating func report(_ line: Int?, _ message: String) {
        if problems.count < ListFault.problemsMax {
            problems.append(ListFault.Problem(line: line, message: message))
        }
    }

    // MARK: - One value on each line

    mutating func readLines(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
            // A text may hold a `#`; a number and a network cannot.
            if text.hasPrefix("#") { continue }
            if plan.kind != .text, let comment = text.firstIndex(of: "#") {
                text = text[..<comment].trimmingCharacters(in: .whitespaces)
            }
            if text.hasSuffix("\r") { text.removeLast() }
            if text.isEmpty { continue }
            if let value = keyValue(text, line: index + 1) { rows.append([value]) }
        }
    }

    /// The value of a key cell or of a plain list's line, by the kind of the list.
    private mutating func keyValue(_ text: String, line: Int) -> Value? {
        switch plan.kind {
        case .text, .pair: return .text(text)
        case .table: return tableValue(text)
        case .number:
            if let number = number(text) { return number }
            report(line, "`\(text)` is not a number")
            return nil
        case .cidr:
            if let network = IPNetwork(text) { return .network(network) }
            report(line, "`\(text)` is neither a network such as `10.0.0.0/8` nor an address")
            return nil
        }
    }

    // MARK: - CSV

    mutating func readTable(_ bytes: [UInt8]) {
        var reader = CSVReader(bytes)
        do throws(CSVReader.Problem) {
            guard let header = try reader.next() else {
                report(nil, "the file has no header line with the names of its columns")
                return
            }
            readHeader(header)
            if !problems.isEmpty { return }
            while let row = try reader.next() { readRow(row) }
        } catch {
            report(error.line, error.message)
        }
    }

    private mutating func readHeader(_ header: CSVReader.Row) {
        columns = header.cells
        for (index, column) in columns.enumerated() {
            if column.isEmpty {
                report(header.line, "column \(index + 1) has no name")
            } else if columns[..<index].contains(where: { Text($0) == Text(column) }) {
                report(header.line, "two columns are named `\(column)`")
            }
        }
        if plan.kind == .pair, columns.count != 2 {
            report(header.line, "a list of pairs has two columns, this one has \(columns.count)")
        }
        guard let key = plan.keyColumn else { return }
        if let index = columns.firstIndex(where: { Text($0) == Text(key) }) {
            keyColumn = index
        } else {
            let names = columns.map { "`\($0)`" }.joined(separator: ", ")
            report(header.line, "there is no column `\(key)`; the columns are \(names)")
        }
    }

    private mutating func readRow(_ row: CSVReader.Row) {
        guard row.cells.count == columns.count else {
            let plural = row.cells.count == 1 ? "" : "s"
            report(
                row.line,
                "the row has \(row.cells.count) cell\(plural), the header has \(columns.count)")
            return
        }
        var values: [Value] = []
        for (index, cell) in row.cells.enumerated() {
            if index == keyColumn, cell.isEmpty {
                report(row.line, "the key `\(columns[index])` is empty")
                return
            }
            if plan.kind == .pair {
                values.append(.text(cell))
            } else if index == keyColumn {
                guard let value = keyValue(cell, line: row.line) else { return }
                values.append(value)
            } else {
                values.append(tableValue(cell))
            }
        }
        rows.append(values)
    }

    /// A cell without a declared type: a number if it reads as one, nothing if it is empty.
    private func tableValue(_ text: String) -> Value {
        text.isEmpty ? .missing : number(text) ?? .text(text)
    }

    /// A number as JSON writes it, so that `0x10`, `1_000`, `inf` and `007` stay texts.
    private func number(_ text: String) -> Value? {
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        guard let first = digits.first, first >= 0x30, first <= 0x39,
            digits.allSatisfy({
                $0 >= 0x30 && $0 <= 0x39 || [0x2E, 0x65, 0x45, 0x2B, 0x2D].contains($0)
            }),
            first != 0x30 || digits.count == 1
                || digits.dropFirst().first.map({ $0 < 0x30 || $0 > 0x39 }) == true,
            digits.last.map({ $0 >= 0x30 && $0 <= 0x39 }) == true
        else { return nil }
        if let whole = Int64(text) { return .int(whole) }
        guard let decimal = Double(text), decimal.isFinite else { return nil }
        return .float(decimal)
    }
}
