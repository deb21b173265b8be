// SQLiteNode.swift — a file that several connections have open, with the locks they hold on it.
//
// SQLite's own files lock by `fcntl` and keep the index of the log in shared memory, so that processes can share a
// database. A storage keeps other processes out as a whole; what is left is the order among its own connections, and for
// that a mutex and memory of the heap do. Locks are tried, never waited for: who is refused gets SQLITE_BUSY.
//
// Log index locks, as SQLite's wal.c numbers them: 0 write, 1 checkpoint, 2 recovery, 3…7 readers.

internal import CSQLite
internal import Synchronization

/// One open file, shared by all connections of a storage.
@safe final class SQLiteNode: Sendable {
    /// What SQLite calls a lock level: how far a connection has got on its way to writing the database file.
    enum Level: Int32, Comparable {
        case none = 0
        case shared = 1
        case reserved = 2
        case pending = 3
        case exclusive = 4

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// The locks of one connection on the log index, a bit for each slot.
    struct IndexLocks {
        var shared: UInt8 = 0
        var exclusive: UInt8 = 0
    }

    private struct State {
        var sharedCount = 0
        var isReserved = false
        var isPending = false
        var isExclusive = false
        /// Holders of each slot of the log index; -1 is one exclusive holder.
        var slots = [Int](repeating: 0, count: Int(SQLITE_SHM_NLOCK))
        var isNameDurable: Bool
    }

    let path: String
    /// Nil for a log that does not exist, in a storage that must not create it, or could not yet.
    private let openFile: Mutex<(any StorageFile)?>
    private let state: Mutex<State>
    private let index = Mutex(SQLiteIndexMemory())
    private let lastWriteEnd = Atomic<Int64>(0)

    init(path: String, file: (any StorageFile)?, isNew: Bool) {
        self.path = path
        openFile = Mutex(file)
        state = Mutex(State(isNameDurable: !isNew))
    }

    var file: (any StorageFile)? { openFile.withLock { $0 } }

    /// The file, made by `create` if it is not there.
    func file(creating create: () throws -> any StorageFile) throws -> any StorageFile {
        try openFile.withLock { file in
            if let file { return file }
            let created = try create()
            file = created
            return created
        }
    }

    /// Puts a synced copy of the file, with a durable name, in its place. Reads that are under way end in the old one.
    func replaceFile(_ copy: any StorageFile) {
        openFile.withLock { $0 = copy }
        state.withLock { $0.isNameDurable = true }
    }

    /// Syncs the bytes, and the first time the name too.
    func sync(_ fileSystem: any FileSystem) throws {
        guard let file else { return }
        try file.sync()
        guard !state.withLock({ $0.isNameDurable }) else { return }
        try fileSystem.syncDirectory(FilePathText.parent(of: path))
        state.withLock { $0.isNameDurable = true }
    }

    /// Where the last write ended. A log is written from its beginning on, again and again: so this is its length.
    var writtenByteCount: Int64 { lastWriteEnd.load(ordering: .relaxed) }

    func noteWrite(end: Int64) { lastWriteEnd.store(end, ordering: .relaxed) }

    // MARK: Database locks

    /// Raises a lock from one level to another; false if another connection is in the way, and then nothing changed
    /// but that nobody new may read while a writer waits for the readers to end.
    func raise(from held: Level, to wanted: Level) -> Bool {
        state.withLock { state in
            if held == .none {
                guard !state.isPending, !state.isExclusive else { return false }
                state.sharedCount += 1
            }
            guard wanted >= .reserved else { return true }
            let isMine = held >= .reserved
            guard isMine || !state.isReserved else { return false }
            if wanted == .exclusive {
                guard state.sharedCount == 1 else {
                    if isMine { state.isPending = true }
                    return false
                }
                state.isPending = false
                state.isExclusive = true
            }
            state.isReserved = true
            return true
        }
    }

