// CatalogCodec.swift — the catalog's entries, in the storage keyspace `wide/catalog`.
//
//   key    ┌ 'k' ┬ keyspace, escaped ┐                      a keyspace
//          ┌ 't' ┬ keyspace, escaped ┬ name, escaped ┐      a table or view
//          ┌ 'y' ┬ keyspace, escaped ┬ name, escaped ┐      a user-defined type
//          ┌ 'h' ┐                                          the store's host id
//          ┌ 'f' ┬ keyspace, escaped ┬ name, escaped ┐      of a table, a timestamp that no deletion is beyond
//          ┌ 'b' ┬ keyspace, escaped ┬ name, escaped ┬ index, escaped ┐   how far a build has come; a view has no index
//   value  ┌ format version 2, or 3 of a table with masks ┬ fields in the order of the code below ┐
//
// Texts and counts are a varint length and the content; types are written as CQL writes them. Valid: texts are UTF-8,
// flags are 0 or 1, numbers of seconds are not negative and the grace period fits 32 bits, nothing follows the last
// field. Anything else is `StorageError.corruption`.

enum CatalogCodec {
    static let formatVersion: UInt8 = 2
    /// Of tables with masks.
    static let maskedFormatVersion: UInt8 = 3

    static let hostIDKey: [UInt8] = [UInt8(ascii: "h")]

    static func keyspaceKey(_ name: String) -> [UInt8] {
        key(UInt8(ascii: "k"), [name])
    }

    static func tableKey(_ identifier: TableIdentifier) -> [UInt8] {
        key(UInt8(ascii: "t"), [identifier.keyspace, identifier.name])
    }

    static func typeKey(_ type: UserType) -> [UInt8] {
        key(UInt8(ascii: "y"), [type.keyspace, type.name])
    }

    static func buildKey(_ name: BuildName) -> [UInt8] {
        key(UInt8(ascii: "b"), [name.table.keyspace, name.table.name, name.index])
    }

    static func timestampKey(_ table: TableIdentifier) -> [UInt8] {
        key(UInt8(ascii: "f"), [table.keyspace, table.name])
    }

    private static func key(_ kind: UInt8, _ parts: [String]) -> [UInt8] {
        var key = [kind]
        for part in parts {
            let bytes = Array(part.utf8)
            OrderedComponent.appendEscaped(bytes.rawSpan, to: &key)
        }
        return key
    }

    static func isKeyspaceKey(_ key: [UInt8]) -> Bool { key.first == UInt8(ascii: "k") }

    static func isTypeKey(_ key: [UInt8]) -> Bool { key.first == UInt8(ascii: "y") }

    static func isBuildKey(_ key: [UInt8]) -> Bool { key.first == UInt8(ascii: "b") }

    static func isTimestampKey(_ key: [UInt8]) -> Bool { key.first == UInt8(ascii: "f") }

    // MARK: Writing

    static func encode(hostID: CQLUUID) -> [UInt8] {
        [formatVersion] + hostID.bytes
    }

    static func encode(timestamp: Int64) -> [UInt8] {
        var bytes = [formatVersion]
        bytes.appendBigEndian(timestamp)
        return bytes
    }

    static func encode(_ progress: BuildProgress) -> [UInt8] {
        var bytes = [formatVersion]
        bytes.appendBigEndian(progress.generation)
        bytes.appendBigEndian(progress.partitionCount)
        bytes.appendVarint(progress.lastKey.count)
        bytes.append(contentsOf: progress.lastKey)
        return bytes
    }

    static func encode(_ type: UserType) -> [UInt8] {
        var bytes = [formatVersion]
        append(type.keyspace, to: &bytes)
        append(type.name, to: &bytes)
        bytes.appendVarint(type.fields.count)
        for field in type.fields {
            append(field.name, to: &bytes)
            append(field.type.description, to: &bytes)
        }
        return bytes
    }

    static func encode(_ keyspace: KeyspaceDefinition) -> [UInt8] {
        var bytes = [formatVersion]
        append(keyspace.name, to: &bytes)
        bytes.append(keyspace.durableWrites ? 1 : 0)
        append(keyspace.replication, to: &bytes)
        return bytes
    }

