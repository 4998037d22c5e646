/// Reads comma-separated values (RFC 4180): quotes, doubled quotes, line ends inside quotes.
///
/// Blank lines and lines that begin with `#` are passed over.
struct CSVReader {
    /// One line of the table.
    struct Row: Equatable {
        /// The line on which the row begins, counted from 1.
        var line: Int
        var cells: [String]
    }

    /// What is wrong with the text, and on which line.
    struct Problem: Error, Equatable {
        var line: Int
        var message: String
    }

    private let text: [UInt8]
    private var position = 0
    private var line = 1

    /// - Parameter text: Valid UTF-8.
    init(_ text: [UInt8]) { self.text = text }

    /// The next row; nil at the end.
    mutating func next() throws(Problem) -> Row? {
        while position < text.count {
            let start = line
            if text[position] == UInt8(ascii: "#") {
                skipLine()
                continue
            }
            let cells = try readRow()
            if cells.count == 1, cells[0].isEmpty { continue }
            return Row(line: start, cells: cells)
        }
        return nil
    }

    private mutating func skipLine() {
        while position < text.count, text[position] != .lineFeed { position += 1 }
        endLine()
    }

    private mutating func endLine() {
        position += 1
        line += 1
    }

    private mutating func readRow() throws(Problem) -> [String] {
        var cells: [String] = []
        while true {
            cells.append(try readCell())
            guard position < text.count, text[position] == .comma else { break }
            position += 1
        }
        endLine()
        return cells
    }

    /// Reads up to a comma, a line feed or the end. Space around a cell without quotes is no part
    /// of it, since people line columns up.
    private mutating func readCell() throws(Problem) -> String {
        while position < text.count, text[position] == .space { position += 1 }
        if position < text.count, text[position] == .quote { return try readQuotedCell() }
        let start = position
        while position < text.count, text[position] != .comma, text[position] != .lineFeed {
            if text[position] == .quote {
                throw Problem(
                    line: line,
                    message:
                        "a quote in the middle of a cell; quote the whole cell and double the quote"
                )
            }
            position += 1
        }
        var end = position
        while end > start, text[end - 1] == .space || text[end - 1] == .carriageReturn { end -= 1 }
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    private mutating func readQuotedCell() throws(Problem) -> String {
        let start = line
        var cell: [UInt8] = []
        position += 1
        while true {
            guard position < text.count else {
                throw Problem(line: start, message: "the quote that begins here is never closed")
            }
            let byte = text[position]
            position += 1
            if byte == .quote {
                guard position < text.count, text[position] == .quote else { break }
                position += 1
            }
            if byte == .lineFeed { line += 1 }
            cell.append(byte)
        }
        while position < text.count, text[position] == .space || text[position] == .carriageReturn {
            position += 1
        }
        if position < text.count, text[position] != .comma, text[position] != .lineFeed {
            throw Problem(line: line, message: "something follows the closing quote of a cell")
        }
        return String(decoding: cell, as: UTF8.self)
    }
}
