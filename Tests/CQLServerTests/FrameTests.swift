import StorageTypes
import Testing

@testable import CQLServer
@testable import WideColumnEngine

@Suite("Frames and envelopes")
struct FrameTests {
    @Test("the checksums are those of the specification")
    func checksums() {
        // What zlib gives for the four seed bytes and what follows, and Apache's driver for Python for headers.
        #expect(Checksum.payload(Array("123456789".utf8)) == 0xE2A2_61A7)
        #expect(Checksum.payload([]) == 0x4477_7ED3)
        #expect(Checksum.crc24(0x030201, byteCount: 3) == 0xE91ACC)
        #expect(Checksum.crc24(0x0504030201, byteCount: 5) == 0x319669)
        #expect(Checksum.crc24(0x020000, byteCount: 3) == 0xC4366A)
        #expect(Checksum.crc24(0, byteCount: 3) == 0x7DE777)
        var random = SeededRandom(seed: 5)
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            #expect(Checksum.payload(bytes) == ClientFrames.crc32(bytes))
            #expect(Checksum.payload(bytes[...]) == ClientFrames.crc32(bytes))
        }
        #expect(Checksum.crc24(0x030201, byteCount: 3) == ClientFrames.crc24([1, 2, 3]))
        #expect(Checksum.crc24(0x0504030201, byteCount: 5) == ClientFrames.crc24([1, 2, 3, 4, 5]))
    }

    @Test("an envelope that arrives byte by byte is one envelope")
    func pieces() throws {
        var decoder = EnvelopeDecoder(largestBodyByteCount: 1000)
        let bytes = RequestBytes.query("SELECT", stream: 0x0102) + RequestBytes.startup()
        var elements: [EnvelopeDecoder.Element] = []
        for byte in bytes {
            decoder.append([byte])
            while let element = try decoder.next() { elements.append(element) }
        }
        guard elements.count == 2, case .envelope(let query) = elements[0], case .envelope(let startup) = elements[1]
        else {
            Issue.record("\(elements)")
            return
        }
        #expect(query.header.stream == 0x0102 && query.header.opcode == 7 && query.header.version == .v4)
        #expect(query.body.count == 4 + 6 + 3)
        #expect(startup.header.opcode == 1)
    }

    @Test("the body of an envelope beyond the limit is read past")
    func oversized() throws {
        var decoder = EnvelopeDecoder(largestBodyByteCount: 10)
        let large = RequestBytes(bytes: [UInt8](repeating: 1, count: 5000)).envelope(7, stream: 9)
        var elements: [EnvelopeDecoder.Element] = []
        for start in stride(from: 0, to: large.count, by: 1000) {
            decoder.append(large[start..<min(start + 1000, large.count)])
            while let element = try decoder.next() { elements.append(element) }
        }
        decoder.append(RequestBytes().envelope(5, stream: 10))
        while let element = try decoder.next() { elements.append(element) }
        guard elements.count == 2, case .oversized(let header, let byteCount) = elements[0],
            case .envelope(let next) = elements[1]
        else {
            Issue.record("\(elements)")
            return
        }
        #expect(header.stream == 9 && header.bodyByteCount == 5000 && byteCount == 5000)
        #expect(next.header.stream == 10)
    }

    @Test("a large body needs memory as it comes, never more than it says, and none is kept behind it")
    func memory() throws {
        let byteCount = 3_000_000
        let body = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let large = RequestBytes(bytes: body).envelope(7, stream: 9)
        let bytes = large + RequestBytes().envelope(5) + [4]
        for step in [1000, 50_000, 4_000_000] {
            var decoder = EnvelopeDecoder(largestBodyByteCount: byteCount)
            var elements: [EnvelopeDecoder.Element] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                decoder.append(bytes[start..<min(start + step, bytes.count)])
                while let element = try decoder.next() { elements.append(element) }
                // Half of it may be rounded up to pages, and is doubled then.
                let largest = max(256 * 1024, 2 * start) + 2 * step + 16 * 1024
                #expect(step > byteCount || decoder.capacity < largest)
                #expect(step > byteCount || decoder.capacity < byteCount + 300_000)
            }
            guard elements.count == 2, case .envelope(let envelope) = elements[0] else {
                Issue.record("\(elements.count) elements")
                return
            }
            #expect(envelope.body == body)
            #expect(decoder.bufferedByteCount == 1 && decoder.capacity <= 128 * 1024)
        }
    }

    @Test("a version that is not spoken is named, and answered so that drivers negotiate", arguments: [1, 2, 3, 6, 66])
    func versions(_ version: UInt8) {
        var decoder = EnvelopeDecoder(largestBodyByteCount: 1000)
        var header: [UInt8] = [version, 0, 0, 7, 1, 0, 0, 0, 0]
        if version < 3 { header = [version, 0, 7, 1, 0, 0, 0, 0] }
        decoder.append(header)
        let violation = #expect(throws: FatalViolation.self) { try decoder.next() }
        #expect(
            violation?.message
                == "Invalid or unsupported protocol version (\(version)); supported versions are (4/v4, 5/v5)")
        #expect(violation?.stream == 7)
        #expect(violation?.version == (version <= 3 ? version : 5))
        if let violation {
            let answer = EnvelopeEncoder.protocolError(violation)
            #expect(answer[0] == violation.version | 0x80)
            #expect(answer.count == (version < 3 ? 8 : 9) + 4 + 2 + violation.message.utf8.count)
        }
    }

    @Test("negative lengths, responses and a change of the version are violations")
    func violations() {
        func violation(_ header: [UInt8], version: ProtocolVersion? = nil) -> FatalViolation? {
            var decoder = EnvelopeDecoder(largestBodyByteCount: 1000)
            decoder.version = version
            decoder.append(header)
            return #expect(throws: FatalViolation.self) { try decoder.next() }
        }
        #expect(
            violation([4, 0, 0, 0, 7, 0xFF, 0xFF, 0xFF, 0xFF])?.message == "Invalid frame body length: -1")
        for (opcode, message) in [
            (7, "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 7 (QUERY)"),
            (1, "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 1 (STARTUP)"),
            (8, "Unexpected RESPONSE message RESULT, expecting REQUEST"), (0x44, "Unknown opcode 68"),
        ] as [(UInt8, String)] {
            #expect(violation([0x84, 0, 0, 0, opcode, 0, 0, 0, 0])?.message == message)
        }
        #expect(
            violation([5, 0, 0, 0, 7, 0, 0, 0, 0], version: .v4)?.message
                == "Invalid message version. Got 5/v5 but previous messages on this connection had version 4/v4")
    }

    @Test("frames of both forms survive the way there and back", arguments: [FrameFormat.plain, .compressed])
    func roundTrip(_ format: FrameFormat) throws {
        let seed: UInt64 = 11
        var random = SeededRandom(seed: seed)
        for _ in 0..<15 {
            let envelopes = (0..<Int.random(in: 1...5, using: &random)).map { _ -> [UInt8] in
                let count =
                    Bool.random(using: &random)
                    ? Int.random(in: 1...100, using: &random)
                    : Int.random(in: 1...300_000, using: &random)
                let isRepetitive = Bool.random(using: &random)
                return (0..<count).map {
                    isRepetitive ? UInt8(truncatingIfNeeded: $0 / 50) : UInt8.random(in: .min ... .max, using: &random)
                }
            }
            let bytes = FrameEncoder(format).frames(envelopes)
            var decoder = FrameDecoder(format)
            var received: [UInt8] = []
            var offset = 0
            while offset < bytes.count {
                let count = min(Int.random(in: 1...100_000, using: &random), bytes.count - offset)
                decoder.append(bytes[offset..<offset + count])
                offset += count
                while let payload = try decoder.next() {
                    #expect(payload.count <= FrameFormat.largestPayloadByteCount)
                    received += payload
                }
            }
            #expect(received == Array(envelopes.joined()), "seed \(seed)")
            #expect(decoder.bufferedByteCount == 0)
        }
    }

    @Test("a large envelope has frames of its own, small ones share one; a client sees it in the header")
    func selfContained() {
        let small = [UInt8](repeating: 1, count: 100)
        let large = [UInt8](repeating: 2, count: 300_000)
        let frames = ClientFrames.payloads(FrameEncoder(.plain).frames([small, small, large, small]))
        #expect(frames.selfContained == [true, false, false, false, true])
        #expect(frames.payload == small + small + large + small)
        #expect(FrameEncoder(.plain).frames([small]) == ClientFrames.plain(small))
    }

    @Test("every bit of a frame that is flipped is noticed", arguments: [FrameFormat.plain, .compressed])
    func flips(_ format: FrameFormat) {
        let frame = FrameEncoder(format).frames([Array("the same again, the same again, the same again".utf8)])
        for bit in 0..<frame.count * 8 {
            var damaged = frame
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var decoder = FrameDecoder(format)
            decoder.append(damaged)
            #expect(throws: FatalViolation.self, "bit \(bit)") { try decoder.next() }
        }
    }

    @Test("an lz4 block can't claim more bytes than it could hold, nor have other bytes than it claims")
    func blocks() throws {
        let bytes = [UInt8](repeating: 7, count: 5000)
        let block = try #require(LZ4Block.compressed(bytes))
        #expect(try LZ4Block.decompressed(block, byteCount: 5000) == bytes)
        for count in [-1, 0, 4999, 5001, Int(Int32.max), .max] {
            #expect(throws: CQLError.self) { try LZ4Block.decompressed(block, byteCount: count) }
        }
        #expect(LZ4Block.compressed([1]) == nil)
        #expect(LZ4Block.compressed([]) == nil)
    }
}
