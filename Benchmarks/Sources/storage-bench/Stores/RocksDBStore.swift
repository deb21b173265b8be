// RocksDB through its C API: the first peer of every storage line.

#if PEER_ROCKSDB
    import BenchmarkKit
    import CRocksDB
    import Foundation

    /// Set up as its authors advise for a small machine: full Bloom filters, an LRU cache that also holds index and
    /// filter blocks in memory, two background jobs, lz4 on every level, everything else at its default.
    final class RocksDBStore: OrderedStore, @unchecked Sendable {  // The pointers never change; RocksDB locks inside.
        #if PEER_ROCKSDB_PACKAGED
            private static let build = " (Debian's build, assertions on)"
        #else
            private static let build = ""
        #endif
        static let name = "RocksDB\(version)\(build)"
        static let configuration =
            "lz4 on every level; full Bloom filters; two background jobs; WriteOptions.sync for synced lines"

        fileprivate let database: OpaquePointer
        fileprivate let family: OpaquePointer
        fileprivate let writing: OpaquePointer
        fileprivate let reading: OpaquePointer
        private let options: OpaquePointer

        init(directory: String, settings: StoreSettings) throws {
            options = Self.makeOptions(settings)
            writing = rocksdb_writeoptions_create()
            rocksdb_writeoptions_set_sync(writing, settings.isSynced ? 1 : 0)
            reading = rocksdb_readoptions_create()
            (database, family) = try Self.open("\(directory)/rocksdb", options)
        }

        /// The one column family has to be named to get its handle, which a batched multi-get asks for.
        private static func open(_ path: String, _ options: OpaquePointer) throws -> (OpaquePointer, OpaquePointer) {
            var family: OpaquePointer?
            let database = try "default".withCString { name in
                try checked { error in
                    var names: [UnsafePointer<CChar>?] = [name]
                    var familyOptions: [OpaquePointer?] = [options]
                    return rocksdb_open_column_families(options, path, 1, &names, &familyOptions, &family, &error)
                }
            }
            guard let database, let family else { throw PeerError(description: "RocksDB: opened no database") }
            return (database, family)
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
            rocksdb_column_family_handle_destroy(family)
            rocksdb_close(database)
            rocksdb_readoptions_destroy(reading)
            rocksdb_writeoptions_destroy(writing)
            rocksdb_options_destroy(options)
        }

        func makeSession() -> RocksDBSession { RocksDBSession(self) }

        /// The C API doesn't tell, but a database names it in its file of options.
        private static let version: String = {
            guard let directory = try? ScratchDirectory(in: NSTemporaryDirectory(), named: "version"),
                let store = try? RocksDBStore(directory: directory.path, settings: StoreSettings())
            else { return "" }
            try? store.close()
            let folder = "\(directory.path)/rocksdb"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            guard let file = files.first(where: { $0.hasPrefix("OPTIONS") }),
                let text = try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8),
                let line = text.split(separator: "\n").first(where: { $0.contains("rocksdb_version=") })
            else { return "" }
            return " " + line.drop { $0 != "=" }.dropFirst()
        }()

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

    final class RocksDBSession: StoreSession {
        private let store: RocksDBStore
        private let batch: OpaquePointer = rocksdb_writebatch_create()

        init(_ store: RocksDBStore) {
            self.store = store
        }

        deinit { rocksdb_writebatch_destroy(batch) }

        // MARK: Writes

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try checked { error in
                key.withCharacters { key, keyCount in
                    value.withCharacters { value, valueCount in
                        rocksdb_put(store.database, store.writing, key, keyCount, value, valueCount, &error)
                    }
                }
            }
        }

        func delete(_ key: [UInt8]) throws {
            try checked { error in
                key.withCharacters { key, count in rocksdb_delete(store.database, store.writing, key, count, &error) }
            }
        }

        func stagePut(_ key: [UInt8], _ value: [UInt8]) throws {
            key.withCharacters { key, keyCount in
                value.withCharacters { value, valueCount in
                    rocksdb_writebatch_put(batch, key, keyCount, value, valueCount)
                }
            }
        }

        func stageDelete(_ key: [UInt8]) throws {
            key.withCharacters { key, count in rocksdb_writebatch_delete(batch, key, count) }
        }

        func commitStaged() throws {
            try checked { rocksdb_write(store.database, store.writing, batch, &$0) }
            rocksdb_writebatch_clear(batch)
        }

        // MARK: Reads

        func digest(of key: [UInt8]) throws -> UInt64? {
            let found = try checked { error in
                key.withCharacters { key, count in
                    rocksdb_get_pinned(store.database, store.reading, key, count, &error)
                }
            }
            guard let found else { return nil }
            defer { rocksdb_pinnableslice_destroy(found) }
            return digestOfSlice(found)
        }

        func digest(ofAll keys: [[UInt8]]) throws -> UInt64 {
            // The keys in one piece, so that pointers to all of them are good at once.
            let joined = keys.flatMap { $0 }
            let sizes = keys.map(\.count)
            var values = [OpaquePointer?](repeating: nil, count: keys.count)
            var errors = [UnsafeMutablePointer<CChar>?](repeating: nil, count: keys.count)
            joined.withCharacters { start, _ in
                var offset = 0
                var pointers = sizes.map { size -> UnsafePointer<CChar>? in
                    defer { offset += size }
                    return start.map { $0 + offset }
                }
                rocksdb_batched_multi_get_cf(
                    store.database, store.reading, store.family, keys.count, &pointers, sizes, &values, &errors,
                    false)
            }
            if let error = errors.compactMap({ $0 }).first {
                throw PeerError(description: "RocksDB: \(String(cString: error))")
            }
            var digest: UInt64 = 0
            for value in values {
                guard let value else {
                    digest &+= 1
                    continue
                }
                digest &+= digestOfSlice(value)
                rocksdb_pinnableslice_destroy(value)
            }
            return digest
        }

        private func digestOfSlice(_ slice: OpaquePointer) -> UInt64 {
            var count = 0
            let start = rocksdb_pinnableslice_value(slice, &count)
            return digestOfBytes(start, count)
        }

        func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
            try withIterator { iterator in
                key.withCharacters { key, keyCount in
                    if backwards {
                        rocksdb_iter_seek_for_prev(iterator, key, keyCount)
                    } else {
                        rocksdb_iter_seek(iterator, key, keyCount)
                    }
                }
                var digest: UInt64 = 0
                for _ in 0..<count where rocksdb_iter_valid(iterator) != 0 {
                    digest &+= Self.digestOfEntry(at: iterator)
                    if backwards { rocksdb_iter_prev(iterator) } else { rocksdb_iter_next(iterator) }
                }
                return digest
            }
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            try withIterator { iterator in
                rocksdb_iter_seek_to_first(iterator)
                var digest: UInt64 = 0
                var entries = 0
                while rocksdb_iter_valid(iterator) != 0 {
                    digest &+= Self.digestOfEntry(at: iterator)
                    entries += 1
                    rocksdb_iter_next(iterator)
                }
                return (entries, digest)
            }
        }

        func firstKey() throws -> [UInt8]? {
            try withIterator { iterator in
                rocksdb_iter_seek_to_first(iterator)
                guard rocksdb_iter_valid(iterator) != 0 else { return nil }
                var count = 0
                let start = rocksdb_iter_key(iterator, &count)
                return bytes(start, count)
            }
        }

        private func withIterator<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
            let iterator: OpaquePointer = rocksdb_create_iterator(store.database, store.reading)
            defer { rocksdb_iter_destroy(iterator) }
            let result = try body(iterator)
            try checked { rocksdb_iter_get_error(iterator, &$0) }
            return result
        }

        private static func digestOfEntry(at iterator: OpaquePointer) -> UInt64 {
            var count = 0
            let key = rocksdb_iter_key(iterator, &count)
            let keyDigest = digestOfBytes(key, count)
            let value = rocksdb_iter_value(iterator, &count)
            return keyDigest &+ digestOfBytes(value, count)
        }
    }

    /// Turns the C API's out-parameter into an error.
    @discardableResult
    private func checked<Result>(_ call: (inout UnsafeMutablePointer<CChar>?) throws -> Result) throws -> Result {
        var message: UnsafeMutablePointer<CChar>?
        let result = try call(&message)
        if let message {
            defer { rocksdb_free(message) }
            throw PeerError(description: "RocksDB: \(String(cString: message))")
        }
        return result
    }
#endif
