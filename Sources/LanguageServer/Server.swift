import RuleCompiler
import RuleSyntax

/// The language server: messages in, messages out.
///
/// It holds no thread and does no input or output, so a test can be a list of messages. Messages
/// that wait together are taken together: a request that was cancelled in the meantime is not
/// worked on, and diagnostics are told once, for what the files are behind the last change.
public struct LanguageServer {
    enum State { case waiting, running, shutDown }

    let environment: ServerEnvironment
    var workspace: Workspace
    var state = State.waiting
    var published: [String: JSONDocument] = [:]
    var hasChanges = false
    var outgoing: [JSONDocument] = []
    /// The client fills in forms.
    private(set) var supportsSnippets = false
    /// The client can be asked to watch files.
    private var watchesFiles = false
    private var nextRequest = 1

    /// Set when the client has said `exit`: 0 after a `shutdown`, else 1, as the protocol asks.
    public private(set) var exitCode: Int32?

    public init(environment: ServerEnvironment) {
        self.environment = environment
        workspace = Workspace(environment: environment)
    }

    /// Works on the messages that are there, and gives the answers in order.
    public mutating func receive(_ messages: [ReceivedMessage]) -> [JSONDocument] {
        outgoing = []
        let cancelled = cancelledRequests(messages)
        for message in messages where exitCode == nil {
            switch message {
            case .unreadable(let reason):
                outgoing.append(
                    RequestFault(.parseError, "this is no JSON: \(reason)").response(to: .null))
            case .message(let message): take(message, cancelled: cancelled)
            }
        }
        if hasChanges, state == .running, exitCode == nil { publishDiagnostics() }
        return outgoing
    }

    private func cancelledRequests(_ messages: [ReceivedMessage]) -> [JSONDocument] {
        messages.compactMap { message in
            guard case .message(let message) = message,
                message["method"]?.text == "$/cancelRequest"
            else { return nil }
            return message["params"]?["id"]
        }
    }

    private mutating func take(_ message: JSONDocument, cancelled: [JSONDocument]) {
        let id = message["id"]
        guard let method = message["method"]?.text else {
            // An answer to a request of ours: nothing waits for it.
            if id != nil, message["result"] != nil || message["error"] != nil { return }
            let fault = RequestFault(.invalidRequest, "the message has no method")
            outgoing.append(fault.response(to: id ?? .null))
            return
        }
        let parameters = message["params"] ?? .null
        guard let id else { return notify(method, parameters) }
        do throws(RequestFault) {
            if cancelled.contains(id) { throw RequestFault(.requestCancelled, "cancelled") }
            let result = try answer(method, parameters)
            outgoing.append(["jsonrpc": "2.0", "id": id, "result": result])
        } catch {
            outgoing.append(error.response(to: id))
        }
    }

    mutating func send(_ method: String, _ parameters: JSONDocument) {
        outgoing.append(
            ["jsonrpc": "2.0", "method": .text(method), "params": parameters])
    }

    // MARK: - Notifications

    private mutating func notify(_ method: String, _ parameters: JSONDocument) {
        if method == "exit" {
            exitCode = state == .shutDown ? 0 : 1
            return
        }
        guard state == .running else { return }
        let document = parameters["textDocument"]
        let uri = document?["uri"]?.text
        switch method {
        case "initialized": registerWatchers()
        case "textDocument/didOpen":
            guard let uri, let text = document?["text"]?.text else { return complain(method) }
            workspace.open(uri: uri, version: document?["version"]?.integer ?? 0, text: text)
            hasChanges = true
        case "textDocument/didChange":
            guard let uri, let changes = parameters["contentChanges"]?.elements,
                workspace.change(
                    uri: uri, version: document?["version"]?.integer ?? 0, changes: changes)
            else { return complain(method) }
            hasChanges = true
        case "textDocument/didClose":
            guard let uri else { return complain(method) }
            workspace.close(uri: uri)
            hasChanges = true
        case "textDocument/didSave", "workspace/didChangeWatchedFiles":
            workspace.forgetDisk()
            hasChanges = true
        case "workspace/didChangeWorkspaceFolders":
            let event = parameters["event"]
            workspace.changeFolders(
                adding: folders(event?["added"]), removing: folders(event?["removed"]))
            hasChanges = true
        default: break
        }
    }

    /// A notification has no answer, so what is wrong with one goes to the client's log.
    private mutating func complain(_ method: String) {
        send(
            "window/logMessage",
            ["type": 1, "message": .text("martlet: cannot follow this `\(method)`: it is ignored")])
    }

    private func folders(_ list: JSONDocument?) -> [String] {
        (list?.elements ?? []).compactMap { folder in
            folder["uri"]?.text.flatMap(filePath).map(normalisedPath)
        }
    }

    // MARK: - Life

    private mutating func answer(
        _ method: String, _ parameters: JSONDocument
    ) throws(RequestFault) -> JSONDocument {
        switch (state, method) {
        case (.waiting, "initialize"): return initialize(parameters)
        case (.waiting, _): throw RequestFault(.serverNotInitialized, "`initialize` comes first")
        case (.running, "shutdown"):
            state = .shutDown
            return .null
        case (.running, "initialize"): throw RequestFault(.invalidRequest, "already initialized")
        case (.running, _): return try respond(method, parameters)
        case (.shutDown, _): throw RequestFault(.invalidRequest, "the server was shut down")
        }
    }

    private mutating func initialize(_ parameters: JSONDocument) -> JSONDocument {
        let capabilities = parameters["capabilities"]
        let encodings = capabilities?["general"]?["positionEncodings"]?.elements ?? []
        workspace.encoding = PositionEncoding(offered: encodings.compactMap(\.text))
        watchesFiles =
            capabilities?["workspace"]?["didChangeWatchedFiles"]?["dynamicRegistration"]?.bool
            ?? false
        supportsSnippets =
            capabilities?["textDocument"]?["completion"]?["completionItem"]?["snippetSupport"]?
            .bool ?? false
        var roots = folders(parameters["workspaceFolders"])
        if roots.isEmpty {
            let root = parameters["rootUri"]?.text.flatMap(filePath)
            roots = [root ?? parameters["rootPath"]?.text].compactMap(\.self).map(normalisedPath)
        }
        workspace.changeFolders(adding: roots, removing: [])
        state = .running
        hasChanges = true
        return [
            "capabilities": serverCapabilities(workspace.encoding),
            "serverInfo": ["name": "martlet", "version": .text(environment.version)],
        ]
    }

    private mutating func registerWatchers() {
        guard watchesFiles else { return }
        outgoing.append([
            "jsonrpc": "2.0", "id": .text("martlet-\(nextRequest)"),
            "method": "client/registerCapability",
            "params": [
                "registrations": [
                    [
                        "id": "watch-rules", "method": "workspace/didChangeWatchedFiles",
                        "registerOptions": ["watchers": [["globPattern": "**/*.rules"]]],
                    ]
                ]
            ],
        ])
        nextRequest += 1
    }
}
