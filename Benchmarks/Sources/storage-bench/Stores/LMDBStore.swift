// LMDB through its C API: a B+-tree in a memory-mapped file, copied page by page on write, without a log.

#if PEER_LMDB
    import BenchmarkKit
    import CLMDB
    import Foundation

    /// A commit writes its pages to the file. Buffered lines leave them with the operating system (`MDB_NOSYNC`), which
    /// keeps the promise that a killed process loses nothing; a power cut may then cost the whole file, not the last
    /// commits.
    final class LMDBStore: OrderedStore, @unchecked Sendable {  // The handles never change; LMDB locks inside.
        static let name = "LMDB \(MDB_VERSION_MAJOR).\(MDB_VERSION_MINOR).\(MDB_VERSION_PATCH)"
        static let configuration =
            "a memory-mapped B+-tree, so no memtable, log, cache, filter or compression; MDB_NOSYNC for buffered lines"

        fileprivate let environment: OpaquePointer
        fileprivate let table: MDB_dbi

        init(directory: String, settings: StoreSettings) throws {
            var created: OpaquePointer?
            try check(mdb_env_create(&created), "mdb_env_create")
            guard let created else { throw PeerError(description: "LMDB: created no environment") }
            environment = created
            try check(mdb_env_set_mapsize(environment, 64 << 30), "mdb_env_set_mapsize")
            let path = "\(directory)/lmdb"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let flags = UInt32(MDB_NOTLS) | (settings.isSynced ? 0 : UInt32(MDB_NOSYNC))
            try check(mdb_env_open(environment, path, flags, 0o600), "mdb_env_open")
            var transaction: OpaquePointer?
            try check(mdb_txn_begin(environment, nil, 0, &transaction), "mdb_txn_begin")
            var table: MDB_dbi = 0
            try check(mdb_dbi_open(transaction, nil, 0, &table), "mdb_dbi_open")
            try check(mdb_txn_commit(transaction), "mdb_txn_commit")
            self.table = table
        }

        func close() throws {
            mdb_env_close(environment)
        }

        func makeSession() -> LMDBSession { LMDBSession(self) }

        /// There is no background work.
        func settle() throws {}
        func compact() throws {}
    }

    final class LMDBSession: StoreSession {
        private let store: LMDBStore
        private var writing: OpaquePointer?
        /// Reset after each use and renewed before the next, which saves its set-up.
        private var reading: OpaquePointer?

        init(_ store: LMDBStore) {
            self.store = store
        }

        deinit {
            if let writing { mdb_txn_abort(writing) }
            if let reading { mdb_txn_abort(reading) }
        }

        // MARK: Writes

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try stagePut(key, value)
            try commitStaged()
        }

        func delete(_ key: [UInt8]) throws {
            try stageDelete(key)
            try commitStaged()
        }

        func stagePut(_ key: [UInt8], _ value: [UInt8]) throws {
            let transaction = try openWriting()
            try withValue(key) { key in
                try withValue(value) { value in
                    try check(mdb_put(transaction, store.table, &key, &value, 0), "mdb_put")
                }
            }
        }

        func stageDelete(_ key: [UInt8]) throws {
            let transaction = try openWriting()
            try withValue(key) { key in
                let code = mdb_del(transaction, store.table, &key, nil)
                if code != MDB_NOTFOUND { try check(code, "mdb_del") }
            }
        }

        func commitStaged() throws {
            guard let transaction = writing else { return }
            writing = nil
            try check(mdb_txn_commit(transaction), "mdb_txn_commit")
        }

        private func openWriting() throws -> OpaquePointer {
            if let writing { return writing }
            var opened: OpaquePointer?
            try check(mdb_txn_begin(store.environment, nil, 0, &opened), "mdb_txn_begin")
            guard let opened else { throw PeerError(description: "LMDB: began no transaction") }
            writing = opened
            return opened
        }

        // MARK: Reads

        func digest(of key: [UInt8]) throws -> UInt64? {
            try withReading { try digest(of: key, in: $0) }
        }

        func digest(ofAll keys: [[UInt8]]) throws -> UInt64 {
            try withReading { transaction in
                var digest: UInt64 = 0
                for key in keys { digest &+= try self.digest(of: key, in: transaction) ?? 1 }
                return digest
            }
        }

        private func digest(of key: [UInt8], in transaction: OpaquePointer) throws -> UInt64? {
            try withValue(key) { key in
                var value = MDB_val()
                let code = mdb_get(transaction, store.table, &key, &value)
                if code == MDB_NOTFOUND { return nil }
                try check(code, "mdb_get")
                return digestOfBytes(value.mv_data, value.mv_size)
            }
        }

        func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
            try withCursor { cursor in
                var entry = try seek(cursor, key, backwards: backwards)
                var digest: UInt64 = 0
                for _ in 0..<count {
                    guard let found = entry else { break }
                    digest &+= found.digest
                    entry = try step(cursor, backwards ? MDB_PREV : MDB_NEXT)
                }
                return digest
            }
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            try withCursor { cursor in
                var digest: UInt64 = 0
                var entries = 0
                var entry = try step(cursor, MDB_FIRST)
                while let found = entry {
                    digest &+= found.digest
                    entries += 1
                    entry = try step(cursor, MDB_NEXT)
                }
                return (entries, digest)
            }
        }

        func firstKey() throws -> [UInt8]? {
            try withCursor { cursor in
                try step(cursor, MDB_FIRST).map { bytes($0.key.mv_data, $0.key.mv_size) }
            }
        }

        // MARK: Cursors

        private struct Entry {
            var key = MDB_val()
            var value = MDB_val()

            var digest: UInt64 {
                digestOfBytes(key.mv_data, key.mv_size) &+ digestOfBytes(value.mv_data, value.mv_size)
            }
        }

        private func step(_ cursor: OpaquePointer, _ operation: MDB_cursor_op) throws -> Entry? {
            var entry = Entry()
            let code = mdb_cursor_get(cursor, &entry.key, &entry.value, operation)
            if code == MDB_NOTFOUND { return nil }
            try check(code, "mdb_cursor_get")
            return entry
        }

        private func seek(_ cursor: OpaquePointer, _ key: [UInt8], backwards: Bool) throws -> Entry? {
            try withValue(key) { bound in
                var entry = Entry(key: bound)
                let code = mdb_cursor_get(cursor, &entry.key, &entry.value, MDB_SET_RANGE)
                if code == MDB_NOTFOUND { return backwards ? try step(cursor, MDB_LAST) : nil }
                try check(code, "mdb_cursor_get")
                guard backwards else { return entry }
                let isSame =
                    entry.key.mv_size == bound.mv_size
                    && memcmp(entry.key.mv_data, bound.mv_data, bound.mv_size) == 0
                return isSame ? entry : try step(cursor, MDB_PREV)
            }
        }

        private func withCursor<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
            try withReading { transaction in
                var cursor: OpaquePointer?
                try check(mdb_cursor_open(transaction, store.table, &cursor), "mdb_cursor_open")
                guard let cursor else { throw PeerError(description: "LMDB: opened no cursor") }
                defer { mdb_cursor_close(cursor) }
                return try body(cursor)
            }
        }

        private func withReading<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
            if let reading {
                try check(mdb_txn_renew(reading), "mdb_txn_renew")
            } else {
                try check(
                    mdb_txn_begin(store.environment, nil, UInt32(MDB_RDONLY), &reading), "mdb_txn_begin")
            }
            guard let reading else { throw PeerError(description: "LMDB: began no transaction") }
            defer { mdb_txn_reset(reading) }
            return try body(reading)
        }

        private func withValue<Result>(_ bytes: [UInt8], _ body: (inout MDB_val) throws -> Result) rethrows -> Result {
            try bytes.withUnsafeBytes { buffer in
                var value = MDB_val(
                    mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
                return try body(&value)
            }
        }
    }

    private func check(_ code: Int32, _ call: String) throws {
        guard code != 0 else { return }
        throw PeerError(description: "LMDB: \(call): \(String(cString: mdb_strerror(code)))")
    }
#endif
