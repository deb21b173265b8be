// ReadView.swift — what a read path is written against: a snapshot, or an open transaction.

/// Reads as of a snapshot, or inside an open transaction with its own writes on top.
///
/// Cheap to copy. The view of a transaction is good inside its body only.
public struct ReadView {
    enum Source {
        case snapshot(Snapshot)
        case transaction(WriteTransaction)
    }

    let source: Source

    init(_ source: Source) {
        self.source = source
    }

    /// The time against which expiry is judged.
    public var readTime: StorageInstant {
        switch source {
        case .snapshot(let snapshot): snapshot.readTime
        case .transaction(let transaction): transaction.commitTime
        }
    }

    /// The newest commit that is seen; for a transaction, the number that it will carry itself.
    public var sequence: SequenceNumber {
        switch source {
        case .snapshot(let snapshot): snapshot.sequence
        case .transaction(let transaction): transaction.sequence
        }
    }

    /// A copy of the value of `key`, nil if it is absent or expired.
    public func get(_ keyspace: Keyspace, _ key: RawSpan) throws -> [UInt8]? {
        var value: [UInt8]?
        try read(keyspace, key) { value = $0.array() }
        return value
    }

    /// Whether `key` has a value.
    public func contains(_ keyspace: Keyspace, _ key: RawSpan) throws -> Bool {
        try read(keyspace, key) { _ in }
    }

    /// Calls `body` with the value of `key`, without copying it where that is possible; nil if the key is absent.
    /// The span is good inside `body` only.
    @inlinable
    public func withValue<R>(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> R) throws -> R? {
        var result: R?
        try read(keyspace, key) { result = try body($0) }
        return result
    }

    /// Calls `body` with the value of `key`; false if the key is absent.
    ///
    /// - Throws: what the body throws; `StorageError`: `.notFound` if the keyspace was dropped, be it after the snapshot,
    ///   `.closed`, and what reading files can fail with.
    @discardableResult
    public func read(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> Void) throws -> Bool {
        try keyspace.findUnlessDropped { try find(keyspace, key, body) }
    }

    @inline(__always)
    private func find(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> Void) throws -> Bool {
        try unsafe keyspace.withTreeKey(key) { treeKey in
            switch source {
            case .snapshot(let snapshot):
                try snapshot.checkOpen()
                if let reader = snapshot.reader {
                    snapshot.traceSink?.record(.database)
                    return unsafe try reader.withValue(of: treeKey, in: keyspace, readTime: snapshot.readTime) {
                        unsafe try body(RawSpan(_unsafeBytes: $0))
                    }
                }
                return unsafe try keyspace.withValue(
                    of: treeKey, sequence: snapshot.sequence.rawValue, readTime: snapshot.readTime,
                    traceSink: snapshot.traceSink
                ) { unsafe try body(RawSpan(_unsafeBytes: $0)) }
            case .transaction(let transaction):
                return unsafe try transaction.read(keyspace, treeKey) { unsafe try body(RawSpan(_unsafeBytes: $0)) }
            }
        }
    }

    /// A cursor over the keys in `range`, unpositioned.
    public func cursor(_ keyspace: Keyspace, _ range: KeyRange = .all) throws -> Cursor {
        switch source {
        case .snapshot(let snapshot):
            try snapshot.checkOpen()
            return Cursor(
                try CursorCore(
                    keyspace: keyspace, range: range, sequence: snapshot.sequence.rawValue, readTime: snapshot.readTime,
                    snapshot: snapshot, reader: snapshot.reader, traceSink: snapshot.traceSink))
        case .transaction(let transaction):
            return try transaction.makeCursor(keyspace, range)
        }
    }
}

extension Keyspace {
    /// Calls `body` with `key` behind the keyspace's prefix, on the stack where it is short.
    func withTreeKey<R>(_ key: RawSpan, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let count = Keyspace.prefixByteCount + key.byteCount
        return unsafe try withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { buffer in
            unsafe buffer.storeBytes(of: id.bigEndian, as: UInt32.self)
            unsafe key.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[Keyspace.prefixByteCount...])
                    .copyMemory(from: source)
            }
            return unsafe try body(UnsafeRawBufferPointer(buffer))
        }
    }
}
