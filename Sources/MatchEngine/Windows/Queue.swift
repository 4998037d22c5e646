/// A first-in first-out queue with random access: O(1) at both ends, amortised.
///
/// Elements that were removed stay in memory until they are half of it, then all go at once.
struct Queue<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var head = 0

    var count: Int { storage.count - head }
    var isEmpty: Bool { head == storage.count }
    var first: Element? { isEmpty ? nil : storage[head] }
    var last: Element? { isEmpty ? nil : storage[storage.count - 1] }

    /// - Precondition: `index` is in `0 ..< count`; 0 is the element that was added first.
    subscript(index: Int) -> Element {
        get { storage[head + index] }
        set { storage[head + index] = newValue }
    }

    /// Those that are in it, the one added first in front.
    var elements: ArraySlice<Element> { storage[head...] }

    mutating func append(_ element: Element) { storage.append(element) }
    mutating func append(contentsOf elements: [Element]) { storage.append(contentsOf: elements) }

    /// - Precondition: there are at least so many.
    mutating func removeFirst(_ number: Int = 1) {
        precondition(number <= count, "a queue gives only what it has")
        head += number
        if head == storage.count {
            storage.removeAll(keepingCapacity: storage.capacity <= 64)
            head = 0
        } else if head >= 32, head * 2 >= storage.count {
            storage.removeFirst(head)
            head = 0
        }
    }

    /// - Precondition: not empty.
    mutating func removeLast() {
        precondition(!isEmpty, "a queue gives only what it has")
        storage.removeLast()
        if isEmpty { head = 0; storage.removeAll(keepingCapacity: true) }
    }

    /// Takes out elements wherever they stand. O(n).
    mutating func removeAll(where isUnwanted: (Element) -> Bool) {
        storage.removeFirst(head)
        storage.removeAll(where: isUnwanted)
        head = 0
    }

    mutating func removeAll() {
        storage.removeAll()
        head = 0
    }
}
