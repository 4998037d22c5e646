/// Why a snapshot cannot be read. Reading never traps and never hangs, whatever the bytes are.
public enum SnapshotError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The bytes are no snapshot of an engine.
    case foreign
    /// A part was written by a version of the engine that knows more than this one.
    case newer(part: String, version: Int, known: Int)
    /// The bytes end too soon, or hold something that no engine can have been in.
    case damaged(String, offset: Int)

    public var description: String {
        switch self {
        case .foreign: "this is not a snapshot of an engine"
        case .newer(let part, let version, let known):
            "\(part) was written in version \(version) of its form, and this engine knows \(known)"
        case .damaged(let what, let offset): "\(what) at byte \(offset)"
        }
    }
}
