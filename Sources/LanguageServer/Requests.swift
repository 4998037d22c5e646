import RuleSyntax

/// What the server tells a client that it can do.
func serverCapabilities(_ encoding: PositionEncoding) -> JSONDocument {
    [
        "positionEncoding": .text(encoding.rawValue),
        "textDocumentSync": [
            "openClose": true, "change": 2, "save": ["includeText": false],
        ],
        "completionProvider": ["triggerCharacters": [".", "{", "\"", " "]],
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": ["prepareProvider": true],
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "documentFormattingProvider": true,
        "foldingRangeProvider": true,
        "codeActionProvider": ["codeActionKinds": ["quickfix", "source.fixAll"]],
        "codeLensProvider": ["resolveProvider": false],
        "executeCommandProvider": ["commands": [.text(runTestCommand)]],
        "inlayHintProvider": true,
        "semanticTokensProvider": [
            "legend": semanticTokensLegend, "full": true, "range": true,
        ],
        "workspace": [
            "workspaceFolders": ["supported": true, "changeNotifications": true]
        ],
    ]
}

extension LanguageServer {
    /// The answer to a request of a running server.
    mutating func respond(
        _ method: String, _ parameters: JSONDocument
    ) throws(RequestFault) -> JSONDocument {
        switch method {
        case "textDocument/completion":
            let (view, offset) = try place(parameters)
            return completion(view, at: offset)
        case "textDocument/hover":
            let (view, offset) = try place(parameters)
            return hover(view, at: offset)
        case "textDocument/definition":
            let (view, offset) = try place(parameters)
            return definition(view, at: offset)
        case "textDocument/references":
            let (view, offset) = try place(parameters)
            let withDeclaration = parameters["context"]?["includeDeclaration"]?.bool ?? true
            return references(view, at: offset, includingDeclaration: withDeclaration)
        case "textDocument/documentHighlight":
            let (view, offset) = try place(parameters)
            return highlights(view, at: offset)
        case "textDocument/prepareRename":
            let (view, offset) = try place(parameters)
            return try prepareRename(view, at: offset)
        case "textDocument/rename":
            let (view, offset) = try place(parameters)
            guard let name = parameters["newName"]?.text else {
                throw RequestFault(.invalidParameters, "there is no `newName`")
            }
            return try rename(view, at: offset, to: name)
        case "textDocument/documentSymbol": return documentSymbols(try view(parameters))
        case "workspace/symbol": return workspaceSymbols(parameters["query"]?.text ?? "")
        case "textDocument/formatting": return try formatting(try view(parameters))
        case "textDocument/foldingRange": return foldingRanges(try view(parameters))
        case "textDocument/codeAction":
            return codeActions(try view(parameters), parameters)
        case "textDocument/codeLens": return codeLenses(try view(parameters))
        case "textDocument/inlayHint": return inlayHints(try view(parameters), parameters)
        case "textDocument/semanticTokens/full": return semanticTokens(try view(parameters), nil)
        case "textDocument/semanticTokens/range":
            return semanticTokens(try view(parameters), parameters["range"])
        case "workspace/executeCommand": return try execute(parameters)
        default: throw RequestFault(.methodNotFound, "there is no method `\(method)`")
        }
    }

    /// The open file that a request is about.
    mutating func view(_ parameters: JSONDocument) throws(RequestFault) -> DocumentView {
        guard let uri = parameters["textDocument"]?["uri"]?.text else {
            throw RequestFault(.invalidParameters, "the request names no text document")
        }
        guard let view = workspace.view(uri) else {
            throw RequestFault(.invalidParameters, "`\(uri)` is not open")
        }
        return view
    }

    /// The open file and the place in it that a request is about.
    private mutating func place(
        _ parameters: JSONDocument
    ) throws(RequestFault) -> (DocumentView, UInt32) {
        let view = try view(parameters)
        guard let offset = view.map.offset(parameters["position"]) else {
            throw RequestFault(.invalidParameters, "the request names no position")
        }
        return (view, offset)
    }
}
