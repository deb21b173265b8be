// DescriptorPool.swift — files that are open for reading and share a number of descriptors.
//
// Invariants:
// (1) `heldCount` is the number of pooled files that hold a descriptor or are about to open one. It exceeds `capacity`
//     only while more threads than that open files at once.
// (2) Every file that holds one is in `clock` exactly once, or about to enter it.
// A descriptor that is taken back while a read uses it stays open until that read ends: the reader holds a reference.

internal import DequeModule
internal import Synchronization

/// Opens files for reading and closes those not read lately when there are too many; they are opened again when read.
final class DescriptorPool: Sendable {
    private struct Entry {
        weak var file: PooledFile?
    }

    private struct State {
        var clock: Deque<Entry> = []
        var heldCount = 0
        var isClosed = false
    }

    /// What a look at the pool comes to.
    private enum Step {
        case reserved
        case takeBack(PooledFile)
        case closed
    }

    private let fileSystem: any FileSystem
    private let capacity: Int
    private let state = Mutex(State())

    init(fileSystem: any FileSystem, capacity: Int) {
        self.fileSystem = fileSystem
        self.capacity = max(capacity, 1)
    }

    /// Files that hold a descriptor now.
    var heldCount: Int { state.withLock { $0.heldCount } }

    /// Opens the file at a path, which must keep its name as long as the result is read.
    func open(_ path: String) throws -> PooledFile {
        let file = PooledFile(path: path, pool: self)
        _ = try file.opened()
        return file
    }

    /// Closes every file; reading one throws `.closed` from now on.
    func close() {
        let files = state.withLock { state in
            state.isClosed = true
            defer { state.clock = [] }
            return state.clock.compactMap(\.file)
        }
        for file in files { file.giveBack() }
    }

    /// Opens the file at a path with a descriptor that is counted.
    fileprivate func openFile(_ path: String) throws -> any StorageFile {
        try reserve(path)
        do {
            return try fileSystem.open(path, .read)
        } catch {
            didGiveBack()
            throw error
        }
    }

    private func reserve(_ path: String) throws {
        while true {
            // The last references may be the ones made here: they go after the lock, which their going takes.
            var seen: [PooledFile] = []
            let step = state.withLock { nextStep(&$0, seen: &seen) }
            switch step {
            case .reserved: return
            case .takeBack(let file): file.giveBack()
            case .closed: throw StorageError(.closed, "The storage was closed.", file: path)
            }
        }
    }

    /// Second chance: a file that was read since the last look is passed over once.
    private func nextStep(_ state: inout State, seen: inout [PooledFile]) -> Step {
        if state.isClosed { return .closed }
        var rounds = 2 * state.clock.count
        while state.heldCount >= capacity, rounds > 0, let entry = state.clock.popFirst() {
            rounds -= 1
            guard let file = entry.file else { continue }
            seen.append(file)
            guard file.wasUsed.exchange(false, ordering: .relaxed) else { return .takeBack(file) }
            state.clock.append(entry)
        }
        state.heldCount += 1
        return .reserved
    }

    /// Takes note of a file that has been opened; false if it came too late.
    fileprivate func enter(_ file: PooledFile) -> Bool {
        // As in `reserve`.
        var seen: [PooledFile] = []
        return state.withLock { state in
            guard !state.isClosed else { return false }
            if state.clock.count > 2 * capacity {
                state.clock.removeAll { entry in
                    guard let file = entry.file else { return true }
                    seen.append(file)
                    return false
                }
            }
            state.clock.append(Entry(file: file))
            return true
        }
    }

    fileprivate func didGiveBack() {
        state.withLock { $0.heldCount -= 1 }
    }
}

/// A file that is open whenever it is read, and may be closed in between.
final class PooledFile: StorageFile {
    let path: String
    private let pool: DescriptorPool
    private let held = Mutex<(any StorageFile)?>(nil)
    /// Held while the file is opened, so that nobody opens it twice.
    private let opening = Mutex<Void>(())
    private let isClosed = Atomic<Bool>(false)
    /// Whether it was read since the pool looked last.
    fileprivate let wasUsed = Atomic<Bool>(true)

    fileprivate init(path: String, pool: DescriptorPool) {
        self.path = path
        self.pool = pool
    }

    deinit { giveBack() }

    /// The open file behind this one.
    fileprivate func opened() throws -> any StorageFile {
        if let file = current { return file }
        return try opening.withLock { _ in
            if let file = current { return file }
            guard !isClosed.load(ordering: .acquiring) else {
                throw StorageError(.closed, "The file is closed.", file: path)
            }
            let file = try pool.openFile(path)
            held.withLock { $0 = file }
            wasUsed.store(true, ordering: .relaxed)
            guard pool.enter(self) else {
                giveBack()
                throw StorageError(.closed, "The storage was closed.", file: path)
            }
            return file
        }
    }

    private var current: (any StorageFile)? {
        let file = held.withLock { $0 }
        if file != nil, !wasUsed.load(ordering: .relaxed) { wasUsed.store(true, ordering: .relaxed) }
        return file
    }

    /// Lets go of the descriptor; reads in progress finish first.
    fileprivate func giveBack() {
        let file = held.withLock { current in
            defer { current = nil }
            return current
        }
        if file != nil { pool.didGiveBack() }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        unsafe try opened().read(into: buffer, at: offset)
    }

    func byteCount() throws -> Int64 { try opened().byteCount() }

    func willRead(from offset: Int64, byteCount: Int) { current?.willRead(from: offset, byteCount: byteCount) }

    func close() throws {
        isClosed.store(true, ordering: .releasing)
        giveBack()
    }

    // MARK: Not for a file that is only read

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { throw readOnly }
    func truncate(to byteCount: Int64) throws { throw readOnly }
    func allocate(byteCount: Int64) throws { throw readOnly }
    func startWriteBack(from offset: Int64, byteCount: Int64) {}
    func sync() throws { throw readOnly }

    private var readOnly: StorageError { StorageError(.ioFailure, "The file is open for reading only.", file: path) }
}
