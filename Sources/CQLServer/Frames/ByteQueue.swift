// ByteQueue.swift — bytes that arrived and are not consumed yet.

/// Bytes in order: appended at the end, taken from the front.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }

    mutating func append(_ more: some Collection<UInt8>) {
        // What was taken is given up once it is half of the array, so a byte is moved once at most on average.
        if start > 0, start * 2 >= bytes.count {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The byte at an offset from the front.
    subscript(offset: Int) -> UInt8 {
        precondition(offset < count, "Byte \(offset) of a queue of \(count) bytes was asked for.")
        return bytes[start + offset]
    }

    /// A number of `byteCount` bytes, the lowest first.
    func littleEndian(at offset: Int, byteCount: Int) -> UInt64 {
        (0..<byteCount).reversed().reduce(0) { $0 << 8 | UInt64(self[offset + $1]) }
    }

    /// A number of `byteCount` bytes, the highest first.
    func bigEndian(at offset: Int, byteCount: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { $0 << 8 | UInt64(self[offset + $1]) }
    }

    /// Takes that many bytes, of which there must be as many.
    mutating func take(_ byteCount: Int) -> [UInt8] {
        precondition(byteCount >= 0 && byteCount <= count, "\(byteCount) of \(count) bytes cannot be taken.")
        let taken = Array(bytes[start..<start + byteCount])
        drop(byteCount)
        return taken
    }

    mutating func drop(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "\(byteCount) of \(count) bytes cannot be dropped.")
        start += byteCount
        if start == bytes.count { removeAll() }
    }

    mutating func removeAll() {
        // A large message must not hold its memory for the rest of the connection.
        bytes.removeAll(keepingCapacity: bytes.capacity <= 64 * 1024)
        start = 0
    }
}
