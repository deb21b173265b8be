// TableOrigin.swift — where a table comes from: what a salvage needs to know where the manifest is lost.
//
// A block of its own, because nobody else reads it. Coding: Docs/FORMATS.md, "Origin".

internal import StorageTypes

/// The tree and keyspaces of a table's entries, and the tables that it takes the place of.
struct TableOrigin: Sendable, Equatable {
    var tree: UInt32
    var treeOptions: TreeOptions
    /// Those that the table may have entries of.
    var keyspaces: [KeyspaceRecord]
    /// The level that the table was written into.
    var level: Int
    /// The tables that were rewritten into this one and the others of its group; empty where it comes from memory.
    var inputs: [UInt64] = []
    /// The number of the first table that the same compaction wrote: it tells its outputs from all others.
    var group: UInt64 = 0
    /// The place among the outputs of the group.
    var position = 0
    /// Whether the group ends with this table. A group without an end is that of a compaction that did not finish.
    var isLast = true
    /// What the table has of each keyspace that it has point entries of, by id, ascending. Empty where that is one only, and in
    /// a table that was written before these were.
    var sizes: [KeyspaceSize] = []
}

/// What a table has of one keyspace.
struct KeyspaceSize: Sendable, Equatable {
    var id: UInt32
    var entryCount: Int
    /// Keys and values before coding.
    var rawByteCount: Int
}

extension TableOrigin {
    /// - Parameters:
    ///   - keyspaces: Those that the table may have entries of.
    ///   - inputs: Numbers of the tables that the new ones take the place of.
    init(of tree: Tree, keyspaces: some Sequence<Keyspace>, level: Int, inputs: [UInt64] = []) {
        self.init(
            tree: tree.id, treeOptions: tree.options, keyspaces: keyspaces.map(\.record), level: level,
            inputs: inputs)
    }

    private static let names = (
        group: "group", inputs: "inputs", isLast: "isLast", keyspaces: "keyspaces", level: "level",
        position: "position", sizes: "sizes", tree: "tree"
    )

    /// Leaves out the keyspaces whose ids lie outside the span of some tree keys.
    mutating func keepKeyspaces(between keys: [[UInt8]]) {
        let ids = keys.map { Keyspace.id(ofTreeKey: $0) }
        guard let lowest = ids.min(), let highest = ids.max() else { return keyspaces = [] }
        keyspaces = keyspaces.filter { lowest...highest ~= $0.id }.sorted { $0.id < $1.id }
    }

    /// Name and value of every part.
    func encoded() -> [(name: String, value: [UInt8])] {
        func bytes(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
            var writer = ByteWriter()
            write(&writer)
            return writer.bytes
        }
        let optional: [(name: String, value: [UInt8])] =
            sizes.isEmpty ? [] : [(Self.names.sizes, bytes { writer in sizes.forEach { writer.encode($0) } })]
        return optional + [
            (Self.names.group, bytes { $0.varint(group) }),
            (Self.names.inputs, bytes { writer in inputs.forEach { writer.varint($0) } }),
            (Self.names.isLast, bytes { $0.u8(isLast ? 1 : 0) }),
            (Self.names.keyspaces, bytes { writer in keyspaces.forEach { writer.encode($0) } }),
            (Self.names.level, bytes { $0.varint(UInt64(level)) }),
            (Self.names.position, bytes { $0.varint(UInt64(position)) }),
            (
                Self.names.tree,
                bytes {
                    $0.varint(UInt64(tree))
                    $0.encode(treeOptions)
                }
            ),
        ]
    }

    /// Decodes an origin block; all parts but the sizes must be there, others are skipped.
    init(_ block: Block) throws {
        let values = try block.valuesByName()
        func read<R>(_ name: String, _ body: (inout ByteReader) throws -> R) throws -> R {
            guard let value = values[name] else { throw block.location.corruption("The table's origin lacks \(name).") }
            var reader = ByteReader(
                value.rawSpan, file: block.location.path, offset: Int64(clamping: block.location.offset))
            let result = try body(&reader)
            try reader.expectEnd()
            return result
        }
        (tree, treeOptions) = try read(Self.names.tree) { (try $0.id(), try $0.treeOptions()) }
        group = try read(Self.names.group) { try $0.varint() }
        level = try read(Self.names.level) { try $0.count() }
        position = try read(Self.names.position) { try $0.count() }
        isLast = try read(Self.names.isLast) { try $0.u8() != 0 }
        inputs = try read(Self.names.inputs) { reader in
            var numbers: [UInt64] = []
            while !reader.isAtEnd { numbers.append(try reader.varint()) }
            return numbers
        }
        keyspaces = try read(Self.names.keyspaces) { reader in
            var records: [KeyspaceRecord] = []
            while !reader.isAtEnd { records.append(try reader.keyspaceRecord()) }
            return records
        }
        guard values[Self.names.sizes] != nil else { return }
        sizes = try read(Self.names.sizes) { reader in
            var sizes: [KeyspaceSize] = []
            while !reader.isAtEnd { sizes.append(try reader.keyspaceSize()) }
            guard zip(sizes, sizes.dropFirst()).allSatisfy({ $0.id < $1.id }) else {
                throw block.location.corruption("The keyspaces of the table's origin are out of order.")
            }
            return sizes
        }
    }
}

extension ByteWriter {
    fileprivate mutating func encode(_ size: KeyspaceSize) {
        varint(UInt64(size.id))
        varint(UInt64(size.entryCount))
        varint(UInt64(size.rawByteCount))
    }
}

extension ByteReader {
    fileprivate mutating func keyspaceSize() throws -> KeyspaceSize {
        KeyspaceSize(id: try id(), entryCount: try count(), rawByteCount: try count())
    }
}
