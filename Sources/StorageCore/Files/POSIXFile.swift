// POSIXFile.swift — one descriptor of the operating system.
//
// Invariant: the descriptor is closed exactly once, and never while a call uses it, since another file could get its
// number in between and would then be read or written in this one's place.

internal import CStorage
internal import StorageTypes
internal import Synchronization

final class POSIXFile: StorageFile {
    let path: String
    private let descriptor: Int32
    /// The number of calls in progress times two, plus one once the file is closed.
    private let uses = Atomic<Int>(0)

    init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Nobody is left to hear of an error; whoever must know syncs and closes first.
        try? close()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try withDescriptor { descriptor in
            var done = 0
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let result = unsafe cstorage_read(descriptor, rest.baseAddress, Int64(rest.count), offset + Int64(done))
                try check(result, "pread", at: offset + Int64(done))
                if result == 0 { break }
                done += Int(result)
            }
            return done
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try withDescriptor { descriptor in
            var done = 0
            while done < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                let result = unsafe cstorage_write(
                    descriptor, rest.baseAddress, Int64(rest.count), offset + Int64(done))
                try check(result, "pwrite", at: offset + Int64(done))
                guard result > 0 else {
                    throw StorageError(.ioFailure, "pwrite wrote nothing and gave no reason.", file: path)
                }
                done += Int(result)
            }
        }
    }

    func byteCount() throws -> Int64 {
        try withDescriptor { descriptor in
            let count = cstorage_byte_count(descriptor)
            try check(count, "fstat")
            return count
        }
    }

    func truncate(to byteCount: Int64) throws {
        try withDescriptor { try check(Int64(cstorage_truncate($0, byteCount)), "ftruncate") }
    }

    func allocate(byteCount: Int64) throws {
        try withDescriptor { try check(Int64(cstorage_allocate($0, byteCount)), "fallocate") }
    }

    func startWriteBack(from offset: Int64, byteCount: Int64) {
        // A hint: a file that is closed needs none.
        try? withDescriptor { cstorage_start_write_back($0, offset, byteCount) }
    }

    func willRead(from offset: Int64, byteCount: Int) {
        try? withDescriptor { cstorage_will_read($0, offset, Int64(byteCount)) }
    }

    func sync() throws {
        try withDescriptor { try check(Int64(cstorage_sync($0)), "fdatasync") }
    }

    func map(byteCount: Int64) throws -> (any FileMapping)? {
        try withDescriptor { descriptor in
            guard cstorage_mapping_rank(descriptor) > 0 else { return nil }
            let present = cstorage_byte_count(descriptor)
            try check(present, "fstat")
            precondition(byteCount > 0 && byteCount <= present, "A mapping lies inside its file.")
            return try POSIXFileMapping(path: path, descriptor: descriptor, byteCount: byteCount)
        }
    }

    var prefersMapping: Bool { (try? withDescriptor { cstorage_mapping_rank($0) == 1 }) ?? false }

    func close() throws {
        let before = uses.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue
        // Closed already, or the last call in progress will close it.
        guard before == 0 else { return }
        try check(Int64(cstorage_close(descriptor)), "close")
    }

    private func withDescriptor<R>(_ body: (Int32) throws -> R) throws -> R {
        guard beginUse() else {
            throw StorageError(.closed, "The file is closed.", file: path)
        }
        defer {
            if uses.subtract(2, ordering: .acquiringAndReleasing).newValue == 1 {
                // Closed in the meantime, and this was the last call in progress.
                _ = cstorage_close(descriptor)
            }
        }
        return try body(descriptor)
    }

    /// Counts a call, unless the file is closed: so the count can only fall then, and reaches nothing once.
    private func beginUse() -> Bool {
        var current = uses.load(ordering: .relaxed)
        while current & 1 == 0 {
            let (exchanged, original) = uses.weakCompareExchange(
                expected: current, desired: current + 2, successOrdering: .acquiring, failureOrdering: .relaxed)
            if exchanged { return true }
            current = original
        }
        return false
    }

    private func check(_ result: Int64, _ call: String, at offset: Int64? = nil) throws {
        guard result < 0 else { return }
        throw StorageError.systemCall(
            call, SystemErrorNumber(rawValue: Int32(clamping: -result)), path: path, offset: offset)
    }
}
