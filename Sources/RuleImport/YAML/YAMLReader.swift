import CYaml

/// Why a text is no YAML that we read.
struct YAMLFault: Error, Equatable {
    var reason: String
    var line: Int
}

/// Reads the documents of a YAML stream, with libyaml.
///
/// Anchors and aliases are followed and `<<` is merged. A key that stands twice in one mapping is a
/// fault: one of the two would be lost.
///
/// - Returns: The documents before the first fault, and the fault if there is one.
func readYAML(_ bytes: [UInt8]) -> (documents: [YAMLNode], fault: YAMLFault?) {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
        return ([], YAMLFault(reason: "there is not enough memory to read it", line: 1))
    }
    defer { yaml_parser_delete(&parser) }
    return bytes.withUnsafeBufferPointer { input in
        yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        return withUnsafeMutablePointer(to: &parser) { pointer in
            var reader = YAMLReader(parser: pointer)
            do throws(YAMLFault) {
                try reader.stream()
                return (reader.documents, nil)
            } catch {
                return (reader.documents, error)
            }
        }
    }
}

/// One pass over a stream.
private struct YAMLReader {
    let parser: UnsafeMutablePointer<yaml_parser_t>
    var documents: [YAMLNode] = []
    private var anchors: [String: YAMLNode] = [:]
    /// How many nodes have been made, aliases counted at what they stand for.
    private var nodeCount = 0
    private var anchorSizes: [String: Int] = [:]

    /// Nobody writes deeper ones, and whoever walks a tree may recurse.
    private static let depthMax = 100
    /// An alias to aliases to aliases grows without end.
    private static let nodesMax = 1_000_000

    init(parser: UnsafeMutablePointer<yaml_parser_t>) { self.parser = parser }

    /// An event of libyaml as a value of ours.
    private struct Event {
        var type: yaml_event_type_t
        var line: Int
        var text = ""
        var isPlain = false
        var anchor: String?
    }

    private func next() throws(YAMLFault) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it is not YAML"
            let line = max(parser.pointee.problem_mark.line, parser.pointee.context_mark.line)
            throw YAMLFault(reason: problem, line: Int(line) + 1)
        }
        defer { yaml_event_delete(&event) }
        var result = Event(type: event.type, line: Int(event.start_mark.line) + 1)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            if let value = scalar.value {
                result.text = String(
                    decoding: UnsafeBufferPointer(start: value, count: scalar.length),
                    as: UTF8.self)
            }
            result.isPlain = scalar.plain_implicit == 1 && scalar.style == YAML_PLAIN_SCALAR_STYLE
            result.anchor = name(scalar.anchor)
        case YAML_ALIAS_EVENT: result.anchor = name(event.data.alias.anchor)
        case YAML_SEQUENCE_START_EVENT: result.anchor = name(event.data.sequence_start.anchor)
        case YAML_MAPPING_START_EVENT: result.anchor = name(event.data.mapping_start.anchor)
        default: break
        }
        return result
    }

    private func name(_ anchor: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        anchor.map { String(cString: $0) }
    }

    mutating func stream() throws(YAMLFault) {
        while true {
            let event = try next()
            switch event.type {
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return
            case YAML_DOCUMENT_START_EVENT:
                anchors = [:]
                documents.append(try node(from: try next(), depth: 0))
            default: break
            }
        }
    }

    private mutating func node(from event: Event, depth: Int) throws(YAMLFault) -> YAMLNode {
        guard depth < Self.depthMax else {
            throw YAMLFault(
                reason: "it is nested more than \(Self.depthMax) deep", line: event.line)
        }
        let before = nodeCount
        nodeCount += 1
        let kind: YAMLNode.Kind
        switch event.type {
        case YAML_ALIAS_EVENT:
            let anchor = event.anchor ?? ""
            guard let target = anchors[anchor] else {
                throw YAMLFault(reason: "there is no anchor `\(anchor)`", line: event.line)
            }
            nodeCount += anchorSizes[anchor] ?? 0
            kind = target.kind
        case YAML_SEQUENCE_START_EVENT: kind = .sequence(try sequence(depth: depth))
        case YAML_MAPPING_START_EVENT: kind = .mapping(try mapping(depth: depth))
        default: kind = .scalar(event.text, isPlain: event.isPlain)
        }
        guard nodeCount < Self.nodesMax else {
            throw YAMLFault(
                reason: "its aliases stand for more than a million values", line: event.line)
        }
        let node = YAMLNode(kind: kind, line: event.line)
        if let anchor = event.anchor, event.type != YAML_ALIAS_EVENT {
            anchors[anchor] = node
            anchorSizes[anchor] = nodeCount - before
        }
        return node
    }

    private mutating func sequence(depth: Int) throws(YAMLFault) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let event = try next()
            if event.type == YAML_SEQUENCE_END_EVENT { return elements }
            elements.append(try node(from: event, depth: depth + 1))
        }
    }

    private mutating func mapping(
        depth: Int
    ) throws(YAMLFault) -> [(key: String, value: YAMLNode)] {
        var members: [(key: String, value: YAMLNode)] = []
        var merged: [(key: String, value: YAMLNode)] = []
        var keys: Set<String> = []
        while true {
            let event = try next()
            if event.type == YAML_MAPPING_END_EVENT { break }
            let key = try node(from: event, depth: depth + 1)
            let value = try node(from: try next(), depth: depth + 1)
            guard case .scalar(let name, let isPlain) = key.kind else {
                throw YAMLFault(reason: "a key is no text", line: key.line)
            }
            if name == "<<", isPlain {
                for source in value.elements { merged += source.members ?? [] }
                continue
            }
            guard keys.insert(name).inserted else {
                throw YAMLFault(reason: "the key `\(name)` stands twice", line: key.line)
            }
            members.append((name, value))
        }
        for member in merged where keys.insert(member.key).inserted { members.append(member) }
        return members
    }
}
