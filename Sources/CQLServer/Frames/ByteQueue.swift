// ByteQueue.swift — bytes that arrived and are not consumed yet.

/// Bytes in order: appended at the end, taken from the front.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var capacity: Int { bytes.capacity }

    /// More memory than this is given back when most of it is not needed.
    private static let keptCapacity = 64 * 1024

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

    /// Moves that many bytes, of which there must be as many, to the end of an array.
    mutating func move(_ byteCount: Int, to array: inout [UInt8]) {
        precondition(byteCount >= 0 && byteCount <= count, "\(byteCount) of \(count) bytes cannot be moved.")
        array.append(contentsOf: bytes[start..<start + byteCount])
        drop(byteCount)
    }

    mutating func drop(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "\(byteCount) of \(count) bytes cannot be dropped.")
        start += byteCount
        // A large message must not hold its memory for the rest of the connection.
        if bytes.capacity > Self.keptCapacity, bytes.capacity > 4 * count {
            bytes = Array(bytes[start...])
            start = 0
        } else if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
    }
}
