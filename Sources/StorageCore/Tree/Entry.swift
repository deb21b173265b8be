// Entry.swift — one versioned entry as every source of the tree hands it out.

/// What an entry does to its key. Stored in tables and in the log: do not renumber.
enum EntryKind: UInt8, Sendable {
    case delete = 0
    case put = 1
    case merge = 2
}

/// One version of one key. Its pointers stay valid until the cursor that gave it moves or is released.
@unsafe struct UnsafeEntry {
    /// The key with its 4-byte keyspace id in front.
    var key: UnsafeRawBufferPointer
    var sequence: UInt64
    var kind: EntryKind
    /// Microseconds since 1970; `noExpiry` where there is none.
    var expiry: Int64
    var value: UnsafeRawBufferPointer

    static let noExpiry = Int64.max
}
