extension RulePlan {
    /// The plan with `fingerprint` and `shape` worked out.
    ///
    /// Both are hashes of text that names things instead of numbering them, so they change with the
    /// rule and the lists and schedules it uses, and never because of another rule. The parts of
    /// `and` and `or` are sorted first.
    ///
    /// - `fingerprint` covers everything that can change an alert.
    /// - `shape` covers what state depends on (T10): kind, key, inputs, steps with their conditions,
    ///   windows and policies, and as what the fields in them are read. A rule whose shape is unchanged keeps its state over a reload.
    public func fingerprinted(tables: RuleSetTables) -> RulePlan {
        let text = PlanText(self, tables: tables, isCanonical: true)
        var plan = self
        let state = text.stateLines
        plan.shape = hash(state + text.stateFieldLines)
        plan.fingerprint = hash([name] + state + text.judgementLines + text.emissionLines)
        return plan
    }

    private func hash(_ lines: [String]) -> UInt64 {
        var hash = StableHash()
        for line in lines { hash.combine(line) }
        return hash.value
    }
}
