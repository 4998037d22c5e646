import RuleModel

/// A part of the state that writes itself down and reads itself back.
///
/// What a part needs to know and the program says (spans, limits, layouts) is not written: a part that
/// cannot do without takes it as a further parameter, as `WindowState.init(from:rule:)` does.
///
/// Reading checks everything that later code relies on (indices, orders, counts) and throws
/// `SnapshotError.damaged`: after that no byte of a snapshot can make the engine trap. The form may only
/// change together with the version of the section that the part stands in (`StateWriter.section`).
protocol StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError)
    func write(to writer: inout StateWriter)
}

extension StateWriter {
    mutating func write<Part: StateCoded>(_ part: Part) { part.write(to: &self) }

    mutating func write<Part: StateCoded>(_ part: Part?) {
        write(part != nil)
        if let part { part.write(to: &self) }
    }

    mutating func write<Part: StateCoded>(_ parts: some Collection<Part>) {
        write(parts.count)
        for part in parts { part.write(to: &self) }
    }
}

extension StateReader {
    mutating func read<Part: StateCoded>(
        _ type: Part.Type = Part.self
    ) throws(SnapshotError) -> Part { try Part(from: &self) }

    mutating func readOptional<Part: StateCoded>(
        _ type: Part.Type = Part.self
    ) throws(SnapshotError) -> Part? { try bool() ? Part(from: &self) : nil }

    mutating func readArray<Part: StateCoded>(
        of type: Part.Type = Part.self
    ) throws(SnapshotError) -> [Part] {
        let count = try count()
        var parts: [Part] = []
        parts.reserveCapacity(min(count, 1024))
        for _ in 0..<count { parts.append(try Part(from: &self)) }
        return parts
    }
}

// MARK: - Values that many parts are made of

extension Int: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) { self = try reader.int() }
    func write(to writer: inout StateWriter) { writer.write(self) }
}

extension Double: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) { self = try reader.double() }
    func write(to writer: inout StateWriter) { writer.write(self) }
}

extension String: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) { self = try reader.string() }
    func write(to writer: inout StateWriter) { writer.write(self) }
}

extension Timestamp: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(nanoseconds: try reader.int64())
    }
    func write(to writer: inout StateWriter) { writer.write(nanoseconds) }
}

extension TimeSpan: StateCoded {
    init(from reader: inout StateReader) throws(SnapshotError) {
        self.init(nanoseconds: try reader.int64())
    }
    func write(to writer: inout StateWriter) { writer.write(nanoseconds) }
}

extension Value: StateCoded {
    /// Lists of lists deeper than this are refused, so that reading cannot exhaust the stack.
    private static let depthMax = 64

    private enum Tag: UInt8 {
        case missing, no, yes, int, float, text, ip, network, time, span, list
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        try self.init(from: &reader, depth: 0)
    }

    private init(from reader: inout StateReader, depth: Int) throws(SnapshotError) {
        guard let tag = Tag(rawValue: try reader.byte()) else {
            throw reader.damaged("an unknown kind of value")
        }
        switch tag {
        case .missing: self = .missing
        case .no: self = .bool(false)
        case .yes: self = .bool(true)
        case .int: self = .int(try reader.int64())
        case .float: self = .float(try reader.double())
        case .text: self = .text(try reader.string())
        case .ip: self = .ip(try Value.address(from: &reader))
        case .network:
            let address = try Value.address(from: &reader)
            let prefix = try reader.byte()
            guard prefix <= 128 else { throw reader.damaged("a network prefix above 128") }
            self = .network(IPNetwork(address: address, prefix: prefix))
        case .time: self = .time(try reader.read())
        case .span: self = .span(try reader.read())
        case .list:
            guard depth < Value.depthMax else { throw reader.damaged("lists nested too deeply") }
            var values: [Value] = []
            for _ in 0..<(try reader.count()) {
                values.append(try Value(from: &reader, depth: depth + 1))
            }
            self = .list(values)
        }
    }

    private static func address(from reader: inout StateReader) throws(SnapshotError) -> IPAddress {
        IPAddress(high: try reader.word(), low: try reader.word())
    }

    func write(to writer: inout StateWriter) {
        func tag(_ tag: Tag) { writer.write(byte: tag.rawValue) }
        func write(_ address: IPAddress) {
            writer.write(word: address.high)
            writer.write(word: address.low)
        }
        switch self {
        case .missing: tag(.missing)
        case .bool(let bool): tag(bool ? .yes : .no)
        case .int(let number):
            tag(.int)
            writer.write(number)
        case .float(let number):
            tag(.float)
            writer.write(number)
        case .text(let text):
            tag(.text)
            writer.write(text.string)
        case .ip(let address):
            tag(.ip)
            write(address)
        case .network(let network):
            tag(.network)
            write(network.address)
            writer.write(byte: network.prefix)
        case .time(let time):
            tag(.time)
            writer.write(time)
        case .span(let span):
            tag(.span)
            writer.write(span)
        case .list(let values):
            tag(.list)
            writer.write(values)
        }
    }
}
