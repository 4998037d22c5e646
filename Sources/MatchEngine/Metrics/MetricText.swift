import RuleModel

extension MetricRecord {
    /// Appends the record as one line of JSON, with the line feed. Its first member tells it from an
    /// alert. What is missing is null; the order is fixed.
    public func appendJSON(to output: inout [UInt8]) {
        var members = JSONMembers()
        output.append(UInt8(ascii: "{"))
        members.write("metric", to: &output) { $0.appendJSON(name) }
        members.write("start", to: &output) { $0.appendJSON(.time(start)) }
        members.write("end", to: &output) { $0.appendJSON(.time(end)) }
        members.write("key", to: &output) { $0.appendJSON(key) }
        members.write("measures", to: &output) { $0.appendJSON(measures) }
        if !forecasts.isEmpty {
            members.write("forecasts", to: &output) { output in
                var members = JSONMembers()
                output.append(UInt8(ascii: "{"))
                for forecast in forecasts {
                    members.write(forecast.measure, to: &output) { $0.appendJSON(forecast.fields) }
                }
                output.append(UInt8(ascii: "}"))
            }
        }
        members.write("complete", to: &output) { $0.appendJSON(.bool(incompleteBecause.isEmpty)) }
        members.write("incomplete_because", to: &output) {
            $0.appendJSON(incompleteBecause) { $0.appendJSON($1) }
        }
        output.append(contentsOf: "}\n".utf8)
    }

    /// Appends the record as one line for people, with the line feed:
    ///
    ///     12:05:00 METRIC revenue region=eu  total=1893.2 (expected 1750 to 2110, flat) orders=31
    public func appendLine(style: AlertLineStyle, to output: inout [UInt8]) {
        let time = end.description.utf8
        // RFC 3339 with a year of four digits: the day takes ten characters, the time the next eight.
        let first = style.showsDate ? 0 : 11
        output.append(
            contentsOf: time.dropFirst(first).prefix(19 - first).map {
                $0 == UInt8(ascii: "T") ? UInt8(ascii: " ") : $0
            })
        output.append(contentsOf: " METRIC ".utf8)
        output.appendVisibly(name)
        for part in key { output.appendVisibly(" \(part.name)=\(part.value.plainText)") }
        output.append(UInt8(ascii: " "))
        for measure in measures {
            let value = measure.value.isMissing ? "-" : MetricRecord.shown(measure.value)
            output.appendVisibly(" \(measure.name)=\(value)")
            if let forecast = forecasts.first(where: { $0.measure == measure.name }) {
                let words = forecast.words
                if !words.isEmpty { output.appendVisibly(" (\(words.joined(separator: ", ")))") }
            }
        }
        if !incompleteBecause.isEmpty {
            output.appendVisibly(" [incomplete: \(incompleteBecause.joined(separator: ", "))]")
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// Decimal numbers with at most three decimals: a line is for the eye.
    fileprivate static func shown(_ value: Value) -> String {
        guard case .float(let number) = value, number.magnitude < 1e12 else {
            return value.plainText
        }
        return Value.float((number * 1000).rounded() / 1000).plainText
    }
}

extension MetricRecord.Forecast {
    /// What a line says of it: `expected 1750 to 2110`, `flat`.
    fileprivate var words: [String] {
        func text(_ number: Double) -> String { MetricRecord.shown(.float(number)) }
        var words: [String] = []
        if let low, let high {
            words.append("expected \(text(low)) to \(text(high))")
        } else if let expected {
            words.append("expected \(text(expected))")
        }
        if let trend { words.append(trend.rawValue) }
        return words
    }
}
