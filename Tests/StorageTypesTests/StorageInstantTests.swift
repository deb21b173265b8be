import StorageTypes
import Testing

@Suite("Instants")
struct StorageInstantTests {
    @Test("milliseconds and seconds become microseconds")
    func units() {
        #expect(StorageInstant(milliseconds: 5).microseconds == 5000)
        #expect(StorageInstant(seconds: -2).microseconds == -2_000_000)
    }

    @Test("what is too large is clamped to the ends of the range")
    func clamping() {
        #expect(StorageInstant(seconds: .max) == .distantFuture)
        #expect(StorageInstant(seconds: .min) == .distantPast)
        #expect(StorageInstant(milliseconds: .max) == .distantFuture)
        #expect(StorageInstant(milliseconds: .min) == .distantPast)
        #expect(StorageInstant(milliseconds: .max / 1000).microseconds == .max / 1000 * 1000)
    }

    @Test("whole units are rounded down, also before 1970")
    func flooring() {
        #expect(StorageInstant(microseconds: 1_999_999).milliseconds == 1999)
        #expect(StorageInstant(microseconds: 1_999_999).seconds == 1)
        #expect(StorageInstant(microseconds: -1).milliseconds == -1)
        #expect(StorageInstant(microseconds: -1).seconds == -1)
        #expect(StorageInstant(microseconds: -1_000_000).seconds == -1)
        #expect(StorageInstant.distantPast.seconds == Int64.min / 1_000_000 - 1)
    }

    @Test("advancing goes both ways and stops at the ends")
    func advancing() {
        let instant = StorageInstant(seconds: 10)
        #expect(instant.advanced(by: .milliseconds(1500)).microseconds == 11_500_000)
        #expect(instant.advanced(by: .milliseconds(-1500)).microseconds == 8_500_000)
        #expect(StorageInstant.distantFuture.advanced(by: .microseconds(1)) == .distantFuture)
        #expect(StorageInstant.distantPast.advanced(by: .microseconds(-1)) == .distantPast)
        #expect(instant.advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(instant.advanced(by: .seconds(Int64.min)) == .distantPast)
        #expect(StorageInstant(microseconds: -5).advanced(by: .seconds(Int64.max)) == .distantFuture)
    }

    @Test("fractions of a microsecond are rounded down")
    func fractions() {
        #expect(StorageInstant(seconds: 1).advanced(by: .nanoseconds(999)) == StorageInstant(seconds: 1))
        #expect(StorageInstant(seconds: 1).advanced(by: .nanoseconds(1001)).microseconds == 1_000_001)
        #expect(StorageInstant(seconds: 1).advanced(by: .nanoseconds(-1)).microseconds == 999_999)
    }

    @Test("a duration leads from one instant to the other")
    func duration() {
        let (early, late) = (StorageInstant(milliseconds: 1), StorageInstant(milliseconds: 4))
        #expect(early.duration(to: late) == .milliseconds(3))
        #expect(late.duration(to: early) == .milliseconds(-3))
        #expect(early.advanced(by: early.duration(to: late)) == late)
        #expect(StorageInstant.distantPast.duration(to: .distantFuture) > .seconds(1 << 43))
    }

    @Test("instants are ordered by time")
    func order() {
        #expect(StorageInstant.distantPast < StorageInstant(microseconds: 0))
        #expect(StorageInstant(microseconds: 1) < StorageInstant.distantFuture)
        #expect(!(StorageInstant(microseconds: 1) < StorageInstant(microseconds: 1)))
    }
}
