import RuleModel

typealias BytePointer = UnsafePointer<UInt8>

/// Reads one line of JSON after the other and fills the slots of a `Projection`.
///
/// The scanner checks every byte of a line against the grammar, the values that nobody wants too,
/// and keeps only what is wanted. It stays inside its memory for any input, because
///
/// - a chunk ends with a line feed, and a line feed stops every loop: it is no white space here,
///   no digit, and not allowed in a text; no pointer moves past it before the line is given up;
/// - words of eight bytes are loaded at or before that line feed, and 64 bytes of padding follow;
/// - what is copied out is never more than `Projection.copiesMax + 1` times what was read, and that
///   much room is made before the first line.
///
/// Events of one source look alike: the same keys in the same order. So for every place in an
/// object the scanner remembers the bytes that stood between two values there (`,"user":`) together
/// with what they mean, and compares words before it looks at bytes (`KeyMemo`).
struct LineScanner {
    /// How deep objects and arrays may be nested, the event itself included.
    static let depthMax = 512

    let projection: Projection
    /// How many rows a slot of `cells` has.
    let rowCapacity: Int
    /// Cells by slot, then row.
    let cells: UnsafeMutablePointer<Cell>
    /// Texts that cells point into.
    let text: UnsafeMutablePointer<UInt8>
    /// What is added to an offset into `text` to give the offset in the batch.
    let textBase: Int
    let memos: UnsafeMutablePointer<KeyMemo>
    /// For each entry of the projection the stamp of the line that held its key last.
    let seen: UnsafeMutablePointer<UInt32>

    var textCount = 0
    /// The row that is being filled.
    var row = 0
    /// Different for each line.
    var stamp: UInt32
    var hasDuplicateKey = false

    var fault = ScanFault.unexpectedEnd
    /// Where the fault stands; never behind the line feed of the line.
    var faultPosition: BytePointer

    private var times = TimeParser()
    /// The time of the line's event and its type, as far as they are known.
    var time: RoleValue<Int64>
    var type: RoleValue<EventTypeID>

    /// The value of the field that has a role: time or type.
    struct RoleValue<Found> {
        var value: Found
        /// Which spelling of the field gave the value; `noRole` if none has.
        var rank = Projection.Target.noRole
        /// Why there is no value although the field is there.
        var fault: ScanFault?
        var position: BytePointer

        var isMissing: Bool { rank == Projection.Target.noRole }
        var isFound: Bool { !isMissing && fault == nil }
    }

    init(
        projection: Projection, rowCapacity: Int, cells: UnsafeMutablePointer<Cell>,
        text: UnsafeMutablePointer<UInt8>, textBase: Int, memos: UnsafeMutablePointer<KeyMemo>,
        seen: UnsafeMutablePointer<UInt32>, stamp: UInt32, start: BytePointer
    ) {
        self.projection = projection
        self.rowCapacity = rowCapacity
        self.cells = cells
        self.text = text
        self.textBase = textBase
        self.memos = memos
        self.seen = seen
        self.stamp = stamp
        faultPosition = start
        time = RoleValue(value: 0, position: start)
        type = RoleValue(value: .unread, position: start)
    }

    // MARK: - A line

    /// Reads the object that begins at `start` and all that follows it in the line.
    ///
    /// Returns the line feed behind it, or nil with `fault` and `faultPosition` set.
    mutating func scanLine(_ start: BytePointer) -> BytePointer? {
        stamp &+= 1
        time.rank = Projection.Target.noRole
        type.rank = Projection.Target.noRole
        guard start.pointee == .leftBrace else {
            return fail(start.pointee == .leftBracket ? .arrayLine : .expectedObject, at: start)
        }
        guard var end = scanObject(start, node: Projection.root, depth: 1) else { return nil }
        end = skipSpace(end)
        guard end.pointee == .lineFeed else { return fail(.trailingBytes, at: end) }
        return end
    }

