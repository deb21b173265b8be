// Cursor.swift — the public face of a cursor.

/// Walks the entries of a keyspace both ways, inside its bounds, as of one sequence.
///
/// It starts unpositioned: seek first. It owns what it reads, so it stays good while the storage goes on; a cursor of a
/// transaction sees that transaction's writes as of the cursor's creation.
@safe public struct Cursor: ~Copyable {
    // Inside the cursor: whoever holds it holds it alone, so that no step checks or counts anything.
    private var core: CursorCore
    /// Whether the cursor stands on an entry.
    public private(set) var isValid = false
    // What the core shows, and so `isValid`, is taken after each move, so that to look at an entry is to load these. A
    // value as large as a cursor is copied when it is lent to a call, which would be done three times for each entry.
    @usableFromInline var shownKey = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    @usableFromInline var shownValue = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ core: consuming CursorCore) {
        self.core = core
        show()
    }

    @inline(__always)
    private mutating func show() {
        isValid = core.isValid
        guard isValid else { return }
        unsafe shownKey = core.key
        unsafe shownValue = core.value
    }

    /// The current key, borrowed until the cursor moves. The cursor must be valid.
    public var key: RawSpan {
        @_lifetime(borrow self)
        @inlinable
        get {
            precondition(isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: shownKey), borrowing: self)
        }
    }

    /// The current value, borrowed until the cursor moves. The cursor must be valid.
    public var value: RawSpan {
        @_lifetime(borrow self)
        @inlinable
        get {
            precondition(isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: shownValue), borrowing: self)
        }
    }

    /// Moves to the first entry.
    public mutating func seekToFirst() throws {
        defer { show() }
        try core.seekToFirst()
    }

    /// Moves to the last entry.
    public mutating func seekToLast() throws {
        defer { show() }
        try core.seekToLast()
    }

    /// Moves to the first entry at or after `key`.
    public mutating func seek(_ key: RawSpan) throws {
        defer { show() }
        try core.seek(key)
    }

    /// Moves to the last entry at or before `key`.
    public mutating func seekBackward(_ key: RawSpan) throws {
        defer { show() }
        try core.seekBackward(key)
    }

    /// Moves to the next entry. The cursor must be valid.
    public mutating func next() throws {
        defer { show() }
        try core.next()
    }

    /// Moves to the entry before. The cursor must be valid.
    public mutating func previous() throws {
        defer { show() }
        try core.previous()
    }
}
