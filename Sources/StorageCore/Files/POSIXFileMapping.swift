// POSIXFileMapping.swift — a shared mapping of a file.
//
// Invariant: the range is mapped from `init` to `deinit`, and nobody has it outside of a call.

internal import CStorage
internal import StorageTypes

@safe final class POSIXFileMapping: FileMapping, @unchecked Sendable {  // immutable; callers agree on who stores where
    private let path: String
    private let bytes: UnsafeMutableRawPointer
    private let byteCount: Int64

    init(path: String, descriptor: Int32, byteCount: Int64) throws {
        var failure: Int32 = 0
        guard let bytes = unsafe cstorage_map_file(descriptor, byteCount, &failure) else {
            throw StorageError.systemCall("mmap", SystemErrorNumber(rawValue: failure), path: path)
        }
        self.path = path
        unsafe self.bytes = bytes
        self.byteCount = byteCount
    }

    deinit {
        unsafe cstorage_unmap_file(bytes, byteCount)
    }

    func store(_ source: UnsafeRawBufferPointer, at offset: Int64) {
        precondition(
            offset >= 0 && offset <= byteCount - Int64(source.count), "A store lies inside the mapping.")
        guard let start = source.baseAddress else { return }
        unsafe (bytes + Int(offset)).copyMemory(from: start, byteCount: source.count)
    }

    func prefetch(from offset: Int64, byteCount count: Int64) {
        guard offset >= 0, offset < byteCount else { return }
        unsafe cstorage_prefetch_for_stores(bytes + Int(offset), Int(min(count, byteCount - offset)))
    }

    private static let pageByteCount: Int64 = 4096

    func detach(from offset: Int64, byteCount count: Int64) {
        let start = (max(offset, 0) + Self.pageByteCount - 1) & ~(Self.pageByteCount - 1)
        let end = min(offset + count, byteCount) & ~(Self.pageByteCount - 1)
        guard start < end else { return }
        unsafe cstorage_detach(bytes + Int(start), end - start)
    }

    func populate(from offset: Int64, byteCount count: Int64, forStores: Bool) throws {
        let start = max(offset, 0) & ~(Self.pageByteCount - 1)
        let end = min(offset + count, byteCount)
        guard start < end else { return }
        let result = unsafe cstorage_populate(bytes + Int(start), end - start, forStores)
        // Older systems don't know the call; then the first store to a page does the same.
        guard result < 0, result != -SystemErrorNumber.invalidArgument.rawValue else { return }
        throw StorageError.systemCall("madvise", SystemErrorNumber(rawValue: -result), path: path)
    }
}
