// Cursor.swift — the public face of a cursor.

/// Walks the entries of a keyspace both ways, inside its bounds, as of one sequence.
///
/// It starts unpositioned: seek first. It owns what it reads, so it stays good while the storage goes on; a cursor of a
/// transaction sees that transaction's writes as of the cursor's creation.
public struct Cursor: ~Copyable {
    // Inside the cursor: whoever holds it holds it alone, so that no step checks or counts anything.
    private var core: CursorCore
    // What the core shows, once more: reading it from another module is then not a call. A step of a scan takes as long as
    // a handful of calls.
    @usableFromInline private(set) var shown = UnsafeShownEntry()

    init(_ core: consuming CursorCore) {
        self.core = core
    }

    /// Whether the cursor stands on an entry.
    @inlinable
    public var isValid: Bool { shown.isValid }

    /// The current key, borrowed until the cursor moves. The cursor must be valid.
    @inlinable
    public var key: RawSpan {
        @_lifetime(borrow self)
        get {
            precondition(shown.isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: shown.key), borrowing: self)
        }
    }

    /// The current value, borrowed until the cursor moves. The cursor must be valid.
    @inlinable
    public var value: RawSpan {
        @_lifetime(borrow self)
        get {
            precondition(shown.isValid, "A cursor is read only where it is valid.")
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: shown.value), borrowing: self)
        }
    }

    /// Moves to the first entry.
    public mutating func seekToFirst() throws { try move { try $0.seekToFirst() } }

    /// Moves to the last entry.
    public mutating func seekToLast() throws { try move { try $0.seekToLast() } }

    /// Moves to the first entry at or after `key`.
    public mutating func seek(_ key: RawSpan) throws { try move { try $0.seek(key) } }

    /// Moves to the last entry at or before `key`.
    public mutating func seekBackward(_ key: RawSpan) throws { try move { try $0.seekBackward(key) } }

    /// Moves to the next entry. The cursor must be valid.
    public mutating func next() throws { try move { try $0.next() } }

    /// Moves to the entry before. The cursor must be valid.
    public mutating func previous() throws { try move { try $0.previous() } }

    /// What is shown is that of the new place, or nothing where the move failed.
    @inline(__always)
    private mutating func move(_ move: (inout CursorCore) throws -> Void) throws {
        shown.isValid = false
        try move(&core)
        guard core.isValid else { return }
        unsafe shown.key = core.key
        unsafe shown.value = core.value
        shown.isValid = true
    }
}

/// Where the entry lies that a cursor stands on; the cursor keeps it there until it moves.
@safe
@usableFromInline
struct UnsafeShownEntry {
    @usableFromInline var isValid = false
    @usableFromInline var key = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    @usableFromInline var value = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    init() {}
}
