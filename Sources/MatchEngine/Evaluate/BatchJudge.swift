import RuleModel

/// Judges the conditions of a program that look at one event, without any of an engine's state.
public struct BatchJudge: Sendable {
    let columns: ColumnEvaluator
    let evaluator: TermEvaluator

    /// Judges all rows of a batch.
    public func load(_ batch: borrowing EventBatch) -> LoadedBatch {
        columns.load(copy batch, rows: 0..<batch.count, with: evaluator)
    }
}
