extension PlanText {
    // MARK: - Correlation

    func lines(_ plan: CorrelationPlan) -> [String] {
        var lines = plan.members.flatMap { member in
            var lines = ["member \(member.name): \(plan.inputs[member.input].name)"]
            if member.isInterval { lines[0] += ", as long as it lasts" }
            if let condition = member.condition { lines.append("  where \(text(condition))") }
            return lines
        }
        lines.append("within \(plan.within)")
        if plan.required < plan.members.count { lines.append("at least \(plan.required) of them") }
        if !plan.order.isEmpty {
            lines.append("order \(plan.order.map(name).joined(separator: ", "))")
        }
        for precedence in plan.precedences {
            lines.append(
                "\(name(precedence.earlier)) before \(name(precedence.later)) "
                    + "within \(precedence.within)")
        }
        switch plan.strength {
        case nil: break
        case .lift(let lift):
            lines.append(
                "strength lift(\(name(lift.later)) after \(name(lift.earlier)) within \(lift.lag)) "
                    + ">= \(Value.text(of: lift.limit)) over \(lift.over) "
                    + "with at least \(lift.minimum)" + (lift.isPooled ? " pooled" : ""))
        case .movement(let movement):
            lines.append(
                "strength moves_with(\(text(movement.first)), \(text(movement.second))) "
                    + "over \(movement.over) step \(movement.step) lag 0..\(movement.lagMax) "
                    + ">= \(Value.text(of: movement.limit)) "
                    + "with at least \(movement.minimum) points")
        }
        if plan.isOncePerEvent { lines.append("once per event") }
        return lines
    }

    private func text(_ side: MovementPlan.Side) -> String {
        "\(text(side.value)) of \(name(side.member))"
    }

    // MARK: - Anomaly cluster

    func lines(_ plan: AnomalyPlan) -> [String] {
        var lines = plan.series.flatMap { series in
            var lines = [
                "measure \(series.measure.name) = \(text(series.measure)) "
                    + "of \(plan.inputs[series.input].name) by \(name(series.member))"
            ]
            if let condition = series.condition { lines.append("  where \(text(condition))") }
            return lines
        }
        lines.append("every \(plan.every) by \(plan.memberName)")
        switch plan.baseline {
        case .last(let count): lines.append("baseline last \(count)")
        case .seasonal(let season, let span):
            lines.append("baseline seasonal \(season.rawValue) over \(span)")
        }
        lines.append("adapt after \(plan.adaptAfter)")
        if let spread = plan.minimumSpread { lines.append("min spread \(Value.text(of: spread))") }
        lines.append("at least \(plan.minimumValues) values")
        lines.append(
            "anomalous when \(text(plan.when)) for \(plan.required) of the last \(plan.outOf)")
        var cluster =
            "cluster when at least \(plan.minimumMembers) \(plan.memberName) within \(plan.within)"
        if let list = plan.linkedBy { cluster += " linked by \(name(list))" }
        if let span = plan.maxSpan { cluster += " max span \(span)" }
        lines.append(cluster)
        lines.append("update every \(plan.updateEvery)")
        return lines
    }

    // MARK: - Metric

    func lines(_ plan: MetricPlan) -> [String] {
        var lines: [String] = []
        if let condition = plan.condition { lines.append("where \(text(condition))") }
        lines.append("window \(plan.window.words)")
        for measure in plan.measures { lines.append("measure \(measure.name) = \(text(measure))") }
        for forecast in plan.forecasts {
            lines.append(
                "forecast \(plan.measures[forecast.measure].name) for \(forecast.horizon)"
                    + (forecast.season.map { " seasonal \($0.rawValue)" } ?? ""))
        }
        lines.append("forget after \(plan.forgetAfter)")
        return lines
    }
}
