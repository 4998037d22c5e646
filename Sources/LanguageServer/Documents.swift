import RuleCompiler
import RuleSyntax

/// A file that the editor has open: its text is the editor's, not the disk's.
struct OpenDocument {
    /// As the client wrote it; some encode more characters than others.
    var uri: String
    /// The path of a `file:` URI, else the URI itself.
    var path: String
    var version: Int
    var bytes: [UInt8]

    /// Applies one change: a range and its new text, or a whole new text.
    ///
    /// - Returns: false when the change makes no sense.
    mutating func apply(_ change: JSONDocument, _ encoding: PositionEncoding) -> Bool {
        guard let text = change["text"]?.text else { return false }
        guard let range = change["range"] else {
            bytes = Array(text.utf8)
            return true
        }
        let source = SourceText(id: SourceID(rawValue: 0), name: path, bytes: bytes)
        let map = PositionMap(source: source, encoding: encoding)
        guard let start = map.offset(range["start"]), let end = map.offset(range["end"]),
            start <= end
        else { return false }
        bytes.replaceSubrange(Int(start)..<Int(end), with: text.utf8)
        return true
    }
}

/// Which files are compiled together.
enum RuleSetPlace: Hashable {
    /// A folder of the workspace with all folders below it, as `martlet check FOLDER` takes it.
    case below(String)
    /// The files of one folder, around an open file that no workspace folder holds.
    case beside(String)
    /// One text that is no file yet.
    case alone(String)
}

/// A compiled rule set.
struct Analysis {
    var compilation: Compilation
    /// The file of each `SourceID`, for comparing.
    var identities: [String]

    func source(_ range: SourceRange) -> SourceText {
        compilation.sources[Int(range.source.rawValue)]
    }
}

/// One open file in its rule set: what most requests are about.
struct DocumentView {
    var analysis: Analysis
    var source: SourceText
    var map: PositionMap

    var compilation: Compilation { analysis.compilation }
    var id: SourceID { source.id }
    var file: RuleFile { analysis.compilation.files[Int(source.id.rawValue)] }
}

/// The open files, the folders, and what was compiled of them.
///
/// Every change throws all compilations away. A rule set is compiled again, as a whole, when
/// somebody asks about it: a thousand rules take less time than a key stroke.
struct Workspace {
    let environment: ServerEnvironment
    var encoding = PositionEncoding.utf16
    /// Folders of the workspace, in the client's order.
    private(set) var folders: [String] = []
    /// By file.
    private var documents: [String: OpenDocument] = [:]
    /// The files in the order in which they were opened.
    private var openOrder: [String] = []
    private var analyses: [RuleSetPlace: Analysis] = [:]
    /// What the disk held when it was last looked at.
    private var disk: [RuleSetPlace: [SourceText]] = [:]

    init(environment: ServerEnvironment) { self.environment = environment }

    // MARK: - Changes

    mutating func open(uri: String, version: Int, text: String) {
        let path = filePath(uri) ?? uri
        let identity = environment.identity(path)
        if documents[identity] == nil { openOrder.append(identity) }
        documents[identity] = OpenDocument(
            uri: uri, path: path, version: version, bytes: Array(text.utf8))
        forgetDisk()
    }

    /// - Returns: false when the file is not open or a change makes no sense.
    mutating func change(uri: String, version: Int, changes: [JSONDocument]) -> Bool {
        guard var document = document(uri) else { return false }
        document.version = version
        var isGood = true
        for change in changes { isGood = document.apply(change, encoding) && isGood }
        documents[environment.identity(document.path)] = document
        analyses = [:]
        return isGood
    }

    mutating func close(uri: String) {
        let identity = environment.identity(filePath(uri) ?? uri)
        documents[identity] = nil
        openOrder.removeAll { $0 == identity }
        forgetDisk()
    }

    mutating func changeFolders(adding added: [String], removing removed: [String]) {
        folders.removeAll(where: removed.contains)
        for folder in added where !folders.contains(folder) { folders.append(folder) }
        forgetDisk()
    }

    /// Files on the disk may have changed.
    mutating func forgetDisk() {
        disk = [:]
        analyses = [:]
    }

    // MARK: - Questions

    func document(_ uri: String) -> OpenDocument? {
        documents[environment.identity(filePath(uri) ?? uri)]
    }

    /// How the client calls a file.
    func uri(of source: SourceText) -> String {
        documents[environment.identity(source.name)]?.uri ?? fileURI(source.name)
    }

