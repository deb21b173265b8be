import StorageTypes
import Testing

@Suite("Clocks")
struct StorageClockTests {
    @Test("a manual clock moves only when told to, wall and monotonic time together")
    func manualClock() {
        let clock = ManualClock(now: StorageInstant(seconds: 100))
        let start = clock.monotonicNanoseconds
        #expect(clock.now == StorageInstant(seconds: 100))
        clock.advance(by: .milliseconds(250))
        #expect(clock.now == StorageInstant(milliseconds: 100_250))
        #expect(clock.monotonicNanoseconds - start == 250_000_000)
    }

    @Test("setting the wall clock back leaves monotonic time alone")
    func setting() {
        let clock = ManualClock(now: StorageInstant(seconds: 100))
        let start = clock.monotonicNanoseconds
        clock.set(StorageInstant(seconds: 50))
        #expect(clock.now == StorageInstant(seconds: 50))
        #expect(clock.monotonicNanoseconds == start)
    }

    @Test("the system's clock is later than this test and its monotonic time never runs back")
    func systemClock() {
        let clock = SystemClock()
        #expect(clock.now > StorageInstant(seconds: 1_700_000_000))
        var last = clock.monotonicNanoseconds
        for _ in 0..<1000 {
            let next = clock.monotonicNanoseconds
            #expect(next >= last)
            last = next
        }
    }
}
