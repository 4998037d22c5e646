/// The tree of a file as indented text without source ranges: two files with equal descriptions
/// mean the same. For golden files and for tests of the formatter.
public func treeDescription(_ file: RuleFile) -> String {
    file.declarations.map { describe($0, label: nil, depth: 0) }.joined()
}

private func describe(_ value: Any, label: String?, depth: Int) -> String {
    let head = String(repeating: "  ", count: depth) + (label.map { "\($0): " } ?? "")
    switch value {
    case is SourceRange: return ""
    case let name as Name: return head + name.text + "\n"
    case let path as PathSyntax: return head + path.text + "\n"
    case let text as TextLiteral: return head + String(reflecting: text.value) + "\n"
    case let text as String: return head + String(reflecting: text) + "\n"
    case let duration as DurationLiteral: return head + "\(duration.nanoseconds) ns\n"
    case let integer as IntegerLiteral: return head + "\(integer.value)\n"
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
        return mirror.children.first.map { describe($0.value, label: label, depth: depth) } ?? ""
    case .collection:
        guard !mirror.children.isEmpty else { return "" }
        let inner = label == nil ? depth : depth + 1
        let items = mirror.children.map { describe($0.value, label: "-", depth: inner) }.joined()
        return label.map { String(repeating: "  ", count: depth) + "\($0):\n" + items } ?? items
    case .enum:
        guard let payload = mirror.children.first else { return head + "\(value)\n" }
        let name = payload.label ?? ""
        let inner = Mirror(reflecting: payload.value)
        // Several values of a case arrive as one tuple.
        if inner.displayStyle == .tuple {
            return head + name + "\n"
                + inner.children.map { describe($0.value, label: $0.label, depth: depth + 1) }
                .joined()
        }
        return head + name + "\n" + describe(payload.value, label: nil, depth: depth + 1)
    case .struct, .tuple, .class:
        // An expression is its kind.
        let members = mirror.children.filter {
            $0.label != "range" && !($0.label ?? "").hasSuffix("Range")
        }
        if members.count == 1, let only = members.first {
            return describe(only.value, label: label, depth: depth)
        }
        let title = mirror.displayStyle == .tuple ? "" : "\(mirror.subjectType)"
        return head + title + "\n"
            + members.map { describe($0.value, label: $0.label, depth: depth + 1) }.joined()
    default:
        return head + "\(value)\n"
    }
}