    static func encode(_ table: TableDefinition) -> [UInt8] {
        var bytes = [table.masks.isEmpty ? formatVersion : maskedFormatVersion]
        append(table.identifier.keyspace, to: &bytes)
        append(table.identifier.name, to: &bytes)
        bytes.appendVarint(table.columns.count)
        for column in table.columns {
            append(column.name, to: &bytes)
            append(column.type.description, to: &bytes)
            bytes.append(column.kind.rawValue)
            bytes.append(column.isDescending ? 1 : 0)
            bytes.appendBigEndian(column.id)
        }
        bytes.appendBigEndian(table.options.defaultTimeToLive)
        bytes.appendBigEndian(table.options.graceSeconds)
        append(table.options.comment, to: &bytes)
        bytes.appendVarint(table.options.properties.count)
        for property in table.options.properties { append(property, to: &bytes) }
        bytes.append(table.view == nil ? 0 : 1)
        if let view = table.view {
            append(view.source, to: &bytes)
            append(view.whereText, to: &bytes)
            bytes.append(view.selectsAllColumns ? 1 : 0)
            bytes.append(view.isBuilt ? 1 : 0)
        }
        bytes.appendVarint(table.droppedColumns.count)
        for column in table.droppedColumns {
            append(column.name, to: &bytes)
            append(column.type.description, to: &bytes)
            bytes.append(column.kind.rawValue)
            bytes.appendBigEndian(column.id)
            bytes.appendBigEndian(column.timestamp)
        }
        bytes.appendVarint(table.indexes.count)
        for index in table.indexes {
            append(index.name, to: &bytes)
            append(index.column, to: &bytes)
            bytes.append(index.kind.rawValue)
            bytes.append(index.isBuilt ? 1 : 0)
        }
        bytes.append(contentsOf: table.id.bytes)
        guard !table.masks.isEmpty else { return bytes }
        bytes.appendVarint(table.masks.count)
        for (column, mask) in table.masks.sorted(by: { $0.key < $1.key }) {
            bytes.appendBigEndian(column)
            append(mask.cql, to: &bytes)
        }
        return bytes
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.appendVarint(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ map: [String: String], to bytes: inout [UInt8]) {
        bytes.appendVarint(map.count)
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            append(key, to: &bytes)
            append(value, to: &bytes)
        }
    }

    private static func append(_ property: Property, to bytes: inout [UInt8]) {
        append(property.name, to: &bytes)
        switch property.value {
        case .scalar(let text):
            bytes.append(0)
            append(text, to: &bytes)
        case .map(let map):
            bytes.append(1)
            append(map, to: &bytes)
        }
    }

    // MARK: Reading

    static func keyspace(_ bytes: [UInt8]) throws -> KeyspaceDefinition {
        var source = try CatalogReader(bytes)
        let name = try source.text()
        let durableWrites = try source.bool()
        let replication = try source.map()
        try source.finish()
        return KeyspaceDefinition(name: name, replication: replication, durableWrites: durableWrites)
    }

    static func type(_ bytes: [UInt8]) throws -> UserType {
        var source = try CatalogReader(bytes)
        let (keyspace, name) = (try source.text(), try source.text())
        var fields: [UserType.Field] = []
        for _ in 0..<(try source.count()) { fields.append(.init(name: try source.text(), type: try source.type())) }
        try source.finish()
        guard !fields.isEmpty else { throw ByteReader.tooShort }
        return UserType(keyspace: keyspace, name: name, fields: fields)
    }

    static func buildProgress(_ bytes: [UInt8]) throws -> BuildProgress {
        var source = try CatalogReader(bytes)
        let generation = try source.integer(UInt32.self)
        let partitionCount = try source.integer(Int64.self, in: 0...Int64.max)
        let lastKey = try source.byteString()
        try source.finish()
        return BuildProgress(generation: generation, partitionCount: partitionCount, lastKey: lastKey)
    }

    static func hostID(_ bytes: [UInt8]) throws -> CQLUUID {
        var source = try CatalogReader(bytes)
        let id = try source.uuid()
        try source.finish()
        return id
    }

    static func timestamp(_ bytes: [UInt8]) throws -> Int64 {
        var source = try CatalogReader(bytes)
        let timestamp = try source.integer(Int64.self)
        try source.finish()
        return timestamp
    }

    static func table(_ bytes: [UInt8]) throws -> TableDefinition {
        let hasMasks = bytes.first == maskedFormatVersion
        var source = try CatalogReader(bytes, version: hasMasks ? maskedFormatVersion : formatVersion)
        let identifier = TableIdentifier(keyspace: try source.text(), name: try source.text())
        var columns: [ColumnDefinition.Kind: [ColumnDefinition]] = [:]
        for _ in 0..<(try source.count()) {
            let column = try source.column()
            columns[column.kind, default: []].append(column)
        }
        var options = TableOptions()
        options.defaultTimeToLive = try source.integer(Int32.self, in: 0...Int32.max)
        options.graceSeconds = try source.integer(Int64.self, in: 0...Int64(Int32.max))
        options.comment = try source.text()
        for _ in 0..<(try source.count()) { options.properties.append(try source.property()) }
        var view: TableDefinition.ViewClause?
        if try source.bool() {
            let (name, whereText) = (try source.text(), try source.text())
            let selectsAll = try source.bool()
            view = .init(source: name, selectsAllColumns: selectsAll, whereText: whereText, isBuilt: try source.bool())
        }
        let dropped = try (0..<(try source.count())).map { _ in try source.droppedColumn() }
        let indexes = try (0..<(try source.count())).map { _ in try source.index() }
        let id = try source.uuid()
        let masks = hasMasks ? try source.masks(of: Set(columns.values.joined().map(\.id))) : [:]
        try source.finish()
        return TableDefinition(
            identifier: identifier, partitionKey: columns[.partitionKey] ?? [], clustering: columns[.clustering] ?? [],
            staticColumns: columns[.static] ?? [], regularColumns: columns[.regular] ?? [], options: options,
            view: view, droppedColumns: dropped, indexes: indexes, masks: masks, id: id)
    }
}

