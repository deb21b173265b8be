// WiredTiger through its C API: a B-tree whose changes are logged and written at checkpoints.

#if PEER_WIREDTIGER
    import BenchmarkKit
    import CWiredTiger
    import Foundation

    /// One cache for dirty and clean pages, as large as the others' memtable and cache together.
    final class WiredTigerStore: OrderedStore, @unchecked Sendable {  // The connection never changes and locks inside.
        static let name =
            "WiredTiger \(WIREDTIGER_VERSION_MAJOR).\(WIREDTIGER_VERSION_MINOR).\(WIREDTIGER_VERSION_PATCH)"
        static let configuration =
            "a B-tree with a log, one cache as large as memtable and cache of the others, no filter; "
            + (snappy == nil ? "no compression (Snappy not installed)" : "Snappy blocks, the fastest codec packaged")
            + "; checkpoint by 512 MiB of log; commits reach the operating system (transaction_sync method none) "
            + "or the disk (fsync)"
        fileprivate static let table = "table:entries"
        /// The compressor is an extension that Debian keeps beside the library.
        private static let snappy: String? = {
            let file = "libwiredtiger_snappy.so"
            let triples = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
            let folders = triples.map { "/usr/lib/\($0)" } + ["/usr/lib", "/usr/local/lib"]
            return folders.map { "\($0)/\(file)" }.first { FileManager.default.fileExists(atPath: $0) }
        }()

        fileprivate let connection: UnsafeMutablePointer<WT_CONNECTION>

        init(directory: String, settings: StoreSettings) throws {
            let path = "\(directory)/wiredtiger"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            var opened: UnsafeMutablePointer<WT_CONNECTION>?
            try check(wiredtiger_open(path, nil, Self.makeConfiguration(settings), &opened), "wiredtiger_open")
            guard let opened else { throw PeerError(description: "WiredTiger: opened no connection") }
            connection = opened
            try withSession { session in
                let compressor = Self.snappy == nil ? "" : ",block_compressor=snappy"
                try check(wtpeer_create(session, Self.table, "key_format=u,value_format=u\(compressor)"), "create")
            }
        }

        private static func makeConfiguration(_ settings: StoreSettings) -> String {
            let checkpoint = min(max(512 << 20, settings.memtableByteCount * 2), 2 << 30)
            return """
                create,session_max=300,cache_size=\(settings.cacheByteCount + settings.memtableByteCount),\
                log=(enabled=true,file_max=64MB),\
                transaction_sync=(enabled=true,method=\(settings.isSynced ? "fsync" : "none")),\
                checkpoint=(log_size=\(checkpoint)),extensions=[\(snappy ?? "")]
                """
        }

        func close() throws {
            try check(wtpeer_close_connection(connection), "close")
        }

        func makeSession() throws -> WiredTigerSession { try WiredTigerSession(self) }

        func settle() throws {
            try withSession { try check(wtpeer_checkpoint($0), "checkpoint") }
        }

        func compact() throws {
            try settle()
            try withSession { try check(wtpeer_compact($0, Self.table), "compact") }
        }

        private func withSession(_ body: (UnsafeMutablePointer<WT_SESSION>) throws -> Void) throws {
            let session = try openSession()
            defer { _ = wtpeer_close_session(session) }
            try body(session)
        }

        fileprivate func openSession() throws -> UnsafeMutablePointer<WT_SESSION> {
            var session: UnsafeMutablePointer<WT_SESSION>?
            try check(wtpeer_open_session(connection, &session), "open_session")
            guard let session else { throw PeerError(description: "WiredTiger: opened no session") }
            return session
        }
    }

    final class WiredTigerSession: StoreSession {
        private let session: UnsafeMutablePointer<WT_SESSION>
        private let cursor: UnsafeMutablePointer<WT_CURSOR>
        private var isInTransaction = false

        init(_ store: WiredTigerStore) throws {
            session = try store.openSession()
            var opened: UnsafeMutablePointer<WT_CURSOR>?
            try check(wtpeer_open_cursor(session, WiredTigerStore.table, &opened), "open_cursor")
            guard let opened else { throw PeerError(description: "WiredTiger: opened no cursor") }
            cursor = opened
        }

        /// Closes the cursor and rolls back too.
        deinit { _ = wtpeer_close_session(session) }

        // MARK: Writes

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try retrying {
                key.withUnsafeBytes { key in
                    value.withUnsafeBytes { value in
                        wtpeer_set_key(cursor, key.baseAddress, key.count)
                        wtpeer_set_value(cursor, value.baseAddress, value.count)
                        return wtpeer_insert(cursor)
                    }
                }
            }
        }

        func delete(_ key: [UInt8]) throws {
            try retrying {
                key.withUnsafeBytes { key in
                    wtpeer_set_key(cursor, key.baseAddress, key.count)
                    let code = wtpeer_remove(cursor)
                    return code == WT_NOTFOUND ? 0 : code
                }
            }
        }

        /// Two writers of one key conflict, and the later one has to try again.
        private func retrying(_ call: () -> Int32) throws {
            var code = call()
            while code == WT_ROLLBACK, !isInTransaction { code = call() }
            try check(code, "write")
        }

        func stagePut(_ key: [UInt8], _ value: [UInt8]) throws {
            try begin()
            try put(key, value)
        }

        func stageDelete(_ key: [UInt8]) throws {
            try begin()
            try delete(key)
        }

        func commitStaged() throws {
            guard isInTransaction else { return }
            isInTransaction = false
            try check(wtpeer_commit(session), "commit_transaction")
        }

        private func begin() throws {
            guard !isInTransaction else { return }
            try check(wtpeer_begin(session), "begin_transaction")
            isInTransaction = true
        }

        // MARK: Reads

        func digest(of key: [UInt8]) throws -> UInt64? {
            let code = key.withUnsafeBytes { key in
                wtpeer_set_key(cursor, key.baseAddress, key.count)
                return wtpeer_search(cursor)
            }
            if code == WT_NOTFOUND { return nil }
            try check(code, "search")
            // A cursor that stays where it is would keep its page in the cache.
            defer { _ = wtpeer_reset(cursor) }
            return try digestOfValue()
        }

        func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
            defer { _ = wtpeer_reset(cursor) }
            guard try seek(key, backwards: backwards) else { return 0 }
            var digest: UInt64 = 0
            for step in 1...max(count, 1) {
                digest &+= try digestOfKey() &+ digestOfValue()
                guard step < count, try move(backwards: backwards) else { break }
            }
            return digest
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            defer { _ = wtpeer_reset(cursor) }
            var digest: UInt64 = 0
            var entries = 0
            while try move(backwards: false) {
                digest &+= try digestOfKey() &+ digestOfValue()
                entries += 1
            }
            return (entries, digest)
        }

        func firstKey() throws -> [UInt8]? {
            defer { _ = wtpeer_reset(cursor) }
            guard try move(backwards: false) else { return nil }
            return try withKey(bytes)
        }

        /// From nowhere to the first or last entry.
        private func move(backwards: Bool) throws -> Bool {
            let code = backwards ? wtpeer_previous(cursor) : wtpeer_next(cursor)
            if code == WT_NOTFOUND { return false }
            try check(code, "next")
            return true
        }

        private func seek(_ key: [UInt8], backwards: Bool) throws -> Bool {
            var exact: Int32 = 0
            let code = key.withUnsafeBytes { key in
                wtpeer_set_key(cursor, key.baseAddress, key.count)
                return wtpeer_search_near(cursor, &exact)
            }
            if code == WT_NOTFOUND { return false }
            try check(code, "search_near")
            let isOnTheWrongSide = backwards ? exact > 0 : exact < 0
            return isOnTheWrongSide ? try move(backwards: backwards) : true
        }

        private func digestOfKey() throws -> UInt64 { try withKey(digestOfBytes) }

        private func digestOfValue() throws -> UInt64 {
            var start: UnsafeRawPointer?
            var count = 0
            try check(wtpeer_value(cursor, &start, &count), "get_value")
            return digestOfBytes(start, count)
        }

        private func withKey<Result>(_ body: (UnsafeRawPointer?, Int) -> Result) throws -> Result {
            var start: UnsafeRawPointer?
            var count = 0
            try check(wtpeer_key(cursor, &start, &count), "get_key")
            return body(start, count)
        }
    }

    private func check(_ code: Int32, _ call: String) throws {
        guard code != 0 else { return }
        throw PeerError(description: "WiredTiger: \(call): \(String(cString: wiredtiger_strerror(code)))")
    }
#endif
