import CSQLite
import Glibc
import RuleModel
import Synchronization

/// Keeps the latest record of each alert as a row of a table, with the id as the primary key:
///
///     CREATE TABLE alerts (
///         id TEXT PRIMARY KEY, rule TEXT, state TEXT, severity TEXT, message TEXT,
///         matched_at TEXT, emitted_at TEXT, record TEXT,   -- record: the whole JSON
///         matched_ns INTEGER)                              -- nanoseconds since 1970
///
/// A record that comes twice changes nothing.
public final class SQLiteSink: Sink {
    private struct State {
        var database: OpaquePointer?
        var insert: OpaquePointer?
    }

    private let path: String
    private let table: String
    private let state = Mutex(State())

    /// The database is opened, or made, with the first use of the sink.
    public init(path: String, table: String) {
        self.path = path
        self.table = table
    }

    deinit {
        state.withLock { state in
            sqlite3_finalize(state.insert)
            sqlite3_close_v2(state.database)
        }
    }

    /// See `Sink`.
    public var promise: SinkPromise { .effectivelyOnce("the alert's id is the primary key") }
    /// See `Sink`.
    public var inFlightMax: Int { 1024 }
    /// See `Sink`.
    public var isConcurrent: Bool { false }

    /// See `Sink`.
    public func open(mark: Int) throws(SinkError) {
        let reason: String? = state.withLock { state in
            guard sqlite3_open(path, &state.database) == SQLITE_OK else { return message(state) }
            sqlite3_busy_timeout(state.database, 5000)
            let statements = [
                "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                """
                CREATE TABLE IF NOT EXISTS \(name) (
                    id TEXT PRIMARY KEY, rule TEXT NOT NULL, state TEXT NOT NULL,
                    severity TEXT NOT NULL, message TEXT NOT NULL, matched_at TEXT NOT NULL,
                    emitted_at TEXT NOT NULL, record TEXT NOT NULL,
                    matched_ns INTEGER NOT NULL)
                """,
            ]
            for statement in statements where !run(statement, state) { return message(state) }
            // An older record that comes again after a crash does not undo a newer one.
            let insert = """
                INSERT INTO \(name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    state = excluded.state, severity = excluded.severity,
                    message = excluded.message, matched_at = excluded.matched_at,
                    emitted_at = excluded.emitted_at, record = excluded.record,
                    matched_ns = excluded.matched_ns
                WHERE excluded.matched_ns >= matched_ns
                """
            guard
                sqlite3_prepare_v2(state.database, insert, -1, &state.insert, nil) == SQLITE_OK
            else { return message(state) }
            return nil
        }
        if let reason { throw SinkError("the database `\(path)` cannot be used: \(reason)") }
    }

    /// See `Sink`.
    public func probe() -> ProbeResult {
        let file = FileSink.probe(path)
        guard access(path, F_OK) == 0 else { return file }
        var database: OpaquePointer?
        var statement: OpaquePointer?
        defer {
            sqlite3_finalize(statement)
            sqlite3_close_v2(database)
        }
        func unreachable() -> ProbeResult {
            .unreachable(
                "the database `\(path)` cannot be used: "
                    + String(cString: sqlite3_errmsg(database)),
                fix: "name another file, or mend this one with the `sqlite3` shell")
        }
        guard sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, nil) == SQLITE_OK,
            sqlite3_exec(database, "SELECT count(*) FROM sqlite_schema", nil, nil, nil) == SQLITE_OK
        else { return unreachable() }
        sqlite3_busy_timeout(database, 5000)
        let count = "SELECT count(*) FROM \(name)"
        if sqlite3_prepare_v2(database, count, -1, &statement, nil) != SQLITE_OK {
            return .reached("`\(path)` has no table \(name) yet, which is made")
        }
        guard sqlite3_step(statement) == SQLITE_ROW else { return unreachable() }
        let rows = Int(sqlite3_column_int64(statement, 0))
        let columns = """
            SELECT id, rule, state, severity, message, matched_at, emitted_at, record, matched_ns
            FROM \(name)
            """
        guard sqlite3_exec(database, columns + " LIMIT 0", nil, nil, nil) == SQLITE_OK else {
            return .unreachable(
                "the table \(name) of `\(path)` is not one of alerts: "
                    + String(cString: sqlite3_errmsg(database)),
                fix: "name another table with `table`")
        }
        guard case .reached = file else { return file }
        return .reached("`\(path)`, \(counted(rows, "alert")) in \(name)")
    }

    /// The table as SQL names it: a quote inside is written twice.
    private var name: String { "\"" + table.replacing("\"", with: "\"\"") + "\"" }

    /// See `Sink`.
    public func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        state.withLock { state in
            func failed() -> [DeliveryResult] {
                let reason = message(state)
                _ = run("ROLLBACK", state)
                return entries.map { _ in .failed(reason, retryAfterSeconds: nil) }
            }
            guard run("BEGIN IMMEDIATE", state) else { return failed() }
            for entry in entries where !insert(entry, state) { return failed() }
            guard run("COMMIT", state) else { return failed() }
            return entries.map { _ in .done }
        }
    }

    private func insert(_ entry: OutboxEntry, _ state: State) -> Bool {
        var record: [UInt8] = []
        AlertForm.json.append(entry, to: &record)
        record.removeLast()
        let alert = entry.alert
        let texts = [
            alert.id, alert.rule, alert.state.rawValue, alert.severity.rawValue, alert.message,
            alert.matchedAt.description, entry.emittedAt.description,
            String(decoding: record, as: UTF8.self),
        ]
        for (index, text) in texts.enumerated() {
            var text = text
            let code = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { bytes in
                    // SQLite makes a copy when the last argument is -1, SQLITE_TRANSIENT.
                    sqlite3_bind_text(
                        state.insert, Int32(index + 1), bytes.baseAddress, Int32(bytes.count),
                        unsafeBitCast(-1, to: sqlite3_destructor_type.self))
                }
            }
            guard code == SQLITE_OK else { return false }
        }
        guard sqlite3_bind_int64(state.insert, 9, alert.matchedAt.nanoseconds) == SQLITE_OK
        else { return false }
        defer { sqlite3_reset(state.insert) }
        return sqlite3_step(state.insert) == SQLITE_DONE
    }

    private func run(_ statement: String, _ state: State) -> Bool {
        sqlite3_exec(state.database, statement, nil, nil, nil) == SQLITE_OK
    }

    private func message(_ state: State) -> String {
        String(cString: sqlite3_errmsg(state.database))
    }
}
