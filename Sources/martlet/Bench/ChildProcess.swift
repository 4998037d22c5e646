import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// Runs another program and says what it cost.
struct ChildProcess {
    /// From the start to the first byte on its standard output; nil when it printed nothing.
    var firstByteSeconds: Double?
    var wallSeconds = 0.0
    var cpuSeconds = 0.0
    var peakBytes = 0
    /// As a shell would have it: 128 and the signal's number for a process that a signal ended.
    var code: Int32 = 0

    /// Waits for the end; what the program prints is read and thrown away.
    ///
    /// - Parameter arguments: The path of the program and its arguments.
    init(_ arguments: [String]) throws(Failure) {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else {
            throw Failure(.failed, "cannot make a pipe: \(systemError())")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        posix_spawn_file_actions_addclose(&actions, pipe[0])
        posix_spawn_file_actions_addclose(&actions, pipe[1])
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        let started = monotonicSeconds()
        var process = pid_t()
        let fault = posix_spawn(&process, arguments[0], &actions, nil, words, environ)
        close(pipe[1])
        defer { close(pipe[0]) }
        guard fault == 0 else {
            throw Failure(
                .failed, "cannot start `\(arguments[0])`: \(String(cString: strerror(fault)))")
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(pipe[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            if firstByteSeconds == nil { firstByteSeconds = monotonicSeconds() - started }
        }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        wallSeconds = monotonicSeconds() - started
        cpuSeconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        peakBytes = usage.ru_maxrss * 1024
        code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}
