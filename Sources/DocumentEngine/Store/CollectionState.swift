// CollectionState.swift — an open collection: its keyspaces, indexes and validator. Immutable; every change of the
// schema publishes another one.

internal import Synchronization

/// A collection as of one moment of its schema.
final class CollectionState: Sendable {
    let namespace: Namespace
    let options: CollectionOptions
    let validator: DocumentValidator?
    /// RecordID → BSON bytes.
    let records: Keyspace
    /// The index on `_id` first.
    let indexes: [Index]
    let nextIndexID: UInt32
    let recordIDs: RecordIDAllocator

    init(
        namespace: Namespace, options: CollectionOptions, records: Keyspace, indexes: [Index], nextIndexID: UInt32,
        recordIDs: RecordIDAllocator
    ) throws(DocumentError) {
        self.namespace = namespace
        self.options = options
        self.records = records
        self.indexes = indexes
        self.nextIndexID = nextIndexID
        self.recordIDs = recordIDs
        validator = try options.compiled()
    }

    func with(options: CollectionOptions) throws(DocumentError) -> CollectionState {
        try CollectionState(
            namespace: namespace, options: options, records: records, indexes: indexes, nextIndexID: nextIndexID,
            recordIDs: recordIDs)
    }

    func with(indexes: [Index], nextIndexID: UInt32? = nil) throws(DocumentError) -> CollectionState {
        try CollectionState(
            namespace: namespace, options: options, records: records, indexes: indexes,
            nextIndexID: nextIndexID ?? self.nextIndexID, recordIDs: recordIDs)
    }

    func index(named name: String) -> Index? {
        indexes.first { $0.name == name }
    }
}

/// Hands out record numbers, counting up. A number taken by a transaction that fails is skipped.
final class RecordIDAllocator: Sendable {
    private let nextValue: Atomic<UInt64>

    /// Begins with 1.
    init() {
        nextValue = Atomic(1)
    }

    /// Goes on after the highest number there is.
    /// - Throws: `StorageError.corruption` for a number that counting up cannot have reached.
    init(after last: RecordID) throws(StorageError) {
        guard last.rawValue < 1 << 63 else {
            throw StorageError.corruption("A collection holds the impossible record number \(last.rawValue).")
        }
        nextValue = Atomic(last.rawValue + 1)
    }

    func next() -> RecordID {
        RecordID(rawValue: nextValue.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}
