/// The lines of one file that a diagnostic shows, with its labels under them.
struct Snippet {
    private let source: SourceText
    /// The place named in the head, counted from 1.
    private let place: (line: Int, column: Int)
    /// In order of line.
    private let marks: [Mark]

    /// A label on one line. A label over several lines is two of them, at its first line and its last.
    private struct Mark {
        var line: Int
        var start: Int
        var end: Int
        var text: String
        var isPrimary: Bool
    }

    /// Groups labels by file; the file of the first label, the primary one, comes first.
    static func snippets(for labels: [(label: Label, isPrimary: Bool)], _ sources: SourceTable)
        -> [Snippet]
    {
        var order: [SourceID] = []
        for (label, _) in labels where !order.contains(label.range.source) {
            order.append(label.range.source)
        }
        return order.map { id in
            Snippet(sources[id], labels.filter { $0.label.range.source == id })
        }
    }

    private init(_ source: SourceText, _ labels: [(label: Label, isPrimary: Bool)]) {
        self.source = source
        place = source.position(at: labels[0].label.range.start)
        marks = labels.flatMap { Snippet.marks(for: $0.label, isPrimary: $0.isPrimary, in: source) }
            .enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map(\.element)
    }

    private static func marks(for label: Label, isPrimary: Bool, in source: SourceText) -> [Mark] {
        let end = min(Int(label.range.end), source.bytes.count)
        let start = min(Int(label.range.start), end)
        let first = source.line(at: UInt32(start))
        // A range that takes in a line end does not reach the next line.
        var last = source.line(at: UInt32(end))
        if last > first, end == Int(source.lineStarts[last]) { last -= 1 }
        let text = visible(label.text)
        guard last > first else {
            return [Mark(line: first, start: start, end: end, text: text, isPrimary: isPrimary)]
        }
        let lastBytes = source.lineBytes(last)
        let indent = lastBytes.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        return [
            Mark(
                line: first, start: start, end: source.lineBytes(first).endIndex,
                text: "from here …",
                isPrimary: isPrimary),
            Mark(
                line: last, start: min(lastBytes.startIndex + indent, end), end: end,
                text: text.isEmpty ? "… to here" : "… to here: \(text)", isPrimary: isPrimary),
        ]
    }

    /// The number of digits of the last line shown.
    var gutterWidth: Int { String((marks.last?.line ?? 0) + 1).count }

    /// The snippet as it is printed.
    func lines(gutter width: Int, _ palette: Palette, _ tint: (String) -> String) -> [String] {
        let margin = String(repeating: " ", count: width + 1)
        let bar = margin + palette.gutter("│")
        var output = [
            margin + palette.gutter("┌─")
                + " \(visible(source.name)):\(place.line):\(place.column)", bar,
        ]
        var shown: Int?
        var index = 0
        while index < marks.count {
            let line = marks[index].line
            let next = marks[index...].firstIndex { $0.line != line } ?? marks.count
            if let shown, line == shown + 2 {
                let between = DisplayLine(source, line - 1)
                output.append(numbered(line - 1, between.cut(around: []).text, width, palette))
            } else if let shown, line > shown + 2 {
                output.append(margin + palette.gutter("·"))
            }
            output += linesWithMarks(line, Array(marks[index..<next]), width, palette, tint)
            shown = line
            index = next
        }
        return output
    }

    private func numbered(_ line: Int, _ text: String, _ width: Int, _ palette: Palette) -> String {
        let number = String(line + 1)
        let padding = String(repeating: " ", count: width - number.count)
        return palette.gutter(padding + number + " │") + (text.isEmpty ? "" : " " + text)
    }
}

// MARK: - One line and its labels

extension Snippet {
    /// A label in columns of the terminal.
    private struct Placed {
        var start: Int
        var end: Int
        var text: String
        var isPrimary: Bool
    }

    private func linesWithMarks(
        _ line: Int, _ marks: [Mark], _ width: Int, _ palette: Palette, _ tint: (String) -> String
    ) -> [String] {
        let display = DisplayLine(source, line)
        var output: [String] = []
        var rest = marks.map { mark in
            let start = display.column(at: mark.start)
            return Placed(
                start: start, end: max(display.column(at: mark.end), start + 1), text: mark.text,
                isPrimary: mark.isPrimary)
        }.sorted { ($0.start, $0.end) < ($1.start, $1.end) }

        // A line that is too long is shown in pieces, each with the labels that lie in it.
        while !rest.isEmpty {
            let cut = display.cut(around: rest.map(\.start))
            let count = max(1, rest.prefix { $0.start < cut.end }.count)
            let here = rest.prefix(count).map { placed in
                var moved = placed
                moved.start = placed.start - cut.shift
                moved.end = max(moved.start + 1, min(placed.end, cut.end) - cut.shift)
                return moved
            }
            rest.removeFirst(count)
            output.append(numbered(line, cut.text, width, palette))
            let margin = String(repeating: " ", count: width + 1) + palette.gutter("│") + " "
            output += Self.underlines(Array(here), palette, tint).map { margin + $0 }
        }
        return output
    }

