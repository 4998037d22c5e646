/// A binary heap: the least element first. Equal elements come out in any order, so elements that
/// may not are never equal.
struct Heap<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    var first: Element? { elements.first }
    var count: Int { elements.count }
    var inAnyOrder: [Element] { elements }

    /// O(log count).
    mutating func push(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            child = parent
        }
    }

    /// Lets go of the elements that are not wanted. O(n).
    mutating func keep(where isWanted: (Element) -> Bool) {
        elements.removeAll { !isWanted($0) }
        for parent in elements.indices.prefix(elements.count / 2).reversed() { sink(parent) }
    }

    /// Lets an element sink to its place below.
    private mutating func sink(_ element: Int) {
        var parent = element
        while 2 * parent + 1 < elements.count {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < elements.count && elements[child] < elements[least] {
                least = child
            }
            guard least != parent else { return }
            elements.swapAt(parent, least)
            parent = least
        }
    }

    /// O(log count).
    mutating func pop() -> Element? {
        guard let top = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return top }
        elements[0] = last
        sink(0)
        return top
    }
}
