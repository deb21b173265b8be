// WriteTransaction.swift — a batch that can be read while it is written.

/// The changes of one commit, open inside the body of ``Storage/write(_:_:)`` and nowhere else.
///
/// It runs alone: no other commit happens between its first read and its end, so what it reads is what it changes. It
/// reads its own writes. If the body throws, nothing of it ever happened.
public final class WriteTransaction {
    /// What a transaction knows beside its changes.
    private struct State {
        var sequence: SequenceNumber
        var commitTime: StorageInstant
        /// Reads the rows of a SQLite database; nil where the storage is made of trees.
        var reader: SQLiteReader?
        var traceSink: (any AccessTraceSink)?
        var commitActions: [(SequenceNumber) -> Void] = []
        /// The batch in key order, once there was a cursor.
        var order: BatchOrder?
        var lastOrdinal: UInt32 = 0
        var changeCount = 0
        var refusal: (any Error)?
    }

    // Used several times for each write, and never while code of the caller runs.
    @exclusivity(unchecked) private(set) var batch: WriteBatch
    @exclusivity(unchecked) private var isOpen = true
    @exclusivity(unchecked) private var state: State

    init(
        sequence: SequenceNumber, commitTime: StorageInstant, batch: WriteBatch = WriteBatch(),
        reader: SQLiteReader? = nil
    ) {
        unsafe state = State(sequence: sequence, commitTime: commitTime, reader: reader)
        unsafe self.batch = batch
    }

    /// The number that this commit will carry.
    public var sequence: SequenceNumber { unsafe state.sequence }

    /// Later than that of every commit before; expiry is judged against it too.
    public var commitTime: StorageInstant { unsafe state.commitTime }

    /// Is told what the transaction reads, and once its body has ended, what it changes.
    public var traceSink: (any AccessTraceSink)? {
        get { unsafe state.traceSink }
        set { unsafe state.traceSink = newValue }
    }

    var commitActions: [(SequenceNumber) -> Void] { unsafe state.commitActions }

    /// How many changes were made so far; what tells whether an operation of several has begun.
    public var changeCount: Int { unsafe state.changeCount }

    /// Why the transaction must not be committed, if so.
    var refusal: (any Error)? { unsafe state.refusal }

    /// Keeps the transaction from being committed, whatever its body does: something that belongs together was written
    /// half. ``Storage/write(_:_:)`` throws the first error that was given here.
    public func refuseCommit(because error: any Error) {
        checkOpen()
        if unsafe state.refusal == nil { unsafe state.refusal = error }
    }

    /// Begins another transaction with an object that nobody else has any more; takes over an empty batch.
    func begin(
        sequence: SequenceNumber, commitTime: StorageInstant, batch: inout WriteBatch, reader: SQLiteReader?
    ) {
        unsafe assert(!isOpen && self.batch.isEmpty && batch.isEmpty)
        unsafe state.sequence = sequence
        unsafe state.commitTime = commitTime
        unsafe state.reader = reader
        unsafe state.lastOrdinal = 0
        unsafe state.changeCount = 0
        unsafe swap(&batch, &self.batch)
        unsafe isOpen = true
    }

    /// Ends the transaction; its batch takes the place of an empty one.
    func end(_ batch: inout WriteBatch, isCommitted: Bool) {
        unsafe isOpen = false
        if let traceSink {
            if isCommitted { unsafe self.batch.tell(traceSink) }
            self.traceSink = nil
        }
        if unsafe !state.commitActions.isEmpty { unsafe state.commitActions = [] }
        if unsafe state.order != nil { unsafe state.order = nil }
        if unsafe state.reader != nil { unsafe state.reader = nil }
        if unsafe state.refusal != nil { unsafe state.refusal = nil }
        unsafe swap(&batch, &self.batch)
    }

    private func checkOpen() {
        unsafe precondition(isOpen, "A write transaction is used only inside the body that it was given to.")
    }

    /// Makes a change; one that is refused changes nothing, and does not count.
    @inline(__always)
    private func change(_ body: (inout WriteBatch) throws -> Void) throws {
        checkOpen()
        unsafe try body(&batch)
        unsafe state.changeCount &+= 1
    }

    // MARK: Writing

    /// Sets the value of `key`; see ``WriteBatch/put(_:_:_:expiry:)`` for the errors.
    public func put(_ keyspace: Keyspace, _ key: RawSpan, _ value: RawSpan, expiry: StorageInstant? = nil) throws {
        try change { try $0.put(keyspace, key, value, expiry: expiry) }
    }

    /// Removes `key`; nothing happens if it is absent.
    public func delete(_ keyspace: Keyspace, _ key: RawSpan) throws {
        try change { try $0.delete(keyspace, key) }
    }

