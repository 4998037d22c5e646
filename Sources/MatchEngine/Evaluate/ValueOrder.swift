import RuleModel

extension Value {
    /// A fixed order of all values, for listings: quantities first, by size; all others as text, by
    /// code points.
    func precedes(_ other: Value) -> Bool {
        switch (Quantity(self), Quantity(other)) {
        case (let left?, let right?): return left < right
        case (_?, nil): return true
        case (nil, _?): return false
        case (nil, nil):
            let (left, right) = (Text(plainText), Text(other.plainText))
            return left != right ? left < right : hash < other.hash
        }
    }

    /// Tells values of different kinds apart that look alike.
    private var hash: UInt64 {
        var hash = StableHash()
        hash.combine(self)
        return hash.value
    }
}
