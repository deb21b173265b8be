// LevelDB through its C API.

#if PEER_LEVELDB
    import BenchmarkKit
    import CLevelDB
    import Foundation

    /// Its compression is Snappy, of lz4's class; the memtable, the cache and the filter are as everywhere.
    final class LevelDBStore: OrderedStore, @unchecked Sendable {  // The pointers never change; LevelDB locks inside.
        static let name = "LevelDB \(leveldb_major_version()).\(leveldb_minor_version())"
        static let configuration =
            "Snappy on every level, the only codec it has; Bloom filters by block; 1,000 open files; "
            + "WriteOptions.sync for synced lines"

        fileprivate let database: OpaquePointer
        fileprivate let writing: OpaquePointer
        fileprivate let reading: OpaquePointer
        private let options: OpaquePointer
        private let cache: OpaquePointer
        private let filter: OpaquePointer

        init(directory: String, settings: StoreSettings) throws {
            options = leveldb_options_create()
            cache = leveldb_cache_create_lru(settings.cacheByteCount)
            filter = leveldb_filterpolicy_create_bloom(Int32(settings.filterBitsPerKey))
            leveldb_options_set_create_if_missing(options, 1)
            // It takes no more, and mistakes what does not fit 32 bits for very little.
            leveldb_options_set_write_buffer_size(options, min(settings.memtableByteCount, 1 << 30))
            leveldb_options_set_compression(options, Int32(leveldb_snappy_compression))
            leveldb_options_set_cache(options, cache)
            leveldb_options_set_filter_policy(options, filter)
            writing = leveldb_writeoptions_create()
            leveldb_writeoptions_set_sync(writing, settings.isSynced ? 1 : 0)
            reading = leveldb_readoptions_create()
            let options = options
            let opened = try checked { leveldb_open(options, "\(directory)/leveldb", &$0) }
            guard let opened else { throw PeerError(description: "LevelDB: opened no database") }
            database = opened
        }

        func close() throws {
            leveldb_close(database)
            leveldb_readoptions_destroy(reading)
            leveldb_writeoptions_destroy(writing)
            leveldb_options_destroy(options)
            leveldb_filterpolicy_destroy(filter)
            leveldb_cache_destroy(cache)
        }

        func makeSession() -> LevelDBSession { LevelDBSession(self) }

        // MARK: Background work

        /// Compacting a range that is behind every key flushes the memtable and nothing else.
        func settle() throws {
            compact(from: [0xFF, 0xFF], to: [0xFF, 0xFF, 0xFF])
            while !isSettled { usleep(5_000) }
        }

        func compact() throws {
            leveldb_compact_range(database, nil, 0, nil, 0)
            try settle()
        }

        private func compact(from lower: [UInt8], to upper: [UInt8]) {
            lower.withCharacters { lower, lowerCount in
                upper.withCharacters { upper, upperCount in
                    leveldb_compact_range(database, lower, lowerCount, upper, upperCount)
                }
            }
        }

        /// Whether no level is over its limit: four files in level 0, 10 MB in level 1, ten times as much in the next.
        /// The C API has no way to ask for that, so it is read from the table of `leveldb.stats`.
        private var isSettled: Bool {
            guard let text = leveldb_property_value(database, "leveldb.stats") else { return true }
            defer { leveldb_free(text) }
            for line in String(cString: text).split(separator: "\n") {
                let columns = line.split(separator: " ").compactMap { Double($0) }
                guard columns.count == 6 else { continue }
                let (level, files, megabytes) = (columns[0], columns[1], columns[2])
                if level == 0 ? files >= 4 : megabytes > pow(10, level) + 0.5 { return false }
            }
            return true
        }
    }

    final class LevelDBSession: StoreSession {
        private let store: LevelDBStore
        private let batch: OpaquePointer = leveldb_writebatch_create()

        init(_ store: LevelDBStore) {
            self.store = store
        }

        deinit { leveldb_writebatch_destroy(batch) }

        // MARK: Writes

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try checked { error in
                key.withCharacters { key, keyCount in
                    value.withCharacters { value, valueCount in
                        leveldb_put(store.database, store.writing, key, keyCount, value, valueCount, &error)
                    }
                }
            }
        }

        func delete(_ key: [UInt8]) throws {
            try checked { error in
                key.withCharacters { key, count in leveldb_delete(store.database, store.writing, key, count, &error) }
            }
        }

        func stagePut(_ key: [UInt8], _ value: [UInt8]) throws {
            key.withCharacters { key, keyCount in
                value.withCharacters { value, valueCount in
                    leveldb_writebatch_put(batch, key, keyCount, value, valueCount)
                }
            }
        }

        func stageDelete(_ key: [UInt8]) throws {
            key.withCharacters { key, count in leveldb_writebatch_delete(batch, key, count) }
        }

        func commitStaged() throws {
            try checked { leveldb_write(store.database, store.writing, batch, &$0) }
            leveldb_writebatch_clear(batch)
        }

        // MARK: Reads

        func digest(of key: [UInt8]) throws -> UInt64? {
            var count = 0
            let found = try checked { error in
                key.withCharacters { key, keyCount in
                    leveldb_get(store.database, store.reading, key, keyCount, &count, &error)
                }
            }
            guard let found else { return nil }
            defer { leveldb_free(found) }
            return digestOfBytes(found, count)
        }

        func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
            try withIterator { iterator in
                key.withCharacters { key, keyCount in leveldb_iter_seek(iterator, key, keyCount) }
                if backwards { stepBackUnless(at: key, iterator) }
                var digest: UInt64 = 0
                for _ in 0..<count where leveldb_iter_valid(iterator) != 0 {
                    digest &+= Self.digestOfEntry(at: iterator)
                    if backwards { leveldb_iter_prev(iterator) } else { leveldb_iter_next(iterator) }
                }
                return digest
            }
        }

        /// From the first key at or after `key` to the last one at or before it.
        private func stepBackUnless(at key: [UInt8], _ iterator: OpaquePointer) {
            guard leveldb_iter_valid(iterator) != 0 else { return leveldb_iter_seek_to_last(iterator) }
            var count = 0
            let start = leveldb_iter_key(iterator, &count)
            if bytes(start, count) != key { leveldb_iter_prev(iterator) }
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            try withIterator { iterator in
                leveldb_iter_seek_to_first(iterator)
                var digest: UInt64 = 0
                var entries = 0
                while leveldb_iter_valid(iterator) != 0 {
                    digest &+= Self.digestOfEntry(at: iterator)
                    entries += 1
                    leveldb_iter_next(iterator)
                }
                return (entries, digest)
            }
        }

        func firstKey() throws -> [UInt8]? {
            try withIterator { iterator in
                leveldb_iter_seek_to_first(iterator)
                guard leveldb_iter_valid(iterator) != 0 else { return nil }
                var count = 0
                let start = leveldb_iter_key(iterator, &count)
                return bytes(start, count)
            }
        }

        private func withIterator<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
            let iterator: OpaquePointer = leveldb_create_iterator(store.database, store.reading)
            defer { leveldb_iter_destroy(iterator) }
            let result = try body(iterator)
            try checked { leveldb_iter_get_error(iterator, &$0) }
            return result
        }

        private static func digestOfEntry(at iterator: OpaquePointer) -> UInt64 {
            var count = 0
            let key = leveldb_iter_key(iterator, &count)
            let keyDigest = digestOfBytes(key, count)
            let value = leveldb_iter_value(iterator, &count)
            return keyDigest &+ digestOfBytes(value, count)
        }
    }

    /// Turns the C API's out-parameter into an error.
    @discardableResult
    private func checked<Result>(_ call: (inout UnsafeMutablePointer<CChar>?) throws -> Result) throws -> Result {
        var message: UnsafeMutablePointer<CChar>?
        let result = try call(&message)
        if let message {
            defer { leveldb_free(message) }
            throw PeerError(description: "LevelDB: \(String(cString: message))")
        }
        return result
    }
#endif
