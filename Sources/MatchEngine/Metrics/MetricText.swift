import RuleModel

extension MetricRecord {
    /// Appends the record as one line of JSON, with the line feed. Its first member tells it from an
    /// alert. What is missing is null; the order is fixed.
    public func appendJSON(to output: inout [UInt8]) {
        output.appendJSON(verbatim: #"{"metric":"#)
        output.appendJSON(name)
        output.appendJSON(verbatim: #","start":"#)
        output.appendJSON(.time(start))
        output.appendJSON(verbatim: #","end":"#)
        output.appendJSON(.time(end))
        output.appendJSON(verbatim: #","key":"#)
        output.appendJSON(key)
        output.appendJSON(verbatim: #","measures":"#)
        output.appendJSON(measures)
        if !forecasts.isEmpty {
            output.appendJSON(verbatim: #","forecasts":{"#)
            for index in forecasts.indices {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.appendJSON(forecasts[index].measure)
                output.append(UInt8(ascii: ":"))
                output.appendJSON(forecasts[index].fields)
            }
            output.append(UInt8(ascii: "}"))
        }
        output.appendJSON(verbatim: #","complete":"#)
        output.appendJSON(.bool(incompleteBecause.isEmpty))
        output.appendJSON(verbatim: #","incomplete_because":"#)
        output.appendJSON(incompleteBecause) { $0.appendJSON($1) }
        output.appendJSON(verbatim: "}\n")
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
