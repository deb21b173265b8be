// WritePace.swift — how much writers are held back for the debt that their tree is in.
//
// Pressure is 0 while compactions and flushes keep up, and 1 where the tree must not fall behind any further. Between the
// two the time that a written KiB costs grows with its square: from nothing, so that nobody notices where it begins, to a
// rate of about a megabyte a second. A tree that is written faster than it can be compacted comes to rest where both
// rates are equal. Only the writers of that tree wait, each after its commit and outside the lane.

internal import Synchronization

/// From which debt on writers are slowed down, and at which no further.
struct PaceLimits: Sendable, Equatable {
    var runs: ClosedRange<Int>
    var byteCount: ClosedRange<Int64>

    init(_ settings: CompactionSettings) {
        let trigger = max(settings.levelZeroTableCount, 1)
        runs = 2 * trigger...8 * trigger
        byteCount =
            settings.levelOneByteCount.multipliedClamped(by: 64)...settings.levelOneByteCount.multipliedClamped(by: 256)
    }
}

enum WritePace {
    /// What a KiB costs at full pressure.
    static let fullNanosecondsPerKiB = 1_000_000.0
    /// Nobody waits longer for one commit, unless the pressure is full.
    static let longestDelay: UInt64 = 50_000_000
    /// Shorter delays are saved up: a thread can't sleep for less with any precision.
    static let shortestDelay: UInt64 = 1_000_000

    static func pressure(of debt: CompactionDebt, _ limits: PaceLimits) -> Double {
        func part(_ value: Double, _ lower: Double, _ upper: Double) -> Double {
            (value - lower) / max(upper - lower, 1)
        }
        let runs = part(Double(debt.runCount), Double(limits.runs.lowerBound), Double(limits.runs.upperBound))
        let bytes = part(
            Double(debt.byteCount), Double(limits.byteCount.lowerBound), Double(limits.byteCount.upperBound))
        return min(max(runs, bytes, 0), 1)
    }

    /// - Parameter used: Which part of the room for a tree's memtables is taken.
    static func pressure(ofMemtables used: Double) -> Double { min(max((used - 0.6) / 0.4, 0), 1) }

    static func nanoseconds(for byteCount: Int, at pressure: Double) -> UInt64 {
        guard pressure > 0 else { return 0 }
        return UInt64(min(Double(byteCount) / 1024 * fullNanosecondsPerKiB * pressure * pressure, 1e12))
    }
}

/// The pace of one tree's writers.
final class WritePacer: Sendable {
    /// The pressure of the tables, as the bits of a `Double`.
    private let pressureBits = Atomic<UInt64>(0)
    /// Until when earlier commits have used up the time, by the monotonic clock.
    private let reserved = Atomic<UInt64>(0)

    var pressure: Double {
        get { Double(bitPattern: pressureBits.load(ordering: .relaxed)) }
        set { pressureBits.store(newValue.bitPattern, ordering: .relaxed) }
    }

    /// How long the writer of a commit has to wait, in nanoseconds. Commits that come together queue up.
    /// - Parameter now: By the monotonic clock, in nanoseconds.
    func delay(byteCount: Int, pressure: Double, now: UInt64) -> UInt64 {
        let cost = WritePace.nanoseconds(for: byteCount, at: pressure)
        guard cost > 0 else { return 0 }
        let longest = pressure < 1 ? WritePace.longestDelay : 20 * WritePace.longestDelay
        var current = reserved.load(ordering: .relaxed)
        while true {
            let end = min(max(current, now) &+ cost, now &+ longest)
            let (exchanged, original) = reserved.compareExchange(
                expected: current, desired: end, ordering: .relaxed)
            if exchanged {
                let delay = end &- now
                return delay >= WritePace.shortestDelay ? delay : 0
            }
            current = original
        }
    }
}
