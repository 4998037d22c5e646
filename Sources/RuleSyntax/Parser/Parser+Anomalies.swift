// `anomaly_cluster by KEYS { series, baseline, criterion, cluster }`

extension Parser {
    mutating func anomalyCluster() -> AnomalyClusterSyntax {
        let start = previous.range
        var cluster = AnomalyClusterSyntax(
            keys: nil, series: [], baseline: nil, criterion: nil, atLeastMembers: nil, member: nil,
            within: nil, linkedBy: nil, options: [])
        if at(.by) { cluster.keys = keys() }
        let known = diagnostics.count
        var given: [String: SourceRange] = [:]
        block("this anomaly cluster", endsEarly: { $0.isAtActionOfRule }) { parser in
            parser.anomalyClause(into: &cluster, &given)
            parser.endClause { $0.keyword.map(Self.anomalyWords.contains) == true }
        }
        guard diagnostics.count == known, !isPanicking else { return cluster }
        for (clause, isMissing) in [
            ("measure", cluster.series.isEmpty), ("baseline", cluster.baseline == nil),
            ("anomalous when", cluster.criterion == nil),
            ("cluster when", cluster.atLeastMembers == nil),
        ] where isMissing {
            report(
                .missingClause(
                    "this anomaly cluster has no `\(clause)`", "`\(clause)` is missing here",
                    at: start,
                    help:
                        "a cluster needs `measure`, `baseline`, `anomalous when` and `cluster when`"
                ))
            break
        }
        return cluster
    }

    private static let anomalyWords: [Keyword] = [
        .measure, .baseline, .anomalous, .cluster, .min, .at, .update, .adapt, .max,
    ]

    private mutating func anomalyClause(
        into cluster: inout AnomalyClusterSyntax, _ given: inout [String: SourceRange]
    ) {
        let start = current
        guard let keyword = clauseKeyword(among: Self.anomalyWords, of: "anomaly_cluster") else {
            return
        }
        switch keyword {
        case .measure:
            if let series = series(from: start.range) { cluster.series.append(series) }
            return
        case .baseline:
            cluster.baseline = baseline()
            if at(.adapt), isContinued {
                expect(.adapt, .after)
                if let span = duration() { cluster.options.append(.adaptAfter(span)) }
            }
        case .anomalous:
            cluster.criterion = criterion(from: start.range)
        case .cluster:
            clusterCondition(into: &cluster)
        default:
            if let option = anomalyOption(keyword) { cluster.options.append(option) }
        }
        once(keyword.rawValue, "`\(keyword.rawValue)` is given once", at: start.range, &given)
    }

    /// What stands behind `measure`: `p95 = percentile(95, d) of http.request every 1m by service`.
    private mutating func series(from start: SourceRange) -> AnomalyClusterSyntax.Series? {
        let name = name("a name for the measure")
        expect(.assign, "`=`")
        let aggregate = aggregate()
        expect(.of)
        let source = sourceSyntax()
        expect(.every)
        guard let every = duration() else { return nil }
        expect(.by)
        let member = path("the field that names the members")
        return AnomalyClusterSyntax.Series(
            name: name, aggregate: aggregate, source: source, every: every, member: member,
            range: range(from: start))
    }

    private mutating func baseline() -> AnomalyClusterSyntax.Baseline? {
        if take(.last) != nil { return integer("how many buckets").map { .last($0) } }
        guard take(.seasonal) != nil else {
            expected("`last N` or `seasonal daily over D`")
            return nil
        }
        guard let season = season() else { return nil }
        expect(.over)
        return duration().map { .seasonal(season, over: $0) }
    }

    /// What stands behind `anomalous`: `when robust_z(p95) > 4 for 2 of the last 3`.
    private mutating func criterion(from start: SourceRange) -> AnomalyClusterSyntax.Criterion {
        expect(.when)
        var criterion = AnomalyClusterSyntax.Criterion(
            condition: expression(), required: nil, outOf: nil, range: start)
        if take(.for) != nil {
            criterion.required = integer("how many buckets")
            expect(.of, .the, .last)
            criterion.outOf = integer("how many buckets")
        }
        criterion.range = range(from: start)
        return criterion
    }

    /// What stands behind `cluster`: `when at least 3 service within 5m linked by L max span 30m`.
    private mutating func clusterCondition(into cluster: inout AnomalyClusterSyntax) {
        expect(.when, .at, .least)
        cluster.atLeastMembers = integer("how many members")
        cluster.member = path("the field that names the members")
        expect(.within)
        cluster.within = duration()
        if at(.linked), isContinued {
            expect(.linked, .by)
            cluster.linkedBy = name("the name of a list of pairs")
        }
        if at(.max), isContinued {
            expect(.max, .span)
            if let span = duration() { cluster.options.append(.maxSpan(span)) }
        }
    }

    private mutating func anomalyOption(_ keyword: Keyword) -> AnomalyClusterSyntax.Option? {
        switch keyword {
        case .min:
            expect(.spread)
            return .minSpread(expression())
        case .at:
            expect(.least)
            let count = integer("how many values")
            expect(.values)
            return count.map { .atLeastValues($0) }
        case .update:
            expect(.every)
            return duration().map { .updateEvery($0) }
        case .adapt:
            expect(.after)
            return duration().map { .adaptAfter($0) }
        case .max:
            expect(.span)
            return duration().map { .maxSpan($0) }
        default:
            return nil
        }
    }
}
