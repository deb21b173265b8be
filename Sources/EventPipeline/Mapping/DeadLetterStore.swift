// DeadLetterStore.swift — dead letters kept in the storage, in the keyspace `pipeline/dead-letters`.
//
// Key: the mapping's name, a zero byte, the first sequence number's text. Value: format version 1, then the
// JSON document as a text of `RecordWriter`.

internal import TableEngine

/// Keeps the descriptions of batches that mappings gave up, until they are removed.
public struct DeadLetterStore: Sendable {
    private let storage: Storage
    private let keyspace: Keyspace

    static let keyspaceName = "pipeline/dead-letters"

    public init(storage: Storage) throws {
        self.storage = storage
        keyspace = try storage.keyspace(Self.keyspaceName)
    }

    /// The documents of a mapping, in stream order.
    public func documents(ofMapping name: String) throws -> [String] {
        let snapshot = storage.snapshot()
        var cursor = try snapshot.view.cursor(keyspace, .prefix(Array(name.utf8) + [0]))
        var documents: [String] = []
        try cursor.seekToFirst()
        while cursor.isValid {
            var reader = try RecordReader(cursor.value.array(), version: 1, keyspace: Self.keyspaceName)
            documents.append(try reader.text())
            try reader.finish()
            try cursor.next()
        }
        return documents
    }

    /// Forgets the documents of a mapping.
    public func removeAll(ofMapping name: String) throws {
        try storage.write { try $0.deleteRange(keyspace, .prefix(Array(name.utf8) + [0])) }
    }

    func add(_ letter: DeadLetter, in transaction: WriteTransaction) throws {
        var writer = RecordWriter(version: 1)
        writer.append(letter.json)
        let key = Array(letter.functionName.utf8) + [0] + Array(letter.startSequenceNumber.description.utf8)
        try transaction.put(keyspace, key, writer.bytes)
    }
}
