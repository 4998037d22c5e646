import RuleCompiler
import RuleSyntax

// Which names stand where: the compiler's own record, asked from both sides.

extension DocumentView {
    /// What the name at a place stands for, narrowest first. A cursor behind the last letter is
    /// still at the name.
    func uses(at offset: UInt32) -> [NameUse] {
        let here = compilation.uses.filter {
            $0.range.source == id && $0.range.start <= offset && offset <= $0.range.end
        }
        // Between two names that touch, the one that begins here.
        let inside = here.filter { offset < $0.range.end }
        let narrowest = (inside.isEmpty ? here : inside).map(\.range.length).min()
        var seen: Set<NameUse> = []
        return here.filter { $0.range.length == narrowest && seen.insert($0).inserted }
            .sorted { $0.declaration.precedes($1.declaration) }
    }
}

extension Analysis {
    /// The declarations that are one thing for the reader: the key of a metric is a field of the
    /// metric's events, and the field that it was read from.
    func connected(_ declarations: Set<SourceRange>) -> Set<SourceRange> {
        let declared = Set(compilation.uses.filter(\.isDeclaration).map(\.range))
        let links = compilation.uses.filter { !$0.isDeclaration && declared.contains($0.range) }
        var group = declarations
        var count = 0
        while count != group.count {
            count = group.count
            for link in links where group.contains(link.range) || group.contains(link.declaration) {
                group.insert(link.range)
                group.insert(link.declaration)
            }
        }
        return group
    }

    /// Every place that names one of the declarations, in order of files and lines.
    func places(naming declarations: Set<SourceRange>) -> [SourceRange] {
        let ranges = compilation.uses.filter { declarations.contains($0.declaration) }.map(\.range)
        return Set(ranges).sorted { $0.precedes($1) }
    }
}

extension SourceRange {
    var length: UInt32 { end - start }

    func precedes(_ other: SourceRange) -> Bool {
        (source, start, end) < (other.source, other.start, other.end)
    }

    /// Whether an offset of the same file lies in it, its end included.
    func touches(_ offset: UInt32) -> Bool { start <= offset && offset <= end }
}
