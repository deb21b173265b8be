// Index.swift — an index of a collection as it is open: its definition, its keyspace, what is known about its keys.

internal import Synchronization

/// An open index.
///
/// Keys are `index key + RecordID` with an empty value, or, unique, `index key` with the RecordID as value.
final class Index: Sendable {
    let specification: IndexSpecification
    let keyspace: Keyspace
    /// Numbers of indexes are never reused within a collection.
    let id: UInt32
    /// The commit that made the index complete; `nil` while it is being built. Writers maintain it from the start,
    /// readers use it from then on.
    let readySequence: SequenceNumber?
    /// Whether some document gave several keys. Set before the commit that makes it so, and never taken back.
    private let multikey: MultikeyFlag

    final class MultikeyFlag: Sendable {
        private let value: Atomic<Bool>
        init(_ value: Bool) { self.value = Atomic(value) }
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    init(
        _ specification: IndexSpecification, keyspace: Keyspace, id: UInt32, readySequence: SequenceNumber?,
        isMultikey: Bool
    ) {
        self.specification = specification
        self.keyspace = keyspace
        self.id = id
        self.readySequence = readySequence
        multikey = MultikeyFlag(isMultikey)
    }

    private init(_ other: Index, readySequence: SequenceNumber) {
        specification = other.specification
        keyspace = other.keyspace
        id = other.id
        self.readySequence = readySequence
        multikey = other.multikey
    }

    func ready(at sequence: SequenceNumber) -> Index { Index(self, readySequence: sequence) }

    var name: String { specification.name }
    var isMultikey: Bool { multikey.isSet }
    func markMultikey() { multikey.set() }

    /// Whether the index is complete in what the view sees.
    func isReadable(at view: ReadView) -> Bool {
        readySequence.map { $0 <= view.sequence } ?? false
    }

    /// The stored key of an entry.
    func entryKey(_ key: [UInt8], _ record: RecordID) -> [UInt8] {
        specification.isUnique ? key : key + record.bytes
    }

    /// The record that an entry points to; `nil` if the entry is damaged.
    func record(key: RawSpan, value: RawSpan) -> RecordID? {
        if specification.isUnique { return RecordID(value) }
        guard key.byteCount >= RecordID.byteCount else { return nil }
        return RecordID(key.extracting(last: RecordID.byteCount))
    }
}
