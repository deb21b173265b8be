// RequestBytes.swift — a client's side of the protocol, written from the specification alone: it shares no code with the
// server, so that both can't be wrong in the same way.

@testable import CQLServer

/// A message's bytes as a client writes them.
struct RequestBytes {
    var bytes: [UInt8] = []

    func byte(_ value: UInt8) -> RequestBytes { RequestBytes(bytes: bytes + [value]) }
    func short(_ value: Int) -> RequestBytes {
        RequestBytes(bytes: bytes + [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)])
    }
    func int(_ value: Int) -> RequestBytes {
        RequestBytes(bytes: bytes + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) })
    }
    func long(_ value: Int64) -> RequestBytes {
        RequestBytes(bytes: bytes + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) })
    }
    func string(_ text: String) -> RequestBytes {
        let start = short(text.utf8.count)
        return RequestBytes(bytes: start.bytes + Array(text.utf8))
    }
    func longString(_ text: String) -> RequestBytes {
        let start = int(text.utf8.count)
        return RequestBytes(bytes: start.bytes + Array(text.utf8))
    }
    func value(_ value: [UInt8]?) -> RequestBytes {
        guard let value else { return int(-1) }
        let start = int(value.count)
        return RequestBytes(bytes: start.bytes + value)
    }
    func shortBytes(_ value: [UInt8]) -> RequestBytes {
        let start = short(value.count)
        return RequestBytes(bytes: start.bytes + value)
    }
    func map(_ map: [(String, String)]) -> RequestBytes {
        map.reduce(short(map.count)) { $0.string($1.0).string($1.1) }
    }

    /// With a header in front.
    func envelope(_ opcode: UInt8, version: UInt8 = 4, flags: UInt8 = 0, stream: Int = 1) -> [UInt8] {
        RequestBytes().byte(version).byte(flags).short(stream).byte(opcode).int(bytes.count).bytes + bytes
    }

    static func startup(version: UInt8 = 4, compression: String? = nil, stream: Int = 0) -> [UInt8] {
        let options = [("CQL_VERSION", "3.0.0")] + (compression.map { [("COMPRESSION", $0)] } ?? [])
        return RequestBytes().map(options).envelope(0x01, version: version, stream: stream)
    }

    static func query(_ text: String, version: UInt8 = 4, flags: UInt8 = 0, stream: Int = 1) -> [UInt8] {
        let start = RequestBytes().longString(text).short(1)
        return (version == 4 ? start.byte(0) : start.int(0))
            .envelope(0x07, version: version, flags: flags, stream: stream)
    }

    static func plain(_ name: String, _ password: String, version: UInt8 = 4, stream: Int = 1) -> [UInt8] {
        RequestBytes().value([0] + Array(name.utf8) + [0] + Array(password.utf8))
            .envelope(0x0F, version: version, stream: stream)
    }
}

/// A response's envelope, as a client reads it.
struct ResponseBytes: Equatable {
    var version: UInt8
    var flags: UInt8
    var stream: Int
    var opcode: UInt8
    var body: [UInt8]

    static func all(_ bytes: [UInt8]) -> [ResponseBytes] {
        var responses: [ResponseBytes] = []
        var rest = bytes[...]
        while let (response, count) = first(rest) {
            responses.append(response)
            rest = rest.dropFirst(count)
        }
        return responses
    }

    static func first(_ bytes: some Collection<UInt8>) -> (ResponseBytes, Int)? {
        // The header of versions 1 and 2 has a stream of one byte.
        let isShort = (bytes.first ?? 0) & 0x7F < 3
        let headerByteCount = isShort ? 8 : 9
        let header = Array(bytes.prefix(headerByteCount))
        guard header.count == headerByteCount else { return nil }
        let length = header.suffix(4).reduce(0) { $0 << 8 | Int($1) }
        let body = Array(bytes.dropFirst(headerByteCount).prefix(length))
        guard body.count == length else { return nil }
        let long = Int(Int16(bitPattern: UInt16(header[2]) << 8 | UInt16(header[3])))
        let stream = isShort ? Int(Int8(bitPattern: header[2])) : long
        return (
            ResponseBytes(
                version: header[0], flags: header[1], stream: stream, opcode: header[headerByteCount - 5], body: body),
            headerByteCount + length
        )
    }

