// DocumentCollection+Insert.swift — insertOne and insertMany.

extension DocumentCollection {
    /// Adds a document. One without `_id` gets an ObjectID, in front.
    /// - Throws: ``DocumentError`` 121 with `errInfo` if the validator refuses it, 11000 with `keyPattern` and
    ///   `keyValue` for a key that is there already, 10334 if it is too large.
    @discardableResult
    public func insertOne(
        _ document: Document, bypassDocumentValidation: Bool = false, durability: Durability = .buffered
    ) throws -> InsertOneResult {
        try ensureExists(durability)
        return try store.storage.write(durability) {
            try insertOne(document, bypassDocumentValidation: bypassDocumentValidation, in: $0)
        }
    }

    /// As ``insertOne(_:bypassDocumentValidation:durability:)``, inside an open transaction. A refused document leaves
    /// the transaction as it was.
    @discardableResult
    public func insertOne(
        _ document: Document, bypassDocumentValidation: Bool = false, in transaction: WriteTransaction
    ) throws -> InsertOneResult {
        let (document, id) = identified(document)
        let state = try requireState()
        try writer(state, transaction, bypass: bypassDocumentValidation).insert(document)
        return InsertOneResult(acknowledged: true, insertedID: id)
    }

    /// Adds documents. `ordered` stops at the first refused one; otherwise all that can be inserted are.
    ///
    /// Not atomic as a whole, as in MongoDB: documents before a refused one stay. They commit in chunks.
    /// - Throws: ``BulkWriteError`` with the refusals, after the others are in.
    @discardableResult
    public func insertMany(
        _ documents: [Document], ordered: Bool = true, bypassDocumentValidation: Bool = false,
        durability: Durability = .buffered
    ) throws -> InsertManyResult {
        try ensureExists(durability)
        var batch = InsertBatch(collection: self, isOrdered: ordered, bypass: bypassDocumentValidation)
        for chunk in Self.chunks(of: documents) where !batch.isStopped {
            try store.storage.write(durability) { try batch.insert(documents[chunk], in: $0) }
        }
        return try batch.result()
    }

    /// As ``insertMany(_:ordered:bypassDocumentValidation:durability:)``, inside an open transaction and so atomic with
    /// it.
    @discardableResult
    public func insertMany(
        _ documents: [Document], ordered: Bool = true, bypassDocumentValidation: Bool = false,
        in transaction: WriteTransaction
    ) throws -> InsertManyResult {
        var batch = InsertBatch(collection: self, isOrdered: ordered, bypass: bypassDocumentValidation)
        try batch.insert(documents[...], in: transaction)
        return try batch.result()
    }

    /// The document with an `_id` in front, as it is stored.
    func identified(_ document: Document) -> (Document, BSONValue) {
        var elements = document.view.elements
        if let first = elements.next(), first.name.equals(Self.idName.rawSpan) {
            return (document, BSONValue(first.value))
        }
        let fields = document.fields
        let id = fields.first { $0.name == "_id" }?.value ?? .objectID(store.objectIDs.next())
        return (Document([("_id", id)] + fields.filter { $0.name != "_id" }.map { ($0.name, $0.value) }), id)
    }

    private static let idName = Array("_id".utf8)

    private static let chunkDocumentCount = 1000
    private static let chunkByteCount = 8 << 20

    /// Runs of documents that fit one commit.
    private static func chunks(of documents: [Document]) -> [Range<Int>] {
        var chunks: [Range<Int>] = []
        var (start, byteCount) = (0, 0)
        for (index, document) in documents.enumerated() {
            let isFull = index - start == chunkDocumentCount || byteCount + document.bytes.count > chunkByteCount
            if isFull, index > start {
                chunks.append(start..<index)
                (start, byteCount) = (index, 0)
            }
            byteCount += document.bytes.count
        }
        if start < documents.count { chunks.append(start..<documents.count) }
        return chunks
    }
}

/// The state of an `insertMany` over its chunks.
private struct InsertBatch {
    let collection: DocumentCollection
    let isOrdered: Bool
    let bypass: Bool
    private var insertedIDs: [Int: BSONValue] = [:]
    private var errors: [WriteError] = []

    init(collection: DocumentCollection, isOrdered: Bool, bypass: Bool) {
        self.collection = collection
        self.isOrdered = isOrdered
        self.bypass = bypass
    }

    var isStopped: Bool { isOrdered && !errors.isEmpty }

    mutating func insert(_ documents: ArraySlice<Document>, in transaction: WriteTransaction) throws {
        let writer = collection.writer(try collection.requireState(), transaction, bypass: bypass)
        for index in documents.indices where !isStopped {
            let (document, id) = collection.identified(documents[index])
            do {
                try writer.insert(document)
                insertedIDs[index] = id
            } catch let error as DocumentError {
                errors.append(WriteError(index: index, error: error))
            }
        }
    }

    func result() throws -> InsertManyResult {
        guard errors.isEmpty else { throw BulkWriteError(insertedIDs: insertedIDs, writeErrors: errors) }
        let ids = insertedIDs.sorted { $0.key < $1.key }.map(\.value)
        return InsertManyResult(acknowledged: true, insertedIDs: ids)
    }
}
