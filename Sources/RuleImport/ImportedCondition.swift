/// A condition on its way from another language into ours.
indirect enum ImportedCondition: Equatable, Sendable {
    case all([ImportedCondition])
    case any([ImportedCondition])
    case not(ImportedCondition)
    /// A comparison in our words.
    case test(String)
    /// `any x in LIST: ...`, which reaches as far as it can and so stands in parentheses.
    case quantified(String)

    /// The condition in our words, with parentheses where the two kinds of joining meet.
    var text: String {
        switch self {
        case .all(let parts): return joined(parts, "and")
        case .any(let parts): return joined(parts, "or")
        case .not(let inner): return "not (\(inner.simplified.text))"
        case .test(let text): return text
        case .quantified(let text): return "(\(text))"
        }
    }

    /// The language takes rows of 256 operators; nobody reads one of a hundred.
    private static let rowMax = 64

    private func joined(_ parts: [ImportedCondition], _ word: String) -> String {
        var texts = parts.map { part in
            switch part {
            case .all, .any: "(\(part.text))"
            case .not, .test, .quantified: part.text
            }
        }
        while texts.count > Self.rowMax {
            texts = stride(from: 0, to: texts.count, by: Self.rowMax).map { start in
                let row = texts[start..<min(start + Self.rowMax, texts.count)]
                return row.count == 1
                    ? row[row.startIndex] : "(\(row.joined(separator: " \(word) ")))"
            }
        }
        return texts.joined(separator: " \(word) ")
    }

    /// The same without rows inside rows of one kind, and without rows of one.
    var simplified: ImportedCondition {
        switch self {
        case .all(let parts):
            let flat = parts.map(\.simplified).flatMap { part -> [ImportedCondition] in
                if case .all(let inner) = part { return inner }
                return [part]
            }
            return flat.count == 1 ? flat[0] : .all(flat)
        case .any(let parts):
            let flat = parts.map(\.simplified).flatMap { part -> [ImportedCondition] in
                if case .any(let inner) = part { return inner }
                return [part]
            }
            return flat.count == 1 ? flat[0] : .any(flat)
        case .not(let inner): return .not(inner.simplified)
        case .test, .quantified: return self
        }
    }
}