/// Reads a catalog entry's fields in order.
private struct CatalogReader {
    private let bytes: [UInt8]
    private var offset = 1

    init(_ bytes: [UInt8], version: UInt8 = CatalogCodec.formatVersion) throws {
        guard let written = bytes.first else { throw ByteReader.tooShort }
        guard written == version else {
            throw StorageError(
                .unsupportedFormat,
                "The catalog of the wide-column engine has format \(written), written by another version.")
        }
        self.bytes = bytes
    }

    private mutating func read<Result>(_ body: (inout ByteReader) throws -> Result) throws -> Result {
        var reader = ByteReader(bytes.rawSpan, at: offset)
        defer { offset = reader.offset }
        return try body(&reader)
    }

    mutating func byteString() throws -> [UInt8] {
        Array(bytes[try read { try $0.skip(try $0.varint()) }])
    }

    mutating func text() throws -> String {
        let bytes = try byteString()
        guard let text = String(validUTF8: bytes.rawSpan) else { throw ByteReader.tooShort }
        return text
    }

    mutating func bool() throws -> Bool {
        let flag = try read { try $0.uint8() }
        guard flag <= 1 else { throw ByteReader.tooShort }
        return flag == 1
    }

    mutating func count() throws -> Int {
        let count = try read { try $0.varint() }
        guard count >= 0, count <= bytes.count else { throw ByteReader.tooShort }
        return count
    }

    mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(_ type: Integer.Type) throws -> Integer {
        try read { try $0.bigEndian(type) }
    }

    mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, in range: ClosedRange<Integer>
    ) throws -> Integer {
        let value = try integer(type)
        guard range.contains(value) else { throw ByteReader.tooShort }
        return value
    }

    /// Refuses bytes that no field has.
    func finish() throws {
        guard offset == bytes.count else { throw ByteReader.tooShort }
    }

    mutating func map() throws -> [String: String] {
        var map: [String: String] = [:]
        for _ in 0..<(try count()) {
            let key = try text()
            map[key] = try text()
        }
        return map
    }

    /// A type as CQL writes it; names in it are looked up when the whole catalog is known.
    mutating func type() throws -> CQLType {
        guard let type = try? Parser.parseType(try text()) else { throw ByteReader.tooShort }
        return type
    }

    mutating func uuid() throws -> CQLUUID {
        CQLUUID(
            mostSignificantBits: try integer(UInt64.self), leastSignificantBits: try integer(UInt64.self))
    }

    private mutating func kind() throws -> ColumnDefinition.Kind {
        guard let kind = ColumnDefinition.Kind(rawValue: try read { try $0.uint8() }) else { throw ByteReader.tooShort }
        return kind
    }

    mutating func droppedColumn() throws -> DroppedColumn {
        DroppedColumn(
            name: try text(), type: try droppedType(), kind: try kind(), id: try integer(UInt16.self),
            timestamp: try integer(Int64.self))
    }

    /// The type of a column that is gone. Its cells are dead whatever they are, so a type that can't be read takes none of
    /// the other data with it.
    private mutating func droppedType() throws -> CQLType { DroppedTypeReader.type(try text()) ?? .blob }

    mutating func index() throws -> IndexDefinition {
        let (name, column) = (try text(), try text())
        guard let kind = IndexDefinition.Kind(rawValue: try read { try $0.uint8() }) else { throw ByteReader.tooShort }
        return IndexDefinition(name: name, column: column, kind: kind, isBuilt: try bool())
    }

    /// Masks of columns with these numbers, ascending.
    mutating func masks(of columns: Set<UInt16>) throws -> [UInt16: ColumnMask] {
        var masks: [UInt16: ColumnMask] = [:]
        var last = -1
        for _ in 0..<(try count()) {
            let column = try integer(UInt16.self)
            guard Int(column) > last, columns.contains(column) else { throw ByteReader.tooShort }
            masks[column] = try mask(try text())
            last = Int(column)
        }
        guard !masks.isEmpty else { throw ByteReader.tooShort }
        return masks
    }

    /// Earlier versions took constants that are none any more. A mask that can't be read shows nothing, and takes none of the
    /// other data with it.
    private func mask(_ text: String) throws -> ColumnMask {
        try (try? Parser.parseMask(text)) ?? Parser.parseMask("mask_null()")
    }

    mutating func column() throws -> ColumnDefinition {
        let name = try text()
        let type = try type()
        let kind = try kind()
        let isDescending = try bool()
        return ColumnDefinition(
            name: name, type: type, kind: kind, isDescending: isDescending, id: try integer(UInt16.self))
    }

    mutating func property() throws -> Property {
        let name = try text()
        return try bool()
            ? Property(name: name, value: .map(try map())) : Property(name: name, value: .scalar(try text()))
    }
}