    func int(_ offset: Int) -> Int {
        guard body.count >= offset + 4 else { return .min }
        return Int(Int32(truncatingIfNeeded: body[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }))
    }

    /// The [string] at an offset.
    func string(_ offset: Int) -> String {
        guard body.count >= offset + 2 else { return "" }
        let count = Int(body[offset]) << 8 | Int(body[offset + 1])
        return String(decoding: body[(offset + 2)...].prefix(count), as: UTF8.self)
    }

    var errorCode: Int? { opcode == 0 ? int(0) : nil }
    var errorMessage: String { string(4) }
    /// 1 void, 2 rows, 3 set keyspace, 4 prepared, 5 schema change.
    var resultKind: Int? { opcode == 8 ? int(0) : nil }
}

/// Version 5's frames, as a client writes and reads them.
enum ClientFrames {
    static func crc24(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0x875060
        for byte in bytes {
            crc ^= UInt32(byte) << 16
            for _ in 0..<8 {
                crc <<= 1
                if crc & 0x1000000 != 0 { crc ^= 0x1974F0B }
            }
        }
        return crc
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in [0xFA, 0x2D, 0x55, 0xCA] + bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    static func plain(_ payload: [UInt8], isSelfContained: Bool = true) -> [UInt8] {
        let header = littleEndian(UInt64(payload.count) | (isSelfContained ? 1 << 17 : 0), 3)
        return header + littleEndian(UInt64(crc24(header)), 3) + payload
            + littleEndian(UInt64(crc32(payload)), 4)
    }

    /// The payload of compressed frames that is not compressed: a length before compression of zero.
    static func stored(_ payload: [UInt8]) -> [UInt8] {
        let header = littleEndian(UInt64(payload.count) | 1 << 34, 5)
        return header + littleEndian(UInt64(crc24(header)), 3) + payload + littleEndian(UInt64(crc32(payload)), 4)
    }

    /// A compressed frame around a block of lz4.
    static func compressed(_ payload: [UInt8]) throws -> [UInt8] {
        guard let block = LZ4Block.compressed(payload) else { return stored(payload) }
        let header = littleEndian(UInt64(block.count) | UInt64(payload.count) << 17 | 1 << 34, 5)
        return header + littleEndian(UInt64(crc24(header)), 3) + block + littleEndian(UInt64(crc32(block)), 4)
    }

    /// The payloads of whole compressed frames.
    static func compressedPayloads(_ bytes: [UInt8]) throws -> [UInt8] {
        var payload: [UInt8] = []
        var rest = bytes[...]
        while rest.count >= 8 {
            let header = rest.prefix(5).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            let (count, originalCount) = (Int(header & 0x1FFFF), Int(header >> 17 & 0x1FFFF))
            guard rest.count >= 12 + count else { break }
            let part = Array(rest.dropFirst(8).prefix(count))
            payload += originalCount == 0 ? part : try LZ4Block.decompressed(part, byteCount: originalCount)
            rest = rest.dropFirst(12 + count)
        }
        return payload
    }

    /// The payloads of whole frames, and how many bytes they had.
    static func payloads(_ bytes: [UInt8]) -> (payload: [UInt8], consumed: Int, selfContained: [Bool]) {
        var payload: [UInt8] = []
        var offset = 0
        var selfContained: [Bool] = []
        while bytes.count >= offset + 6 {
            let header = UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            let length = Int(header & 0x1FFFF)
            guard bytes.count >= offset + 10 + length else { break }
            payload += bytes[offset + 6..<offset + 6 + length]
            selfContained.append(header & 1 << 17 != 0)
            offset += 10 + length
        }
        return (payload, offset, selfContained)
    }
}
