// ZstdFrame.swift — zstd for whole files.

internal import CZstd

/// Bytes as one zstd frame with its size and a checksum.
enum ZstdFrame {
    /// A full segment and a batch behind it; a declared size beyond is damage.
    private static let largestByteCount = StorageOptions.largestArchivedSegmentByteCount + 128 << 20

    static func compress(_ bytes: [UInt8], level: Int) throws -> [UInt8] {
        let context = unsafe ZSTD_createCCtx()
        defer { _ = unsafe ZSTD_freeCCtx(context) }
        _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, zstdLevel(level))
        _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        let bound = ZSTD_compressBound(bytes.count)
        return try unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            let written = unsafe ZSTD_compress2(context, output.baseAddress, bound, bytes, bytes.count)
            guard ZSTD_isError(written) == 0 else { throw StorageError(.ioFailure, "zstd could not compress.") }
            count = written
        }
    }

    /// Nil if it is no such frame, or damaged.
    static func decompress(_ frame: [UInt8]) -> [UInt8]? {
        let declared = unsafe ZSTD_getFrameContentSize(frame, frame.count)
        guard declared <= UInt64(largestByteCount) else { return nil }
        let byteCount = Int(declared)
        var isWhole = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            let written = unsafe ZSTD_decompress(output.baseAddress, byteCount, frame, frame.count)
            isWhole = ZSTD_isError(written) == 0 && written == byteCount
            count = isWhole ? byteCount : 0
        }
        return isWhole ? bytes : nil
    }
}
