// PreparedStatements.swift — the statements that clients of a server prepared, by their ids.
//
// The id is a hash of text and keyspace (if that matters), so every connection prepares a statement under the same id, and may execute what
// another one prepared, as drivers do. Beyond the capacity, of statements or of the memory they take, the least recently
// used half goes: who executes one of those is told that it is unprepared, and drivers prepare it again.

internal import Crypto
internal import StorageTypes
internal import Synchronization
internal import WideColumnEngine

/// Prepared statements shared by all connections.
final class PreparedStatements: Sendable {
    struct Entry: Sendable {
        var statement: PreparedStatement
        /// The columns that the first client was told; whoever knows others needs to be told again.
        var announcedColumns: [ResultColumn]
        var announcedMetadataID: [UInt8]
        /// Whether a later client was told other columns: nobody knows then which of both one without a number knows.
        var isAmbiguous = false
        fileprivate var lastUse: UInt64 = 0
        fileprivate var byteCount = 0
    }

    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        var uses: UInt64 = 0
        var byteCount = 0
    }

    private let capacity: Int
    private let byteCapacity: Int
    private let state = Mutex(State())

    init(capacity: Int = 10_000, byteCapacity: Int = 128 << 20) {
        self.capacity = capacity
        self.byteCapacity = byteCapacity
    }

    /// What a statement is taken to need: its text, and a plan that grows with it.
    private static func byteCount(_ statement: PreparedStatement) -> Int { 1024 + 16 * statement.cql.utf8.count }

    /// The keyspace counts only where it means something: a statement that names its own keeps its id across USE, as a driver
    /// expects that prepares it again after that (CASSANDRA-15252).
    static func id(_ statement: PreparedStatement) -> [UInt8] {
        var writer = WireWriter()
        let keyspace = statement.isQualified ? nil : statement.keyspace
        writer.optionalBytes(keyspace.map { Array($0.utf8) })
        writer.longString(statement.cql)
        return Array(SHA256.hash(data: writer.bytes).prefix(16))
    }

    /// Keeps a statement of which a client is told what `message` says. The statement itself may say something else already.
    ///
    /// - Throws: `CQLError` for one that is too large to be kept ([CA] cql3/QueryProcessor.java, `storePreparedStatement`).
    func keep(_ statement: PreparedStatement, _ message: PreparedMessage) throws {
        let byteCount = Self.byteCount(statement)
        guard byteCount <= byteCapacity else {
            throw CQLError(
                .invalidRequest,
                "Prepared statement of size \(byteCount) bytes is larger than allowed maximum of \(byteCapacity >> 20) MB: "
                    + "\(statement.cql.prefix(200))...")
        }
        let (id, columns) = (message.id, message.resultColumns)
        state.withLock { state in
            state.uses += 1
            if state.entries[id] == nil {
                if state.entries.count >= capacity || state.byteCount + byteCount > byteCapacity {
                    evict(&state, for: byteCount)
                }
                state.entries[id] = Entry(
                    statement: statement, announcedColumns: columns, announcedMetadataID: message.resultMetadataID,
                    byteCount: byteCount)
                state.byteCount += byteCount
            }
            if state.entries[id]?.announcedColumns != columns { state.entries[id]?.isAmbiguous = true }
            state.entries[id]?.lastUse = state.uses
        }
    }

    /// - Throws: `ErrorMessage` (0x2500) with the id, after which drivers prepare again.
    func entry(_ id: [UInt8]) throws -> Entry {
        let entry = state.withLock { state -> Entry? in
            state.uses += 1
            guard state.entries[id] != nil else { return nil }
            state.entries[id]?.lastUse = state.uses
            return state.entries[id]
        }
        if let entry { return entry }
        throw ErrorMessage(
            .unprepared(id: id),
            "Prepared query with ID \(Hexadecimal.text(id)) not found (either the query was not prepared on this host (maybe the host "
                + "has been restarted?) or you have prepared too many queries and it has been evicted from the internal "
                + "cache)")
    }

    var count: Int { state.withLock { $0.entries.count } }
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Keeps of the statements that were used last half of what there may be, and makes room for one more.
    private func evict(_ state: inout State, for byteCount: Int) {
        let room = min(byteCapacity / 2, byteCapacity - byteCount)
        var kept = State(uses: state.uses)
        for (id, entry) in state.entries.sorted(by: { $0.value.lastUse > $1.value.lastUse }) {
            guard kept.entries.count < capacity / 2, kept.byteCount + entry.byteCount <= room else { break }
            kept.entries[id] = entry
            kept.byteCount += entry.byteCount
        }
        state = kept
    }
}

extension [ResultColumn] {
    /// A number that changes with the columns (version 5, `result_metadata_id`).
    var metadataID: [UInt8] {
        var writer = WireWriter()
        for column in self {
            writer.longString(column.keyspace)
            writer.longString(column.table)
            writer.longString(column.name)
            column.type.write(to: &writer, .v5)
        }
        return [UInt8](SHA256.hash(data: writer.bytes).prefix(16))
    }
}