    /// The rule sets of the workspace's folders, and those of open files that are in none of these.
    mutating func places() -> [RuleSetPlace] {
        var places = folders.map(place(ofFolder:))
        for identity in openOrder {
            guard let document = documents[identity] else { continue }
            let place = place(of: document, identity)
            if !places.contains(place) { places.append(place) }
        }
        return places
    }

    /// The open file and the rule set it belongs to; nil when it is not open.
    mutating func view(_ uri: String) -> DocumentView? {
        guard let document = document(uri) else { return nil }
        let identity = environment.identity(document.path)
        let analysis = analysis(place(of: document, identity))
        guard let index = analysis.identities.firstIndex(of: identity) else { return nil }
        let source = analysis.compilation.sources[index]
        return DocumentView(
            analysis: analysis, source: source,
            map: PositionMap(source: source, encoding: encoding))
    }

    func map(_ source: SourceText) -> PositionMap {
        PositionMap(source: source, encoding: encoding)
    }

    mutating func analysis(_ place: RuleSetPlace) -> Analysis {
        if let known = analyses[place] { return known }
        let compilation = compilation(of: place, documents.mapValues(\.bytes))
        let analysis = Analysis(
            compilation: compilation,
            identities: compilation.sources.map { environment.identity($0.name) })
        analyses[place] = analysis
        return analysis
    }

    /// What the rule set of an open file would be if the files had these contents.
    mutating func compilation(of view: DocumentView, with contents: [SourceID: [UInt8]])
        -> Compilation
    {
        let identity = environment.identity(view.source.name)
        guard let document = documents[identity] else { return view.compilation }
        var bytes = documents.mapValues(\.bytes)
        for (id, content) in contents {
            bytes[view.analysis.identities[Int(id.rawValue)]] = content
        }
        return compilation(of: place(of: document, identity), bytes)
    }

    // MARK: - Rule sets

    private func place(ofFolder folder: String) -> RuleSetPlace {
        // As `martlet check` without an argument.
        let rules = folder + "/rules"
        return .below(environment.isFolder(rules) ? rules : folder)
    }

    private mutating func place(of document: OpenDocument, _ identity: String) -> RuleSetPlace {
        guard document.path.utf8.first == UInt8(ascii: "/") else { return .alone(identity) }
        let places = folders.map(place(ofFolder:))
        for place in places {
            if case .below(let folder) = place,
                identity.hasPrefix(environment.identity(folder) + "/")
            {
                return place
            }
        }
        // A file that the workspace's rules import is one of them.
        for place in places where analysis(place).identities.contains(identity) { return place }
        let slash = document.path.lastIndex(of: "/") ?? document.path.startIndex
        return .beside(String(document.path[..<slash]))
    }

    private mutating func compilation(of place: RuleSetPlace, _ open: [String: [UInt8]])
        -> Compilation
    {
        var sources = disk[place] ?? read(place)
        disk[place] = sources
        var held: Set<String> = []
        for index in sources.indices {
            let identity = environment.identity(sources[index].name)
            held.insert(identity)
            if let bytes = open[identity] {
                sources[index] = SourceText(
                    id: sources[index].id, name: sources[index].name, bytes: bytes)
            }
        }
        // Files that are new and not yet on the disk.
        for identity in openOrder where !held.contains(identity) {
            guard let document = documents[identity], let bytes = open[identity],
                belongs(document, identity, to: place)
            else { continue }
            sources.append(
                SourceText(id: SourceID(rawValue: 0), name: document.path, bytes: bytes))
        }
        let environment = environment
        return compile(
            sources,
            options: CompileOptions(
                includesTests: true, zones: environment.zones,
                load: { path in
                    (open[environment.identity(path)] ?? environment.readFile(path)).map {
                        SourceText(id: SourceID(rawValue: 0), name: path, bytes: $0)
                    }
                },
                identity: environment.identity))
    }

    private func read(_ place: RuleSetPlace) -> [SourceText] {
        switch place {
        case .below(let folder): environment.filesBelow(folder)
        case .beside(let folder): environment.filesIn(folder)
        case .alone: []
        }
    }

    private func belongs(_ document: OpenDocument, _ identity: String, to place: RuleSetPlace)
        -> Bool
    {
        switch place {
        case .below(let folder): identity.hasPrefix(environment.identity(folder) + "/")
        case .beside(let folder):
            document.path.hasPrefix(folder + "/")
                && !document.path.dropFirst(folder.count + 1).contains("/")
        case .alone(let name): identity == name
        }
    }
}
