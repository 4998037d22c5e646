import RuleModel

/// Plans written by hand, for tests of what happens to plans.
enum PlanSamples {
    static let login = EventTypeID(rawValue: 0)
    static let user = FieldID(rawValue: 0)
    static let host = FieldID(rawValue: 1)
    static let amount = FieldID(rawValue: 2)

    static var tables: RuleSetTables {
        var tables = RuleSetTables()
        tables.eventTypes = ["login"]
        tables.columns = [FieldPath(["user"]), FieldPath(["host"]), FieldPath(["amount"])]
        tables.fields = [
            Field(path: FieldPath(["user"]), column: 0, type: .text),
            Field(path: FieldPath(["host"]), column: 1, type: .text),
            Field(path: FieldPath(["amount"]), column: 2, type: .number),
        ]
        return tables
    }

    /// `user == "text"`
    static func userIs(_ text: String) -> Term {
        .compare(.equal, .field(user), .constant(.text(text)), ignoringCase: false)
    }

    /// `amount > number`
    static func amountAbove(_ number: Int64) -> Term {
        .compare(.greater, .field(amount), .constant(.int(number)), ignoringCase: false)
    }

    static func input(_ condition: Term? = nil) -> InputPlan {
        InputPlan(name: "login", type: login, condition: condition, key: [host])
    }

    static func step(
        _ name: String, event: Term? = nil, run: Term? = nil, minimum: Int = 1, maximum: Int? = 1,
        captured: [FieldID] = []
    ) -> StepPlan {
        StepPlan(
            name: name, input: 0, eventCondition: event, runCondition: run, minimum: minimum,
            maximum: maximum, isRepeated: maximum != 1, isReluctant: false, gapLimit: nil,
            captured: captured)
    }

    static func sequence(
        _ steps: [StepPlan], input: InputPlan = input(), within: TimeSpan? = .minute
    ) -> SequencePlan {
        SequencePlan(
            inputs: [input], steps: steps,
            elements: steps.indices.map { ElementPlan(.step(StepID($0))) }, until: nil,
            within: within,
            overlap: .none, restartsOnRepeat: false, runLimit: nil, reportsPartial: false,
            resumeAt: nil, assumesAbsentAtStart: false, horizon: within)
    }

    static func threshold(when: Term, measures: [MeasurePlan], over condition: Term? = nil)
        -> ThresholdPlan
    {
        ThresholdPlan(
            input: input(), condition: condition, window: WindowPlan(.sliding(.minute)),
            measures: measures, when: when, holdFor: .zero, minimumEvents: 0, resolveWhen: nil,
            resolveFor: .zero, remindEvery: nil, staleAfter: .minute, onNoData: .resolve,
            resetsAfterMatch: false, forgetAfter: .day)
    }

    static func rule(_ id: Int, _ name: String, _ pattern: PatternPlan) -> RulePlan {
        RulePlan(
            id: RuleID(id), name: name, metadata: RuleMetadata(), keyNames: ["host"], keyList: nil,
            pattern: pattern, unless: nil, active: [], emit: EmitPlan(), probes: [],
            bound: StateBound(runsPerKey: 1, eventsPerRun: 1, keys: 1, bytesPerKey: 1),
            fingerprint: 0, shape: 0, origin: OriginID(id))
    }
}