    /// Takes back what a line that turned out bad has put into its row.
    func clearRow() {
        for slot in 0..<projection.slotCount { cells[slot * rowCapacity + row] = .missing }
    }

    @inline(never)
    mutating func fail(_ kind: ScanFault, at position: BytePointer) -> BytePointer? {
        // Where the line ends too early, that is what the reader of the message wants to know.
        let isEnd = isLineEnd(position)
        fault = isEnd && kind.reason == .malformed ? .unexpectedEnd : kind
        faultPosition = position
        return nil
    }

    // MARK: - Objects with wanted keys

    /// Reads an object of which some keys are wanted, from its brace to behind its closing brace.
    ///
    /// Calls itself only along the paths of the projection, at most `depthMax` times.
    mutating func scanObject(_ open: BytePointer, node: Int, depth: Int) -> BytePointer? {
        if depth > LineScanner.depthMax { return fail(.tooDeep, at: open) }
        let places = projection.nodes[node].memoPlaces
        var memo = memos + Int(projection.nodes[node].memoStart) * KeyMemo.ways
        var place: Int32 = 0
        var position = open + 1
        while true {
            if position.pointee == .rightBrace { return position + 1 }
            var target: Projection.Target
            if place < places, memo.pointee.matches(position) {
                target = memo.pointee.target
                position += Int(memo.pointee.count)
            } else if place < places, let way = otherWay(memo, position) {
                target = memo[way].target
                position += Int(memo[way].count)
            } else {
                target = .unwanted
                let start = position
                guard
                    let value = scanKey(start, node: node, isFirst: place == 0, target: &target)
                else { return nil }
                // The scanner hands back the closing brace where there was no further key.
                if value.pointee == .rightBrace { return value + 1 }
                if place < places { KeyMemo.remember(start, value, target, in: memo) }
                position = value
            }
            // What is remembered ends at a colon or at the space that once stood behind it; this
            // line may have more.
            if position.pointee <= .space { position = skipSpace(position) }
            guard
                let end = target.isWanted
                    ? takeValue(position, target, depth: depth) : skipValue(position, depth: depth)
            else { return nil }
            position = end
            place += 1
            memo += KeyMemo.ways
        }
    }

    @inline(never)
    private func otherWay(_ memo: UnsafeMutablePointer<KeyMemo>, _ position: BytePointer) -> Int? {
        for way in 1..<KeyMemo.ways where memo[way].matches(position) { return way }
        return nil
    }

    /// Reads from behind a value (or the opening brace) to the next value: comma, key and colon.
    ///
    /// Returns the first byte of the value, or the closing brace of the object.
    @inline(never)
    private mutating func scanKey(
        _ start: BytePointer, node: Int, isFirst: Bool, target: inout Projection.Target
    ) -> BytePointer? {
        var position = skipSpace(start)
        if position.pointee == .rightBrace { return position }
        if !isFirst {
            guard position.pointee == .comma else {
                return fail(.expectedCommaOrBrace, at: position)
            }
            position = skipSpace(position + 1)
        }
        guard position.pointee == .quote else { return fail(.expectedKey, at: position) }
        var isEscaped = false
        let key = position + 1
        guard let end = stringEnd(key, &isEscaped) else { return nil }
        if isEscaped {
            // The room behind the texts is free for the moment.
            let count = unescape(key, end, into: text + textCount)
            let bytes = UnsafeBufferPointer(start: UnsafePointer(text + textCount), count: count)
            target = projection.target(of: bytes, in: node)
        } else {
            target = projection.target(
                of: UnsafeBufferPointer(start: key, count: end - key), in: node)
        }
        position = skipSpace(end + 1)
        guard position.pointee == .colon else { return fail(.expectedColon, at: position) }
        position = skipSpace(position + 1)
        // A brace here would be taken for the end of the object.
        if position.pointee == .rightBrace { return fail(.expectedValue, at: position) }
        return position
    }

