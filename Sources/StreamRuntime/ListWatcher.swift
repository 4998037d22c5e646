import Foundation
import RuleModel

/// Reads the lists of a rule set and looks from time to time whether their files have changed.
///
/// A list is exchanged whole or not at all: a file that cannot be read leaves the version in force
/// and is reported once, until it changes again.
public struct ListWatcher: Sendable {
    private var lists: [Watched]

    private struct Watched: Sendable {
        var plan: ListPlan
        /// How long to wait between two looks; nil for a list that never changes.
        var refresh: TimeSpan?
        /// Nanoseconds on the caller's clock.
        var nextLook: Int64 = .min
        /// What the file looked like when it was read last; nil if it was not there.
        var state: FileState?
        var version: UInt64?
    }

    /// What came out of a look at a list.
    public enum Update: Sendable {
        /// The list at this place has a new content.
        case changed(list: Int, ListTable)
        /// The list at this place cannot be read; the old content stays.
        case failed(list: Int, ListFault)
    }

    /// - Parameters:
    ///   - plans: The lists; updates name them by their place.
    ///   - defaultRefresh: How often to look at files of lists that do not say it themselves; nil for
    ///     never, as in a replay.
    public init(_ plans: [ListPlan], defaultRefresh: TimeSpan?) {
        lists = plans.map { plan in
            Watched(plan: plan, refresh: plan.path == nil ? nil : plan.refresh ?? defaultRefresh)
        }
    }

    /// Looks at the lists whose time has come; at the first call at all of them.
    ///
    /// - Parameter now: Nanoseconds on any clock that does not go back.
    public mutating func poll(now: Int64) -> [Update] {
        var updates: [Update] = []
        for index in lists.indices where lists[index].nextLook <= now {
            let isFirst = lists[index].nextLook == .min
            let (next, overflow) = now.addingReportingOverflow(
                lists[index].refresh?.nanoseconds ?? .max)
            lists[index].nextLook = overflow || lists[index].refresh == nil ? .max : next
            let state = listPath(of: lists[index].plan).flatMap { FileState(path: $0) }
            if !isFirst && state == lists[index].state { continue }
            let result = loadList(lists[index].plan)
            // A file that changes while it is read is read again at the next look.
            let after = listPath(of: lists[index].plan).flatMap { FileState(path: $0) }
            if !isFirst && after != state { continue }
            lists[index].state = state
            switch result {
            case .success(let table):
                if table.version == lists[index].version { continue }
                lists[index].version = table.version
                updates.append(.changed(list: index, table))
            case .failure(let fault):
                updates.append(.failed(list: index, fault))
            }
        }
        return updates
    }
}

/// What tells one state of a file from another without reading it.
struct FileState: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64

    /// Nil if there is no such file.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}
