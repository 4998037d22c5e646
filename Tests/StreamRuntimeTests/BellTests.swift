import Foundation
import Testing

@testable import StreamRuntime

@Suite("The bell of a thread") struct BellTests {
    @Test("a wait ends when its time is over, when it is rung, and when it was rung before")
    func waits() {
        let bell = Bell()
        let clock = RuntimeClock.system
        var began = clock.now()
        bell.wait(atMost: 20_000_000)
        #expect(clock.now() - began >= 20_000_000)
        bell.ring()
        bell.ring()
        began = clock.now()
        bell.wait(atMost: 60_000_000_000)
        #expect(clock.now() - began < 30_000_000_000)
        // Both rings were one.
        began = clock.now()
        bell.wait(atMost: 20_000_000)
        #expect(clock.now() - began >= 20_000_000)
        let ringer = Thread {
            usleep(20_000)
            bell.ring()
        }
        ringer.start()
        began = clock.now()
        bell.wait(atMost: 60_000_000_000)
        #expect(clock.now() - began < 30_000_000_000)
    }
}
