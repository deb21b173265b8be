// AccessTrace.swift — what single reads and writes touched, for whoever asks it of them.
//
// A read that nobody traces finds a nil where the sink would be: once by look-up, cursor and table, and once by block.

/// Is told what the reads of one snapshot, or one transaction, touch.
///
/// Called on the thread that reads or writes, for a transaction while it holds the writer lane: note it and go. See ``Snapshot/traced(by:)`` and
/// ``WriteTransaction/traceSink``.
public protocol AccessTraceSink: AnyObject, Sendable {
    func record(_ event: AccessEvent)
}

/// Something that a read or a write touched. A case may be added in a minor release: switch with a default.
///
/// Tables are told by the number in their file's name.
public enum AccessEvent: Sendable, Hashable {
    /// A look-up or a cursor began with the memtables that hold anything.
    case memtables(count: Int)
    /// A look-up or a cursor left a table out: its filter has no such key or group, or it is of other times.
    case tableRuledOut(number: UInt64)
    /// A look-up searched a table, and found versions of the key in it or not.
    case tableSearched(number: UInt64, isFound: Bool)
    /// A cursor reads a table.
    case tableEntered(number: UInt64)
    /// A block of a table was needed: data, or a part of its index or filter that is not kept in memory.
    case block(table: UInt64, byteCount: Int, isCached: Bool)
    /// A look-up or a cursor asked a SQLite database.
    case database
    /// The transaction changed a key.
    case keyWritten(keyspace: String, key: [UInt8])
    /// The transaction removed a range of keys.
    case rangeDeleted(keyspace: String, range: KeyRange)
}

/// A table's reader whose blocks are told of, and the one that it stands for.
struct TableTracing: Sendable {
    let sink: any AccessTraceSink
    let origin: TableReader
}

extension TableFile {
    /// The table's reader, one that tells what it reads if somebody listens.
    @inline(__always)
    func open(tracedBy sink: (any AccessTraceSink)?) throws -> TableReader {
        let reader = try open()
        guard let sink else { return reader }
        return reader.traced(by: sink)
    }
}

extension Snapshot {
    /// The same snapshot; what is read of it is told to `sink`.
    public func traced(by sink: any AccessTraceSink) -> Snapshot {
        Snapshot(tracing: SnapshotTracing(sink: sink, origin: self))
    }
}

/// Who listens to a snapshot's reads, and the snapshot that is registered.
final class SnapshotTracing: Sendable {
    let sink: any AccessTraceSink
    let origin: Snapshot

    init(sink: any AccessTraceSink, origin: Snapshot) {
        self.sink = sink
        self.origin = origin
    }
}

extension WriteBatch {
    /// Tells what the batch changes, in the order in which it was written.
    func tell(_ sink: any AccessTraceSink) {
        for rangeDelete in rangeDeletes {
            let range = KeyRange(
                lower: Array(rangeDelete.lower.dropFirst(Keyspace.prefixByteCount)),
                upper: rangeDelete.upper.starts(with: rangeDelete.lower.prefix(Keyspace.prefixByteCount))
                    ? Array(rangeDelete.upper.dropFirst(Keyspace.prefixByteCount)) : nil)
            sink.record(.rangeDeleted(keyspace: slots.keyspaces[Int(rangeDelete.keyspace)].name, range: range))
        }
        unsafe forEachLiveEntry { _, entry, key, _ in
            let userKey = unsafe Array(key.dropFirst(Keyspace.prefixByteCount))
            sink.record(.keyWritten(keyspace: slots.keyspaces[Int(entry.keyspace)].name, key: userKey))
        }
    }
}