    /// Removes every key in `range`, at a cost that does not depend on how many there are.
    public func deleteRange(_ keyspace: Keyspace, _ range: KeyRange) throws {
        try change { try $0.deleteRange(keyspace, range) }
    }

    /// Combines `operand` with the value of `key` by the keyspace's merge operator, without reading it.
    public func merge(_ keyspace: Keyspace, _ key: RawSpan, _ operand: RawSpan, expiry: StorageInstant? = nil) throws {
        try change { try $0.merge(keyspace, key, operand, expiry: expiry) }
    }

    /// The versions of `key` in memory that were merged and that a read has to put together, from the newest one on, `limit`
    /// at most; without those of this transaction. 0 in a SQLite database, which has one version of each key.
    public func operandCount(_ keyspace: Keyspace, _ key: RawSpan, upTo limit: Int) -> Int {
        checkOpen()
        guard unsafe state.reader == nil else { return 0 }
        return unsafe keyspace.withTreeKey(key) { unsafe keyspace.operandCount(of: $0, maxSequence: base, upTo: limit) }
    }

    /// 0, 1, 2 …: tells the records that one commit adds to a stream apart.
    public func nextOrdinal() -> UInt32 {
        checkOpen()
        defer { unsafe state.lastOrdinal += 1 }
        return unsafe state.lastOrdinal
    }

    /// Runs `action` in the writer lane once the commit is certain and before it becomes visible, so that a structure
    /// in memory matches what readers see. Actions run in the order in which they were added; none runs if the body
    /// throws. An action must be short and must not write to the storage.
    public func onCommit(_ action: @escaping (SequenceNumber) -> Void) {
        checkOpen()
        unsafe state.commitActions.append(action)
    }

    // MARK: Reading

    /// The storage with this transaction's own writes on top.
    public var view: ReadView {
        checkOpen()
        return ReadView(.transaction(self))
    }

    public func get(_ keyspace: Keyspace, _ key: RawSpan) throws -> [UInt8]? { try view.get(keyspace, key) }

    public func contains(_ keyspace: Keyspace, _ key: RawSpan) throws -> Bool { try view.contains(keyspace, key) }

    @inlinable
    public func withValue<R>(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> R) throws -> R? {
        try view.withValue(keyspace, key, body)
    }

    public func cursor(_ keyspace: Keyspace, _ range: KeyRange = .all) throws -> Cursor {
        try view.cursor(keyspace, range)
    }

    /// The newest commit that lies below this one.
    var base: UInt64 { sequence.rawValue - 1 }

    func makeCursor(_ keyspace: Keyspace, _ range: KeyRange) throws -> Cursor {
        checkOpen()
        if unsafe !batch.entries.isEmpty {
            let order = unsafe state.order ?? BatchOrder()
            unsafe order.catchUp(with: &batch)
            unsafe state.order = order
        }
        return Cursor(
            try CursorCore(
                keyspace: keyspace, range: range, sequence: base, readTime: commitTime,
                batch: unsafe batch.isEmpty ? nil : batch, order: unsafe state.order, batchSequence: sequence.rawValue,
                reader: unsafe state.reader, traceSink: traceSink))
    }

    /// Whether several keys may be looked up at once: in trees, with nobody to be told of each.
    var readsSideBySide: Bool { unsafe state.reader == nil && state.traceSink == nil }

    /// Whether the transaction has changed nothing of a key so far.
    func isUntouched(_ keyspace: Keyspace, _ key: [UInt8]) -> Bool {
        checkOpen()
        if unsafe batch.isEmpty { return true }
        return unsafe keyspace.withTreeKey(key.rawSpan) { key in
            if case .nothing = unsafe batch.find(key) { true } else { false }
        }
    }

    /// - Parameter key: The tree key.
    func read(
        _ keyspace: Keyspace, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        checkOpen()
        var operands: [[UInt8]] = []
        // Asked first, since a look into the batch counts references to all that it holds.
        switch unsafe batch.isEmpty ? .nothing : batch.find(key) {
        case .nothing:
            break
        case .covered:
            return false
        case .entry(let position):
            let entry = unsafe batch.entries[position]
            let isExpired = keyspace.judgesExpiry && entry.expiry <= commitTime.microseconds
            if entry.kind == .delete || isExpired { return false }
            let value = unsafe batch.withValue(of: position) { unsafe Array($0) }
            if entry.kind == .put {
                unsafe try value.withUnsafeBytes { unsafe try body($0) }
                return true
            }
            operands = [value]
        }
        if let reader = unsafe state.reader {
            traceSink?.record(.database)
            return unsafe try reader.withValue(of: key, in: keyspace, readTime: commitTime, newer: operands, body)
        }
        return unsafe try keyspace.withValue(
            of: key, sequence: base, readTime: commitTime, newer: operands, traceSink: traceSink, body)
    }
}
