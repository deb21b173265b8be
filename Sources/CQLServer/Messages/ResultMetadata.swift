// ResultMetadata.swift — columns, rows and prepared statements as RESULT messages tell them (v4 specification, §4.2.5).

internal import WideColumnEngine

/// They go over the wire: do not renumber.
private struct MetadataFlags: OptionSet {
    var rawValue: Int32

    static let globalTable = MetadataFlags(rawValue: 0x01)
    static let hasMorePages = MetadataFlags(rawValue: 0x02)
    static let noMetadata = MetadataFlags(rawValue: 0x04)
    static let metadataChanged = MetadataFlags(rawValue: 0x08)
}

/// A column or a marker: what both have in a message.
private struct ColumnSpecification {
    var keyspace: String
    var table: String
    var name: String
    var type: CQLType
}

extension [ColumnSpecification] {
    /// Whether the table can be named once for all.
    fileprivate var haveOneTable: Bool {
        guard let first else { return false }
        return allSatisfy { $0.keyspace == first.keyspace && $0.table == first.table }
    }

    fileprivate func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        let hasGlobalTable = haveOneTable
        if hasGlobalTable, let first {
            writer.string(first.keyspace)
            writer.string(first.table)
        }
        for column in self {
            if !hasGlobalTable {
                writer.string(column.keyspace)
                writer.string(column.table)
            }
            writer.string(column.name)
            column.type.write(to: &writer, version)
        }
    }
}

extension ResultColumn {
    fileprivate var specification: ColumnSpecification {
        ColumnSpecification(keyspace: keyspace, table: table, name: name, type: type)
    }
}

/// The rows of a result.
struct RowsMessage: Sendable {
    var result: ResultSet
    /// Whether the client knows the columns already.
    var skipsMetadata = false
    /// Version 5: the number of the columns where the client knows others.
    var changedMetadataID: [UInt8]?

    func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        let columns = result.columns.map(\.specification)
        var flags: MetadataFlags = []
        if result.pagingState != nil { flags.insert(.hasMorePages) }
        let skipsMetadata = skipsMetadata && changedMetadataID == nil
        if skipsMetadata { flags.insert(.noMetadata) } else if columns.haveOneTable { flags.insert(.globalTable) }
        if version == .v5, changedMetadataID != nil { flags.insert(.metadataChanged) }
        writer.int(flags.rawValue)
        writer.count(columns.count)
        if let state = result.pagingState { writer.optionalBytes(state.bytes) }
        if flags.contains(.metadataChanged), let changedMetadataID { writer.shortBytes(changedMetadataID) }
        if !skipsMetadata { columns.write(to: &writer, version) }
        writer.count(result.count)
        result.appendWireRows(to: &writer.bytes)
    }
}

/// A prepared statement: what its markers take and what it answers.
struct PreparedMessage: Sendable {
    var id: [UInt8]
    /// Version 5.
    var resultMetadataID: [UInt8]
    var markers: [BoundMarker]
    var partitionKeyMarkers: [Int]
    var resultColumns: [ResultColumn]

    func write(to writer: inout WireWriter, _ version: ProtocolVersion) {
        writer.shortBytes(id)
        if version == .v5 { writer.shortBytes(resultMetadataID) }
        let markers = markers.map {
            ColumnSpecification(keyspace: $0.keyspace, table: $0.table, name: $0.name, type: $0.type)
        }
        writer.int(markers.haveOneTable ? MetadataFlags.globalTable.rawValue : 0)
        writer.count(markers.count)
        writer.count(partitionKeyMarkers.count)
        for index in partitionKeyMarkers { writer.short(UInt16(clamping: index)) }
        markers.write(to: &writer, version)
        let columns = resultColumns.map(\.specification)
        // A statement without a result says so by the flag.
        let flags: MetadataFlags = columns.isEmpty ? .noMetadata : columns.haveOneTable ? .globalTable : []
        writer.int(flags.rawValue)
        writer.count(columns.count)
        columns.write(to: &writer, version)
    }
}
