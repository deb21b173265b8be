// Who runs beside us: what was there when the program was built.

/// An engine that the lines know.
struct Peer {
    let name: String
    /// Nil where it was not there when the program was built.
    let makeSide: ((_ parent: String, _ seed: UInt64) -> any Side)?

    /// In the order of the report.
    static var all: [Peer] { [rocksDB, levelDB, lmdb, wiredTiger, sqlite] }

    private static func side<Store: OrderedStore>(_: Store.Type) -> (String, UInt64) -> any Side {
        { StoreSide<Store>(parent: $0, seed: $1) }
    }

    private static var rocksDB: Peer {
        #if PEER_ROCKSDB
            Peer(name: "RocksDB", makeSide: side(RocksDBStore.self))
        #else
            Peer(name: "RocksDB", makeSide: nil)
        #endif
    }

    private static var levelDB: Peer {
        #if PEER_LEVELDB
            Peer(name: "LevelDB", makeSide: side(LevelDBStore.self))
        #else
            Peer(name: "LevelDB", makeSide: nil)
        #endif
    }

    private static var lmdb: Peer {
        #if PEER_LMDB
            Peer(name: "LMDB", makeSide: side(LMDBStore.self))
        #else
            Peer(name: "LMDB", makeSide: nil)
        #endif
    }

    private static var wiredTiger: Peer {
        #if PEER_WIREDTIGER
            Peer(name: "WiredTiger", makeSide: side(WiredTigerStore.self))
        #else
            Peer(name: "WiredTiger", makeSide: nil)
        #endif
    }

    private static var sqlite: Peer {
        #if PEER_SQLITE
            Peer(name: "SQLite", makeSide: side(SQLiteStore.self))
        #else
            Peer(name: "SQLite", makeSide: nil)
        #endif
    }
}
