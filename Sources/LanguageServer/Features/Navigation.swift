import RuleCompiler
import RuleSyntax

// Where a name is declared, and where else it stands.

extension LanguageServer {
    func definition(_ view: DocumentView, at offset: UInt32) -> JSONDocument {
        if let imported = importedFile(view, at: offset) { return imported }
        let places = view.uses(at: offset).map { location($0.declaration, in: view.analysis) }
        return .array(places)
    }

    /// The file that the `import` at a place names.
    private func importedFile(_ view: DocumentView, at offset: UInt32) -> JSONDocument? {
        for case .import(let declared) in view.file.declarations
        where declared.path.range.touches(offset) {
            let path = resolvedPath(declared.path.value, relativeTo: view.source.name)
            let identity = environment.identity(path)
            guard let index = view.analysis.identities.firstIndex(of: identity) else { return [] }
            let source = view.compilation.sources[index]
            return [["uri": .text(workspace.uri(of: source)), "range": view.map.json(0, 0)]]
        }
        return nil
    }

    func references(
        _ view: DocumentView, at offset: UInt32, includingDeclaration: Bool
    ) -> JSONDocument {
        let group = view.analysis.connected(Set(view.uses(at: offset).map(\.declaration)))
        let places = view.analysis.places(naming: group)
            .filter { includingDeclaration || !group.contains($0) }
        return .array(places.map { location($0, in: view.analysis) })
    }

    /// The same name elsewhere in the file: 2 where it is read, 3 where it is declared.
    func highlights(_ view: DocumentView, at offset: UInt32) -> JSONDocument {
        let group = view.analysis.connected(Set(view.uses(at: offset).map(\.declaration)))
        let places = view.analysis.places(naming: group).filter { $0.source == view.id }
        return .array(
            places.map {
                ["range": view.map.json($0), "kind": .number(group.contains($0) ? 3 : 2)]
            })
    }
}
