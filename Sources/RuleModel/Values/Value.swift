/// Text as the language compares it: by Unicode code points (T7), which for valid UTF-8 is by bytes.
///
/// `String` itself compares by canonical equivalence, so `é` and `e` + accent would be one user.
public struct Text: Sendable {
    public var string: String

    public init(_ string: String) { self.string = string }
}

extension Text: Hashable, Comparable {
    public static func == (left: Text, right: Text) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    public static func < (left: Text, right: Text) -> Bool {
        left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in string.utf8 { hasher.combine(byte) }
        hasher.combine(UInt8(0xFF))
    }
}

/// An IP address. Version 4 addresses are kept in the mapped range `::ffff:0:0/96`, so that the
/// same address compares equal however it was written.
public struct IPAddress: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(version4 bits: UInt32) {
        self.init(high: 0, low: 0x0000_FFFF_0000_0000 | UInt64(bits))
    }

    public var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// A network in CIDR notation. `prefix` counts the bits of the 128-bit form, so `10.0.0.0/8` has 104.
public struct IPNetwork: Hashable, Sendable {
    public var address: IPAddress
    public var prefix: UInt8

    /// Bits of the address behind the prefix are cleared.
    /// - Precondition: `prefix <= 128`.
    public init(address: IPAddress, prefix: UInt8) {
        precondition(prefix <= 128, "a network prefix has at most 128 bits")
        let mask = IPNetwork.mask(prefix)
        self.address = IPAddress(high: address.high & mask.high, low: address.low & mask.low)
        self.prefix = prefix
    }

    /// Whether an address lies in the network.
    public func contains(_ other: IPAddress) -> Bool {
        let mask = IPNetwork.mask(prefix)
        return other.high & mask.high == address.high && other.low & mask.low == address.low
    }

    static func mask(_ prefix: UInt8) -> (high: UInt64, low: UInt64) {
        let high: UInt64 = prefix == 0 ? 0 : prefix >= 64 ? .max : .max << UInt64(64 - prefix)
        let low: UInt64 = prefix <= 64 ? 0 : prefix == 128 ? .max : .max << UInt64(128 - prefix)
        return (high, low)
    }
}

/// A value at run time: what a field holds, a constant of a rule, or the result of an expression.
///
/// `missing` stands for a field that is absent or null (T6), and for the result of arithmetic
/// without an answer, such as division by zero (H7).
public enum Value: Hashable, Sendable {
    case missing
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case text(Text)
    case ip(IPAddress)
    case network(IPNetwork)
    case time(Timestamp)
    case span(TimeSpan)
    case list([Value])

    /// A text value.
    public static func text(_ string: String) -> Value { .text(Text(string)) }

    public var isMissing: Bool {
        if case .missing = self { return true }
        return false
    }
}

/// What the checker knows of a value before it exists.
public indirect enum ValueType: Hashable, Sendable {
    /// Nothing is known: a field without a declaration, or a name with an error that has been
    /// reported. Agrees with every other type and is never mentioned in a message.
    case unknown
    case bool
    /// A whole number or a decimal; the two compare by value (T7).
    case number
    case text
    /// Text that is one of a few, in the order of the declaration.
    case enumeration([String])
    case ip
    case network
    case time
    case span
    case list(ValueType)
    /// A whole event: what the name of a single step stands for.
    case event
}
