// TableCompressionTests.swift — lz4 and zstd around block contents.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Block compression")
struct TableCompressionTests {
    static let methods: [TableCompression] = [.lz4, .zstd(level: 1), .zstd(level: 19), .zstd(level: 1000)]

    static func compress(_ bytes: [UInt8], _ compression: TableCompression) -> ([UInt8], BlockCompressionCode) {
        var compressor = UnsafeBlockCompressor(compression)
        return bytes.withUnsafeBytes { bytes in
            let (stored, code) = compressor.compress(bytes)
            return (Array(stored), code)
        }
    }

    static func decompress(_ stored: [UInt8], _ code: BlockCompressionCode) -> [UInt8]? {
        stored.withUnsafeBytes { stored in
            guard let contents = decompressBlock(stored, code) else { return nil }
            return Array(contents.bytes)
        }
    }

    @Test("what compresses well comes back as it was", arguments: methods)
    func roundTrip(_ compression: TableCompression) {
        for count in [100, 4096, 200_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 100) }
            let (stored, code) = Self.compress(bytes, compression)
            #expect(code == compression.code)
            #expect(stored.count <= count - count / 8)
            #expect(Self.decompress(stored, code) == bytes)
        }
    }

    @Test("what does not shrink by an eighth is stored as it is", arguments: methods)
    func incompressible(_ compression: TableCompression) {
        var random = SeededRandom(seed: 1)
        for count in [0, 1, 8, 100, 8192] {
            let bytes = random.bytes(count)
            let (stored, code) = Self.compress(bytes, compression)
            #expect(code == .none)
            #expect(stored == bytes)
        }
    }

    @Test("a declared size that is too large or wrong is refused", arguments: [TableCompression.lz4, .zstd(level: 3)])
    func declaredSize(_ compression: TableCompression) {
        let (stored, code) = Self.compress(Array(repeating: 7, count: 100), compression)
        for declared: [UInt8] in [[99], [101], [0], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x81, 0x80, 0x80, 0x20], [0xFF]] {
            #expect(Self.decompress(declared + stored.dropFirst(), code) == nil)
        }
        #expect(Self.decompress([], code) == nil)
        #expect(Self.decompress([100], code) == nil)
    }

    @Test(
        "random damage is refused or decompresses to the declared size",
        arguments: [
            TableCompression.lz4, .zstd(level: 3),
        ])
    func damage(_ compression: TableCompression) {
        var random = SeededRandom(seed: 2)
        let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let (stored, code) = Self.compress(bytes, compression)
        for _ in 0..<2000 {
            var bad = stored
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bad[Int.random(in: 2..<bad.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let result = Self.decompress(bad, code) { #expect(result.count == 2000) }
        }
    }
}
