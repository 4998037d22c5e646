import RuleModel

extension Alert {
    /// Appends the record as one line of JSON, with the line feed.
    ///
    /// Members without a value (`title`, `reason`, `emitted_at`) are left out. The order is fixed, so
    /// that equal records are equal bytes.
    /// - Parameters:
    ///   - emittedAt: The wall time at which the record leaves; nil leaves it out, so that replays of
    ///     the same input give the same bytes.
    ///   - isRedelivery: Whether the record may have left before, when a crash came between.
    public func appendJSON(
        emittedAt: Timestamp?, isRedelivery: Bool = false, to output: inout [UInt8]
    ) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("schema", to: &output) { $0.appendJSON(.int(Int64(Alert.schemaVersion))) }
        members.write("id", to: &output) { $0.appendJSON(id) }
        members.write("rule", to: &output) { $0.appendJSON(rule) }
        members.write("fingerprint", to: &output) {
            $0.append(UInt8(ascii: "\""))
            $0.appendHexadecimal(fingerprint, digits: 16)
            $0.append(UInt8(ascii: "\""))
        }
        members.write("kind", to: &output) { $0.appendJSON(kind) }
        members.write("state", to: &output) { $0.appendJSON(state.rawValue) }
        members.write("severity", to: &output) { $0.appendJSON(severity.rawValue) }
        if let title { members.write("title", to: &output) { $0.appendJSON(title) } }
        members.write("message", to: &output) { $0.appendJSON(message) }
        members.write("tags", to: &output) { $0.appendJSON(tags) { $0.appendJSON($1) } }
        members.write("attack", to: &output) { $0.appendJSON(attack) { $0.appendJSON($1) } }
        members.write("key", to: &output) { $0.appendJSON(key) }
        members.write("matched_at", to: &output) { $0.appendJSON(.time(matchedAt)) }
        if let emittedAt {
            members.write("emitted_at", to: &output) { $0.appendJSON(.time(emittedAt)) }
        }
        if isRedelivery {
            members.write("redelivery", to: &output) { $0.appendJSON(.bool(true)) }
        }
        members.write("first_event", to: &output) { $0.appendJSON(.time(firstTime)) }
        members.write("last_event", to: &output) { $0.appendJSON(.time(lastTime)) }
        members.write("duration_s", to: &output) {
            $0.appendJSON(.float((lastTime - firstTime).seconds))
        }
        members.write("strength", to: &output) { $0.appendJSON(.float(strength)) }
        members.write("confidence", to: &output) { $0.appendJSON(.float(confidence)) }
        members.write("measures", to: &output) { $0.appendJSON(measures) }
        members.write("steps", to: &output) { $0.appendJSON(steps) { $1.appendJSON(to: &$0) } }
        if !risks.isEmpty {
            members.write("risks", to: &output) { $0.appendJSON(risks) { $1.appendJSON(to: &$0) } }
        }
        if kind == "anomaly_cluster" {
            members.write("members", to: &output) { output in
                output.appendJSON(self.members) { $1.appendJSON(to: &$0) }
            }
        }
        members.write("attached", to: &output) { $0.appendJSON(attached) }
        members.write("complete", to: &output) { $0.appendJSON(.bool(incompleteBecause.isEmpty)) }
        members.write("incomplete_because", to: &output) {
            $0.appendJSON(incompleteBecause) { $0.appendJSON($1) }
        }
        if isEarly { members.write("early", to: &output) { $0.appendJSON(.bool(true)) } }
        if let reason { members.write("reason", to: &output) { $0.appendJSON(reason) } }
        members.write("grouped", to: &output) { $0.appendJSON(.int(Int64(grouped))) }
        members.write("lists", to: &output) { $0.appendJSON(listVersions) }
        output.append(contentsOf: "}\n".utf8)
    }
}

extension Alert.Step {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("name", to: &output) { $0.appendJSON(name) }
        members.write("events", to: &output) { $0.appendJSON(events) { $1.appendJSON(to: &$0) } }
        members.write("omitted", to: &output) { $0.appendJSON(.int(Int64(omitted))) }
        output.append(UInt8(ascii: "}"))
    }
}

extension Alert.Member {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("name", to: &output) { $0.appendJSON(name) }
        members.write("onset", to: &output) { $0.appendJSON(.time(onset)) }
        members.write("measure", to: &output) { $0.appendJSON(measure) }
        let numbers = [
            ("value", value), ("baseline", baseline), ("spread", spread), ("score", score),
        ]
        for (name, number) in numbers {
            members.write(name, to: &output) { $0.appendJSON(.float(number)) }
        }
        output.append(UInt8(ascii: "}"))
    }
}

extension Alert.BoundEvent {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("time", to: &output) { $0.appendJSON(.time(time)) }
        members.write("type", to: &output) { $0.appendJSON(type) }
        members.write("fields", to: &output) { $0.appendJSON(fields) }
        output.append(UInt8(ascii: "}"))
    }
}

extension Alert.Risk {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("on", to: &output) { $0.appendJSON(name) }
        members.write("entity", to: &output) { $0.appendJSON(entity) }
        members.write("points", to: &output) { $0.appendJSON(.float(points)) }
        members.write("score", to: &output) { $0.appendJSON(.float(score)) }
        output.append(UInt8(ascii: "}"))
    }
}

/// The members of one object while they are written: knows where the commas go.
struct JSONMembers {
    private var isFirst = true

    mutating func write(
        _ name: String, to output: inout [UInt8], _ value: (inout [UInt8]) -> Void
    ) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        output.appendJSON(name)
        output.append(UInt8(ascii: ":"))
        value(&output)
    }
}
