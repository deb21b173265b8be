// LZ4Block.swift — lz4 blocks, the one compression that both versions of the protocol have.

internal import CLZ4
internal import WideColumnEngine

enum LZ4Block {
    /// No block stands for more bytes than this for each of its own.
    static let largestGrowth = 255

    /// The block of `bytes`; `nil` where it would not be smaller.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? { compressed(bytes[...]) }

    static func compressed(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count > 1, let count = Int32(exactly: bytes.count) else { return nil }
        let block = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { target, used in
            let limit = count - 1
            let written = unsafe bytes.withUnsafeBytes { source in
                unsafe target.withMemoryRebound(to: CChar.self) { target in
                    unsafe LZ4_compress_default(source.baseAddress, target.baseAddress, count, limit)
                }
            }
            used = Int(max(0, written))
        }
        return block.isEmpty ? nil : block
    }

    /// The `byteCount` bytes of a block.
    ///
    /// - Throws: a protocol error where the block is damaged, or has another number of bytes.
    static func decompressed(_ block: [UInt8], byteCount: Int) throws -> [UInt8] {
        // A short one can't claim much memory.
        guard byteCount >= 0, byteCount <= block.count * largestGrowth, let count = Int32(exactly: byteCount),
            let blockCount = Int32(exactly: block.count)
        else { throw damaged }
        var isWhole = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { target, used in
            let written = unsafe block.withUnsafeBytes { source in
                unsafe target.withMemoryRebound(to: CChar.self) { target in
                    unsafe LZ4_decompress_safe(source.baseAddress, target.baseAddress, blockCount, count)
                }
            }
            isWhole = written == count
            used = isWhole ? byteCount : 0
        }
        guard isWhole else { throw damaged }
        return bytes
    }

    private static var damaged: CQLError { CQLError(.protocolError, "Cannot decompress a message: no valid lz4 block") }
}
