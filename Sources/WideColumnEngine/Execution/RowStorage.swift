// RowStorage.swift — the rows of a result, as they are put together and as they are read.
//
// Invariant: a value that is read by the short way of its column is what `CQLValue(_:type:)` makes of its bytes.

internal import Synchronization

/// The columns of a result, with what is known of them before there are rows.
final class ResultLayout: Sendable {
    let columns: [ResultColumn]
    /// The columns' types, where there is a short way to their values.
    private let scalars: [ScalarType?]
    /// Whether no column before has the name.
    private let isFirstOfName: [Bool]

    init(_ columns: [ResultColumn]) {
        self.columns = columns
        scalars = columns.map { ScalarType($0.type) }
        var names: Set<String> = []
        isFirstOfName = columns.map { names.insert($0.name).inserted }
    }

    /// The first column with the name, which is looked for at a column and the one behind it before all others.
    @inline(__always)
    func index(of name: String, near expected: Int) -> Int? {
        for index in expected...expected + 1 where index < columns.count && isFirstOfName[index] {
            if columns[index].name == name { return index }
        }
        return columns.firstIndex { $0.name == name }
    }

    @inline(__always)
    func value(_ bytes: RawSpan, column: Int) throws -> CQLValue {
        if let scalar = scalars[column], let value = scalar.value(bytes) { return value }
        return try CQLValue(bytes, type: columns[column].type)
    }
}

/// The values of all rows of a result.
final class RowStorage: Sendable {
    let layout: ResultLayout
    let rows: UnsafeRows
    /// The column whose name was asked for last: it, or the next, is asked for again.
    private let lastColumn = Atomic(0)

    init(_ layout: ResultLayout, _ rows: consuming UnsafeRows) {
        self.layout = layout
        self.rows = rows
    }

    func index(of name: String) -> Int? {
        let last = lastColumn.load(ordering: .relaxed)
        guard let index = layout.index(of: name, near: last) else { return nil }
        if index != last { lastColumn.store(index, ordering: .relaxed) }
        return index
    }

    func bytes(row: Int, column: Int) -> [UInt8]? {
        let cell = rows.cell(row: row, column: column)
        return cell.isNull ? nil : rows.withBytes(of: cell) { $0.array() }
    }

    func appendWireRows(to buffer: inout [UInt8]) {
        buffer.reserveCapacity(buffer.count + rows.byteCount + 4 * rows.count * rows.width)
        for row in 0..<rows.count {
            for column in 0..<rows.width {
                let cell = rows.cell(row: row, column: column)
                buffer.appendBigEndian(cell.byteCount)
                if cell.byteCount > 0 { rows.withBytes(of: cell) { buffer.append($0) } }
            }
        }
    }

    func value(row: Int, column: Int) -> CQLValue {
        let cell = rows.cell(row: row, column: column)
        guard !cell.isNull else { return .null }
        // Values were checked when they were written; what is damaged since is caught by the storage's checksums.
        return (try? rows.withBytes(of: cell) { try layout.value($0, column: column) }) ?? .null
    }
}

extension ScalarType {
    /// The value of the binary format; `nil` where that is not of the type's common form.
    @inline(__always)
    fileprivate func value(_ bytes: RawSpan) -> CQLValue? {
        switch self {
        case .text:
            return String(validUTF8: bytes).map { .text($0) }
        case .blob: return .blob(bytes.array())
        case .boolean:
            guard bytes.byteCount == 1 else { return nil }
            return .boolean(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: 0, as: UInt8.self) != 0)
        case .int: return bytes.bigEndian(Int32.self).map { .int($0) }
        case .bigint: return bytes.bigEndian(Int64.self).map { .bigint($0) }
        case .timestamp: return bytes.bigEndian(Int64.self).map { .timestamp($0) }
        case .double: return bytes.bigEndian(UInt64.self).map { .double(Double(bitPattern: $0)) }
        case .uuid, .timeuuid:
            guard bytes.byteCount == 16, let high = bytes.extracting(first: 8).bigEndian(UInt64.self),
                let low = bytes.extracting(droppingFirst: 8).bigEndian(UInt64.self)
            else { return nil }
            return .uuid(CQLUUID(mostSignificantBits: high, leastSignificantBits: low))
        }
    }
}

extension RawSpan {
    /// The number that all of the bytes are; `nil` where there are more or fewer.
    @inline(__always)
    fileprivate func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) -> Integer? {
        guard byteCount == MemoryLayout<Integer>.size else { return nil }
        return unsafe Integer(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: Integer.self))
    }
}

/// Collects the rows of a result.
struct RowBuilder: ~Copyable {
    private let layout: ResultLayout
    /// For rows that are appended without the builder's help; not in the middle of one that is appended with it.
    var rows: UnsafeRows
    /// The column of the row that is being appended whose value comes next.
    private var column = 0

    init(_ layout: ResultLayout, maximumCount: Int = .max, maximumByteCount: Int? = nil) {
        self.layout = layout
        rows = UnsafeRows(
            width: layout.columns.count, maximumCount: maximumCount, maximumByteCount: maximumByteCount)
    }

    init(columns: [ResultColumn]) {
        self.init(ResultLayout(columns))
    }

    var count: Int { rows.count }

    mutating func append(_ value: RawSpan) throws {
        try rows.reserve(value.byteCount)
        let cell = rows.append(value)
        try append(cell)
    }

    mutating func append(_ value: CQLValue, _ type: CQLType) throws {
        if value.isNull { return try appendNull() }
        let bytes = try value.serialized(as: type)
        try append(bytes.rawSpan)
    }

    mutating func appendNull() throws {
        try append(.null)
    }

    private mutating func append(_ cell: CellRange) throws {
        if column == 0 { try rows.beginRow() }
        rows[column] = cell
        column += 1
    }

    mutating func endRow() throws {
        if column == 0 { try rows.beginRow() }
        rows.endRow()
        column = 0
    }

    /// Forgets the rows that were appended since, and what there is of another one.
    mutating func removeRows(from mark: UnsafeRows.Mark) {
        rows.removeRows(from: mark)
        column = 0
    }

    /// The rows in the order of `permutation`.
    mutating func reorder(_ permutation: [Int]) {
        rows.reorder(permutation)
    }

    /// The rows appended so far; the next ones begin anew.
    mutating func storage() -> RowStorage {
        var taken = UnsafeRows(width: rows.width)
        swap(&taken, &rows)
        return RowStorage(layout, taken)
    }
}
