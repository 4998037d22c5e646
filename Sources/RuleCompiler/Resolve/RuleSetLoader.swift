import RuleSyntax

/// The parsed files of a rule set, imports included.
struct LoadedRuleSet {
    var sources: [SourceText] = []
    var files: [RuleFile] = []
    var diagnostics: [Diagnostic] = []

    /// How many rules the files declare, good or not.
    var ruleCount: Int {
        files.reduce(0) { count, file in
            count + file.declarations.count { if case .rule = $0 { true } else { false } }
        }
    }
}

/// Parses the files and everything they import, each file once.
func loadRuleSet(_ given: [SourceText], options: CompileOptions) -> LoadedRuleSet {
    var set = LoadedRuleSet()
    var seen: Set<String> = []
    for source in given where seen.insert(options.identity(source.name)).inserted {
        set.add(source)
    }
    // Imports join the queue behind the files that were given, so the ids of those stay as they are.
    var next = 0
    while next < set.files.count {
        let importer = set.sources[next].name
        for declaration in set.files[next].declarations {
            guard case .import(let declared) = declaration else { continue }
            let path = resolvedPath(declared.path.value, relativeTo: importer)
            guard !seen.contains(options.identity(path)) else { continue }
            guard let source = options.load(path) else {
                set.diagnostics.append(.missingImport(path, at: declared.path.range))
                continue
            }
            seen.insert(options.identity(path))
            set.add(source)
        }
        next += 1
    }
    return set
}

extension LoadedRuleSet {
    fileprivate mutating func add(_ source: SourceText) {
        var source = source
        source.id = SourceID(rawValue: UInt32(sources.count))
        let parsed = parse(source)
        sources.append(source)
        files.append(parsed.file)
        diagnostics += parsed.diagnostics
    }
}

/// A path that a file mentions, as seen from where that file's own path is seen.
public func resolvedPath(_ mentioned: String, relativeTo file: String) -> String {
    if mentioned.utf8.first == UInt8(ascii: "/") { return normalisedPath(mentioned) }
    guard let slash = file.lastIndex(of: "/") else { return normalisedPath(mentioned) }
    return normalisedPath(file[...slash] + mentioned)
}

/// The path without `.` and empty segments, and without `..` where the segment before is known.
public func normalisedPath(_ path: String) -> String {
    var segments: [Substring] = []
    let isAbsolute = path.utf8.first == UInt8(ascii: "/")
    for segment in path.split(separator: "/") where segment != "." {
        if segment == "..", let last = segments.last, last != ".." {
            segments.removeLast()
        } else if segment != ".." || !isAbsolute {
            segments.append(segment)
        }
    }
    return (isAbsolute ? "/" : "") + segments.joined(separator: "/")
}
