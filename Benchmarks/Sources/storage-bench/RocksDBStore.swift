// RocksDB through its C API: the peer of every storage line.

#if PEER_ROCKSDB
    import BenchmarkKit
    import CRocksDB
    import Foundation

    /// Set up as its authors advise for a small machine: full Bloom filters, an LRU cache that also holds index and
    /// filter blocks in memory, two background jobs, lz4 on every level, everything else at its default.
    final class RocksDBStore: OrderedStore, @unchecked Sendable {  // The pointers never change; RocksDB locks inside.
        typealias Batch = RocksDBBatch
        static let name = "RocksDB"

        private let database: OpaquePointer
        private let options: OpaquePointer
        private let buffered: OpaquePointer
        private let synced: OpaquePointer
        private let reading: OpaquePointer

        init(directory: String, settings: StoreSettings) throws {
            options = Self.makeOptions(settings)
            buffered = rocksdb_writeoptions_create()
            synced = rocksdb_writeoptions_create()
            rocksdb_writeoptions_set_sync(synced, 1)
            reading = rocksdb_readoptions_create()
            let options = options
            guard let opened = try checked({ rocksdb_open(options, "\(directory)/rocksdb", &$0) }) else {
                throw RocksDBError(message: "rocksdb_open returned no database")
            }
            database = opened
        }

        private static func makeOptions(_ settings: StoreSettings) -> OpaquePointer {
            let options: OpaquePointer = rocksdb_options_create()
            rocksdb_options_set_create_if_missing(options, 1)
            rocksdb_options_set_write_buffer_size(options, settings.memtableByteCount)
            rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
            rocksdb_options_set_max_background_jobs(options, 2)
            rocksdb_options_set_info_log_level(options, 3)

            let tables: OpaquePointer = rocksdb_block_based_options_create()
            let cache = rocksdb_cache_create_lru(settings.cacheByteCount)
            rocksdb_block_based_options_set_block_cache(tables, cache)
            rocksdb_block_based_options_set_filter_policy(
                tables, rocksdb_filterpolicy_create_bloom_full(Double(settings.filterBitsPerKey)))
            rocksdb_options_set_block_based_table_factory(options, tables)
            rocksdb_cache_destroy(cache)
            rocksdb_block_based_options_destroy(tables)
            return options
        }

        func close() throws {
            rocksdb_close(database)
            rocksdb_readoptions_destroy(reading)
            rocksdb_writeoptions_destroy(synced)
            rocksdb_writeoptions_destroy(buffered)
            rocksdb_options_destroy(options)
        }

        // MARK: Writes

        func put(_ key: [UInt8], _ value: [UInt8], synced isSynced: Bool) throws {
            try checked { error in
                key.withCharacters { key, keyCount in
                    value.withCharacters { value, valueCount in
                        rocksdb_put(database, isSynced ? synced : buffered, key, keyCount, value, valueCount, &error)
                    }
                }
            }
        }

        func makeBatch() -> RocksDBBatch { RocksDBBatch() }

        func put(_ key: [UInt8], _ value: [UInt8], in batch: inout RocksDBBatch) throws {
            key.withCharacters { key, keyCount in
                value.withCharacters { value, valueCount in
                    rocksdb_writebatch_put(batch.pointer, key, keyCount, value, valueCount)
                }
            }
        }

        func commit(_ batch: inout RocksDBBatch) throws {
            try checked { rocksdb_write(database, buffered, batch.pointer, &$0) }
            rocksdb_writebatch_clear(batch.pointer)
        }

        // MARK: Reads

        func digest(of key: [UInt8]) throws -> UInt64? {
            let found = try checked { error in
                key.withCharacters { key, count in rocksdb_get_pinned(database, reading, key, count, &error) }
            }
            guard let found else { return nil }
            defer { rocksdb_pinnableslice_destroy(found) }
            var count = 0
            return digestOfBytes(rocksdb_pinnableslice_value(found, &count), count)
        }

        func digest(from key: [UInt8], count: Int) throws -> UInt64 {
            let cursor: OpaquePointer = rocksdb_create_iterator(database, reading)
            defer { rocksdb_iter_destroy(cursor) }
            key.withCharacters { key, keyCount in rocksdb_iter_seek(cursor, key, keyCount) }
            var digest: UInt64 = 0
            for _ in 0..<count where rocksdb_iter_valid(cursor) != 0 {
                digest &+= Self.digestOfEntry(at: cursor)
                rocksdb_iter_next(cursor)
            }
            try checked { rocksdb_iter_get_error(cursor, &$0) }
            return digest
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            let cursor: OpaquePointer = rocksdb_create_iterator(database, reading)
            defer { rocksdb_iter_destroy(cursor) }
            rocksdb_iter_seek_to_first(cursor)
            var digest: UInt64 = 0
            var entries = 0
            while rocksdb_iter_valid(cursor) != 0 {
                digest &+= Self.digestOfEntry(at: cursor)
                entries += 1
                rocksdb_iter_next(cursor)
            }
            try checked { rocksdb_iter_get_error(cursor, &$0) }
            return (entries, digest)
        }

        private static func digestOfEntry(at cursor: OpaquePointer) -> UInt64 {
            var count = 0
            let key = digestOfBytes(rocksdb_iter_key(cursor, &count), count)
            return key &+ digestOfBytes(rocksdb_iter_value(cursor, &count), count)
        }

        // MARK: Background work

        func settle() throws {
            try flush()
            while property("rocksdb.compaction-pending") > 0 || property("rocksdb.num-running-compactions") > 0 {
                usleep(2_000)
            }
        }

        func compact() throws {
            try flush()
            rocksdb_compact_range(database, nil, 0, nil, 0)
            try settle()
        }

        private func flush() throws {
            let options = rocksdb_flushoptions_create()
            defer { rocksdb_flushoptions_destroy(options) }
            rocksdb_flushoptions_set_wait(options, 1)
            try checked { rocksdb_flush(database, options, &$0) }
        }

        private func property(_ name: String) -> UInt64 {
            var value: UInt64 = 0
            rocksdb_property_int(database, name, &value)
            return value
        }
    }

    /// A write batch, freed with its last reference.
    final class RocksDBBatch {
        let pointer: OpaquePointer = rocksdb_writebatch_create()

        deinit { rocksdb_writebatch_destroy(pointer) }
    }

    struct RocksDBError: Error, CustomStringConvertible {
        let message: String

        var description: String { "RocksDB: \(message)" }
    }

    /// Turns the C API's out-parameter into an error.
    @discardableResult
    private func checked<Result>(_ call: (inout UnsafeMutablePointer<CChar>?) -> Result) throws -> Result {
        var message: UnsafeMutablePointer<CChar>?
        let result = call(&message)
        if let message {
            defer { rocksdb_free(message) }
            throw RocksDBError(message: String(cString: message))
        }
        return result
    }

    private func digestOfBytes(_ start: UnsafePointer<CChar>?, _ count: Int) -> UInt64 {
        RawSpan(_unsafeStart: UnsafeRawPointer(start ?? emptyBytes), byteCount: count).digest
    }

    private nonisolated(unsafe) let emptyBytes = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    extension [UInt8] {
        fileprivate func withCharacters<Result>(_ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
            withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
        }
    }
#endif
