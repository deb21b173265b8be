// Cursor.swift — the public face of a cursor.

/// Walks the entries of a keyspace both ways, inside its bounds, as of one sequence.
///
/// It starts unpositioned: seek first. It owns what it reads, so it stays good while the storage goes on; a cursor of a
/// transaction sees that transaction's writes as of the cursor's creation.
public struct Cursor: ~Copyable {
    // Inside the cursor: whoever holds it holds it alone, so that no step checks or counts anything.
    private var core: CursorCore

    init(_ core: consuming CursorCore) {
        self.core = core
    }

    /// Whether the cursor stands on an entry.
    public var isValid: Bool { core.isValid }

    /// The current key, borrowed until the cursor moves. The cursor must be valid.
    public var key: RawSpan {
        @_lifetime(borrow self)
        get {
            precondition(core.isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: core.key), borrowing: self)
        }
    }

    /// The current value, borrowed until the cursor moves. The cursor must be valid.
    public var value: RawSpan {
        @_lifetime(borrow self)
        get {
            precondition(core.isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: core.value), borrowing: self)
        }
    }

    /// Moves to the first entry.
    public mutating func seekToFirst() throws { try core.seekToFirst() }

    /// Moves to the last entry.
    public mutating func seekToLast() throws { try core.seekToLast() }

    /// Moves to the first entry at or after `key`.
    public mutating func seek(_ key: RawSpan) throws { try core.seek(key) }

    /// Moves to the last entry at or before `key`.
    public mutating func seekBackward(_ key: RawSpan) throws { try core.seekBackward(key) }

    /// Moves to the next entry. The cursor must be valid.
    public mutating func next() throws { try core.next() }

    /// Moves to the entry before. The cursor must be valid.
    public mutating func previous() throws { try core.previous() }
}
