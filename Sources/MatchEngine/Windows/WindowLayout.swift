import RuleModel

/// What the windows of a rule keep of each event, and what they compute; the same for all its keys.
struct WindowLayout: Sendable {
    struct Measure: Sendable {
        var name: String
        var function: AggregateFunction
        var parameter: Double?
        /// Index into `conditions`; nil: every event of the window counts.
        var condition: Int?
        /// Index into `arguments`; nil for `count`.
        var argument: Int?
    }

    var measures: [Measure]
    /// The `where` of measures, equal ones once.
    private(set) var conditions: [ConditionID] = []
    /// What measures aggregate, equal ones once.
    private(set) var arguments: [CodeID] = []

    init(measures programs: [MeasureProgram]) {
        measures = []
        for program in programs {
            var measure = Measure(
                name: program.name, function: program.function, parameter: program.parameter)
            if let condition = program.condition {
                measure.condition = WindowLayout.place(of: condition, in: &conditions)
            }
            if let argument = program.argument {
                measure.argument = WindowLayout.place(of: argument, in: &arguments)
            }
            measures.append(measure)
        }
    }

    /// How many words the condition bits of one event take.
    var wordsPerEvent: Int { (conditions.count + 63) / 64 }

    private static func place<Element: Equatable>(
        of element: Element, in elements: inout [Element]
    ) -> Int {
        if let place = elements.firstIndex(of: element) { return place }
        elements.append(element)
        return elements.count - 1
    }
}
