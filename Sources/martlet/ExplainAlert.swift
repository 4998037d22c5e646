import RuleModel
import RuleSyntax
import StreamRuntime

/// `martlet explain ALERT-ID --alerts FILE`: the evidence of an alert as a time line.
func explainAlert(
    _ id: String, _ paths: [String], _ console: Console
) throws(Failure) -> ExitCode {
    var records: [JSONDocument] = []
    var known: [String] = []
    for path in paths {
        guard let bytes = readFile(path) else {
            throw Failure(.failed, "cannot read `\(path)`: \(systemError())")
        }
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let record: JSONDocument
            do throws(JSONDocument.Fault) {
                record = try JSONDocument(parsing: Array(line))
            } catch {
                throw Failure(.failed, "`\(path)` line \(index + 1) is no JSON: \(error.reason)")
            }
            guard let own = record["id"]?.text else { continue }
            if own.hasPrefix(id) { records.append(record) }
            if !known.contains(own), known.count < 1000 { known.append(own) }
        }
    }
    let ids = Set(records.compactMap { $0["id"]?.text })
    guard ids.count == 1 else {
        if ids.count > 1 {
            throw Failure(
                .badUsage, "`\(id)` is the beginning of \(ids.count) alerts",
                help: "write more of it: \(ids.sorted().prefix(4).joined(separator: ", "))")
        }
        throw Failure(
            .badUsage, "there is no alert `\(id)` in \(paths.joined(separator: ", "))",
            help: known.isEmpty ? nil : "for example `\(known[0])`")
    }
    console.print(records.enumerated().map { text($1, isFirst: $0 == 0) }.joined(separator: "\n"))
    return .fine
}

/// One record of the alert: what it says, and the events behind it in order of time.
private func text(_ record: JSONDocument, isFirst: Bool) -> String {
    func plain(_ name: String) -> String { record[name].map(shown) ?? "" }
    let key = members(record["key"]).map { "\($0)=\($1)" }.joined(separator: " ")
    var lines = [
        "\(plain("rule")) \(key)   \(plain("state")) at \(plain("matched_at"))   \(plain("id"))"
    ]
    if let reason = record["reason"]?.text { lines[0] += " (\(visible(reason)))" }
    lines.append("  \(plain("severity")): \(plain("message"))")
    let measures = members(record["measures"])
    if !measures.isEmpty {
        lines.append("  measured   " + measures.map { "\($0) \($1)" }.joined(separator: ", "))
    }
    var events: [(time: String, text: String)] = []
    for step in record["steps"]?.elements ?? [] {
        let name = step["name"]?.text ?? ""
        for event in step["events"]?.elements ?? [] {
            let fields = members(event["fields"]).map { "\($0)=\($1)" }.joined(separator: " ")
            events.append(
                (
                    event["time"]?.text ?? "",
                    "\(name): \(event["type"].map(shown) ?? "") \(fields)"
                ))
        }
        if let omitted = step["omitted"]?.integer, omitted > 0 {
            events.append(
                (
                    step["events"]?.elements?.last?["time"]?.text ?? "",
                    "\(name): \(counted(omitted, "event")) more, not kept in the record"
                ))
        }
    }
    for member in record["members"]?.elements ?? [] {
        let name = member["name"].map(shown) ?? ""
        let numbers = ["measure", "value", "baseline", "spread", "score"].compactMap { part in
            member[part].map { "\(part) \(shown($0))" }
        }
        events.append(
            (member["onset"]?.text ?? "", "\(name): \(numbers.joined(separator: ", "))"))
    }
    for event in events.enumerated().sorted(by: {
        ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }) {
        lines.append("  \(event.element.time)   \(event.element.text)")
    }
    if record["complete"]?.bool == false {
        let reasons = record["incomplete_because"]?.elements?.compactMap(\.text) ?? []
        lines.append("  incomplete: \(visible(reasons.joined(separator: "; ")))")
    }
    if isFirst {
        lines.append(
            "  \(plain("first_event")) to \(plain("last_event")), strength \(plain("strength")), "
                + "confidence \(plain("confidence"))")
    }
    return lines.joined(separator: "\n")
}

private func shown(_ value: JSONDocument) -> String {
    visible(value.text ?? value.line)
}

private func members(_ value: JSONDocument?) -> [(String, String)] {
    guard case .object(let members)? = value else { return [] }
    return members.map { (visible($0.0), shown($0.1)) }
}
