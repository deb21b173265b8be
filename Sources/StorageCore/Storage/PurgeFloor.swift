// PurgeFloor.swift — how far the wall clock is trusted when data is dropped for good.

/// A wall clock that jumps a year ahead must not erase what expires within the year. Purging trusts it only up to the
/// newest commit time of the last run plus the time that has passed since then by the monotonic clock, plus a day.
struct PurgeFloor: Sendable {
    private let floor: StorageInstant
    private let opened: UInt64

    init(commitTimeFloor: Int64, clock: any StorageClock) {
        floor = commitTimeFloor > 0 ? StorageInstant(microseconds: commitTimeFloor) : clock.now
        opened = clock.monotonicNanoseconds
    }

    func purgeTime(_ clock: any StorageClock) -> StorageInstant {
        let elapsed = Duration.nanoseconds(Int64(clamping: clock.monotonicNanoseconds &- opened))
        return min(clock.now, floor.advanced(by: elapsed + .seconds(86_400)))
    }
}
