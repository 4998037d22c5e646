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
        output.appendJSON(verbatim: #"{"schema":"#)
        output.appendJSON(.int(Int64(Alert.schemaVersion)))
        output.appendJSON(verbatim: #","id":"#)
        output.appendJSON(id)
        output.appendJSON(verbatim: #","rule":"#)
        output.appendJSON(rule)
        output.appendJSON(verbatim: #","fingerprint":""#)
        output.appendHexadecimal(fingerprint, digits: 16)
        output.appendJSON(verbatim: #"","kind":"#)
        output.appendJSON(kind)
        output.appendJSON(verbatim: #","state":"#)
        output.appendJSON(state.rawValue)
        output.appendJSON(verbatim: #","severity":"#)
        output.appendJSON(severity.rawValue)
        if let title {
            output.appendJSON(verbatim: #","title":"#)
            output.appendJSON(title)
        }
        output.appendJSON(verbatim: #","message":"#)
        output.appendJSON(message)
        output.appendJSON(verbatim: #","tags":"#)
        output.appendJSON(tags) { $0.appendJSON($1) }
        output.appendJSON(verbatim: #","attack":"#)
        output.appendJSON(attack) { $0.appendJSON($1) }
        output.appendJSON(verbatim: #","key":"#)
        output.appendJSON(key)
        output.appendJSON(verbatim: #","matched_at":"#)
        output.appendJSON(.time(matchedAt))
        if let emittedAt {
            output.appendJSON(verbatim: #","emitted_at":"#)
            output.appendJSON(.time(emittedAt))
        }
        if isRedelivery { output.appendJSON(verbatim: #","redelivery":true"#) }
        output.appendJSON(verbatim: #","first_event":"#)
        output.appendJSON(.time(firstTime))
        output.appendJSON(verbatim: #","last_event":"#)
        output.appendJSON(.time(lastTime))
        output.appendJSON(verbatim: #","duration_s":"#)
        output.appendJSON(.float((lastTime - firstTime).seconds))
        output.appendJSON(verbatim: #","strength":"#)
        output.appendJSON(.float(strength))
        output.appendJSON(verbatim: #","confidence":"#)
        output.appendJSON(.float(confidence))
        output.appendJSON(verbatim: #","measures":"#)
        output.appendJSON(measures)
        output.appendJSON(verbatim: #","steps":"#)
        output.appendJSON(steps) { $1.appendJSON(to: &$0) }
        if !risks.isEmpty {
            output.appendJSON(verbatim: #","risks":"#)
            output.appendJSON(risks) { $1.appendJSON(to: &$0) }
        }
        if kind == "anomaly_cluster" {
            output.appendJSON(verbatim: #","members":"#)
            output.appendJSON(members) { $1.appendJSON(to: &$0) }
        }
        output.appendJSON(verbatim: #","attached":"#)
        output.appendJSON(attached)
        output.appendJSON(verbatim: #","complete":"#)
        output.appendJSON(.bool(incompleteBecause.isEmpty))
        output.appendJSON(verbatim: #","incomplete_because":"#)
        output.appendJSON(incompleteBecause) { $0.appendJSON($1) }
        if isEarly { output.appendJSON(verbatim: #","early":true"#) }
        if let reason {
            output.appendJSON(verbatim: #","reason":"#)
            output.appendJSON(reason)
        }
        output.appendJSON(verbatim: #","grouped":"#)
        output.appendJSON(.int(Int64(grouped)))
        output.appendJSON(verbatim: #","lists":"#)
        output.appendJSON(listVersions)
        output.appendJSON(verbatim: "}\n")
    }
}

extension Alert.Step {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        output.appendJSON(verbatim: #"{"name":"#)
        output.appendJSON(name)
        output.appendJSON(verbatim: #","events":"#)
        output.appendJSON(events) { $1.appendJSON(to: &$0) }
        output.appendJSON(verbatim: #","omitted":"#)
        output.appendJSON(.int(Int64(omitted)))
        output.appendJSON(verbatim: "}")
    }
}

extension Alert.Member {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        output.appendJSON(verbatim: #"{"name":"#)
        output.appendJSON(name)
        output.appendJSON(verbatim: #","onset":"#)
        output.appendJSON(.time(onset))
        output.appendJSON(verbatim: #","measure":"#)
        output.appendJSON(measure)
        output.appendJSON(verbatim: #","value":"#)
        output.appendJSON(.float(value))
        output.appendJSON(verbatim: #","baseline":"#)
        output.appendJSON(.float(baseline))
        output.appendJSON(verbatim: #","spread":"#)
        output.appendJSON(.float(spread))
        output.appendJSON(verbatim: #","score":"#)
        output.appendJSON(.float(score))
        output.appendJSON(verbatim: "}")
    }
}

extension Alert.BoundEvent {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        output.appendJSON(verbatim: #"{"time":"#)
        output.appendJSON(.time(time))
        output.appendJSON(verbatim: #","type":"#)
        output.appendJSON(type)
        output.appendJSON(verbatim: #","fields":"#)
        output.appendJSON(fields)
        output.appendJSON(verbatim: "}")
    }
}

extension Alert.Risk {
    fileprivate func appendJSON(to output: inout [UInt8]) {
        output.appendJSON(verbatim: #"{"on":"#)
        output.appendJSON(name)
        output.appendJSON(verbatim: #","entity":"#)
        output.appendJSON(entity)
        output.appendJSON(verbatim: #","points":"#)
        output.appendJSON(.float(points))
        output.appendJSON(verbatim: #","score":"#)
        output.appendJSON(.float(score))
        output.appendJSON(verbatim: "}")
    }
}
