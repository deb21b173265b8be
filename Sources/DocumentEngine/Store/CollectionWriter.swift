// CollectionWriter.swift — single documents in and out of a collection, with all their index entries.
//
// Invariant: every check of a write comes before its first put, so a refused document leaves the transaction as it was.

/// Writes documents of one collection inside a transaction.
struct CollectionWriter {
    let store: DocumentStore
    let state: CollectionState
    let transaction: WriteTransaction
    let bypassesValidation: Bool

    /// Adds a document, which has an `_id`.
    /// - Throws: 121, 11000, 10334 and the other refusals of a document.
    func insert(_ document: Document) throws {
        try checkStorable(document)
        try validate(document, replacing: nil)
        let keys = try state.indexes.map { try $0.specification.keys(of: document.view) }
        for (index, keys) in zip(state.indexes, keys) { try checkUnique(index, keys.keys, nil, document) }
        let record = state.recordIDs.next()
        try transaction.put(state.records, record.bytes.rawSpan, document.bytes.rawSpan)
        for (index, keys) in zip(state.indexes, keys) { try add(keys.keys, keys.isMultikey, record, to: index) }
    }

    /// Puts a document in the place of another with the same `_id`.
    func replace(_ record: RecordID, _ old: Document, with new: Document) throws {
        try checkStorable(new)
        try validate(new, replacing: old)
        var changes: [(index: Index, removed: [[UInt8]], added: IndexKeySet)] = []
        for index in state.indexes {
            let before = try index.specification.keys(of: old.view).keys
            var after = try index.specification.keys(of: new.view)
            let kept = Set(before).intersection(after.keys)
            after.keys.removeAll { kept.contains($0) }
            try checkUnique(index, after.keys, record, new)
            changes.append((index, before.filter { !kept.contains($0) }, after))
        }
        try transaction.put(state.records, record.bytes.rawSpan, new.bytes.rawSpan)
        for (index, removed, added) in changes {
            try remove(removed, record, from: index)
            try add(added.keys, added.isMultikey, record, to: index)
        }
    }

    func delete(_ record: RecordID, _ document: Document) throws {
        for index in state.indexes { try remove(index.specification.keys(of: document.view).keys, record, from: index) }
        try transaction.delete(state.records, record.bytes.rawSpan)
    }

    private func validate(_ document: Document, replacing old: Document?) throws(DocumentError) {
        guard !bypassesValidation, let validator = state.validator else { return }
        let name = state.namespace.description
        if let old {
            try validator.validate(document.view, replacing: old.view, namespace: name, logger: store.logger)
        } else {
            try validator.validate(document.view, replacing: nil, namespace: name, logger: store.logger)
        }
    }

    private func checkStorable(_ document: Document) throws(DocumentError) {
        guard document.bytes.count <= Document.maximumByteCount else {
            throw .tooLarge(byteCount: document.bytes.count)
        }
        guard document.view.isNested(atMost: Document.maximumDepth) else {
            throw DocumentError(DocumentErrorCode(rawValue: 15), "Document exceeds the maximum nesting depth of 100")
        }
        switch document["_id"]?.type {
        case .array, .regex, .undefined:
            let type = document["_id"]?.type.alias ?? ""
            throw DocumentError(.invalidIdField, "The '_id' value cannot be of type \(type)")
        default: break
        }
    }

    private func checkUnique(_ index: Index, _ keys: [[UInt8]], _ record: RecordID?, _ document: Document) throws {
        guard index.specification.isUnique else { return }
        for key in keys {
            guard let holder = try holder(of: key, in: index), holder != record else { continue }
            throw duplicateKey(index, key, document)
        }
    }

    func duplicateKey(_ index: Index, _ key: [UInt8], _ document: Document) -> DocumentError {
        let values = (try? index.specification.expandedKeys(of: document.view))?.first { $0.bytes == key }?.values ?? []
        let names = index.specification.keys.map(\.path.text)
        let keyValue = Document(Array(zip(names, values)))
        var error = DocumentError(
            .duplicateKey,
            "E11000 duplicate key error collection: \(state.namespace) index: \(index.name) dup key: "
                + keyValue.shellText)
        error.keyPattern = index.specification.keyPattern
        error.keyValue = keyValue
        return error
    }

    func add(_ keys: [[UInt8]], _ isMultikey: Bool, _ record: RecordID, to index: Index) throws {
        if isMultikey { try markMultikey(index) }
        let value = index.specification.isUnique ? record.bytes : []
        for key in keys { try transaction.put(index.keyspace, index.entryKey(key, record).rawSpan, value.rawSpan) }
    }

    private func remove(_ keys: [[UInt8]], _ record: RecordID, from index: Index) throws {
        let mayBelongToOthers = index.specification.isUnique && index.readySequence == nil
        for key in keys {
            // While a unique index is built, a duplicate that the build has yet to meet does not own the entry.
            if mayBelongToOthers, try holder(of: key, in: index) != record { continue }
            try transaction.delete(index.keyspace, index.entryKey(key, record).rawSpan)
        }
    }

    private func holder(of key: [UInt8], in index: Index) throws -> RecordID? {
        try transaction.withValue(index.keyspace, key.rawSpan) { RecordID($0) } ?? nil
    }

    // The flag in memory is set at once: planning with it is safe even if the transaction fails. The marker on disk is
    // looked up, because a transaction that failed may have set the flag without leaving one.
    private func markMultikey(_ index: Index) throws {
        let key = CollectionCatalog.multikeyKey(state.namespace, index.id)
        index.markMultikey()
        if try transaction.contains(store.catalog, key.rawSpan) { return }
        try transaction.put(store.catalog, key.rawSpan, [UInt8]().rawSpan)
    }
}

extension BSONView {
    /// Whether the document has at most this many levels.
    func isNested(atMost levels: Int) -> Bool {
        guard levels > 0 else { return false }
        var elements = elements
        while let element = elements.next() {
            guard element.value.isDocument || element.value.isArray else { continue }
            if !element.value.isNested(atMost: levels - 1) { return false }
        }
        return true
    }
}
