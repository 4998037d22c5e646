import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The signal that asked the process to end, or 0.
private let requestedSignal = Atomic<Int32>(0)

private let isHungUp = Atomic(false)

/// SIGHUP, which asks a running engine to read its rules again.
enum HangupRequest {
    /// From now on the signal asks, and does not end the process.
    static func listen() {
        unblock([SIGHUP])
        signal(SIGHUP) { _ in isHungUp.store(true, ordering: .relaxed) }
    }

    /// Whether it came since this was asked last.
    static func take() -> Bool { isHungUp.exchange(false, ordering: .relaxed) }
}

/// Whether someone asked the process to end, by Ctrl-C or SIGTERM.
enum StopRequest {
    /// From now on the two signals ask for a clean end; the second one ends at once.
    static func listen() {
        unblock([SIGINT, SIGTERM])
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

/// A parent may have started us with signals blocked.
private func unblock(_ numbers: [Int32]) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    sigprocmask(SIG_UNBLOCK, &signals, nil)
}
