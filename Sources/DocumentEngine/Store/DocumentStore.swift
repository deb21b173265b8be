// DocumentStore.swift — the document engine over an open storage.
//
// Invariant: the published states match the catalog of the newest visible commit: a change of the schema writes the
// catalog and publishes the new state in the same commit, inside the writer lane. Write bodies therefore look states up
// inside the lane. Reads look them up before they take a snapshot, and use an index only if it was complete in that
// snapshot.

public import Logging
internal import Synchronization

/// MongoDB's document model over a ``Storage``: databases, collections, indexes, validation.
///
/// Open one store over a storage. A store may be used from any thread.
public final class DocumentStore: Sendable {
    public let storage: Storage
    public let objectIDs: ObjectIDGenerator
    let logger: Logger
    let catalog: Keyspace
    private let collections = Mutex<[Namespace: CollectionState]>([:])
    /// Held by changes of the schema, one at a time; taken before the writer lane.
    private let schemaLock = Mutex<Void>(())

    /// Opens the collections that the storage holds, and finishes index builds that were interrupted.
    public init(
        storage: Storage, logger: Logger = Logger(label: "shopstream.documents"), objectIDs: ObjectIDGenerator? = nil
    ) throws {
        self.storage = storage
        self.logger = logger
        self.objectIDs = objectIDs ?? Self.systemGenerator(storage.clock)
        catalog = try storage.keyspace(CollectionCatalog.keyspaceName)
        try openCollections()
        try finishInterruptedBuilds()
        storage.registerCrossCheck("documents") { [weak self] snapshot in
            try self?.problems(in: snapshot) ?? []
        }
    }

    private static func systemGenerator(_ clock: any StorageClock) -> ObjectIDGenerator {
        var random = SystemRandomNumberGenerator()
        return ObjectIDGenerator(clock: clock, random: &random)
    }

    public func database(_ name: String) -> DocumentDatabase {
        DocumentDatabase(store: self, name: name)
    }

    func state(_ namespace: Namespace) -> CollectionState? {
        collections.withLock { $0[namespace] }
    }

    var states: [CollectionState] {
        collections.withLock { collections in
            collections.values.sorted { $0.namespace.description < $1.namespace.description }
        }
    }

    func withSchemaLock<Result>(_ body: () throws -> sending Result) throws -> sending Result {
        try schemaLock.withLock { _ in try body() }
    }

    /// Writes the catalog entry and publishes the state when the transaction commits.
    func publish(_ state: CollectionState, in transaction: WriteTransaction) throws {
        let entry = CollectionCatalog.entry(state)
        try transaction.put(catalog, CollectionCatalog.key(state.namespace).rawSpan, entry.bytes.rawSpan)
        transaction.onCommit { _ in self.collections.withLock { $0[state.namespace] = state } }
    }

    func unpublish(_ namespace: Namespace, in transaction: WriteTransaction) throws {
        try transaction.delete(catalog, CollectionCatalog.key(namespace).rawSpan)
        try transaction.deleteRange(catalog, CollectionCatalog.multikeyRange(namespace))
        transaction.onCommit { _ in self.collections.withLock { _ = $0.removeValue(forKey: namespace) } }
    }
}

// Opening.
extension DocumentStore {
    private func openCollections() throws {
        let view = storage.snapshot().view
        var entries: [(Namespace, Document)] = []
        var cursor = try view.cursor(catalog, CollectionCatalog.entries)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let namespace = CollectionCatalog.namespace(ofKey: cursor.key) else {
                throw StorageError.corruption("The document catalog holds a key that is no namespace.")
            }
            entries.append((namespace, try Document(bytes: cursor.value.array())))
            try cursor.next()
        }
        for (namespace, entry) in entries {
            let state = try open(namespace, entry, view)
            collections.withLock { $0[namespace] = state }
        }
    }

    private func open(_ namespace: Namespace, _ entry: Document, _ view: ReadView) throws -> CollectionState {
        let records = try storage.keyspace(namespace.recordsKeyspace)
        var indexes: [Index] = []
        for (id, isReady, specification) in try CollectionCatalog.indexes(of: entry) {
            let keyspace = try storage.keyspace(namespace.indexKeyspace(id))
            let marker = CollectionCatalog.multikeyKey(namespace, id)
            indexes.append(
                Index(
                    specification, keyspace: keyspace, id: id, readySequence: isReady ? .zero : nil,
                    isMultikey: try view.contains(catalog, marker.rawSpan)))
        }
        return try CollectionState(
            namespace: namespace, options: CollectionCatalog.options(of: entry), records: records, indexes: indexes,
            nextIndexID: try CollectionCatalog.nextIndexID(of: entry),
            recordIDs: try recordIDs(after: records, view))
    }

    private func recordIDs(after records: Keyspace, _ view: ReadView) throws -> RecordIDAllocator {
        var cursor = try view.cursor(records)
        try cursor.seekToLast()
        guard cursor.isValid else { return RecordIDAllocator() }
        guard let last = RecordID(cursor.key) else {
            throw StorageError.corruption("Keyspace '\(records.name)' holds a key that is no record number.")
        }
        return try RecordIDAllocator(after: last)
    }
}
