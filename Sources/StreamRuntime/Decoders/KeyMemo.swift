/// The bytes that stood between two values once, at one place of an object, and what they mean.
///
/// `,"user":` is kept with its length and the target of `user`. The bytes were checked when they
/// were first read, so where the same bytes come again nothing has to be checked or looked up.
struct KeyMemo: Sendable {
    /// How many different keys are remembered for each place.
    static let ways = 4
    private static let countMax = 32

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var masks: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// How many bytes; 0 if nothing is remembered.
    private(set) var count: Int32 = 0
    private(set) var target = Projection.Target.unwanted

    /// A memo that matches nothing.
    init() {}

    @inline(__always)
    func matches(_ position: BytePointer) -> Bool {
        if (loadWord(position) ^ words.0) & masks.0 != 0 || count == 0 { return false }
        if count <= 8 { return true }
        if (loadWord(position + 8) ^ words.1) & masks.1 != 0 { return false }
        if count <= 16 { return true }
        return (loadWord(position + 16) ^ words.2) & masks.2
            | (loadWord(position + 24) ^ words.3) & masks.3 == 0
    }

    /// Puts new bytes before those remembered at a place; the oldest are forgotten.
    static func remember(
        _ start: BytePointer, _ end: BytePointer, _ target: Projection.Target,
        in place: UnsafeMutablePointer<KeyMemo>
    ) {
        let count = end - start
        // What is longer is looked up each time.
        if count > countMax { return }
        var memo = KeyMemo()
        memo.count = Int32(count)
        memo.target = target
        memo.masks = (mask(count), mask(count - 8), mask(count - 16), mask(count - 24))
        memo.words.0 = loadWord(start) & memo.masks.0
        if count > 8 { memo.words.1 = loadWord(start + 8) & memo.masks.1 }
        if count > 16 { memo.words.2 = loadWord(start + 16) & memo.masks.2 }
        if count > 24 { memo.words.3 = loadWord(start + 24) & memo.masks.3 }
        for way in stride(from: ways - 1, to: 0, by: -1) { place[way] = place[way - 1] }
        place[0] = memo
    }

    /// The lowest `bytes` bytes of a word.
    private static func mask(_ bytes: Int) -> UInt64 {
        bytes <= 0 ? 0 : bytes >= 8 ? .max : .max >> UInt64(64 - bytes * 8)
    }
}
