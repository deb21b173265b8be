// PurgeFloor.swift — how far the wall clock is trusted when data is dropped for good.

internal import Synchronization

/// A wall clock that jumps a year ahead must not erase what expires within the year. Purging trusts it only up to the
/// newest commit time of the last run plus the time that has passed since then by the monotonic clock, plus a day; or up
/// to what it showed when somebody said that it is right.
final class PurgeFloor: Sendable {
    private struct Anchor {
        var time: StorageInstant
        /// By the monotonic clock.
        var nanoseconds: UInt64
    }

    private let anchor: Mutex<Anchor>

    init(commitTimeFloor: Int64, clock: any StorageClock) {
        let time = commitTimeFloor > 0 ? StorageInstant(microseconds: commitTimeFloor) : clock.now
        anchor = Mutex(Anchor(time: time, nanoseconds: clock.monotonicNanoseconds))
    }

    func purgeTime(_ clock: any StorageClock) -> StorageInstant {
        let anchor = anchor.withLock { $0 }
        let elapsed = Duration.nanoseconds(Int64(clamping: clock.monotonicNanoseconds &- anchor.nanoseconds))
        return min(clock.now, anchor.time.advanced(by: elapsed + .seconds(86_400)))
    }

    /// Trusts the clock as it is now.
    func trust(_ clock: any StorageClock) {
        anchor.withLock { $0 = Anchor(time: clock.now, nanoseconds: clock.monotonicNanoseconds) }
    }
}
