import MatchEngine
import RuleModel
import RuleSyntax
import StreamRuntime

/// What recorded events look like: their types, and the fields of each.
struct EventSample {
    struct Field {
        /// Events that have a value for it.
        var present = 0
        var bools = 0
        var numbers = 0
        var texts = 0
        var addresses = 0
        var times = 0
        var lists = 0
        /// Lists of objects, which rules cannot read.
        var unreadable = 0
        var listNumbers = 0
        var listTexts = 0
        /// Values and how often each came, while they are few.
        var values: [String: Int] = [:]
        var hasManyValues = false
    }

    struct EventType {
        var count = 0
        /// By path, in the order in which they were first seen.
        var paths: [FieldPath] = []
        var fields: [FieldPath: Field] = [:]
    }

    private(set) var types: [String: EventType] = [:]
    private(set) var typeField: FieldPath?
    private(set) var timeField: FieldPath?
    private(set) var events = 0
    private(set) var unreadable = 0
    /// How far events were behind the latest one before them.
    private(set) var disorder = TimeSpan.zero

    private static let typeNames = [
        "type", "event", "event_type", "eventType", "kind", "event_name", "action",
    ]
    private static let timeNames = [
        "time", "@timestamp", "timestamp", "ts", "eventTime", "event_time", "created_at", "date",
    ]
    private static let valuesMax = 40

    /// - Parameters:
    ///   - typeName: The type of every event; nil: a field names it, if there is one.
    init(_ lines: [[UInt8]], typeName: String?, typeField: FieldPath?, timeField: FieldPath?) {
        var documents: [[(String, JSONDocument)]] = []
        for line in lines {
            guard let document = try? JSONDocument(parsing: line),
                case .object(let members) = document
            else {
                unreadable += 1
                continue
            }
            documents.append(members)
        }
        events = documents.count
        let flat = documents.map(EventSample.flattened)
        self.timeField = timeField ?? EventSample.timeField(flat)
        if typeName == nil { self.typeField = typeField ?? EventSample.typeField(flat) }
        var latest = Timestamp.distantPast
        for fields in flat {
            let name =
                typeName
                ?? self.typeField.flatMap { path in
                    fields.first { $0.path == path }?.value.text
                } ?? "event"
            types[name, default: EventType()].add(fields)
            guard let path = self.timeField,
                let time = fields.first(where: { $0.path == path }).flatMap({
                    EventSample.time($0.value)
                })
            else { continue }
            if time < latest { disorder = max(disorder, latest - time) }
            latest = max(latest, time)
        }
    }

    /// The members of nested objects by their dotted paths.
    private static func flattened(
        _ members: [(String, JSONDocument)]
    ) -> [(path: FieldPath, value: JSONDocument)] {
        var fields: [(path: FieldPath, value: JSONDocument)] = []
        func add(_ members: [(String, JSONDocument)], _ prefix: [String]) {
            for (name, value) in members {
                let segments = prefix + [name]
                if case .object(let inner) = value, segments.count < 8 {
                    add(inner, segments)
                } else {
                    fields.append((FieldPath(segments), value))
                }
            }
        }
        add(members, [])
        return fields
    }

    /// The first of the usual names that nearly every event has with a text, and few different ones.
    private static func typeField(_ events: [[(path: FieldPath, value: JSONDocument)]])
        -> FieldPath?
    {
        for name in typeNames {
            let path = FieldPath([name])
            let values = events.compactMap { fields in
                fields.first { $0.path == path }?.value.text
            }
            if values.count * 100 >= events.count * 95, !values.isEmpty, Set(values).count <= 200 {
                return path
            }
        }
        return nil
    }

    private static func timeField(_ events: [[(path: FieldPath, value: JSONDocument)]])
        -> FieldPath?
    {
        for name in timeNames {
            let path = FieldPath([name])
            let times = events.filter { fields in
                fields.first { $0.path == path }.map { time($0.value) != nil } ?? false
            }
            if times.count * 100 >= events.count * 95, !times.isEmpty { return path }
        }
        return nil
    }

    /// RFC 3339, or a number since 1970 in the unit that its size tells.
    private static func time(_ value: JSONDocument) -> Timestamp? {
        switch value {
        case .text(let text): Timestamp(rfc3339: text)
        case .number(let number): time(Double(number))
        case .decimal(let number): time(number)
        default: nil
        }
    }

    private static func time(_ number: Double) -> Timestamp? {
        guard number > 1e8, number < 9e18 else { return nil }
        let unit = number < 1e11 ? 1e9 : number < 1e14 ? 1e6 : number < 1e17 ? 1e3 : 1
        return Timestamp(nanoseconds: Int64(number * unit))
    }
}

extension EventSample.EventType {
    fileprivate mutating func add(_ event: [(path: FieldPath, value: JSONDocument)]) {
        count += 1
        for (path, value) in event {
            if value == .null { continue }
            if fields[path] == nil { paths.append(path) }
            fields[path, default: EventSample.Field()].add(value)
        }
    }
}

extension EventSample.Field {
    fileprivate mutating func add(_ value: JSONDocument) {
        present += 1
        switch value {
        case .bool: bools += 1
        case .number, .decimal: numbers += 1
        case .text(let text):
            texts += 1
            if IPAddress(text) != nil { addresses += 1 }
            if Timestamp(rfc3339: text) != nil { times += 1 }
            if !hasManyValues {
                values[text, default: 0] += 1
                if values.count > 40 || text.utf8.count > 40 {
                    hasManyValues = true
                    values = [:]
                }
            }
        case .array(let elements):
            lists += 1
            for element in elements {
                switch element {
                case .number, .decimal: listNumbers += 1
                case .text: listTexts += 1
                default: unreadable += 1
                }
            }
        case .object, .null: unreadable += 1
        }
    }

    /// The type that a declaration would give it, as the language writes it; nil: rules cannot read it.
    var type: String? {
        let most = max(bools, numbers, texts, lists)
        guard most > 0, unreadable == 0 else { return nil }
        if lists == most { return listNumbers > listTexts ? "[number]" : "[text]" }
        if bools == most { return "bool" }
        if numbers == most { return "number" }
        if addresses == texts { return "ip" }
        if times == texts { return "time" }
        // Few values that come again and again are a choice.
        if !hasManyValues, bools + numbers + lists == 0, values.count >= 2, values.count <= 8,
            texts >= 20 * values.count, values.keys.allSatisfy({ !$0.isEmpty })
        {
            return values.keys.sorted().map { PlanText.quoted($0) }.joined(separator: " | ")
        }
        return "text"
    }

    /// The part of its values that the type does not fit.
    var misfits: Int { present - max(bools, numbers, texts, lists) }
}
