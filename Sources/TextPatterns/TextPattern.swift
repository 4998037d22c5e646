import CTextPatterns

/// A regular expression that matches in linear time (RE2): no back-references, no look-around.
///
/// Unanchored. Immutable and safe to share between threads.
public final class TextPattern: Sendable {
    /// Why a pattern was refused.
    public struct Fault: Error, Equatable, Sendable {
        /// RE2's sentence, for example `missing ): ^/admin/(login`.
        public var message: String
        /// The part of the pattern it complains about; empty when it names none.
        public var argument: String
    }

    /// The pattern as written.
    public let source: String
    public let ignoresCase: Bool
    private let handle: Handle

    /// The one owner of the C object. RE2 promises that a constant pattern may be used by many
    /// threads, which the compiler cannot know of a pointer; the address travels as a number.
    private struct Handle: Sendable {
        let address: UInt

        var pointer: OpaquePointer {
            // The address came from `martlet_pattern_make`, which never returns NULL.
            OpaquePointer(bitPattern: address)!
        }
    }

    /// - Throws: `Fault` when the pattern is not a linear-time regular expression or too large.
    public init(_ source: String, ignoringCase: Bool = false) throws(Fault) {
        self.source = source
        ignoresCase = ignoringCase
        var text = source
        let pointer = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                // An empty buffer may have no address; RE2 then reads no byte of this one.
                withUnsafePointer(to: CChar(0)) { empty in
                    martlet_pattern_make(chars.baseAddress ?? empty, chars.count, ignoringCase)
                }
            }
        }
        handle = Handle(address: UInt(bitPattern: pointer))
        if let message = martlet_pattern_error(pointer) {
            throw Fault(
                message: String(cString: message),
                argument: String(cString: martlet_pattern_error_argument(pointer)))
        }
    }

    deinit { martlet_pattern_free(handle.pointer) }

    /// Whether the pattern matches anywhere in the text. O(bytes).
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        martlet_pattern_matches(
            handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
}
