#if Servers

    import NIOCore
    import Testing

    @testable import CQLServer

    @Suite("Peers that take their answers")
    struct WriteProgressTests {
        private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(100 + seconds) }

        @Test("a peer stalls from when it last took something, as long as there is something for it")
        func stalls() {
            var progress = WriteProgress()
            let samples: [(unsent: Int, isFinished: Bool, stalled: Int64)] = [
                (0, false, 0), (1000, false, 1), (1000, false, 2), (900, false, 0), (900, false, 1), (2000, true, 0),
                (2000, false, 1), (0, false, 0),
            ]
            for (index, sample) in samples.enumerated() {
                if sample.isFinished { progress.finish() }
                let stalled = progress.stalledTime(at: time(Int64(index)), unsentByteCount: sample.unsent)
                #expect(stalled == .seconds(sample.stalled), "\(index)")
            }
        }

        @Test("room that requests hold has to be paid for by taking answers, on average")
        func heldRoom() {
            var room = HeldRoom()
            func isTooSlow(_ seconds: Int64, isHeld: Bool = true, taken: Int) -> Bool {
                room.isTooSlow(
                    at: time(seconds), isHeld: isHeld, takenByteCount: taken, leastBytesPerSecond: 100,
                    grace: .seconds(10))
            }
            #expect(!isTooSlow(0, isHeld: false, taken: 5000))
            #expect(!isTooSlow(1, taken: 5000))
            #expect(!isTooSlow(10, taken: 5000))
            #expect(!isTooSlow(11, taken: 6000))
            #expect(isTooSlow(12, taken: 6000))
            #expect(!isTooSlow(12, taken: 6100))
            #expect(!isTooSlow(13, isHeld: false, taken: 6100))
            // It begins anew.
            #expect(!isTooSlow(14, taken: 6100) && !isTooSlow(23, taken: 6100))
            #expect(isTooSlow(24, taken: 7000))
        }
    }

#endif
