// RecordWriter.swift — the pipeline's records on disk: fields one after the other, integers little-endian, texts and
// byte strings with their length (4 bytes) in front. The first byte of a record is its format version.

struct RecordWriter {
    private(set) var bytes: [UInt8]

    init(version: UInt8) {
        bytes = [version]
    }

    mutating func append(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func append(_ instant: StorageInstant) {
        append(UInt64(bitPattern: instant.microseconds))
    }

    mutating func append(_ count: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    mutating func append(_ text: String) {
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}

/// Reads what `RecordWriter` wrote; anything else is `StorageError.corruption`, never a trap.
struct RecordReader {
    private var rest: ArraySlice<UInt8>
    private let keyspace: String

    init(_ bytes: [UInt8], version: UInt8, keyspace: String) throws {
        self.keyspace = keyspace
        guard let first = bytes.first else {
            throw StorageError.corruption("A record of keyspace \"\(keyspace)\" is empty.")
        }
        guard first == version else {
            throw StorageError(
                .unsupportedFormat,
                "A record of keyspace \"\(keyspace)\" has format version \(first); this is version \(version).")
        }
        rest = bytes.dropFirst()
    }

    mutating func uint64() throws -> UInt64 {
        try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func uint32() throws -> UInt32 {
        try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func instant() throws -> StorageInstant {
        StorageInstant(microseconds: Int64(bitPattern: try uint64()))
    }

    mutating func text() throws -> String {
        let byteCount = Int(try uint32())
        guard let text = String(validating: try take(byteCount), as: UTF8.self) else {
            throw StorageError.corruption("A text in a record of keyspace \"\(keyspace)\" is not UTF-8.")
        }
        return text
    }

    func finish() throws {
        guard rest.isEmpty else {
            throw StorageError.corruption("A record of keyspace \"\(keyspace)\" is too long.")
        }
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= rest.count else {
            throw StorageError.corruption("A record of keyspace \"\(keyspace)\" ends too early.")
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