    /// Lowers a lock to `.shared` or `.none`.
    func lower(from held: Level, to wanted: Level) {
        state.withLock { state in
            if held >= .reserved {
                state.isReserved = false
                state.isPending = false
                state.isExclusive = false
            }
            if held >= .shared, wanted == .none { state.sharedCount -= 1 }
        }
    }

    var isReserved: Bool { state.withLock { $0.isReserved } }

    // MARK: Log index

    /// Takes or returns slots of the log index; false if another connection holds one.
    func lockIndex(_ slots: Range<Int>, exclusive: Bool, _ held: inout IndexLocks) -> Bool {
        let mask = Self.mask(slots)
        return state.withLock { state in
            if !exclusive {
                guard held.shared & mask != mask else { return true }
                guard slots.allSatisfy({ state.slots[$0] >= 0 }) else { return false }
                for slot in slots { state.slots[slot] += 1 }
                held.shared |= mask
                return true
            }
            guard held.exclusive & mask != mask else { return true }
            guard slots.allSatisfy({ state.slots[$0] == 0 }), !Self.isResetMeetingCheckpoint(slots, state.slots, held)
            else { return false }
            for slot in slots { state.slots[slot] = -1 }
            held.exclusive |= mask
            return true
        }
    }

    func unlockIndex(_ slots: Range<Int>, _ held: inout IndexLocks) {
        state.withLock { state in
            for slot in slots {
                let mask = Self.mask(slot..<slot + 1)
                if held.exclusive & mask != 0 {
                    state.slots[slot] = 0
                } else if held.shared & mask != 0 {
                    state.slots[slot] -= 1
                }
                held.exclusive &= ~mask
                held.shared &= ~mask
            }
        }
    }

    private static func mask(_ slots: Range<Int>) -> UInt8 { slots.reduce(0) { $0 | 1 << UInt8($1) } }

    private static let checkpointSlot = 1
    /// What a writer locks while it starts the log from its beginning again: every reader's slot but the first.
    private static let resetSlots = 4..<Int(SQLITE_SHM_NLOCK)

    /// A checkpoint that reads the log's header beside a writer that resets the log may copy frames of the old log over
    /// pages of the new one ("the WAL-reset bug" of SQLite up to 3.51.2). Here the two exclude each other.
    private static func isResetMeetingCheckpoint(_ slots: Range<Int>, _ holders: [Int], _ held: IndexLocks) -> Bool {
        if slots == resetSlots { return holders[checkpointSlot] != 0 && held.exclusive & mask(checkpointSlot..<2) == 0 }
        return slots.contains(checkpointSlot) && resetSlots.allSatisfy { holders[$0] == -1 }
    }

    /// A region of the log index, zeroed when it is new; nil if there is none and `extends` is false.
    func indexRegion(_ number: Int, byteCount: Int, extends: Bool) -> UnsafeMutableRawPointer? {
        unsafe index.withLock { unsafe $0.region(number, byteCount: byteCount, extends: extends) }
    }

    /// Orders what was written to the log index before with what is read after.
    func indexBarrier() { index.withLock { _ in } }

    /// Forgets the log index once no connection uses it.
    func removeIndex() { index.withLock { $0.removeAll() } }
}

/// The memory of a log index, which connections of one process share.
@safe struct SQLiteIndexMemory: ~Copyable, @unchecked Sendable {  // guarded by the node's mutex
    private var regions: [UnsafeMutableRawPointer] = unsafe []

    deinit { for index in unsafe regions.indices { unsafe regions[index].deallocate() } }

    mutating func region(_ number: Int, byteCount: Int, extends: Bool) -> UnsafeMutableRawPointer? {
        while unsafe regions.count <= number {
            guard extends else { return nil }
            let region = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            unsafe region.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            unsafe regions.append(region)
        }
        return unsafe regions[number]
    }

    mutating func removeAll() {
        for index in unsafe regions.indices { unsafe regions[index].deallocate() }
        unsafe regions.removeAll()
    }
}
