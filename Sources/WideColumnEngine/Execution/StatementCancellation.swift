// StatementCancellation.swift — how a statement that reads is stopped before it has read everything.

internal import Synchronization

/// Stops the statements that were given it, from any thread and for good.
///
/// A SELECT that is stopped throws `CancellationError`.
public final class StatementCancellation: Sendable {
    private let flag = Atomic(false)

    public init() {}

    public var isCancelled: Bool { flag.load(ordering: .relaxed) }

    public func cancel() { flag.store(true, ordering: .relaxed) }
}

/// Whether a read may go on; asked for every row, it looks every `interval` rows.
struct ReadWatch {
    private let cancellation: StatementCancellation?
    private let clock: (any StorageClock)?
    private let end: UInt64
    private var countdown: Int

    /// Looking at a clock costs about as much as reading a row.
    static let interval = 1024

    /// Nothing ends the read.
    init() {
        (cancellation, clock, end) = (nil, nil, .max)
        countdown = .max
    }

    init(_ options: ExecutionOptions, _ clock: any StorageClock) {
        cancellation = options.cancellation
        self.clock = options.readTimeout == nil ? nil : clock
        end = options.readTimeout.map { $0.nanoseconds(after: clock.monotonicNanoseconds) } ?? .max
        countdown = options.cancellation == nil && options.readTimeout == nil ? .max : Self.interval
    }

    /// A row was read.
    @inline(__always)
    mutating func step() throws {
        countdown &-= 1
        if countdown == 0 { try look() }
    }

    @inline(never)
    private mutating func look() throws {
        countdown = Self.interval
        try check()
    }

    /// - Throws: `CancellationError`, or `CQLError` (`readTimeout`).
    func check() throws {
        if cancellation?.isCancelled == true { throw CancellationError() }
        if let clock, clock.monotonicNanoseconds > end { throw CQLError.readTimeout }
    }
}

extension Duration {
    /// The time that this ends which begins at `start`; one that is too far away never comes.
    fileprivate func nanoseconds(after start: UInt64) -> UInt64 {
        let (seconds, attoseconds) = components
        let (whole, overflows) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooFar) = start.addingReportingOverflow(whole)
        let (end, isFurther) = sum.addingReportingOverflow(UInt64(clamping: attoseconds / 1_000_000_000))
        return overflows || isTooFar || isFurther ? .max : end
    }
}
