// Frame.swift — version 5's frames: checksummed pieces of the run of envelopes (v5 specification, §2).
//
//   plain       ┌ header 3 ┬ CRC-24 3 ┬ payload … ┬ CRC-32 4 ┐
//               header: payload's length 17 bits, self-contained 1, zero 6
//   compressed  ┌ header 5 ┬ CRC-24 3 ┬ payload … ┬ CRC-32 4 ┐
//               header: payload's length 17 bits, length before compression 17, self-contained 1, zero 5
//
// All numbers are little-endian. A self-contained frame holds whole envelopes, others hold a part of one each. In the
// compressed form a length before compression of zero says that the payload is not compressed.
//
// A frame is valid if both checksums match, its bits of padding are whatever they are, and a compressed payload
// is an lz4 block of the length that the header says, which is at most `largestPayloadByteCount`.

/// The form of a connection's frames.
enum FrameFormat: Hashable, Sendable {
    case plain
    case compressed

    static let largestPayloadByteCount = 1 << 17 - 1
    fileprivate static let checksumByteCount = 3
    fileprivate static let trailerByteCount = 4

    fileprivate var headerByteCount: Int { self == .plain ? 3 : 5 }
    fileprivate var selfContainedBit: UInt64 { self == .plain ? 1 << 17 : 1 << 34 }
}

/// Cuts frames out of bytes that arrive in pieces.
struct FrameDecoder {
    let format: FrameFormat
    private var queue = ByteQueue()

    init(_ format: FrameFormat) {
        self.format = format
    }

    var bufferedByteCount: Int { queue.count }

    mutating func append(_ bytes: some Collection<UInt8>) {
        queue.append(bytes)
    }

    /// The bytes of envelopes in the next frame, or `nil` until more bytes arrive.
    mutating func next() throws(FatalViolation) -> [UInt8]? {
        let headerByteCount = format.headerByteCount
        let start = headerByteCount + FrameFormat.checksumByteCount
        guard queue.count >= start else { return nil }
        let header = queue.littleEndian(at: 0, byteCount: headerByteCount)
        let checksum = queue.littleEndian(at: headerByteCount, byteCount: FrameFormat.checksumByteCount)
        guard Checksum.crc24(header, byteCount: headerByteCount) == UInt32(checksum) else {
            throw FatalViolation(message: "Read corruption: the checksum of a frame's header does not match")
        }
        let length = Int(header & 0x1FFFF)
        guard queue.count >= start + length + FrameFormat.trailerByteCount else { return nil }
        queue.drop(start)
        let payload = queue.take(length)
        let trailer = queue.littleEndian(at: 0, byteCount: FrameFormat.trailerByteCount)
        queue.drop(FrameFormat.trailerByteCount)
        guard Checksum.payload(payload) == UInt32(trailer) else {
            throw FatalViolation(message: "Read corruption: the checksum of a frame's payload does not match")
        }
        let originalLength = format == .compressed ? Int(header >> 17 & 0x1FFFF) : 0
        guard originalLength > 0 else { return payload }
        guard let bytes = try? LZ4Block.decompressed(payload, byteCount: originalLength) else {
            throw FatalViolation(message: "Read corruption: a frame's payload is no valid lz4 block")
        }
        return bytes
    }
}

/// Puts envelopes into frames.
struct FrameEncoder: Hashable, Sendable {
    let format: FrameFormat

    init(_ format: FrameFormat) {
        self.format = format
    }

    /// The frames of some envelopes: small ones share frames, one that is too large for any has several of its own.
    func frames(_ envelopes: [[UInt8]]) -> [UInt8] {
        var output: [UInt8] = []
        var gathered: [UInt8] = []
        for envelope in envelopes {
            if gathered.count + envelope.count > FrameFormat.largestPayloadByteCount {
                append(&gathered, isSelfContained: true, to: &output)
            }
            if envelope.count <= FrameFormat.largestPayloadByteCount {
                gathered.append(contentsOf: envelope)
                continue
            }
            var offset = 0
            while offset < envelope.count {
                let end = min(offset + FrameFormat.largestPayloadByteCount, envelope.count)
                var part = Array(envelope[offset..<end])
                append(&part, isSelfContained: false, to: &output)
                offset = end
            }
        }
        append(&gathered, isSelfContained: true, to: &output)
        return output
    }

    /// Appends one frame, and empties the payload.
    private func append(_ payload: inout [UInt8], isSelfContained: Bool, to output: inout [UInt8]) {
        guard !payload.isEmpty else { return }
        var header = isSelfContained ? format.selfContainedBit : 0
        if format == .compressed, let block = LZ4Block.compressed(payload) {
            header |= UInt64(payload.count) << 17
            payload = block
        }
        header |= UInt64(payload.count)
        append(header, format.headerByteCount, to: &output)
        append(
            UInt64(Checksum.crc24(header, byteCount: format.headerByteCount)), FrameFormat.checksumByteCount,
            to: &output)
        output.append(contentsOf: payload)
        append(UInt64(Checksum.payload(payload)), FrameFormat.trailerByteCount, to: &output)
        payload.removeAll()
    }

    private func append(_ value: UInt64, _ byteCount: Int, to output: inout [UInt8]) {
        for index in 0..<byteCount { output.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
