// SecondaryIndex.swift — a secondary index: entries that lead from a column's value to the rows that have it.
//
//   key    ┌ value, ordered component(s) ┬ stored key of the row, or of the partition's static row ┐
//   value  empty
//
// The value is the column's; of a collection each element's value (`values`), key (`keys`) or both, the key first
// (`entries`); of a frozen collection the whole (`full`). So all rows with a value lie together, in the order of the ring
// and of their partition.
//
// Invariant: the entries are a function of the row as it is stored (its reconciled fragment and key), and are replaced in
// the commit that changes the row; an entry expires with the cell it is of, or the last of them where elements of a
// collection have one value. Readers test every row they are led to. A value that is too long for a key has no entry: such
// values are neither written nor looked up, but may have been there before the index.

/// A secondary index from the side of its table.
final class SecondaryIndex: Sendable {
    let definition: IndexDefinition
    let column: ColumnDefinition
    let storage: Keyspace
    /// The index of the column among the key's components, for a key column.
    private let keyComponent: Int?

    init(_ definition: IndexDefinition, of unnumbered: TableDefinition, storage: Keyspace) throws {
        self.definition = definition
        self.storage = storage
        let table = unnumbered.numbered()
        guard let column = table.columns.first(where: { $0.name == definition.column }) else {
            throw StorageError.corruption("The index \(definition.name) is of a column that does not exist.")
        }
        self.column = column
        keyComponent = (table.partitionKey + table.clustering).firstIndex { $0.name == column.name }
    }

    struct Entry: Hashable {
        var key: [UInt8]
        /// Seconds; `Int64.max`: for ever.
        var expiry: Int64

        var isStorable: Bool { key.count <= StorageKey.maximumByteCount }
    }

    /// One byte more than the longest value that Cassandra indexes ([CA] index/internal/CassandraIndex.java,
    /// `validateIndexedValue`).
    static let maximumValueByteCount = 65535

    // MARK: Entries

    /// The entries of a row or static row, one for each key; those of cells that expired long ago may be among them.
    func entries(of row: BaseRow, _ kind: RecordKind, _ storedKey: [UInt8]) throws -> [Entry] {
        if let keyComponent {
            guard keyComponent < row.keyComponents.count, let expiry = row.fragment.lastExpiry else { return [] }
            let value = try OrderedComponent.bytes(row.keyComponents[keyComponent], column.type)
            return [Entry(key: value + storedKey, expiry: expiry)]
        }
        guard (column.kind == .static) == (kind == .staticRow) else { return [] }
        let entries = try row.fragment.cells.compactMap { cell -> Entry? in
            guard cell.column == column.id, cell.kind == .live || cell.kind == .expiring else { return nil }
            return Entry(key: try value(of: cell, row.bytes) + storedKey, expiry: cell.localDeletionTime)
        }
        return mayRepeatValues ? Self.longestLived(entries) : entries
    }

    /// Refuses values that Cassandra does not index, unless the row had them before.
    ///
    /// - Parameter storedKeyByteCount: of the row's key, which every entry ends with.
    func check(
        _ new: [Entry], insteadOf old: [Entry], storedKeyByteCount: Int, _ table: TableIdentifier
    ) throws {
        for entry in new
        where !entry.isStorable || entry.key.count - storedKeyByteCount >= Self.maximumValueByteCount {
            guard !old.contains(where: { $0.key == entry.key }) else { continue }
            let byteCount = try valueByteCount(entry.key)
            guard byteCount >= Self.maximumValueByteCount || !entry.isStorable else { continue }
            throw CQLError.invalid(
                "Cannot index value of size \(byteCount) for index \(definition.name) on \(table)(\(column.name)) "
                    + "(maximum allowed size=\(Self.maximumValueByteCount))")
        }
    }

    /// The bytes of an entry's value in its binary format; of a map's entry those of key and value.
    private func valueByteCount(_ key: [UInt8]) throws -> Int {
        var value: [UInt8] = []
        var offset = 0
        for type in indexedTypes {
            try OrderedComponent.decode(key.rawSpan, at: &offset, type, descending: false, into: &value)
        }
        return value.count
    }

    /// The types of what an entry begins with.
    private var indexedTypes: [CQLType] {
        guard column.isMultiCell else { return [column.type] }
        switch (column.type, definition.kind) {
        case (.map(let key, _), .keys): return [key]
        case (.map(let key, let element), .entries): return [key, element]
        case (.list(let element), _), (.set(let element), _), (.map(_, let element), _): return [element]
        default: return [column.type]
        }
    }

    /// Whether cells of one row may have the same entry: elements of lists, and values of maps.
    private var mayRepeatValues: Bool {
        switch column.type {
        case .list: true
        case .map: definition.kind == .values
        default: false
        }
    }

    /// Of entries with one key that which expires last.
    private static func longestLived(_ entries: [Entry]) -> [Entry] {
        guard entries.count > 1 else { return entries }
        var result: [Entry] = []
        var positions: [[UInt8]: Int] = [:]
        for entry in entries {
            if let position = positions[entry.key] {
                result[position].expiry = max(result[position].expiry, entry.expiry)
            } else {
                positions[entry.key] = result.count
                result.append(entry)
            }
        }
        return result
    }

    /// What an entry of this cell begins with. The path of an element is an ordered component already.
    private func value(of cell: Cell, _ bytes: [UInt8]) throws -> [UInt8] {
        let value = Array(bytes[cell.value])
        let path = Array(bytes[cell.path])
        guard column.isMultiCell else { return try OrderedComponent.bytes(value, column.type) }
        switch (column.type, definition.kind) {
        case (.set, _), (.map, .keys): return path
        case (.list(let element), _), (.map(_, let element), .values):
            return try OrderedComponent.bytes(value, element)
        case (.map(_, let element), .entries): return path + (try OrderedComponent.bytes(value, element))
        default: throw ByteReader.tooShort
        }
    }

    /// Puts the entries in `new` in the place of those in `old`.
    func replace(_ old: [Entry], by new: [Entry], _ transaction: WriteTransaction) throws {
        guard old != new else { return }
        let kept = Set(new.map(\.key))
        for entry in old where entry.isStorable && !kept.contains(entry.key) {
            try transaction.delete(storage, entry.key.rawSpan)
        }
        let known = Set(old)
        for entry in new where entry.isStorable && !known.contains(entry) {
            let expiry = entry.expiry == .max ? nil : StorageInstant(seconds: entry.expiry)
            let value: [UInt8] = []
            try transaction.put(storage, entry.key.rawSpan, value.rawSpan, expiry: expiry)
        }
    }
}

extension RowFragment {
    /// Until when the row is there, in seconds; `nil` if it is not.
    fileprivate var lastExpiry: Int64? {
        let cellExpiry = cells.lazy.filter { $0.kind == .live || $0.kind == .expiring }.map(\.localDeletionTime).max()
        guard let marker else { return cellExpiry }
        return max(marker.expiry, cellExpiry ?? .min)
    }
}
