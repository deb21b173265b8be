// WriteProgress.swift — whether the peer of a connection takes its answers, from what is looked at now and then.
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

#endif
