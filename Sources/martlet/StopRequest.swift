import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The signal that asked the process to end, or 0.
private let requestedSignal = Atomic<Int32>(0)

/// Whether someone asked the process to end, by Ctrl-C or SIGTERM.
enum StopRequest {
    /// From now on the two signals ask for a clean end; the second one ends at once.
    static func listen() {
        // A parent may have started us with the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        sigprocmask(SIG_UNBLOCK, &signals, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if requestedSignal.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
    }

    static var isPending: Bool { requestedSignal.load(ordering: .relaxed) != 0 }

    /// What a command that ended cleanly after the request answers with.
    static var exitCode: ExitCode? {
        switch requestedSignal.load(ordering: .relaxed) {
        case SIGINT: .interrupted
        case SIGTERM: .terminated
        default: nil
        }
    }
}
