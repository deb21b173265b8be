// SQLiteCursor.swift — the rows of a key range as a source of a cursor.
//
// A row is the one version of its key that its reader can see. It is handed out as version `sequence`, which is above 0
// and not above that of any commit, so it lies below what an open transaction writes. Key and value are copies: the
// storage may be closed, and with it the statement, while somebody looks at them.

@safe final class SQLiteCursor {
    private static let sequence: UInt64 = 1

    private let reader: SQLiteReader
    private let lower: [UInt8]
    private let upper: [UInt8]
    private var statement: SQLiteStatement?
    private var query = SQLiteQuery.scan
    private(set) var isValid = false
    private var key = UnsafeByteBuffer()
    private var value = UnsafeByteBuffer()
    private var expiry = unsafe UnsafeEntry.noExpiry

    /// - Parameters:
    ///   - lower: The first tree key that belongs to the range.
    ///   - upper: The first tree key after the range.
    init(_ reader: SQLiteReader, lower: [UInt8], upper: [UInt8]) {
        self.reader = reader
        self.lower = lower
        self.upper = upper
    }

    deinit { reader.releasing { endStatement($0) } }

    var entry: UnsafeEntry {
        unsafe UnsafeEntry(
            key: key.bytes, sequence: Self.sequence, kind: .put, expiry: expiry, value: value.bytes)
    }

    // MARK: Moving

    func seekToFirst() throws { unsafe try lower.withUnsafeBytes { unsafe try start(.scan, $0, isExclusive: false) } }

    func seekToLast() throws {
        unsafe try upper.withUnsafeBytes { unsafe try start(.scanBackward, $0, isExclusive: true) }
    }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        guard unsafe compareBytes(lower, key) <= 0 else { return try seekToFirst() }
        unsafe try start(.scan, key, isExclusive: sequence < Self.sequence)
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        guard unsafe compareBytes(upper, key) > 0 else { return try seekToLast() }
        unsafe try start(.scanBackward, key, isExclusive: sequence > Self.sequence)
    }

    func next() throws { try reader.withConnection { _ in try step() } }

    func previous() throws { try reader.withConnection { _ in try step() } }

    // MARK: Statements

    /// Begins a scan at a key, which is left out where it is exclusive.
    private func start(_ query: SQLiteQuery, _ target: UnsafeRawBufferPointer, isExclusive: Bool) throws {
        try reader.withConnection { connection in
            isValid = false
            if query != self.query { endStatement(connection) }
            self.query = query
            let statement = try self.statement ?? connection.take(query)
            self.statement = statement
            statement.reset()
            unsafe bind(statement, target)
            try step()
            if isExclusive, isValid, unsafe isCurrent(target) { try step() }
        }
    }

    private func bind(_ statement: SQLiteStatement, _ target: UnsafeRawBufferPointer) {
        if query == .scan {
            unsafe statement.bind(1, copying: target)
            unsafe upper.withUnsafeBytes { unsafe statement.bind(2, copying: $0) }
        } else {
            unsafe lower.withUnsafeBytes { unsafe statement.bind(1, copying: $0) }
            unsafe statement.bind(2, copying: target)
        }
    }

    private func isCurrent(_ target: UnsafeRawBufferPointer) -> Bool {
        unsafe compareBytes(key.bytes, target) == 0
    }

    private func step() throws {
        isValid = false
        guard let statement, try statement.step() else { return }
        unsafe key.replace(with: statement.bytes(0))
        unsafe value.replace(with: statement.bytes(1))
        expiry = statement.expiry(2)
        isValid = true
    }

    private func endStatement(_ connection: SQLiteConnection) {
        if let statement { connection.giveBack(statement, query) }
        statement = nil
    }
}
