import CSystem
import Foundation

/// Runs something on a thread of its own, for as long as it takes.
public func startThread(_ body: @escaping @Sendable () -> Void) {
    Thread.detachNewThread(body)
}

/// The folder that a path lies in, `.` for the current one. Foundation's own traps on `.`.
public func parentFolder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Whether something says that it keeps the clock of this machine right.
public var clockIsKept: Bool { CSystem.clockIsKept() != 0 }

/// How much of the machine's memory this process has; 0 where the system does not say.
public func residentBytes() -> Int {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return 0 }
    // Pages: the whole size, then what is resident.
    let numbers = bytes[..<count].split(separator: UInt8(ascii: " "))
    guard numbers.count > 1, let pages = Int(String(decoding: numbers[1], as: UTF8.self)) else {
        return 0
    }
    return pages * sysconf(Int32(_SC_PAGESIZE))
}

/// Writes all bytes, also to a pipe or terminal that takes few at a time.
///
/// - Returns: false when the stream is closed or broken.
@discardableResult
public func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var start = 0
        while start < buffer.count {
            let written = write(
                descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            if written > 0 {
                start += written
            } else if written < 0, errno == EINTR || errno == EAGAIN {
                continue
            } else {
                return false
            }
        }
        return true
    }
}

/// What the system says about the last call that failed.
public func systemError() -> String { String(cString: strerror(errno)) }
