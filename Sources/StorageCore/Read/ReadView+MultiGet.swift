// ReadView+MultiGet.swift — several keys in one call.

extension ReadView {
    /// Copies of the values of several keys, in the order of the keys; nil for a key that is absent or expired.
    ///
    /// It gives what a ``get(_:_:)`` of each would. The keys are looked up side by side, so that their waits for memory and for
    /// the device overlap, and a block that several of them are in is read once.
    public func multiGet(_ keyspace: Keyspace, _ keys: [[UInt8]]) throws -> [[UInt8]?] {
        var values = [[UInt8]?](repeating: nil, count: keys.count)
        try multiGet(keyspace, keys) { place, value in
            if let value { values[place] = value.array() }
        }
        return values
    }

    /// Calls `body` once for each of several keys: with its place among `keys` and its value, without copying that where it is
    /// possible; nil for a key that is absent or expired.
    ///
    /// The calls come in no particular order. A span is good inside its call only. An error that `body` throws ends the call.
    public func multiGet(_ keyspace: Keyspace, _ keys: [[UInt8]], _ body: (Int, RawSpan?) throws -> Void) throws {
        switch source {
        case .snapshot(let snapshot) where snapshot.reader == nil && snapshot.traceSink == nil && keys.count > 1:
            try snapshot.checkOpen()
            return try keyspace.readSideBySide(
                keys, sequence: snapshot.sequence.rawValue, readTime: snapshot.readTime, body)
        case .transaction(let transaction) where transaction.readsSideBySide && keys.count > 1:
            return try transaction.multiGet(keyspace, keys, body)
        default: break
        }
        for (place, key) in keys.enumerated() {
            if try !read(keyspace, key.rawSpan, { try body(place, $0) }) { try body(place, nil) }
        }
    }
}

extension WriteTransaction {
    /// Keys that the transaction has not written are looked up side by side.
    fileprivate func multiGet(
        _ keyspace: Keyspace, _ keys: [[UInt8]], _ body: (Int, RawSpan?) throws -> Void
    ) throws {
        var below: [Int] = []
        for (place, key) in keys.enumerated() {
            if isUntouched(keyspace, key) {
                below.append(place)
            } else if try !view.read(keyspace, key.rawSpan, { try body(place, $0) }) {
                try body(place, nil)
            }
        }
        try keyspace.readSideBySide(below.map { keys[$0] }, sequence: base, readTime: commitTime) {
            try body(below[$0], $1)
        }
    }
}

extension Keyspace {
    fileprivate func readSideBySide(
        _ keys: [[UInt8]], sequence: UInt64, readTime: StorageInstant, _ body: (Int, RawSpan?) throws -> Void
    ) throws {
        try checkNotDropped()
        unsafe try withValues(of: keys, sequence: sequence, readTime: readTime) { place, value in
            if let value = unsafe value {
                unsafe try body(place, RawSpan(_unsafeBytes: value))
            } else {
                try checkNotDropped()
                try body(place, nil)
            }
        }
    }
}

extension Storage {
    /// Copies of the values that several keys have now, all as of one commit, in the order of the keys; nil for a key that is
    /// absent or expired. See ``ReadView/multiGet(_:_:)``.
    public func multiGet(_ keyspace: Keyspace, _ keys: [[UInt8]]) throws -> [[UInt8]?] {
        try snapshot().view.multiGet(keyspace, keys)
    }
}
