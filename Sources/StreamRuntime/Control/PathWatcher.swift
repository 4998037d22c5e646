import Foundation

/// Tells when files have changed: soon where the system says so, else within two seconds.
///
/// Links are followed, so a file is another one when a link on the way to it points elsewhere, as when
/// Kubernetes exchanges the folder `..data`.
public final class PathWatcher {
    private let watcher = FileWatcher()
    private var paths: [String] = []
    private var states: [FileState?] = []
    private var nextLook = DispatchTime.now()

    /// Between two looks where the system tells of no change.
    private static let lookSeconds = 2

    /// Watches nothing yet.
    public init() {}

    /// Watches these paths from now on, as they are now. Of a folder it is told when names in it come
    /// and go.
    public func watch(_ paths: [String]) {
        self.paths = paths
        for path in paths {
            watcher.watch(path)
            watcher.watch(parentFolder(path))
            if let target = realpath(path, nil) {
                watcher.watch(parentFolder(String(cString: target)))
                free(target)
            }
        }
        states = paths.map(FileState.init(path:))
    }

    /// Waits until a path is not what it was, or the milliseconds are over.
    ///
    /// - Returns: Whether one has changed since it was looked at last.
    public func hasChanged(waitingAtMost milliseconds: Int) -> Bool {
        let isTold = watcher.wait(milliseconds: milliseconds)
        let now = DispatchTime.now()
        guard isTold || now >= nextLook else { return false }
        nextLook = now + .seconds(PathWatcher.lookSeconds)
        let states = paths.map(FileState.init(path:))
        defer { self.states = states }
        return states != self.states
    }
}
