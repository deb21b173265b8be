// DocumentCollection.swift — a collection by name; its operations are in DocumentCollection+….swift.

/// A collection of documents.
///
/// A value of this type is a name, cheap to make and to copy. Each write is atomic, with its index entries; reads see
/// one moment. Every write has a form that takes an open transaction of the storage: what it does then commits or
/// vanishes with everything else in that transaction.
public struct DocumentCollection: Sendable {
    let store: DocumentStore
    public let namespace: Namespace

    public var name: String { namespace.collection }

    /// Drops the collection with its documents and indexes, durably; nothing happens if it does not exist.
    public func drop() throws {
        try store.dropCollection(namespace)
    }

    /// Makes the collection if it does not exist, as a first write does.
    func ensureExists(_ durability: Durability) throws {
        guard store.state(namespace) == nil else { return }
        try store.createCollection(namespace, CollectionOptions(), durability, failsIfPresent: false)
    }

    /// The collection's state inside the writer lane.
    /// - Throws: 263 (OperationNotSupportedInTransaction) if there is no collection: it can't be made there.
    func requireState() throws -> CollectionState {
        guard let state = store.state(namespace) else {
            throw DocumentError(
                .operationNotSupportedInTransaction,
                "Cannot create namespace \(namespace) in a transaction: create the collection before it.")
        }
        return state
    }

    func writer(_ state: CollectionState, _ transaction: WriteTransaction, bypass: Bool = false) -> CollectionWriter {
        CollectionWriter(store: store, state: state, transaction: transaction, bypassesValidation: bypass)
    }

    /// A reader over a fresh snapshot; `nil` if there is no collection. The schema is looked at before and after the
    /// snapshot is taken, so that the two belong together.
    func reader() -> (reader: CollectionReader, snapshot: Snapshot)? {
        while let state = store.state(namespace) {
            let snapshot = store.storage.snapshot()
            guard store.state(namespace) === state else { continue }
            return (CollectionReader(state: state, view: snapshot.view), snapshot)
        }
        return nil
    }
}
