import RuleModel
import TestKit
import Testing

@testable import MatchEngine

@Suite("Tables and heaps") struct StructureTests {
    @Test("a key table finds what was put in, whatever was taken out")
    func keyTable() {
        var random = RandomSource(seed: 7)
        var table = KeyTable(capacity: 10_000, width: 1)
        var model: [Int64: KeySlot] = [:]
        for _ in 0..<20_000 {
            let number = Int64(random.number(0...300))
            // Few different hashes, so that chains are long.
            let hash = UInt64(number % 17)
            if random.chance(60) {
                let found = table.findOrInsert([.int(number)], hash: hash)
                #expect(found.isNew == (model[number] == nil))
                if let known = model[number] { #expect(known == found.slot) }
                model[number] = found.slot
            } else if let slot = model.removeValue(forKey: number) {
                table.remove(slot)
            }
            #expect(table.count == model.count)
        }
        for (number, slot) in model {
            #expect(table.peek([.int(number)], hash: UInt64(number % 17)) == slot)
        }
    }

    @Test("a full key table drops the key that was not used for longest")
    func leastRecentlyUsed() {
        var table = KeyTable(capacity: 2, width: 1)
        let first = table.findOrInsert([.int(1)], hash: 1).slot
        _ = table.findOrInsert([.int(2)], hash: 2)
        #expect(table.find(hash: 1) { $0[0] == .int(1) } == first)
        let third = table.findOrInsert([.int(3)], hash: 3)
        #expect(third.evicted != nil)
        #expect(table.peek([.int(2)], hash: 2) == nil)
        #expect(table.doubts(third.slot) == .evictedKeys)
    }

    @Test(
        "keys that were used go in the order in which they were used last, however many there are")
    func orderOfUse() {
        var random = RandomSource(seed: 11)
        var table = KeyTable(capacity: 40, width: 1)
        var model: [Int64] = []
        for _ in 0..<5_000 {
            let number = Int64(random.number(0...99))
            let found = table.findOrInsert([.int(number)], hash: UInt64(number))
            #expect(found.isNew == !model.contains(number))
            if let place = model.firstIndex(of: number) { model.remove(at: place) }
            model.append(number)
            if model.count > 40 { model.removeFirst() }
            if random.chance(5), let place = model.indices.randomElement(using: &random) {
                let gone = model.remove(at: place)
                if let key = table.peek([.int(gone)], hash: UInt64(gone)) { table.remove(key) }
            }
            #expect(table.keysByUse.map { table.values($0) } == model.map { [.int($0)] })
        }
    }

    @Test("deadlines come in order, whatever the order in which they were wished for")
    func deadlines() {
        var random = RandomSource(seed: 5)
        var queue = LaneQueue<Deadline>()
        var model: [Deadline] = []
        for step in 0..<3_000 {
            if random.chance(60) {
                // Three time limits behind a clock, and now and then anything.
                let ahead = [10, 300, 5_000, random.number(0...9_000)][random.number(0...3)]
                let deadline = Deadline(
                    time: Int64(step + ahead), rank: Int32(random.number(0...2)),
                    slot: UInt32(step), keyHash: UInt64(random.number(0...5)))
                queue.push(deadline)
                model.append(deadline)
            } else if let least = model.min() {
                #expect(queue.first == least)
                queue.pop()
                model.removeAll { $0 == least }
            }
            #expect(queue.first == model.min())
        }
    }

    @Test("a heap gives its elements in order")
    func heap() {
        var random = RandomSource(seed: 3)
        var heap = Heap<Int>()
        let numbers = (0..<1000).map { _ in random.number(0...99) }
        for number in numbers { heap.push(number) }
        var taken: [Int] = []
        while let next = heap.pop() { taken.append(next) }
        #expect(taken == numbers.sorted())
    }

    @Test(
        "the hash of a text is that of its bytes, eight at a time, the rest with the first highest")
    func textHash() {
        for length in 0...40 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }
            var hash = KeyHash()
            bytes.withUnsafeBytes { hash.combine($0) }
            var expected = KeyHash()
            expected.combine(UInt64(length))
            for start in stride(from: 0, to: length, by: 8) {
                let part = bytes[start..<min(start + 8, length)]
                expected.combine(
                    part.count == 8
                        ? part.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                        : part.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            }
            #expect(hash.value == expected.value)
        }
    }

    @Test("the hash of a key read from cells is that of its values")
    func keyHash() {
        let tables = PlanSketch.tables
        let batch = makeBatch(PlanSketch.events("a1:3", key: "ké"), tables: tables)
        let loaded = LoadedBatch(
            unjudged: batch, fields: tables.fields, eventTypes: tables.eventTypes)
        let event = Event(batch: loaded, row: 0)
        let fields = [PlanSketch.key, PlanSketch.number]
        let route = KeyRoute(
            type: batch.types[0], key: fields, inputs: 1, conditions: [nil], beginnings: [nil])
        let reader = KeyReader(tables: tables, routes: [[route]])
        let values = reader.values(fields, of: event)
        var hash = KeyHash()
        for value in values { hash.combine(value) }
        #expect(values == [.text("ké"), .int(3)])
        #expect(reader.hash(fields, of: event) == hash.value)
        let key = reader.key(ofRule: 0, route: 0)
        #expect(reader.matches(values, key: key, of: event))
        #expect(!reader.matches([.text("ke"), .int(3)], key: key, of: event))
        #expect(values.indices.map { reader.part($0, ofKey: key, of: event) } == values)
        #expect(reader.hash([PlanSketch.text], of: event) == nil)
    }
}
