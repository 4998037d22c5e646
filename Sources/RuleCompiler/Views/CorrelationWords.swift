import RuleModel

/// A correlation in words, for `explain` and `graph`.
struct CorrelationWords {
    let plan: CorrelationPlan
    let text: PlanText

    /// What has to come together.
    var together: [String] {
        var lines = plan.members.map { member in
            let condition = member.condition.map { " where \(text.text($0))" } ?? ""
            let lasts = member.isInterval ? ", as long as it lasts" : ""
            return "\(member.name): \(plan.inputs[member.input].name)\(condition)\(lasts)"
        }
        if plan.required < plan.members.count {
            lines.append("At least \(plan.required) of them have to be there.")
        }
        if !plan.order.isEmpty {
            lines.append("They come in the order \(plan.order.map(name).joined(separator: ", ")).")
        }
        for precedence in plan.precedences {
            lines.append(
                "\(name(precedence.earlier)) comes before \(name(precedence.later)), "
                    + "at most \(precedence.within).")
        }
        lines.append("From the oldest to the newest it takes at most \(plan.within).")
        return lines
    }

    var fires: [String] {
        var lines: [String] = []
        if plan.isOncePerEvent {
            lines.append("At every event that completes them; what it took is used up.")
        } else {
            lines.append("At the first instant at which they are there together.")
            lines.append("Updated when another member joins, else at most once a minute.")
            lines.append("Resolves when they are no longer there together.")
        }
        switch plan.strength {
        case nil: break
        case .lift(let lift):
            lines.append(
                "Only if \(name(lift.later)) follows \(name(lift.earlier)) within \(lift.lag) "
                    + "at least \(Value.text(of: lift.limit)) times as often as by chance:")
            lines.append(
                "measured over \(lift.over)\(lift.isPooled ? " and all keys" : ""), "
                    + "known from \(counted(lift.minimum, "occurrence")) on.")
        case .movement(let movement):
            lines.append(
                "Only if \(text.text(movement.first.value)) of \(name(movement.first.member)) and "
                    + "\(text.text(movement.second.value)) of \(name(movement.second.member)) move "
                    + "together, at \(Value.text(of: movement.limit)) or more:")
            lines.append(
                "measured over \(movement.over) in steps of \(movement.step)"
                    + (movement.lagMax > .zero ? " with lags up to \(movement.lagMax)" : "")
                    + ", known from \(counted(movement.minimum, "point")) on.")
        }
        return lines
    }

    /// What is kept, and for how long.
    var keeps: [String] {
        var lines = plan.members.map { member in
            let fields = member.captured.map { text.name($0) }
            return "of \(member.name): the time"
                + (fields.isEmpty ? "" : ", \(fields.joined(separator: ", "))")
        }
        let lasting = plan.members.filter(\.isInterval).map(\.name)
        let until = lasting.isEmpty ? "" : ", but of \(lasting.joined(separator: ", ")) to its end"
        lines.append("No event longer than \(plan.within)\(until).")
        switch plan.strength {
        case nil: break
        case .lift(let lift):
            lines.append(
                "The times of \(name(lift.earlier)) and \(name(lift.later)) for \(lift.over).")
        case .movement(let movement):
            lines.append("An average for every \(movement.step) of \(movement.over).")
        }
        return lines
    }

    /// `deploy and surge`, `2 of a, b and c`
    var requirement: String {
        let names = plan.members.map(\.name)
        let all = names.dropLast().joined(separator: ", ") + " and \(names.last ?? "")"
        return plan.required < names.count ? "at least \(plan.required) of \(all)" : all
    }

    private func name(_ member: StepID) -> String { plan.members[member.rawValue].name }
}
