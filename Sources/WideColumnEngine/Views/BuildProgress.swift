// BuildProgress.swift — how far the build of a view or index has come: an entry of the catalog, written with each chunk.

/// What is built: a view, or an index of a table.
struct BuildName: Hashable, Sendable, CustomStringConvertible {
    /// The view, or the index's table.
    var table: TableIdentifier
    /// Empty for a view.
    var index = ""

    var description: String {
        index.isEmpty ? "the materialized view \(table)" : "the index \(index) of \(table)"
    }
}

/// How far a build has come. Nothing is known of one that has not written a chunk.
struct BuildProgress: Hashable, Sendable {
    /// How often the build was begun or taken up again.
    var generation: UInt32
    /// The partitions that it has met rows of.
    var partitionCount: Int64
    /// The stored key of the last row that it has met.
    var lastKey: [UInt8]
}

extension SchemaDefinitions {
    /// The views and indexes whose builds are not complete.
    var unbuilt: Set<BuildName> {
        var names: Set<BuildName> = []
        for (identifier, table) in tables {
            if table.view?.isBuilt == false { names.insert(BuildName(table: identifier)) }
            for index in table.indexes where !index.isBuilt {
                names.insert(BuildName(table: identifier, index: index.name))
            }
        }
        return names
    }

    /// Takes note that a view or index is complete.
    mutating func setBuilt(_ name: BuildName) {
        if name.index.isEmpty {
            tables[name.table]?.view?.isBuilt = true
        } else if let position = tables[name.table]?.indexes.firstIndex(where: { $0.name == name.index }) {
            tables[name.table]?.indexes[position].isBuilt = true
        }
    }

    /// Removes a view or index.
    mutating func remove(_ name: BuildName) {
        if name.index.isEmpty {
            tables[name.table] = nil
        } else {
            tables[name.table]?.indexes.removeAll { $0.name == name.index }
        }
    }
}
