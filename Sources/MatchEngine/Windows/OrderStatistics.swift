/// The numbers of a window, for percentiles: in sorted order when they come and go one by one; as they came
/// when all came at once, since most windows that are made so are asked once and made anew.
///
/// Exact up to `exactLimit` numbers. Beyond `sketchStart` a sketch takes over, and hands back when
/// so many have left that exactness is promised again; the gap between the two keeps a window
/// whose size sways around the limit from changing sides at every event.
struct OrderStatistics: Sendable {
    static let exactLimit = 10_000
    static let sketchStart = 11_000

    private var numbers: [Double] = []
    private var isSorted = true
    private var sketch: QuantileSketch?
    private(set) var count = 0

    /// Whether percentiles carry the error of the sketch.
    var isEstimated: Bool { sketch != nil }

    /// - Precondition: not a NaN.
    mutating func add(_ number: Double) {
        count += 1
        if sketch != nil {
            sketch?.add(number)
            return
        }
        sort()
        numbers.insert(number, at: numbers.lowerBound(of: number))
        if count > OrderStatistics.sketchStart { startSketch() }
    }

    private mutating func startSketch() {
        var sketch = QuantileSketch()
        for number in numbers { sketch.add(number) }
        self.sketch = sketch
        numbers = []
        isSorted = true
    }

    private mutating func sort() {
        if !isSorted { numbers.sort() }
        isSorted = true
    }

    /// Takes out a number that was added before.
    ///
    /// Returns true when there are few enough numbers for exactness, which the sketch cannot give:
    /// then the owner calls `rebuild` with all that are left.
    mutating func remove(_ number: Double) -> Bool {
        count -= 1
        if sketch != nil {
            sketch?.remove(number)
            return count <= OrderStatistics.exactLimit
        }
        sort()
        let index = numbers.lowerBound(of: number)
        assert(index < numbers.count && numbers[index] == number, "only what was added is removed")
        numbers.remove(at: index)
        return false
    }

    /// Starts anew with these numbers: exactly, unless there are too many or an estimate is to go on.
    mutating func rebuild(from numbers: [Double], isEstimated: Bool = false) {
        self.numbers = numbers
        isSorted = false
        count = numbers.count
        sketch = nil
        if isEstimated || count > OrderStatistics.sketchStart { startSketch() }
    }

    /// The number below which `percent` of the numbers lie: linear interpolation at rank
    /// `percent / 100 * (count - 1)`. Nil without numbers, and between infinities of both signs.
    func percentile(_ percent: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = min(max(percent / 100, 0), 1) * Double(count - 1)
        let lower = Int(rank)
        let fraction = rank - Double(lower)
        let (low, high) = values(atRank: lower)
        // Without the test two infinities would make a NaN.
        let number = fraction == 0 || low == high ? low : low + (high - low) * fraction
        return number.isNaN ? nil : number
    }

    /// The number at a rank and the one behind it, which is the same at the last rank.
    private func values(atRank rank: Int) -> (Double, Double) {
        let next = min(rank + 1, count - 1)
        if let sketch { return (sketch.value(atRank: rank), sketch.value(atRank: next)) }
        if isSorted { return (numbers[rank], numbers[next]) }
        var parted = numbers
        return parted.withUnsafeMutableBufferPointer { parted in
            OrderStatistics.part(parted, atRank: rank)
            // Behind the rank stands nothing less.
            return (parted[rank], parted[(rank + 1)...].min() ?? parted[rank])
        }
    }

    /// Puts the number of a rank where it would stand if all were sorted: those before it are no greater,
    /// those behind it no less. O(n) on average, O(n log n) at worst, whatever the numbers.
    /// - SeeAlso: Hoare, "Algorithm 65: Find", 1961; Musser, "Introspective Sorting and Selection
    ///   Algorithms", 1997, §5.
    static func part(_ numbers: UnsafeMutableBufferPointer<Double>, atRank rank: Int) {
        var (low, high) = (0, numbers.count - 1)
        var rounds = 2 * (Int.bitWidth - numbers.count.leadingZeroBitCount)
        while low < high {
            guard high - low > 16, rounds > 0 else {
                var rest = UnsafeMutableBufferPointer(rebasing: numbers[low...high])
                rest.sort()
                return
            }
            rounds -= 1
            let (a, b, c) = (numbers[low], numbers[(low + high) / 2], numbers[high])
            let pivot = max(min(a, b), min(max(a, b), c))
            var (left, right) = (low, high)
            while left <= right {
                while numbers[left] < pivot { left += 1 }
                while numbers[right] > pivot { right -= 1 }
                guard left <= right else { break }
                numbers.swapAt(left, right)
                left += 1
                right -= 1
            }
            if rank <= right {
                high = right
            } else if rank >= left {
                low = left
            } else {
                return
            }
        }
    }
}

// MARK: - Snapshot

extension OrderStatistics: StateCoded {
    func write(to writer: inout StateWriter) {
        writer.write(sketch)
        if sketch == nil { writer.write(isSorted ? numbers : numbers.sorted()) }
    }

    init(from reader: inout StateReader) throws(SnapshotError) {
        sketch = try reader.readOptional()
        if let sketch {
            count = sketch.count
            return
        }
        numbers = try reader.readArray()
        count = numbers.count
        guard zip(numbers, numbers.dropFirst()).allSatisfy({ $0 <= $1 }),
            numbers.first.map({ !$0.isNaN }) ?? true
        else { throw reader.damaged("numbers out of order") }
    }
}
