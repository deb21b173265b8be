// BlockBuilder.swift — lays out the contents of one entry block after another. Docs/FORMATS.md, "Entry blocks".

/// Builds entry blocks, reusing its memory. Entries come in table order.
@safe
struct BlockBuilder: ~Copyable {
    /// A look-up reads the entries behind a restart point one by one, and where they are large each is a cache miss. From
    /// this size on every entry is a restart point, and a look-up goes straight to it.
    private static let restartByteInterval = 256

    let restartInterval: Int
    private var contents = UnsafeByteBuilder(capacity: 8192)
    private var restarts: [UInt32] = []
    private var countSinceRestart = 0
    private var previousKey = UnsafeByteBuilder()
    private(set) var entryCount = 0
    /// The sequence of the entry added last.
    private(set) var lastSequence: UInt64 = 0

    init(restartInterval: Int) {
        self.restartInterval = max(restartInterval, 1)
    }

    var isEmpty: Bool { entryCount == 0 }

    /// Size of the contents if the block were finished now.
    var byteCount: Int { contents.count + restarts.count * 4 + 4 }

    /// The key of the entry added last, whether or not its block was finished since.
    var lastKey: UnsafeRawBufferPointer { unsafe previousKey.bytes }

    /// How many of its first bytes a key has in common with the one added last.
    func commonByteCount(_ key: UnsafeRawBufferPointer) -> Int {
        guard let base = key.baseAddress else { return 0 }
        return unsafe commonPrefixByteCount(base, previousKey.base, min(key.count, previousKey.count))
    }

    mutating func add(
        key: UnsafeRawBufferPointer, sequence: UInt64, kind: EntryKind, expiry: Int64, value: UnsafeRawBufferPointer
    ) {
        unsafe add(
            key: key, sequence: sequence, kind: kind, expiry: expiry, value: value, common: commonByteCount(key))
    }

    /// - Parameter common: `commonByteCount(key)`, for a caller who knows it.
    mutating func add(
        key: UnsafeRawBufferPointer, sequence: UInt64, kind: EntryKind, expiry: Int64, value: UnsafeRawBufferPointer,
        common: Int
    ) {
        assert(
            unsafe isEmpty || compareEntries(lastKey, lastSequence, key, sequence) < 0,
            "Entries must be added in table order.")
        let shared = startEntry(common)
        let hasExpiry = expiry != TableFormat.noExpiry
        contents.append(
            varints: UInt64(shared), UInt64(key.count - shared), UInt64(value.count),
            sequence << 3 | (hasExpiry ? 4 : 0) | UInt64(kind.rawValue))
        if hasExpiry { contents.append(littleEndian: expiry) }
        let suffix = unsafe UnsafeRawBufferPointer(rebasing: key[shared...])
        unsafe contents.append(suffix)
        unsafe contents.append(value)
        unsafe previousKey.replace(after: shared, with: suffix)
        lastSequence = sequence
        entryCount += 1
    }

    /// How many bytes of the key the entry takes from the previous one: those in common, none at a restart point.
    private mutating func startEntry(_ common: Int) -> Int {
        guard let restart = restarts.last, countSinceRestart < restartInterval,
            contents.count - Int(restart) < Self.restartByteInterval
        else {
            restarts.append(UInt32(contents.count))
            countSinceRestart = 1
            return 0
        }
        countSinceRestart += 1
        return common
    }

    /// Appends the restart points. The bytes stay valid until `reset()`.
    mutating func finish() -> UnsafeRawBufferPointer {
        for restart in restarts { contents.append(littleEndian: restart) }
        contents.append(littleEndian: UInt32(restarts.count))
        return unsafe contents.bytes
    }

    /// Begins the next block. `lastKey` and `lastSequence` stay.
    mutating func reset() {
        contents.removeAll()
        restarts.removeAll(keepingCapacity: true)
        countSinceRestart = 0
        entryCount = 0
    }
}