    // MARK: - Wanted values

    @inline(__always)
    private mutating func takeValue(
        _ start: BytePointer, _ target: Projection.Target, depth: Int
    ) -> BytePointer? {
        if seen[Int(target.entry)] == stamp { noteDuplicate(target) }
        seen[Int(target.entry)] = stamp
        let cell: Cell
        let end: BytePointer
        switch start.pointee {
        case .quote:
            var isEscaped = false
            let first = start + 1
            guard let close = stringEnd(first, &isEscaped) else { return nil }
            end = close + 1
            var source = first
            var count = close - first
            if isEscaped {
                count = unescape(first, close, into: text + textCount)
                source = UnsafePointer(text + textCount)
            } else if target.slot >= 0 {
                copy(first, count)
            }
            if target.hasRole {
                takeRole(UnsafeBufferPointer(start: source, count: count), target, at: start)
            }
            guard target.slot >= 0 else { return end }
            cell = Cell(kind: .text, bits: UInt64(textBase + textCount), length: UInt32(count))
            textCount += count
        case .leftBrace, .leftBracket:
            let isParent = target.child >= 0 && start.pointee == .leftBrace
            guard
                let close = isParent
                    ? scanObject(start, node: Int(target.child), depth: depth + 1)
                    : skipContainer(start, depth: depth)
            else { return nil }
            end = close
            if target.hasRole { refuseRole(target, at: start) }
            guard target.slot >= 0 else { return end }
            copy(start, end - start)
            cell = Cell(
                kind: .json, bits: UInt64(textBase + textCount), length: UInt32(end - start))
            textCount += end - start
        case 0x74, 0x66, 0x6E:  // t, f, n
            guard let close = skipLiteral(start) else { return nil }
            end = close
            if start.pointee == 0x6E {
                cell = .missing
                if target.hasRole { forgetRole(target) }
            } else {
                cell = Cell(kind: .bool, bits: start.pointee == 0x74 ? 1 : 0)
                if target.hasRole { refuseRole(target, at: start) }
            }
        default:
            var number = Cell.missing
            guard let close = scanNumber(start, into: &number) else { return nil }
            end = close
            cell = number
            if target.hasRole { takeRole(number: start, end, number.kind, target) }
        }
        if target.slot >= 0 { cells[Int(target.slot) * rowCapacity + row] = cell }
        return end
    }

    /// Copies to the end of the texts, eight bytes at a time, without moving the end.
    @inline(__always)
    private func copy(_ source: BytePointer, _ count: Int) {
        let goal = UnsafeMutableRawPointer(text + textCount)
        if count > 32 {
            goal.copyMemory(from: source, byteCount: count)
            return
        }
        // Up to seven bytes too many: both sides have padding.
        var done = 0
        while done < count {
            goal.storeBytes(of: loadWord(source + done), toByteOffset: done, as: UInt64.self)
            done += 8
        }
    }

    /// A key that has been seen in this line: the last one counts, with all that is inside it.
    @inline(never)
    private mutating func noteDuplicate(_ target: Projection.Target) {
        hasDuplicateKey = true
        guard target.child >= 0 else { return }
        for entry in projection.entries(below: Int(target.child)) {
            seen[Int(entry.target.entry)] = stamp &- 1
            if entry.target.slot >= 0 {
                cells[Int(entry.target.slot) * rowCapacity + row] = .missing
            }
            forgetRole(entry.target)
        }
    }

    // MARK: - The time and the type

    private mutating func takeRole(
        _ value: UnsafeBufferPointer<UInt8>, _ target: Projection.Target, at position: BytePointer
    ) {
        if target.timeRank <= time.rank, target.timeRank != Projection.Target.noRole {
            setTime(times.parse(value), target, at: position)
        }
        if target.typeRank <= type.rank, target.typeRank != Projection.Target.noRole {
            setType(value, target, at: position)
        }
    }

