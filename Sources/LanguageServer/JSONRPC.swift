import RuleSyntax

/// One message from the client, or why the bytes of one are none.
public enum ReceivedMessage: Sendable {
    case message(JSONDocument)
    /// The frame was whole and its content was no JSON; the stream goes on behind it.
    case unreadable(String)
}

/// Why a stream cannot be read any further: nobody knows where the next message begins.
public struct FrameFault: Error, Equatable {
    public var reason: String
}

/// Cuts a stream of bytes into messages: a header with `Content-Length`, an empty line, and as many
/// bytes of JSON (LSP 3.17, base protocol).
public struct FrameReader: Sendable {
    private var buffer: [UInt8] = []

    /// A message of more bytes than any editor sends; what claims to be longer is a mistake.
    static let lengthMax = 1 << 28
    static let headerMax = 8_192

    public init() {}

    /// Whether bytes of an unfinished message are waiting.
    public var isInsideMessage: Bool { !buffer.isEmpty }

    /// Takes bytes and gives the messages that are complete with them.
    ///
    /// - Throws: when a header cannot be read. The stream is of no use then.
    public mutating func append(_ bytes: some Sequence<UInt8>) throws(FrameFault)
        -> [ReceivedMessage]
    {
        buffer.append(contentsOf: bytes)
        var messages: [ReceivedMessage] = []
        var start = 0
        while let header = try header(from: start) {
            let end = header.end + header.length
            guard end <= buffer.count else { break }
            do throws(JSONDocument.Fault) {
                let content = Array(buffer[header.end..<end])
                messages.append(.message(try JSONDocument(parsing: content)))
            } catch {
                messages.append(
                    .unreadable("byte \(error.offset) of the message: \(error.reason)"))
            }
            start = end
        }
        buffer.removeFirst(start)
        return messages
    }

    /// The header that begins at an index; nil while it is not complete.
    private func header(from start: Int) throws(FrameFault) -> (end: Int, length: Int)? {
        var length: Int?
        var lineStart = start
        while let lineEnd = buffer[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = buffer[lineStart..<lineEnd]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            lineStart = lineEnd + 1
            if line.isEmpty {
                guard let length else { throw FrameFault(reason: "a header has no Content-Length") }
                return (lineStart, length)
            }
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else {
                throw FrameFault(reason: "a line of a header has no `:`")
            }
            // Other fields, such as Content-Type, say nothing that matters.
            guard text[..<colon].lowercased() == "content-length" else { continue }
            let digits = text[text.index(after: colon)...].filter { $0 != " " }
            guard let number = Int(digits), (0...Self.lengthMax).contains(number) else {
                throw FrameFault(reason: "`\(digits)` is no length of a message")
            }
            length = number
        }
        if buffer.count - start > Self.headerMax { throw FrameFault(reason: "a header has no end") }
        return nil
    }
}

/// A message as it goes over the wire.
public func frame(_ message: JSONDocument) -> [UInt8] {
    let content = Array(message.line.utf8)
    return Array("Content-Length: \(content.count)\r\n\r\n".utf8) + content
}

/// What a request can be refused with: the numbers of JSON-RPC and of the language server protocol.
struct RequestFault: Error {
    enum Code: Int {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParameters = -32602
        case serverNotInitialized = -32002
        case requestFailed = -32803
        case requestCancelled = -32800
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The answer to the request with an id; `null` where the id is not known.
    func response(to id: JSONDocument) -> JSONDocument {
        [
            "jsonrpc": "2.0", "id": id,
            "error": ["code": .number(code.rawValue), "message": .text(message)],
        ]
    }
}
