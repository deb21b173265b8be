// MergeOperator.swift — how operands written without reading combine into a value.

/// Combines the versions of a key that were written without reading it.
///
/// Operand and value have one format: an operand merged into nothing is the value. The operator must be associative and
/// must not look at a clock: it runs at reads, flushes and compactions, in any grouping.
public protocol MergeOperator: Sendable {
    /// Kept with the keyspace; opening it with an operator of another name is refused.
    var name: String { get }

    /// Appends the combination of two neighbouring versions to `result`, which is empty.
    /// - Throws: what makes the read, flush or compaction fail; a value that can't be decoded is `StorageError.corruption`.
    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws

    /// From when on a merged version may be dropped; nil if anything inside lives on.
    func droppableAfter(merged: RawSpan, older: StorageInstant?, newer: StorageInstant?) -> StorageInstant?

    /// What becomes of a version at compaction, called only where nothing older lies below and no snapshot reads
    /// before `now`.
    func purge(key: RawSpan, value: RawSpan, now: StorageInstant) -> PurgeDecision
}

/// What a compaction does with a version.
public enum PurgeDecision: Sendable {
    case keep
    case drop
    case replace([UInt8])
}

extension MergeOperator {
    /// The later of both bounds, nil where one has none.
    public func droppableAfter(merged: RawSpan, older: StorageInstant?, newer: StorageInstant?) -> StorageInstant? {
        guard let older, let newer else { return nil }
        return max(older, newer)
    }

    public func purge(key: RawSpan, value: RawSpan, now: StorageInstant) -> PurgeDecision { .keep }
}
