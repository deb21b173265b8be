// RowFragment+Codec.swift — the bytes of a row in a table's keyspace.
//
//   ┌───────┬────────────────┬───────────────────────┬────────────┬──────────────┬─────────┐
//   │ flags │ base timestamp │ base ttl, base expiry │ marker     │ row deletion │ cells … │
//   │ 1     │ 8              │ 4 + 8, if bit 2       │ if bit 0   │ 16, if bit 1 │         │
//   └───────┴────────────────┴───────────────────────┴────────────┴──────────────┴─────────┘
//   marker        ┌ cell flags 1 ┬ [timestamp 8] ┬ [ttl 4, expiry 8] ┐
//   row deletion  ┌ timestamp 8 ┬ local deletion time 8 ┐
//   cell          ┌ cell flags 1 ┬ column varint ┬ [timestamp 8] ┬ [ttl 4, expiry 8 | deletion time 8]
//                 ┬ [path length varint, path] ┬ [value length varint, value] ┐
//
//   flags: bit 0 marker, bit 1 row deletion, bit 2 base ttl; bit 7 clear (set: PartitionTombstones); others clear.
//   cell flags: bits 0–1 the kind, bit 2 timestamp of its own (else the base), bit 3 ttl and expiry of its own (else
//   the base), bit 4 path; others clear. A tombstone or complex deletion has a deletion time and no value. An expired cell is a
//   tombstone with bit 3 and what that says.
//
// Numbers are big-endian, times in seconds, timestamps in microseconds. Valid: the flags say what follows, columns
// ascend (then paths), the cells end where the bytes end. Almost every row is one write, whose cells share the
// base, so a cell costs three bytes beside its value.

enum RowFragmentFlags {
    static let marker: UInt8 = 1
    static let deletion: UInt8 = 1 << 1
    static let baseTimeToLive: UInt8 = 1 << 2
    static let partitionTombstones: UInt8 = 1 << 7

    static let cellKind: UInt8 = 0b11
    static let ownTimestamp: UInt8 = 1 << 2
    static let ownTimeToLive: UInt8 = 1 << 3
    static let path: UInt8 = 1 << 4
}

/// Writes a fragment's bytes front to back: `begin`, then the cells in their order.
struct RowFragmentWriter {
    private var baseTimestamp: Int64 = 0
    private var baseTimeToLive: Int32 = 0
    private var baseExpiry: Int64 = .max

    /// Starts a fragment. `timestamp` and the time to live should be those most of its cells have.
    mutating func begin<Sink: ByteSink & ~Copyable>(
        marker: RowMarker?, deletion: DeletionTime, timestamp: Int64, timeToLive: Int32, expiry: Int64,
        into bytes: inout Sink
    ) {
        (baseTimestamp, baseTimeToLive, baseExpiry) = (timestamp, timeToLive, expiry)
        var flags: UInt8 = 0
        if marker != nil { flags |= RowFragmentFlags.marker }
        if !deletion.isNone { flags |= RowFragmentFlags.deletion }
        if timeToLive != 0 { flags |= RowFragmentFlags.baseTimeToLive }
        bytes.append(flags)
        bytes.appendBigEndian(timestamp)
        if timeToLive != 0 {
            bytes.appendBigEndian(timeToLive)
            bytes.appendBigEndian(expiry)
        }
        if let marker {
            let kind: Cell.Kind = marker.timeToLive == 0 ? .live : .expiring
            appendHead(kind, nil, marker.timestamp, marker.timeToLive, marker.expiry, 0, into: &bytes)
        }
        if !deletion.isNone {
            bytes.appendBigEndian(deletion.timestamp)
            bytes.appendBigEndian(deletion.localDeletionTime)
        }
    }

    /// Appends a cell whose path and value are ranges of `source`.
    func append(_ cell: Cell, from source: RawSpan, into bytes: inout [UInt8]) {
        appendHead(cell, into: &bytes)
        if !cell.path.isEmpty {
            bytes.appendVarint(cell.path.count)
            bytes.append(source.extracting(cell.path))
        }
        guard cell.kind == .live || cell.kind == .expiring else { return }
        bytes.appendVarint(cell.value.count)
        bytes.append(source.extracting(cell.value))
    }

    /// Appends a cell without a path that has this value; a tombstone has none.
    func append(_ cell: Cell, value: RawSpan, into bytes: inout [UInt8]) {
        appendHead(cell, into: &bytes)
        guard cell.kind == .live || cell.kind == .expiring else { return }
        bytes.appendVarint(value.byteCount)
        bytes.append(value)
    }

    /// Appends a cell whose path and value lie in the same buffer.
    func copy(_ cell: Cell, in bytes: inout UnsafeRowBuffer) {
        appendHead(cell, into: &bytes)
        if !cell.path.isEmpty {
            bytes.appendVarint(cell.path.count)
            bytes.copy(cell.path)
        }
        guard cell.kind == .live || cell.kind == .expiring else { return }
        bytes.appendVarint(cell.value.count)
        bytes.copy(cell.value)
    }

    private func appendHead<Sink: ByteSink & ~Copyable>(_ cell: Cell, into bytes: inout Sink) {
        let pathFlag = cell.path.isEmpty ? 0 : RowFragmentFlags.path
        appendHead(
            cell.kind, cell.column, cell.timestamp, cell.timeToLive, cell.localDeletionTime, pathFlag, into: &bytes)
    }

