// What an event costs a key-value store at least: the two puts that the table and its view come to, in one batch.

#if PEER_ROCKSDB
    import BenchmarkKit
    import CRocksDB
    import Foundation

    /// RocksDB with the event as a key and a value of its own making, once by session and once by user. It parses no
    /// statement, checks no row that may be there, and gives no time to live; log without a sync and lz4 are as ours.
    final class RocksDBEvents {
        private let database: OpaquePointer
        private let options: OpaquePointer
        private let writing: OpaquePointer = rocksdb_writeoptions_create()
        private let batch: OpaquePointer = rocksdb_writebatch_create()
        private var key: [UInt8] = []
        private var value: [UInt8] = []

        init(directory: String) throws {
            let options: OpaquePointer = rocksdb_options_create()
            rocksdb_options_set_create_if_missing(options, 1)
            rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
            rocksdb_options_set_max_background_jobs(options, 2)
            rocksdb_options_set_info_log_level(options, 3)
            let tables: OpaquePointer = rocksdb_block_based_options_create()
            rocksdb_block_based_options_set_filter_policy(tables, rocksdb_filterpolicy_create_bloom_full(10))
            rocksdb_options_set_block_based_table_factory(options, tables)
            rocksdb_block_based_options_destroy(tables)
            self.options = options
            var error: UnsafeMutablePointer<CChar>?
            let database = rocksdb_open(options, "\(directory)/rocksdb", &error)
            try Self.check(error)
            guard let database else { throw RocksDBError(message: "opened no database") }
            self.database = database
        }

        func close() {
            rocksdb_writebatch_destroy(batch)
            rocksdb_writeoptions_destroy(writing)
            rocksdb_close(database)
            rocksdb_options_destroy(options)
        }

        func insert(_ index: Int, of workload: ShopWorkload) throws {
            let session = workload.session(ofEvent: index)
            let user = workload.user(ofEvent: index)
            let time = UInt64(bitPattern: workload.milliseconds(ofEvent: index)) ^ 1 << 63
            let (high, low) = workload.identifier(ofEvent: index)
            let (type, payload) = (workload.type(ofEvent: index), workload.payload(ofEvent: index))
            begin(session, time)
            append(high)
            append(low)
            put([user, type, payload])
            // The view's order is by time descending.
            begin(user, ~time)
            append(session)
            append(high)
            append(low)
            put([type, payload])
            var error: UnsafeMutablePointer<CChar>?
            rocksdb_write(database, writing, batch, &error)
            rocksdb_writebatch_clear(batch)
            try Self.check(error)
        }

        private func begin(_ partition: String, _ time: UInt64) {
            key.removeAll(keepingCapacity: true)
            append(partition)
            append(time)
        }

        private func append(_ text: String) {
            key.append(contentsOf: text.utf8)
            key.append(0)
        }

        private func append(_ number: UInt64) {
            withUnsafeBytes(of: number.bigEndian) { key.append(contentsOf: $0) }
        }

        private func put(_ fields: [String]) {
            value.removeAll(keepingCapacity: true)
            for field in fields {
                value.append(UInt8(truncatingIfNeeded: field.utf8.count))
                value.append(contentsOf: field.utf8)
            }
            key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    rocksdb_writebatch_put(
                        batch, key.bindMemory(to: CChar.self).baseAddress, key.count,
                        value.bindMemory(to: CChar.self).baseAddress, value.count)
                }
            }
        }

        func settle() throws {
            let flushing = rocksdb_flushoptions_create()
            defer { rocksdb_flushoptions_destroy(flushing) }
            rocksdb_flushoptions_set_wait(flushing, 1)
            var error: UnsafeMutablePointer<CChar>?
            rocksdb_flush(database, flushing, &error)
            try Self.check(error)
            while property("rocksdb.compaction-pending") > 0 || property("rocksdb.num-running-compactions") > 0 {
                usleep(2_000)
            }
        }

        private func property(_ name: String) -> UInt64 {
            var value: UInt64 = 0
            rocksdb_property_int(database, name, &value)
            return value
        }

        private static func check(_ message: UnsafeMutablePointer<CChar>?) throws {
            guard let message else { return }
            defer { rocksdb_free(message) }
            throw RocksDBError(message: String(cString: message))
        }
    }

    private struct RocksDBError: Error, CustomStringConvertible {
        let message: String
        var description: String { "RocksDB: \(message)" }
    }
#endif
