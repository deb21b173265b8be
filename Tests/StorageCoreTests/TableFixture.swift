// TableFixture.swift — what the table tests share: a file in memory, a plain form of an entry, and short ways to build and read.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// A file in memory that counts its reads and syncs.
final class MemoryFile: StorageFile {
    private struct State {
        var bytes: [UInt8] = []
        var readCount = 0
        var syncedBytes: [UInt8] = []
    }

    let path = "/tables/000007.sst"
    private let state = Mutex(State())

    init(_ bytes: [UInt8] = []) {
        state.withLock { $0.bytes = bytes }
    }

    var bytes: [UInt8] {
        get { state.withLock { $0.bytes } }
        set { state.withLock { $0.bytes = newValue } }
    }

    var syncedBytes: [UInt8] { state.withLock { $0.syncedBytes } }
    var readCount: Int { state.withLock { $0.readCount } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        state.withLock { state in
            state.readCount += 1
            guard offset < state.bytes.count else { return 0 }
            let count = min(buffer.count, state.bytes.count - Int(offset))
            state.bytes.withUnsafeBytes { bytes in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<(Int(offset) + count)]))
            }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        state.withLock { state in
            let end = Int(offset) + bytes.count
            if state.bytes.count < end {
                state.bytes += [UInt8](repeating: 0, count: end - state.bytes.count)
            }
            state.bytes.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[Int(offset)..<end]).copyMemory(from: bytes)
            }
        }
    }

    func byteCount() throws -> Int64 { Int64(state.withLock { $0.bytes.count }) }
    func truncate(to byteCount: Int64) throws { state.withLock { $0.bytes = Array($0.bytes.prefix(Int(byteCount))) } }
    func allocate(byteCount: Int64) throws {}
    func startWriteBack(from offset: Int64, byteCount: Int64) {}
    func sync() throws { state.withLock { $0.syncedBytes = $0.bytes } }
    func close() throws {}
}

/// An entry by value.
struct PlainEntry: Equatable, Comparable, CustomStringConvertible {
    var key: [UInt8]
    var sequence: UInt64
    var kind = EntryKind.put
    var expiry = Int64.max
    var value: [UInt8] = []

    init(
        _ key: [UInt8], _ sequence: UInt64, kind: EntryKind = .put, expiry: Int64 = .max, value: [UInt8] = []
    ) {
        self.key = key
        self.sequence = sequence
        self.kind = kind
        self.expiry = expiry
        self.value = value
    }

    init(_ key: String, _ sequence: UInt64, kind: EntryKind = .put, value: String = "") {
        self.init(Array(key.utf8), sequence, kind: kind, value: Array(value.utf8))
    }

    init(_ entry: UnsafeEntry) {
        self.init(
            Array(entry.key), entry.sequence, kind: entry.kind, expiry: entry.expiry, value: Array(entry.value))
    }

    /// Table order.
    static func < (left: PlainEntry, right: PlainEntry) -> Bool {
        left.key == right.key
            ? left.sequence > right.sequence : left.key.lexicographicallyPrecedes(right.key)
    }

    var description: String {
        "\(String(decoding: key.prefix(40), as: UTF8.self))@\(sequence) \(kind) \(value.count) B"
    }
}

extension TableBuilder {
    func add(_ entry: PlainEntry) throws {
        try entry.key.withUnsafeBytes { key in
            try entry.value.withUnsafeBytes { value in
                try add(key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: value)
            }
        }
    }
}

extension TableReader {
    func versions(of key: [UInt8], maxSequence: UInt64 = TableFormat.largestSequence) throws -> [PlainEntry] {
        var found: [PlainEntry] = []
        try key.withUnsafeBytes { key in
            try forEachVersion(of: key, maxSequence: maxSequence) { entry in
                found.append(PlainEntry(entry))
                return true
            }
        }
        return found
    }

    func mayContain(_ key: [UInt8]) -> Bool {
        key.withUnsafeBytes { mayContain($0) }
    }

    func entriesForwards() throws -> [PlainEntry] {
        let cursor = makeCursor()
        var found: [PlainEntry] = []
        try cursor.seekToFirst()
        while cursor.isValid {
            found.append(PlainEntry(cursor.entry))
            try cursor.next()
        }
        return found
    }

    func entriesBackwards() throws -> [PlainEntry] {
        let cursor = makeCursor()
        var found: [PlainEntry] = []
        try cursor.seekToLast()
        while cursor.isValid {
            found.append(PlainEntry(cursor.entry))
            try cursor.previous()
        }
        return found
    }
}

extension TableCursor {
    var plainEntry: PlainEntry? { isValid ? PlainEntry(entry) : nil }

    func seek(_ key: [UInt8], _ sequence: UInt64) throws {
        try key.withUnsafeBytes { try seek(key: $0, sequence: sequence) }
    }

    func seekBackward(_ key: [UInt8], _ sequence: UInt64) throws {
        try key.withUnsafeBytes { try seekBackward(key: $0, sequence: sequence) }
    }
}

/// A built table: its file, what the builder said of it, and how to open it.
struct BuiltTable {
    static let fileNumber: UInt64 = 7

    let file: MemoryFile
    let properties: TableProperties

    init(
        _ entries: [PlainEntry], tombstones: [RangeTombstone] = [], options: TableOptions = TableOptions()
    ) throws {
        file = MemoryFile()
        let builder = TableBuilder(
            file: file, path: file.path, fileNumber: Self.fileNumber, salt: 0x5A17_0000_0000_0001, options: options)
        for entry in entries { try builder.add(entry) }
        for tombstone in tombstones {
            builder.addRangeTombstone(lower: tombstone.lower, upper: tombstone.upper, sequence: tombstone.sequence)
        }
        properties = try builder.finish()
    }

    func open(cache: BlockCache = BlockCache(byteCapacity: 1 << 20), pinnedIndexLimit: Int = .max) throws -> TableReader
    {
        try TableReader.open(
            file: file, path: file.path, fileNumber: Self.fileNumber, cache: cache,
            pinnedIndexLimit: pinnedIndexLimit)
    }
}

extension SeededRandom {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}
