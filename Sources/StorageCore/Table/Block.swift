// Block.swift — an entry block in memory: its restart points checked, immutable from then on.

internal import CStorage

/// The place of a block, for error messages.
struct BlockLocation: Sendable {
    let path: String
    let offset: UInt64

    func corruption(_ message: String) -> StorageError {
        .corruption(message, file: path, offset: Int64(exactly: offset))
    }
}

/// A block of entries (data, index, range tombstones, properties, meta index) in memory: a reference to it.
@safe
struct Block: @unchecked Sendable {
    // Guarded by immutability from `init` on.
    let memory: UnsafeBlockMemory

    /// Checks restart count and restart points.
    ///
    /// - Parameter isSearched: Whether to prepare for searches; not worth it for a block that is walked once.
    init(_ contents: consuming UnsafeBlockBytes, location: BlockLocation, isSearched: Bool = true) throws {
        let count = contents.count
        guard count >= 4, count <= Int(Int32.max) * 2 else { throw location.corruption("The block is too short.") }
        let restartCount = unsafe Int(readInteger(contents.base, count - 4, as: UInt32.self))
        guard restartCount <= (count - 4) / 4 else {
            throw location.corruption("The block has more restart points than room for them.")
        }
        let entries = unsafe UnsafeBlockEntries(
            base: UnsafeRawPointer(contents.base), byteCount: count - 4 - restartCount * 4, restartCount: restartCount)
        try Self.checkRestarts(entries, location)
        let directory = isSearched ? UnsafeRestartDirectory(entries, contents) : UnsafeRestartDirectory()
        unsafe memory = contents.memory
        unsafe header.pointee = BlockHeader(
            entries: entries, directory: directory,
            byteCount: count + contents.reserveByteCount + directory.ownedByteCount, location: location)
    }

    /// A block that was made before, by its memory.
    init(_ memory: UnsafeBlockMemory) {
        unsafe self.memory = unsafe memory
    }

    /// By its address: the property would check for exclusive access at each use.
    private var header: UnsafeMutablePointer<BlockHeader> {
        unsafe memory.withUnsafeMutablePointerToHeader { unsafe $0 }
    }

    /// The block's bytes, for as long as the block lives.
    var entries: UnsafeBlockEntries { unsafe header.pointee.entries }
    private var directory: UnsafeRestartDirectory { unsafe header.pointee.directory }
    var location: BlockLocation { unsafe header.pointee.location }

    /// What the block costs a cache.
    var byteCount: Int { unsafe header.pointee.byteCount }

    /// What the block holds, as it was before compression.
    var contentsByteCount: Int { entries.byteCount + restartCount * 4 + 4 }

    /// Asks for the lines that every search looks at.
    @inline(__always)
    func prefetch() { unsafe Self.prefetch(Unmanaged.passUnretained(memory)) }

    /// The same for a block whose references are not to be counted.
    @inline(__always)
    static func prefetch(_ memory: Unmanaged<UnsafeBlockMemory>) {
        let start = unsafe memory.toOpaque()
        for line in 0..<6 { unsafe cstorage_prefetch(start + line &* 64) }
    }

    /// Whether every entry is known to be a restart point.
    var isDense: Bool { directory.isDense }

    var restartCount: Int { entries.restartCount }
    var entriesByteCount: Int { entries.byteCount }

    private static func checkRestarts(_ entries: UnsafeBlockEntries, _ location: BlockLocation) throws {
        guard (entries.restartCount == 0) == (entries.byteCount == 0) else {
            throw location.corruption("The block has entries without restart points or the reverse.")
        }
        var previous = -1
        for index in 0..<entries.restartCount {
            let offset = entries.restart(index)
            guard offset > previous, offset < entries.byteCount, index > 0 || offset == 0 else {
                throw location.corruption("Restart point \(index) of the block is out of order or outside.")
            }
            previous = offset
        }
    }

    /// The restart point from which a walk forwards meets the first entry at or after (key, sequence): in a dense block that
    /// entry's own, otherwise the last one before it. Nil if there is no such entry for sure.
    @inline(__always)
    func restart(for key: UnsafeRawBufferPointer, _ sequence: UInt64) throws -> Int? {
        guard restartCount > 0 else { return nil }
        let first = unsafe try firstRestart(notBefore: key, sequence)
        guard directory.isDense else { return max(first &- 1, 0) }
        return first < restartCount ? first : nil
    }

    /// The first restart point whose entry is at or after (key, sequence); `restartCount` if there is none.
    private func firstRestart(notBefore key: UnsafeRawBufferPointer, _ sequence: UInt64) throws -> Int {
        let entries = entries
        var (low, high) = unsafe directory.candidates(for: key) ?? (0, entries.restartCount)
        prefetchEntry(low)
        while low < high {
            let middle = (low &+ high) / 2
            let entry = try entry(atRestart: middle)
            if unsafe compareEntries(entries.suffix(entry), entry.sequence, key, sequence) < 0 {
                low = middle &+ 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Asks for the lines of the entry where a search for `key` is likely to end.
    func prefetchEntry(of key: UnsafeRawBufferPointer) {
        if let (low, _) = unsafe directory.candidates(for: key) { prefetchEntry(max(low &- (isDense ? 0 : 1), 0)) }
    }

    /// Asks for the lines of the entry where a search is likely to end: its key, and in most cases its value.
    @inline(__always)
    private func prefetchEntry(_ restart: Int) {
        guard let offset = directory.offset(restart) else { return }
        for line in 0..<5 { unsafe cstorage_prefetch(entries.base + (offset &+ line &* 64)) }
    }

    /// The entry of a restart point, whose key is written whole.
    @inline(__always)
    func entry(atRestart index: Int) throws -> BlockEntry {
        let offset = directory.offset(index) ?? entries.restart(index)
        guard let entry = entries.entry(at: offset), entry.shared == 0 else { throw badEntry(offset) }
        return entry
    }

    @inline(never)
    func badEntry(_ offset: Int) -> StorageError {
        location.corruption("The entry at byte \(offset) of the block can't be decoded.")
    }
}
