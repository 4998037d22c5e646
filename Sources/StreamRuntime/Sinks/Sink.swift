/// Where alerts go. One thread at a time uses a sink.
public protocol Sink: AnyObject, Sendable {
    /// What is promised to whoever reads the other end.
    var promise: SinkPromise { get }
    /// How many alerts may be with the sink before it is known for good which of them it has taken.
    var inFlightMax: Int { get }
    /// Whether alerts go one by one side by side, so that one that hangs holds only its own key back;
    /// otherwise they are given in order, and an alert that fails is tried again before any other.
    var isConcurrent: Bool { get }
    /// What the sink wants to be told when it is opened after a restart.
    var mark: Int { get }
    /// Called once, before anything is delivered, with the mark of the last alert known to be done.
    func open(mark: Int) throws(SinkError)
    /// Whether an alert that may have been delivered before a crash is there.
    func holds(_ entry: OutboxEntry) -> Bool
    /// Delivers alerts, and says what became of each.
    func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult]
    /// Looks whether the sink could take alerts, without giving it one and without changing anything.
    /// Not on a sink that is open.
    func probe() -> ProbeResult
}

/// What a look at a sink found, for people, and what to do about it.
public enum ProbeResult: Sendable, Equatable {
    case reached(String)
    /// It answers, and not as one would expect.
    case doubtful(String, fix: String)
    case unreachable(String, fix: String)
}

extension Sink {
    /// Most sinks need not be told anything.
    /// See `Sink`.
    public var mark: Int { 0 }
    /// Most sinks cannot be asked.
    /// See `Sink`.
    public func holds(_ entry: OutboxEntry) -> Bool { false }
}

/// What became of an alert that was given to a sink.
public enum DeliveryResult: Sendable, Equatable {
    case done
    /// It is on its way: the sink is asked again, with this alert among those that it is given.
    case pending
    /// The sink could not take it now; it may later.
    case failed(String, retryAfterSeconds: Int?)
    /// The sink will not take this alert.
    case refused(String)
    /// Nothing will ever reach this sink again: the engine must stop.
    case broken(String)
}

/// How often an alert can be seen at the other end of a sink.
public enum SinkPromise: Sendable, Equatable {
    /// Once, also over crashes, with the reason why.
    case effectivelyOnce(String)
    /// Once or, after a crash, twice, with what tells it apart.
    case atLeastOnce(String)
}

/// Why a sink cannot be used.
public struct SinkError: Error, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
