import RuleModel

/// What `explain` says of an anomaly cluster.
struct AnomalyWords {
    let plan: AnomalyPlan
    let keys: [String]
    let text: PlanText

    var watches: [String] {
        var lines = plan.series.map { series in
            let condition = series.condition.map { " where \(text.text($0))" } ?? ""
            return "\(series.measure.name) is \(text.text(series.measure)) of "
                + "\(plan.inputs[series.input].name)\(condition), every \(plan.every)"
        }
        let group = keys.isEmpty ? "all together" : "of each \(inWords(keys))"
        lines.append("for every \(plan.memberName), \(group)")
        switch plan.baseline {
        case .last(let count):
            lines.append("A value is compared with the \(grouped(count)) before it.")
        case .seasonal(let season, let over):
            lines.append(
                "A value is compared with those of the same time of the "
                    + "\(season == .daily ? "day" : "week") in the last \(over).")
        }
        lines.append("With fewer than \(grouped(plan.minimumValues)) of them nothing is known.")
        lines.append("Anomalous values are left out of that for \(plan.adaptAfter).")
        return lines
    }

    var fires: [String] {
        let name = plan.memberName
        var lines = ["A \(name) is anomalous when \(text.text(plan.when))"]
        if plan.outOf > 1 {
            lines[0] += ", in \(plan.required) of the last \(plan.outOf) buckets"
            lines[0] += "; it is normal again when as many are"
        }
        lines[0] += "."
        let members =
            plan.minimumMembers == 1 ? "one \(name) begins" : "\(plan.minimumMembers) begin"
        lines.append("When \(members) to be anomalous within \(plan.within).")
        if let list = plan.linkedBy {
            lines.append(
                "Only those count that \(text.tables.lists[list.rawValue].name) links to another one."
            )
        }
        let span = plan.maxSpan.map { ", until \($0) after the first" } ?? ""
        lines.append("Others that follow within \(plan.within) of the last one join it\(span);")
        lines.append("that is told at most once in \(plan.updateEvery).")
        lines.append("Resolves \(plan.within) after the last, or later, when all are normal again.")
        return lines
    }

    var keeps: [String] {
        [
            "A run is a \(plan.memberName) with its baselines, an event one value.",
            "A \(plan.memberName) without events is forgotten after \(plan.baseline.forgetAfter(every: plan.every)).",
        ]
    }
}
