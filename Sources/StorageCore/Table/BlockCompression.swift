// BlockCompression.swift — lz4 and zstd for the contents of blocks. Declared sizes are bounded before anything is allocated.

internal import CLZ4
internal import CZstd
internal import Synchronization

extension TableCompression {
    var code: BlockCompressionCode {
        switch self {
        case .none: .none
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// The level that zstd knows which is nearest to one.
func zstdLevel(_ level: Int) -> Int32 { Int32(min(max(level, Int(ZSTD_minCLevel())), Int(ZSTD_maxCLevel()))) }

/// The byte behind a block's contents. Stored in files: do not renumber.
enum BlockCompressionCode: UInt8 {
    case none = 0
    case lz4 = 1
    case zstd = 2
    /// With the table's dictionary.
    case zstdWithDictionary = 3
}

/// Compresses blocks one after another; owns what zstd needs for that.
@safe
struct UnsafeBlockCompressor: ~Copyable {
    private let compression: TableCompression
    private let zstdContext: OpaquePointer?
    private let dictionary: OpaquePointer?
    private var output = UnsafeByteBuilder(capacity: 4096)

    /// - Parameter dictionary: For zstd; empty for none.
    init(_ compression: TableCompression, dictionary: [UInt8] = []) {
        self.compression = compression
        if case .zstd(let level, _) = compression {
            unsafe zstdContext = ZSTD_createCCtx()
            unsafe self.dictionary =
                dictionary.isEmpty
                ? nil : unsafe ZSTD_createCDict(dictionary, dictionary.count, zstdLevel(level))
        } else {
            unsafe zstdContext = nil
            unsafe self.dictionary = nil
        }
    }

    deinit {
        _ = unsafe ZSTD_freeCDict(dictionary)
        _ = unsafe ZSTD_freeCCtx(zstdContext)
    }

    /// The bytes to store for `contents` and their code; they stay valid until the next call.
    ///
    /// - Parameter usesDictionary: Whether to use the dictionary if there is one.
    mutating func compress(
        _ contents: UnsafeRawBufferPointer, usesDictionary: Bool = false
    ) -> (UnsafeRawBufferPointer, BlockCompressionCode) {
        guard compression != .none, contents.count > 0, contents.count <= TableFormat.largestCompressibleByteCount
        else {
            return unsafe (contents, .none)
        }
        output.removeAll()
        output.append(varint: UInt64(contents.count))
        let prefix = output.count
        // A limit on the output makes the compressor itself give up where it would not save an eighth.
        let limit = contents.count - contents.count / 8 - prefix
        guard limit > 0 else { return unsafe (contents, .none) }
        output.resize(to: prefix + limit)
        let dictionary = unsafe usesDictionary ? dictionary : nil
        let written = unsafe compress(contents, into: output.base + prefix, limit, dictionary)
        guard written > 0 else { return unsafe (contents, .none) }
        output.resize(to: prefix + written)
        return unsafe (output.bytes, dictionary == nil ? compression.code : .zstdWithDictionary)
    }

    /// The number of bytes written, 0 if they do not fit.
    private func compress(
        _ contents: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, _ limit: Int,
        _ dictionary: OpaquePointer?
    ) -> Int {
        switch compression {
        case .none:
            return 0
        case .lz4:
            return unsafe Int(LZ4_compress_default(contents.baseAddress, target, Int32(contents.count), Int32(limit)))
        case .zstd(let level, _):
            guard let zstdContext = unsafe zstdContext else { return 0 }
            let written =
                if let dictionary = unsafe dictionary {
                    unsafe ZSTD_compress_usingCDict(
                        zstdContext, target, limit, contents.baseAddress, contents.count, dictionary)
                } else {
                    unsafe ZSTD_compressCCtx(
                        zstdContext, target, limit, contents.baseAddress, contents.count, zstdLevel(level))
                }
            return ZSTD_isError(written) != 0 ? 0 : written
        }
    }
}

/// Decompresses what `UnsafeBlockCompressor` made; nil if the bytes are anything else.
func decompressBlock(
    _ stored: UnsafeRawBufferPointer, _ code: BlockCompressionCode, _ dictionary: BlockDictionary? = nil,
    isSearched: Bool = false
) -> UnsafeBlockBytes? {
    var offset = 0
    guard let base = stored.baseAddress,
        let declared = unsafe readVarint(base, &offset, stored.count),
        declared > 0, declared <= UInt64(TableFormat.largestCompressibleByteCount)
    else { return nil }
    let reserve = isSearched ? UnsafeRestartDirectory.expectedByteCount(contents: Int(declared)) : 0
    let target = UnsafeBlockBytes(count: Int(declared), reserve: reserve)
    let payload = unsafe UnsafeRawBufferPointer(rebasing: stored[offset...])
    let written =
        switch code {
        case .none: -1
        case .lz4: unsafe decompressLZ4(payload, target)
        case .zstd: unsafe decompressZstd(payload, target, nil)
        case .zstdWithDictionary: if let dictionary { unsafe decompressZstd(payload, target, dictionary) } else { -1 }
        }
    guard written == target.count else { return nil }
    return target
}

private func decompressLZ4(_ payload: UnsafeRawBufferPointer, _ target: borrowing UnsafeBlockBytes) -> Int {
    guard let count = Int32(exactly: payload.count) else { return -1 }
    return unsafe Int(LZ4_decompress_safe(payload.baseAddress, target.base, count, Int32(target.count)))
}

private func decompressZstd(
    _ payload: UnsafeRawBufferPointer, _ target: borrowing UnsafeBlockBytes, _ dictionary: BlockDictionary?
) -> Int {
    guard let context = unsafe zstdContexts.take() else { return -1 }
    defer { unsafe zstdContexts.giveBack(context) }
    let written =
        if let dictionary {
            unsafe dictionary.decompress(payload, into: target, context)
        } else {
            unsafe ZSTD_decompressDCtx(context, target.base, target.count, payload.baseAddress, payload.count)
        }
    return ZSTD_isError(written) != 0 ? -1 : written
}

private let zstdContexts = ZstdContextPool()

/// Decompression contexts for reuse: each has 160 KB, too much to make for one block.
@safe
private final class ZstdContextPool: Sendable {
    @safe
    private struct Context: @unchecked Sendable {
        // Guarded by ownership: whoever took it from the pool is the only one who uses it.
        let pointer: OpaquePointer
    }

    private static let largestCount = 16
    private let idle = Mutex<[Context]>([])

    func take() -> OpaquePointer? {
        if let context = idle.withLock({ $0.popLast() }) { return unsafe context.pointer }
        return unsafe ZSTD_createDCtx()
    }

    func giveBack(_ context: OpaquePointer) {
        let kept = unsafe keep(Context(pointer: context))
        if !kept { _ = unsafe ZSTD_freeDCtx(context) }
    }

    private func keep(_ context: Context) -> Bool {
        idle.withLock { contexts in
            guard contexts.count < Self.largestCount else { return false }
            contexts.append(context)
            return true
        }
    }
}
