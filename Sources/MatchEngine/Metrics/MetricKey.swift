import RuleModel

/// The state of one key of a metric (M1, M2).
///
/// From its first event on each bucket of the key is judged when the watermark has passed its end,
/// with events or without, until the key is forgotten; a session is judged when it is over.
struct MetricKey: KeyState {
    private var buckets = MetricBuckets()
    private var forecasters: [Forecaster]
    private var lastEvent: Timestamp
    private(set) var isForgotten = false

    init(rule: MetricRule, at instant: Timestamp) {
        forecasters = rule.forecasts.map { _ in Forecaster() }
        lastEvent = instant
    }

    mutating func process(
        _ event: Event, rule: MetricRule, key: KeySlot, in context: inout MachineContext
    ) {
        let instant = context.instant
        lastEvent = instant
        if buckets.endsSession(at: instant, rule: rule) {
            judge(at: instant, rule: rule, key: key, in: &context)
        }
        if buckets.add(event, at: instant, rule: rule, evaluator: context.evaluator) {
            context.noteOverflow(.values)
            context.keys[context.rule].addDoubts(key, .droppedValues)
        }
    }

    /// Lets everything that is due up to an instant, that one included, take effect.
    mutating func fire(
        until end: Timestamp, rule: MetricRule, key: KeySlot, in context: inout MachineContext
    ) {
        while !isForgotten {
            let instant = nextInstant(rule: rule)
            // What would be due after the end of all time is never due.
            guard instant <= end, instant < .distantFuture else { return }
            if buckets.nextEnd <= instant {
                judge(at: instant, rule: rule, key: key, in: &context)
            }
            if lastEvent + rule.forgetAfter <= instant { isForgotten = true }
        }
    }

    /// The next instant at which something is due.
    func nextInstant(rule: MetricRule) -> Timestamp {
        min(buckets.nextEnd, lastEvent + rule.forgetAfter)
    }

    /// Closes the bucket that ends first and tells what was in it.
    private mutating func judge(
        at instant: Timestamp, rule: MetricRule, key: KeySlot, in context: inout MachineContext
    ) {
        guard let bucket = buckets.takeFirst(rule: rule) else { return }
        let values = rule.layout.measures.indices.map { bucket.value($0) }
        var forecasts: [MetricRecord.Forecast] = []
        for (index, forecast) in rule.forecasts.enumerated() {
            let value = Numbers.double(values[forecast.measure]).flatMap { $0.isFinite ? $0 : nil }
            forecasts.append(forecasters[index].judge(value, rule: forecast))
        }
        if context.program.rules[context.rule].place.isRead {
            var fields = zip(rule.keyPaths, context.keyValues(key)).map { (path: $0, value: $1) }
            fields += zip(rule.measurePaths, values).map { (path: $0, value: $1) }
            for (paths, forecast) in zip(rule.forecastPaths, forecasts) {
                for (names, field) in zip(paths, forecast.fields) {
                    fields += names.map { (path: $0, value: field.value) }
                }
            }
            context.derived.add(
                metric: context.rule, time: instant, fields: fields,
                depth: context.program.rules[context.rule].place.depth, at: instant)
        }
        guard context.keepsMetrics else { return }
        let names = rule.layout.measures.map(\.name)
        var doubts = context.keys[context.rule].doubts(key).reasons
        for (index, name) in names.enumerated() where bucket.aggregates[index].isEstimated {
            doubts.append(QuantileSketch.note(on: name))
        }
        context.metrics.append(
            MetricRecord(
                name: rule.name, start: bucket.start, end: instant,
                key: zip(context.program.rules[context.rule].keyNames, context.keyValues(key))
                    .map { Alert.NamedValue($0, $1) },
                measures: zip(names, values).map { Alert.NamedValue($0, $1) },
                forecasts: forecasts, incompleteBecause: doubts,
                order: context.nextOrder(key: context.keyHash(key))))
    }

    // MARK: - Snapshot

    func write(to writer: inout StateWriter) {
        writer.write(lastEvent)
        buckets.write(to: &writer)
        for forecaster in forecasters { forecaster.write(to: &writer) }
    }

    init(from reader: inout StateReader, rule: MetricRule) throws(SnapshotError) {
        lastEvent = try reader.past()
        buckets = try MetricBuckets(from: &reader, rule: rule, lastEvent: lastEvent)
        forecasters = []
        for forecast in rule.forecasts {
            forecasters.append(try Forecaster(from: &reader, rule: forecast))
        }
    }
}