    private mutating func takeRole(
        number start: BytePointer, _ end: BytePointer, _ kind: Cell.Kind,
        _ target: Projection.Target
    ) {
        let value = UnsafeBufferPointer(start: start, count: end - start)
        if target.timeRank <= time.rank, target.timeRank != Projection.Target.noRole {
            setTime(TimeParser.number(value), target, at: start)
        }
        guard kind == .int else { return refuseRole(target, at: start, onlyType: true) }
        if target.typeRank <= type.rank, target.typeRank != Projection.Target.noRole {
            setType(value, target, at: start)
        }
    }

    private mutating func setTime(
        _ parsed: ParsedTime, _ target: Projection.Target, at position: BytePointer
    ) {
        time.rank = target.timeRank
        time.position = position
        switch parsed {
        case .time(let nanoseconds):
            time.value = nanoseconds
            time.fault = nil
        case .unreadable: time.fault = .timeUnreadable
        case .absurd: time.fault = .timeAbsurd
        }
    }

    private mutating func setType(
        _ name: UnsafeBufferPointer<UInt8>, _ target: Projection.Target, at position: BytePointer
    ) {
        let slot = typeSlot(name)
        type.rank = target.typeRank
        type.position = position
        type.fault = nil
        type.value = slot < 0 ? .unread : EventTypeID(rawValue: UInt16(slot))
    }

    /// The number of the type with this name; -1 if no rule reads it.
    private func typeSlot(_ name: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let start = name.baseAddress else { return -1 }
        let place = projection.memoPlaces + name.count % Projection.typeMemoPlaces
        let memo = memos + place * KeyMemo.ways
        for way in 0..<KeyMemo.ways
        where Int(memo[way].count) == name.count && memo[way].matches(start) {
            return memo[way].target.slot
        }
        let target = projection.target(of: name, in: projection.typeNode)
        KeyMemo.remember(start, start + name.count, target, in: memo)
        return target.slot
    }

    /// A value that can be neither a time nor the name of a type.
    @inline(never)
    private mutating func refuseRole(
        _ target: Projection.Target, at position: BytePointer, onlyType: Bool = false
    ) {
        if !onlyType, target.timeRank <= time.rank, target.timeRank != Projection.Target.noRole {
            time.rank = target.timeRank
            time.position = position
            time.fault = .timeUnreadable
        }
        if target.typeRank <= type.rank, target.typeRank != Projection.Target.noRole {
            type.rank = target.typeRank
            type.position = position
            type.fault = .typeUnreadable
        }
    }

    /// A null is as good as nothing (T6): another spelling of the field may still give the value.
    @inline(never)
    private mutating func forgetRole(_ target: Projection.Target) {
        let none = Projection.Target.noRole
        if target.timeRank != none, target.timeRank == time.rank { time.rank = none }
        if target.typeRank != none, target.typeRank == type.rank { type.rank = none }
    }
}

extension UInt8 {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let comma: UInt8 = 0x2C
    static let colon: UInt8 = 0x3A
    static let leftBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let rightBracket: UInt8 = 0x5D
    static let leftBrace: UInt8 = 0x7B
    static let rightBrace: UInt8 = 0x7D
}

/// Eight bytes, the first of them lowest.
@inline(__always)
func loadWord(_ position: BytePointer) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(position).loadUnaligned(as: UInt64.self))
}

/// Whether the line ends here, with a line feed alone or with a carriage return before it.
func isLineEnd(_ position: BytePointer) -> Bool {
    position[0] == .lineFeed || position[0] == .carriageReturn && position[1] == .lineFeed
}

/// The next byte that is not white space. A line feed ends the line and is none.
@inline(__always)
func skipSpace(_ start: BytePointer) -> BytePointer {
    var position = start
    while position.pointee <= .space {
        guard
            position.pointee == .space || position.pointee == 0x09
                || position.pointee == .carriageReturn
        else { break }
        position += 1
    }
    return position
}
