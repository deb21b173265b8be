// PageSource.swift — what a query or scan walks: a table, or one of its indexes.

internal import StorageCore

/// The entries that pages are read from.
struct PageSource {
    let table: Table
    let index: TableIndex?
    /// Whether the request needs attributes that a local index lacks, so that items are read from the table.
    private(set) var readsWholeItems = false

    /// - Throws: `ValidationException` if there is no such index.
    init(_ table: Table, index name: String?) throws {
        self.table = table
        index = try name.map { try table.index($0) }
    }

    var keyspace: Keyspace { index?.keyspace ?? table.keyspace }
    /// The keys by which entries are ordered.
    var schema: KeySchema { index?.schema ?? table.schema }
    /// The attributes of a page's last key.
    var keyNames: [String] { index?.keyNames ?? table.schema.names }

    /// Makes sure that the attributes a request names can be had.
    ///
    /// - Throws: `ValidationException` if a global index does not hold one of them.
    mutating func require(_ names: [String]) throws {
        guard let index, let projected = index.projectedNames else { return }
        let missing = names.filter { name in !projected.contains(where: name.equalsUTF8) }
        guard !missing.isEmpty else { return }
        guard index.definition.kind == .local else {
            throw TableError.invalidParameter(
                "Global secondary index \(index.definition.name) does not project [\(missing.joined(separator: ", "))]")
        }
        readsWholeItems = true
    }

    /// The item that an entry of an index stands for.
    func wholeItem(of entry: Item, in view: ReadView) throws -> Item {
        let key = try ItemKey.bytes(ofItem: entry, table.schema)
        return try table.item(key, in: view) ?? entry
    }

    /// The bytes of a start key.
    ///
    /// - Throws: `ValidationException` if it is not made of the source's keys.
    func startBytes(_ key: Item) throws -> [UInt8] {
        do {
            guard let index else { return try ItemKey.bytes(ofKey: key, table.schema) }
            guard key.count == Set(keyNames).count, keyNames.allSatisfy(key.contains) else {
                throw TableError.keyMismatch
            }
            try index.check(key)
            let tableKey = try ItemKey.bytes(ofKey: table.schema.key(of: key), table.schema)
            guard let bytes = try index.key(of: key, tableKey: tableKey) else { throw TableError.keyMismatch }
            return bytes
        } catch let error as TableError {
            throw TableError.validation("The provided starting key is invalid: \(error.message)")
        }
    }
}
