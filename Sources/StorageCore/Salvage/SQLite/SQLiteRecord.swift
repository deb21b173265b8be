// SQLiteRecord.swift — a row as SQLite stores it, and the rows that a storage has.
//
//   byte count of the header, itself included; the type of each column; then the columns' bytes. The numbers are varints.
//   type 0 is NULL, 1…6 integers of 1, 2, 3, 4, 6 and 8 bytes, 7 a double, 8 and 9 the integers 0 and 1,
//   even ones from 12 a blob of (type - 12) / 2 bytes, odd ones from 13 a text of (type - 13) / 2 bytes.
//
// A record is valid if (1) its header ends with a type's last byte, (2) no type is 10 or 11, (3) header and columns fill it.

internal import StorageTypes

enum SQLiteValue: Equatable {
    case null
    case integer(Int64)
    case double
    case blob(ArraySlice<UInt8>)
    case text(ArraySlice<UInt8>)

    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    var string: String? {
        guard case .text(let bytes) = self else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The columns of a record; nil if it is none.
    static func decode(_ record: [UInt8]) -> [SQLiteValue]? {
        var position = 0
        guard let headerEnd = record.byteCount(at: &position), headerEnd <= record.count else { return nil }
        var values: [SQLiteValue] = []
        var end = headerEnd
        while position < headerEnd {
            guard let type = record.varint(at: &position), position <= headerEnd,
                let byteCount = byteCount(ofType: type), byteCount <= record.count - end
            else { return nil }
            values.append(value(ofType: type, record, end, byteCount))
            end += byteCount
        }
        return end == record.count ? values : nil
    }

    private static func byteCount(ofType type: UInt64) -> Int? {
        switch type {
        case 0, 8, 9: 0
        case 1...4: Int(type)
        case 5: 6
        case 6, 7: 8
        case 10, 11: nil
        default: Int(exactly: (type - 12) / 2)
        }
    }

    private static func value(ofType type: UInt64, _ record: [UInt8], _ offset: Int, _ byteCount: Int) -> SQLiteValue {
        switch type {
        case 0: .null
        case 1...6: record.signedBigEndian(at: offset, byteCount: byteCount).map { .integer($0) } ?? .null
        case 8: .integer(0)
        case 9: .integer(1)
        case 12...:
            type % 2 == 0 ? .blob(record[offset..<offset + byteCount]) : .text(record[offset..<offset + byteCount])
        default: .double
        }
    }
}

/// A row of `entries`.
struct SQLiteEntryRecord {
    var key: [UInt8]
    var value: ArraySlice<UInt8>
    /// As entries have it.
    var expiry: Int64

    /// Nil if the record is no entry's.
    init?(_ record: [UInt8]) {
        guard let values = SQLiteValue.decode(record), values.count == 3, case .blob(let key) = values[0],
            key.count >= Keyspace.prefixByteCount, case .blob(let value) = values[1]
        else { return nil }
        switch values[2] {
        case .null: unsafe expiry = UnsafeEntry.noExpiry
        case .integer(let time): expiry = time
        default: return nil
        }
        self.key = Array(key)
        self.value = value
    }
}

/// A row of `keyspaces`.
struct SQLiteKeyspaceRecord {
    var id: UInt32
    var name: String
    var expiry = ExpiryPolicy.none
    var isVolatile = false
    var isDedicated = false
    var isArchived = true
    var mergeOperator = ""

    init(id: UInt32, name: String) {
        self.id = id
        self.name = name
    }

    /// Nil if the record is no keyspace's.
    init?(_ record: [UInt8], rowID: Int64) {
        guard let values = SQLiteValue.decode(record), values.count == 7, values[0] == .null,
            let id = UInt32(exactly: rowID), id > 0, id < .max - 1, let name = values[1].string,
            let policy = values[2].integer, let expiry = ExpiryPolicy(rawValue: UInt8(clamping: policy)),
            let isVolatile = values[3].integer, let isDedicated = values[4].integer,
            let isArchived = values[5].integer, let mergeOperator = values[6].string
        else { return nil }
        self.init(id: id, name: name)
        self.expiry = expiry
        self.isVolatile = isVolatile != 0
        self.isDedicated = isDedicated != 0
        self.isArchived = isArchived != 0
        self.mergeOperator = mergeOperator
    }
}

/// The row of `meta`.
struct SQLiteMetaRecord {
    var sequence: Int64
    var commitTime: Int64
    var nextKeyspace: Int64
    var purgedThrough: Int64?

    init(sequence: Int64, commitTime: Int64, nextKeyspace: Int64, purgedThrough: Int64?) {
        self.sequence = sequence
        self.commitTime = commitTime
        self.nextKeyspace = nextKeyspace
        self.purgedThrough = purgedThrough
    }

    /// Nil if the record is none.
    init?(_ record: [UInt8]) {
        guard let values = SQLiteValue.decode(record), values.count == 3 || values.count == 4,
            let sequence = values[0].integer, sequence >= 0, let commitTime = values[1].integer,
            let nextKeyspace = values[2].integer, nextKeyspace > 0, nextKeyspace < Int64(UInt32.max)
        else { return nil }
        if values.count == 4 {
            guard values[3] == .null || values[3].integer != nil else { return nil }
            purgedThrough = values[3].integer
        }
        self.sequence = sequence
        self.commitTime = commitTime
        self.nextKeyspace = nextKeyspace
    }
}
