// RowFragment+Collections.swift — columns that have a cell for each element, and the values those make.
//
// A cell's path says which element it is:
//
//   set, map   the element or key as an ordered component, so cells lie in the collection's order
//   list       a timeuuid as an ordered component: elements lie in the order they were added
//   user type  the index of the field, 2 bytes

extension RowFragment {
    /// The live cells of a column's elements, in their order.
    func elements(_ column: UInt16, at seconds: Int64) -> [Cell] {
        cells.filter { $0.column == column && !$0.path.isEmpty && $0.isLive(at: seconds) }
    }

    /// The value that the live elements make, in its binary format; `nil`: none is left, which is null.
    func collection(_ column: ColumnDefinition, _ bytes: [UInt8], at seconds: Int64) -> [UInt8]? {
        let elements = elements(column.id, at: seconds)
        guard !elements.isEmpty else { return nil }
        var value: [UInt8] = []
        if case .userType(let type) = column.type {
            Self.append(fields: elements, bytes, type, to: &value)
            return value
        }
        value.appendBigEndian(Int32(truncatingIfNeeded: elements.count))
        for cell in elements {
            switch column.type {
            case .set(let type): Self.append(key: cell, bytes, type, to: &value)
            case .map(let type, _):
                Self.append(key: cell, bytes, type, to: &value)
                Self.append(bytes[cell.value], to: &value)
            default: Self.append(bytes[cell.value], to: &value)
            }
        }
        return value
    }

    private static func append(_ element: ArraySlice<UInt8>, to value: inout [UInt8]) {
        value.appendBigEndian(Int32(truncatingIfNeeded: element.count))
        value.append(contentsOf: element)
    }

    private static func append(key cell: Cell, _ bytes: [UInt8], _ type: CQLType, to value: inout [UInt8]) {
        append(ElementPath.key(bytes[cell.path], type)[...], to: &value)
    }

    private static func append(fields cells: [Cell], _ bytes: [UInt8], _ type: UserType, to value: inout [UInt8]) {
        var next = 0
        for cell in cells {
            guard let index = ElementPath.field(bytes[cell.path]), index >= next, index < type.fields.count else {
                continue
            }
            for _ in next..<index { value.appendBigEndian(Int32(-1)) }
            append(bytes[cell.value], to: &value)
            next = index + 1
        }
        for _ in next..<type.fields.count { value.appendBigEndian(Int32(-1)) }
    }
}

/// The paths of elements' cells.
enum ElementPath {
    /// The path of a set's element or a map's key.
    static func path(ofKey key: [UInt8], _ type: CQLType) throws -> [UInt8] { try OrderedComponent.bytes(key, type) }

    /// The element or key in its binary format. What can't be read is empty: paths are written by this engine, and
    /// what is damaged since is caught by the storage's checksums.
    static func key(_ path: ArraySlice<UInt8>, _ type: CQLType) -> [UInt8] {
        let path = Array(path)
        var key: [UInt8] = []
        var offset = 0
        guard
            (try? OrderedComponent.decode(path.rawSpan, at: &offset, type, descending: false, into: &key)) != nil
        else { return [] }
        return key
    }

    static func path(ofListElement id: CQLUUID) -> [UInt8] {
        var path: [UInt8] = []
        path.appendBigEndian(id.orderedHigh)
        path.appendBigEndian(id.leastSignificantBits ^ 0x8080_8080_8080_8080)
        return path
    }

    static func path(ofField index: Int) -> [UInt8] {
        var path: [UInt8] = []
        path.appendBigEndian(UInt16(truncatingIfNeeded: index))
        return path
    }

    static func field(_ path: ArraySlice<UInt8>) -> Int? {
        guard path.count == 2, let high = path.first, let low = path.last else { return nil }
        return Int(high) << 8 | Int(low)
    }
}
