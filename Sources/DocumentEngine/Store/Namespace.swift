// Namespace.swift — the full name of a collection: database, dot, collection.

/// The full name of a collection.
public struct Namespace: Sendable, Hashable, CustomStringConvertible {
    public let database: String
    public let collection: String

    public init(database: String, collection: String) {
        self.database = database
        self.collection = collection
    }

    public var description: String { "\(database).\(collection)" }

    /// - Throws: 73 (InvalidNamespace) for a name that the server refuses.
    func check() throws(DocumentError) {
        let isDatabaseBad =
            database.isEmpty || database.utf8.count > 63 || database.contains { "/\\. \"$*<>:|?\0".contains($0) }
        guard !isDatabaseBad else {
            throw DocumentError(.invalidNamespace, "Invalid database name: '\(database)'")
        }
        let isCollectionBad =
            collection.isEmpty || collection.contains("$") || collection.contains("\0")
            || collection.hasPrefix(".") || collection.hasSuffix(".") || description.utf8.count > 255
        guard !isCollectionBad else {
            throw DocumentError(.invalidNamespace, "Invalid namespace specified '\(self)'")
        }
    }

    /// The names of the storage's keyspaces that hold the collection. Names of collections and indexes may have slashes
    /// in them: the collection comes last, and in front of it only what has none, so that no two names are the same.
    var recordsKeyspace: String { "documents/data/\(self)" }
    func indexKeyspace(_ id: UInt32) -> String { "documents/index/\(id)/\(self)" }
}