    /// The rows under a line: the underlines with the text of the rightmost label behind them, then
    /// the other texts, each hanging from its label:
    ///
    ///     ------ ^ ------ `string`
    ///     │
    ///     `float`
    private static func underlines(
        _ labels: [Placed], _ palette: Palette, _ tint: (String) -> String
    ) -> [String] {
        var canvas = Canvas()
        for label in labels.sorted(by: { !$0.isPrimary && $1.isPrimary }) {
            let style: Canvas.Style = label.isPrimary ? .primary : .secondary
            for column in label.start..<label.end {
                canvas.put(label.isPrimary ? "^" : "-", row: 0, column: column, style)
            }
        }
        let end = labels.map(\.end).max() ?? 0
        var hanging = labels.filter { !$0.text.isEmpty }
        if let last = hanging.last, last.end >= end {
            canvas.put(
                last.text, row: 0, column: last.end + 1, last.isPrimary ? .primary : .secondary)
            hanging.removeLast()
        }
        if !hanging.isEmpty {
            for label in hanging {
                canvas.put(
                    "│", row: 1, column: label.start, label.isPrimary ? .primary : .secondary)
            }
        }
        var row = 2
        while let label = hanging.popLast() {
            for other in hanging where other.start < label.start {
                canvas.put(
                    "│", row: row, column: other.start, other.isPrimary ? .primary : .secondary)
            }
            canvas.put(
                label.text, row: row, column: label.start, label.isPrimary ? .primary : .secondary)
            row += 1
        }
        return canvas.rows.map { row in
            Canvas.text(row) { text, style in
                style == .primary ? tint(text) : palette.secondary(text)
            }
        }
    }
}

/// Rows of characters that are drawn in any order.
private struct Canvas {
    enum Style { case primary, secondary }

    var rows: [[(character: Character, style: Style?)]] = []

    mutating func put(_ text: String, row: Int, column: Int, _ style: Style) {
        while rows.count <= row { rows.append([]) }
        for (offset, character) in text.enumerated() {
            while rows[row].count <= column + offset { rows[row].append((" ", nil)) }
            rows[row][column + offset] = (character, style)
        }
    }

    /// A row as text, runs of one style painted together.
    static func text(
        _ row: [(character: Character, style: Style?)], paint: (String, Style) -> String
    ) -> String {
        var output = ""
        var run = ""
        var style: Style?
        for cell in row {
            if cell.style != style {
                output += style.map { paint(run, $0) } ?? run
                run = ""
                style = cell.style
            }
            run.append(cell.character)
        }
        return output + (style.map { paint(run, $0) } ?? run)
    }
}

// MARK: - Columns

/// A source line as a terminal shows it: tabs as spaces, wide characters in two columns.
private struct DisplayLine {
    private var scalars: [Unicode.Scalar] = []
    /// For each scalar the byte it begins at and the column it stands in; one more for the end.
    private var offsets: [Int] = []
    private var columns: [Int] = []

    private static let tabWidth = 4
    /// Lines wider than this are cut.
    private static let widthMax = 140
    /// How much of a long line stands before the first label.
    private static let lead = 40

    init(_ source: SourceText, _ line: Int) {
        let bytes = source.lineBytes(line)
        var offset = bytes.startIndex
        var column = 0
        while offset < bytes.endIndex {
            let (scalar, length) = decodeScalar(bytes, at: offset)
            offsets.append(offset)
            columns.append(column)
            if scalar == "\t" {
                scalars.append(scalar)
                column += Self.tabWidth - column % Self.tabWidth
            } else {
                scalars.append(scalar.isControl ? scalar.picture : scalar)
                column += scalar.columns
            }
            offset += length
        }
        offsets.append(bytes.endIndex)
        columns.append(column)
    }

    /// The column of a byte; the end's for bytes behind it.
    func column(at byte: Int) -> Int {
        var low = 0
        var high = offsets.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if offsets[middle] <= byte { low = middle } else { high = middle - 1 }
        }
        return columns[low]
    }

    /// The line, or as much of it as fits around the first of the columns given.
    ///
    /// - Returns: The text; the column behind its last; and by how much columns are shifted in it.
    func cut(around marks: [Int]) -> (text: String, end: Int, shift: Int) {
        let total = columns[columns.count - 1]
        guard total > Self.widthMax else {
            // A label directly behind the line still lies in it.
            return (text(from: 0, to: total), total + 1, 0)
        }
        let start = max(0, (marks.first ?? 0) - Self.lead)
        let end = start + Self.widthMax - 20
        let isCutBefore = start > 0
        let isCutBehind = end < total
        return (
            (isCutBefore ? "…" : "") + text(from: start, to: end) + (isCutBehind ? "…" : ""),
            isCutBehind ? end : total + 1, start - (isCutBefore ? 1 : 0)
        )
    }

    private func text(from start: Int, to end: Int) -> String {
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let column = columns[index]
            guard column >= start, columns[index + 1] <= end else { continue }
            // Half a wide character before the cut leaves a gap.
            if result.isEmpty, column > start { result.append(" ") }
            if scalar == "\t" {
                result.append(
                    contentsOf: String(repeating: " ", count: columns[index + 1] - column)
                        .unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }
}

/// The scalar at an offset and its length in bytes; U+FFFD and 1 for a byte that begins none.
private func decodeScalar(_ bytes: ArraySlice<UInt8>, at offset: Int) -> (Unicode.Scalar, Int) {
    var iterator = bytes[offset..<min(offset + 4, bytes.endIndex)].makeIterator()
    var decoder = UTF8()
    if case .scalarValue(let scalar) = decoder.decode(&iterator) {
        let length =
            scalar.value < 0x80 ? 1 : scalar.value < 0x800 ? 2 : scalar.value < 0x10000 ? 3 : 4
        return (scalar, length)
    }
    return ("\u{FFFD}", 1)
}

extension Unicode.Scalar {
    /// How many columns of a terminal it takes.
    ///
    /// - SeeAlso: Unicode Standard Annex 11, "East Asian Width".
    fileprivate var columns: Int {
        switch value {
        case 0..<0x300: 1
        case 0x200B...0x200F, 0x2060, 0xFE00...0xFE0F, 0xFEFF: 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
            0x20000...0x3FFFD:
            2
        default:
            properties.generalCategory == .nonspacingMark
                || properties.generalCategory == .enclosingMark ? 0 : 1
        }
    }
}
