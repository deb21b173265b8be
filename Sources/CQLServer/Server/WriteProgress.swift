// WriteProgress.swift — whether the peer of a connection takes its answers, and fast enough, from what is looked at now
// and then.
#if Servers

    internal import NIOCore

    /// Whether a peer takes what is sent to it.
    struct WriteProgress {
        private var unsentByteCount = 0
        private var lastProgress: NIODeadline?
        private var hasFinished = false

        /// A write was taken whole.
        mutating func finish() { hasFinished = true }

        /// For how long the peer has taken nothing.
        mutating func stalledTime(at now: NIODeadline, unsentByteCount unsent: Int) -> TimeAmount {
            let isMoving = unsent == 0 || unsent < unsentByteCount || hasFinished
            unsentByteCount = unsent
            hasFinished = false
            guard !isMoving, let lastProgress else {
                self.lastProgress = now
                return .zero
            }
            return now - lastProgress
        }
    }

    /// Whether a peer takes its answers fast enough while requests of its connection wait for that, in room that others miss.
    struct HeldRoom {
        private var start: (time: NIODeadline, takenByteCount: Int)?

        /// Whether the peer was slower than that on average, for longer than `grace`.
        ///
        /// - Parameters:
        ///   - isHeld: whether there is such room now.
        ///   - takenByteCount: what the peer has taken since the connection began.
        mutating func isTooSlow(
            at now: NIODeadline, isHeld: Bool, takenByteCount: Int, leastBytesPerSecond: Int, grace: TimeAmount
        ) -> Bool {
            guard isHeld, let start else {
                start = isHeld ? (now, takenByteCount) : nil
                return false
            }
            let time = now - start.time
            guard time >= grace else { return false }
            let expected = Double(time.nanoseconds) / 1e9 * Double(leastBytesPerSecond)
            return Double(takenByteCount - start.takenByteCount) < expected
        }
    }

#endif
