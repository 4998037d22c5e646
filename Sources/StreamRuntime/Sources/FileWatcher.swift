import Foundation

/// Waits until something changes in one of some folders, or until the time is up.
///
/// Folders are watched rather than files, since a rotated or newly saved file is another inode.
/// Where inotify is not to be had (too many watches, some network file systems) waiting is just
/// sleeping: the caller looks at its files after each wait anyway.
final class FileWatcher {
    private let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    private var folders: Set<String> = []
    private var isComplete = true

    /// The longest sleep where changes do not wake us.
    private static let sleepMax = 100

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Adds a folder; the empty path is the current one.
    func watch(_ folder: String) {
        let folder = folder.isEmpty ? "." : folder
        guard descriptor >= 0, folders.insert(folder).inserted else { return }
        let events =
            IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE
        if inotify_add_watch(descriptor, folder, UInt32(events)) < 0 {
            isComplete = false
            folders.remove(folder)
        }
    }

    /// Returns after a change, or when the milliseconds are over: whether a change was told of.
    @discardableResult
    func wait(milliseconds: Int) -> Bool {
        guard descriptor >= 0, isComplete else {
            usleep(UInt32(min(milliseconds, FileWatcher.sleepMax)) * 1000)
            return false
        }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&request, 1, Int32(clamping: milliseconds)) <= 0 { return false }
        // What has changed does not matter; the queue is emptied so that it wakes us again.
        var events = [UInt8](repeating: 0, count: 4096)
        while read(descriptor, &events, events.count) > 0 {}
        return true
    }
}
