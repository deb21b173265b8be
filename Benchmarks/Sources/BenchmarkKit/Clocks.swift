// The clocks of a measurement. Wall time is monotonic; processor time is the whole process's, so that background
// threads (flush, compaction, a load generator) count as load of the operations they serve.

import Foundation

public enum Clocks {
    /// Monotonic wall time in nanoseconds.
    @inlinable
    public static var wallNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Processor time of all threads of the process, user and system, in nanoseconds.
    public static var processorNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
