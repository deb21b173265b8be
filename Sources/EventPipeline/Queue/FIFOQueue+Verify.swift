// FIFOQueue+Verify.swift — the queue's own consistency, as part of the storage's `verify()`.

extension FIFOQueue {
    /// A line for each problem found: a delivery without its message, a number that was never given, an unreadable record.
    public func verify() throws -> [String] {
        try Self.problems(of: keyspace, in: storage.snapshot().view)
    }

    /// Registers the check; it holds on to the keyspace only, not to the queue.
    func registerCrossCheck() {
        storage.registerCrossCheck(keyspace.name) { [keyspace] snapshot in
            try Self.problems(of: keyspace, in: snapshot.view)
        }
    }

    private static func problems(of keyspace: Keyspace, in view: ReadView) throws -> [String] {
        let last = try lastSequence(of: keyspace, in: view)
        var problems: [String] = []
        var messages: Set<UInt64> = []
        try each(QueueKey.messages, of: keyspace, in: view) { sequence, value in
            _ = try StoredMessage(decoding: value, keyspace: keyspace.name)
            messages.insert(sequence)
            if sequence > last { problems.append("message \(sequence) has a number that was never given") }
        }
        try each(QueueKey.deliveries, of: keyspace, in: view) { sequence, value in
            _ = try Delivery(decoding: value, keyspace: keyspace.name)
            if !messages.contains(sequence) { problems.append("delivery \(sequence) has no message") }
        }
        return problems
    }

    static func lastSequence(of keyspace: Keyspace, in view: ReadView) throws -> UInt64 {
        guard let bytes = try view.get(keyspace, QueueKey.lastSequence) else { return 0 }
        var reader = try RecordReader(bytes, version: 1, keyspace: keyspace.name)
        let sequence = try reader.uint64()
        try reader.finish()
        return sequence
    }

    private static func each(
        _ range: KeyRange, of keyspace: Keyspace, in view: ReadView, _ body: (UInt64, [UInt8]) throws -> Void
    ) throws {
        var cursor = try view.cursor(keyspace, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let sequence = QueueKey.sequence(cursor.key.array()) else {
                throw StorageError.corruption("Keyspace \"\(keyspace.name)\" has a record under a malformed key.")
            }
            try body(sequence, cursor.value.array())
            try cursor.next()
        }
    }
}