    private func appendHead<Sink: ByteSink & ~Copyable>(
        _ kind: Cell.Kind, _ column: UInt16?, _ timestamp: Int64, _ timeToLive: Int32, _ deletionTime: Int64,
        _ extraFlags: UInt8, into bytes: inout Sink
    ) {
        var flags = extraFlags | (kind == .expired ? Cell.Kind.tombstone : kind).rawValue
        if timestamp != baseTimestamp { flags |= RowFragmentFlags.ownTimestamp }
        let ownsTimeToLive =
            kind == .expired || kind == .expiring && (timeToLive != baseTimeToLive || deletionTime != baseExpiry)
        if ownsTimeToLive { flags |= RowFragmentFlags.ownTimeToLive }
        bytes.append(flags)
        if let column { bytes.appendVarint(Int(column)) }
        if timestamp != baseTimestamp { bytes.appendBigEndian(timestamp) }
        if ownsTimeToLive { bytes.appendBigEndian(timeToLive) }
        if ownsTimeToLive || kind.rawValue >= Cell.Kind.tombstone.rawValue { bytes.appendBigEndian(deletionTime) }
    }
}

/// Reads a fragment's bytes front to back: `begin`, then the cells in their order.
struct RowFragmentReader: ~Escapable {
    private var reader: ByteReader
    private var baseTimestamp: Int64 = 0
    private var baseTimeToLive: Int32 = 0
    private var baseExpiry: Int64 = .max
    private(set) var deletion = DeletionTime.none

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, at offset: Int = 0) {
        reader = ByteReader(bytes, at: offset)
    }

    var isAtEnd: Bool { reader.isAtEnd }

    /// Reads what comes before the cells.
    @_lifetime(self: copy self)
    mutating func begin() throws -> RowMarker? {
        let flags = try reader.uint8()
        guard flags & 0b1111_1000 == 0 else { throw ByteReader.tooShort }
        baseTimestamp = try reader.bigEndian(Int64.self)
        if flags & RowFragmentFlags.baseTimeToLive != 0 {
            baseTimeToLive = try reader.bigEndian(Int32.self)
            baseExpiry = try reader.bigEndian(Int64.self)
        }
        var marker: RowMarker?
        if flags & RowFragmentFlags.marker != 0 {
            let head = try head(hasColumn: false)
            marker = RowMarker(
                timestamp: head.timestamp, timeToLive: head.timeToLive, expiry: head.localDeletionTime)
        }
        if flags & RowFragmentFlags.deletion != 0 {
            deletion.timestamp = try reader.bigEndian(Int64.self)
            deletion.localDeletionTime = try reader.bigEndian(Int64.self)
        }
        return marker
    }

    @inline(__always)
    @_lifetime(self: copy self)
    mutating func cell() throws -> Cell {
        var cell = try head(hasColumn: true)
        // `head` leaves the flags' path bit in `path`: non-empty means that one follows.
        if !cell.path.isEmpty { cell.path = try reader.skip(try reader.varint()) }
        if cell.kind == .live || cell.kind == .expiring { cell.value = try reader.skip(try reader.varint()) }
        return cell
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func head(hasColumn: Bool) throws -> Cell {
        let flags = try reader.uint8()
        guard flags & 0b1110_0000 == 0, let kind = Cell.Kind(rawValue: flags & RowFragmentFlags.cellKind),
            let column = UInt16(exactly: hasColumn ? try reader.varint() : 0)
        else { throw ByteReader.tooShort }
        var cell = Cell(column: column, kind: kind, timestamp: baseTimestamp)
        if flags & RowFragmentFlags.ownTimestamp != 0 { cell.timestamp = try reader.bigEndian(Int64.self) }
        if flags & RowFragmentFlags.path != 0 { cell.path = 0..<1 }
        switch kind {
        case .live: break
        case .expiring where flags & RowFragmentFlags.ownTimeToLive == 0:
            (cell.timeToLive, cell.localDeletionTime) = (baseTimeToLive, baseExpiry)
        case .expiring:
            cell.timeToLive = try reader.bigEndian(Int32.self)
            cell.localDeletionTime = try reader.bigEndian(Int64.self)
        case .tombstone where flags & RowFragmentFlags.ownTimeToLive != 0:
            cell.kind = .expired
            cell.timeToLive = try reader.bigEndian(Int32.self)
            cell.localDeletionTime = try reader.bigEndian(Int64.self)
        case .tombstone, .complexDeletion, .expired: cell.localDeletionTime = try reader.bigEndian(Int64.self)
        }
        return cell
    }
}

extension RowFragment {
    init(_ bytes: RawSpan) throws {
        try decode(bytes)
    }

    /// Replaces the fragment by what the bytes from `offset` on say, keeping its memory.
    mutating func decode(_ bytes: RawSpan, at offset: Int = 0) throws {
        cells.removeAll(keepingCapacity: true)
        var reader = RowFragmentReader(bytes, at: offset)
        marker = try reader.begin()
        deletion = reader.deletion
        while !reader.isAtEnd { cells.append(try reader.cell()) }
    }

    /// Encodes the fragment, whose paths and values are ranges of `source`.
    func encode(from source: RawSpan, into bytes: inout [UInt8]) {
        let writer = writer(into: &bytes)
        for cell in cells { writer.append(cell, from: source, into: &bytes) }
    }

    /// Begins the fragment's bytes. The base follows from the content alone, so equal fragments have equal bytes.
    func writer<Sink: ByteSink & ~Copyable>(into bytes: inout Sink) -> RowFragmentWriter {
        var writer = RowFragmentWriter()
        let first = cells.first
        writer.begin(
            marker: marker, deletion: deletion,
            timestamp: marker?.timestamp ?? first?.timestamp ?? deletion.timestamp,
            timeToLive: marker?.timeToLive ?? (first?.kind == .expiring ? first?.timeToLive : nil) ?? 0,
            expiry: marker?.expiry ?? first?.localDeletionTime ?? .max, into: &bytes)
        return writer
    }
}
