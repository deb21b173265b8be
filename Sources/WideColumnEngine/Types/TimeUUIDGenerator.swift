// TimeUUIDGenerator.swift — version 1 identifiers: later ones are always greater, also within a microsecond.

internal import Synchronization

/// Makes `timeuuid` values that strictly increase, from the storage's clock and a random node.
///
/// Invariant: every identifier given out has a greater time than the one before, whatever the clock does.
final class TimeUUIDGenerator: Sendable {
    private let clockAndNode: UInt64
    private let lastIntervals = Mutex<Int64>(0)

    init(using generator: inout some RandomNumberGenerator) {
        // RFC 4122 §4.5: the variant on top of the clock sequence, the multicast bit marks a random node.
        clockAndNode = generator.next() & ~(0b11 << 62) | 0b10 << 62 | 1 << 40
    }

    func next(at now: StorageInstant) -> CQLUUID {
        let (scaled, overflow) = now.microseconds.multipliedReportingOverflow(by: 10)
        let wanted = (overflow ? 0 : scaled) &+ CQLUUID.intervalsBefore1970
        let intervals = lastIntervals.withLock { last in
            last = max(wanted, last + 1)
            return last
        }
        return CQLUUID(intervals: intervals, clockAndNode: clockAndNode)
    }

    /// 2010-01-01, around which ``nextMirrored(at:)`` mirrors ([CA] cql3/terms/Lists.java, `REFERENCE_TIME`).
    private static let mirrorIntervals: Int64 = 1_262_304_000_000 * 10_000 + CQLUUID.intervalsBefore1970

    /// An identifier before all that were given out by this method: as far before 2010 as the next one would be after.
    func nextMirrored(at now: StorageInstant) -> CQLUUID {
        let intervals = next(at: now).timestampIntervals ?? 0
        return CQLUUID(intervals: 2 * Self.mirrorIntervals - intervals, clockAndNode: clockAndNode)
    }
}
