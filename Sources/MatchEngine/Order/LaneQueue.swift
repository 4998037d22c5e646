/// A priority queue for elements that mostly come in order: the least first. Equal elements come out in
/// any order, so elements that may not are never equal.
///
/// Deadlines are wished for nearly in the order in which they come up, since time limits of a rule are
/// all alike and events come in order; and events that wait for the watermark come nearly in the
/// order of their times. Those are appended to a lane, of which there are a few; what fits behind no
/// lane goes to a heap. So a push costs O(1) where a heap would touch memory at every level.
struct LaneQueue<Element: Comparable & Sendable>: Sendable {
    private var lanes: [Queue<Element>] = []
    private var heap = Heap<Element>()
    /// The lane with the least element, `lanes.count` for the heap.
    private var next = 0
    /// The least of all; nil without any.
    private(set) var first: Element?
    private(set) var count = 0

    private static var lanesMax: Int { 8 }

    /// O(1) behind a lane, else O(log count).
    mutating func push(_ element: Element) {
        count += 1
        let place = lane(for: element)
        if place < lanes.count {
            lanes[place].append(element)
        } else {
            heap.push(element)
        }
        if first.map({ element < $0 }) ?? true {
            first = element
            next = place
        }
    }

    /// The same for elements in order of which each is behind the one before: looks for a lane once.
    mutating func push(ascending elements: [Element]) {
        guard let least = elements.first else { return }
        let place = lane(for: least)
        guard place < lanes.count else {
            for element in elements { push(element) }
            return
        }
        lanes[place].append(contentsOf: elements)
        count += elements.count
        if first.map({ least < $0 }) ?? true {
            first = least
            next = place
        }
    }

    /// Takes out the least ones that are wanted, in order, until one is not or there are so many.
    mutating func take(
        _ most: Int, while isWanted: (Element) -> Bool, into taken: inout [Element]
    ) {
        while taken.count < most, let least = first, isWanted(least) {
            guard next < lanes.count else {
                taken.append(least)
                pop()
                continue
            }
            // Those of the lane that come before the least of all others.
            let other = self.least(besides: next).element
            var number = 0
            for element in lanes[next].elements.prefix(most - taken.count) {
                guard isWanted(element), other.map({ element < $0 }) ?? true else { break }
                taken.append(element)
                number += 1
            }
            lanes[next].removeFirst(number)
            count -= number
            findFirst()
        }
    }

    /// Takes out the least.
    @discardableResult
    mutating func pop() -> Element? {
        guard let least = first else { return nil }
        count -= 1
        if next < lanes.count { lanes[next].removeFirst() } else { _ = heap.pop() }
        findFirst()
        return least
    }

    /// One that comes soon, most likely so many places behind the least; nil when that is not known.
    func ahead(by distance: Int) -> Element? {
        guard next < lanes.count, lanes[next].count > distance else { return nil }
        return lanes[next][distance]
    }

    /// All of them: lane by lane in order, then the others.
    func forEach(_ body: (Element) -> Void) {
        for lane in lanes {
            for index in 0..<lane.count { body(lane[index]) }
        }
        heap.inAnyOrder.forEach(body)
    }

    /// Lets go of the elements that are not wanted. O(count log count).
    mutating func keep(where isWanted: (Element) -> Bool) {
        for place in lanes.indices { lanes[place].removeAll { !isWanted($0) } }
        heap.keep(where: isWanted)
        count = lanes.reduce(heap.count) { $0 + $1.count }
        findFirst()
    }

    private mutating func findFirst() { (next, first) = least() }

    /// The least of all but one lane, if it has one, and where it stands: `lanes.count` for the heap.
    private func least(besides skipped: Int? = nil) -> (place: Int, element: Element?) {
        var found = (place: lanes.count, element: heap.first)
        for place in lanes.indices where place != skipped {
            guard let head = lanes[place].first, found.element.map({ head < $0 }) ?? true else {
                continue
            }
            found = (place, head)
        }
        return found
    }

    /// The lane whose last element is the nearest before this one; `lanes.count` where there is none.
    private mutating func lane(for element: Element) -> Int {
        var best: (place: Int, last: Element)?
        var empty: Int?
        for place in lanes.indices {
            guard let last = lanes[place].last else {
                empty = place
                continue
            }
            if last < element, best.map({ $0.last < last }) ?? true { best = (place, last) }
        }
        if let place = best?.place ?? empty { return place }
        guard lanes.count < LaneQueue.lanesMax else { return lanes.count }
        lanes.append(Queue())
        // The heap stands behind the lanes.
        if next == lanes.count - 1 { next += 1 }
        return lanes.count - 1
    }
}
