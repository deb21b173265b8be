// SchemaCatalog.swift — the current schema, durable in the storage keyspace `wide/catalog`. SchemaEditor makes changes.
//
// Order of a change: the table's keyspace exists in the storage before the catalog names it, and is dropped after the
// catalog has forgotten it. What a crash leaves in between is an unnamed keyspace, which the next open removes.
//
// A new schema is published in the writer lane, with the commit of its catalog entry. So a write body sees one schema
// from beginning to end, and every write after a view's or index's creation maintains it.
//
// A view or index over existing rows is published, then built while other changes go on, then published as built. A build
// that fails takes a new view or index away again. One that was begun by an earlier run of the program, and fails at the
// opening, waits for the next opening.

internal import Logging
internal import Synchronization

final class SchemaCatalog: Sendable {
    private let storage: Storage
    private let entries: Keyspace
    private let current: Mutex<Schema>
    /// That of the current schema.
    private let currentVersion = Atomic<UInt64>(0)
    private let generators: Generators
    /// For the store behind system tables.
    private let allowsSystemNames: Bool
    private let observers = Mutex<[UInt64: @Sendable (SchemaChange) -> Void]>([:])
    private let observerCount = Mutex<UInt64>(0)
    /// The commits by which views and indexes became whole since the opening, by the numbers of their keyspaces.
    private let completions = Mutex<[UInt32: SequenceNumber]>([:])
    /// One schema is published at a time. Taken before the writer lane, never inside it.
    private let changes = Mutex(())
    private let logger = Logger(label: "shopstream.wide-column")

    private static let storageName = "wide/catalog"

    init(_ storage: Storage, generators: Generators, allowsSystemNames: Bool = false) throws {
        self.allowsSystemNames = allowsSystemNames
        self.storage = storage
        self.generators = generators
        entries = try storage.keyspace(Self.storageName)
        current = Mutex(.empty)
        let loaded = try Schema(version: 1, definitions: Self.load(entries, storage)) { name, rowOperator, compaction in
            try Self.open(name, rowOperator, compaction, storage)
        }
        setCurrent(loaded)
        for table in loaded.allTables {
            table.rowOperator.follow(table.definition)
            let kept = try storage.get(entries, CatalogCodec.timestampKey(table.identifier).rawSpan)
            if let kept { table.rowOperator.remember(try CatalogCodec.timestamp(kept)) }
            keepTimestamps(of: table)
        }
        do { try removeUnnamedKeyspaces() } catch let error as StorageError where error.code == .readOnly {}
        buildRemaining()
    }

    var schema: Schema { current.withLock { $0 } }

    /// The number of the current schema, without the lock. Who reads it behind a commit that published a schema finds that
    /// schema's number or a later one.
    var version: UInt64 { currentVersion.load(ordering: .acquiring) }

    /// Under the lock, so that who has seen the schema sees its number too.
    private func setCurrent(_ schema: Schema) {
        current.withLock { current in
            current = schema
            currentVersion.store(schema.version, ordering: .releasing)
        }
    }

    /// Has the table's operator keep timestamps beyond the clock in the catalog.
    private func keepTimestamps(of table: Table) {
        let key = CatalogCodec.timestampKey(table.identifier)
        table.rowOperator.keepTimestamps { [entries] timestamp, transaction in
            try transaction.put(entries, key.rawSpan, CatalogCodec.encode(timestamp: timestamp).rawSpan)
        }
    }

    // MARK: Opening

    private static func load(_ entries: Keyspace, _ storage: Storage) throws -> SchemaDefinitions {
        var definitions = SchemaDefinitions()
        var cursor = try storage.snapshot().view.cursor(entries)
        try cursor.seekToFirst()
        while cursor.isValid {
            let (key, value) = (cursor.key.array(), cursor.value.array())
            if CatalogCodec.isKeyspaceKey(key) {
                let keyspace = try CatalogCodec.keyspace(value)
                definitions.keyspaces[keyspace.name] = keyspace
            } else if CatalogCodec.isTypeKey(key) {
                let type = try CatalogCodec.type(value)
                definitions.types[type.keyspace, default: [:]][type.name] = type
            } else if key != CatalogCodec.hostIDKey, !CatalogCodec.isBuildKey(key), !CatalogCodec.isTimestampKey(key) {
                let table = try CatalogCodec.table(value)
                definitions.tables[table.identifier] = table
            }
            try cursor.next()
        }
        return definitions
    }

    private static func open(
        _ name: String, _ rowOperator: RowMergeOperator?, _ compaction: TableCompaction, _ storage: Storage
    ) throws -> Keyspace {
        guard let rowOperator else {
            // An index: entries without values, which expire with the cells they are of.
            return try storage.keyspace(
                name,
                options: KeyspaceOptions(
                    expiry: .engine, isDedicated: true, strategy: compaction.strategy,
                    garbageThreshold: compaction.garbageThreshold, compactsAutomatically: compaction.isAutomatic))
        }
        let keyspace = try storage.keyspace(
            name,
            options: KeyspaceOptions(
                mergeOperator: rowOperator, expiry: .operator, isDedicated: true,
                strategy: compaction.strategy, garbageThreshold: compaction.garbageThreshold,
                compactsAutomatically: compaction.isAutomatic, clusteringLayout: StorageKey.rowLayout))
        // A keyspace that is open keeps its first operator.
        (keyspace.options.mergeOperator as? RowMergeOperator ?? rowOperator).search(keyspace, of: storage)
        return keyspace
    }

    private func removeUnnamedKeyspaces() throws {
        let named = Set(schema.definitions.tables.values.flatMap(\.storageNames) + [Self.storageName])
        for name in storage.keyspaceNames where name.hasPrefix("wide/") && !named.contains(name) {
            try storage.dropKeyspace(name)
        }
    }

    /// What identifies the store to drivers, from its first opening on. One that can't be kept, because nothing may be
    /// written, lasts as long as the store is open.
    ///
    /// - Parameter new: for a store that has none.
    func hostID(orNew new: CQLUUID) throws -> CQLUUID {
        let key = CatalogCodec.hostIDKey
        if let value = try storage.get(entries, key.rawSpan) { return try CatalogCodec.hostID(value) }
        do {
            return try storage.write(.synced) { transaction in
                // Another store on this storage may have been first.
                if let value = try transaction.view.get(entries, key.rawSpan) { return try CatalogCodec.hostID(value) }
                try transaction.put(entries, key.rawSpan, CatalogCodec.encode(hostID: new).rawSpan)
                return new
            }
        } catch let error as StorageError where error.code == .readOnly {
            return new
        }
    }

    // MARK: Changes

    /// Executes a schema statement; tells what it changed, if anything. Observers are told of all that changed with it, too.
    func execute(_ statement: Statement, currentKeyspace: String?) throws -> SchemaChange? {
        var new: Set<BuildName> = []
        var dropped: [SchemaChange] = []
        var changedTables: [SchemaChange] = []
        let change = try changes.withLock { _ -> SchemaChange? in
            if case .truncate(let name) = statement {
                try truncate(name, currentKeyspace)
                return nil
            }
            var editor = SchemaEditor(
                schema, currentKeyspace: currentKeyspace, allowsSystemNames: allowsSystemNames,
                now: storage.snapshot().readTime,
                makeID: { [generators] in generators.randomUUID() })
            let before = schema.definitions
            guard let change = try editor.apply(statement), editor.definitions != before else { return nil }
            try publish(editor.definitions)
            new = editor.definitions.unbuilt.subtracting(before.unbuilt)
            if change.target == .keyspace, change.kind == .dropped {
                dropped = before.drops(ofKeyspace: change.keyspace)
            }
            changedTables = schema.definitions.changedTables(since: before, besides: change)
            return change
        }
        for name in new { try buildNew(name) }
        if let change {
            let observers = observers.withLock { Array($0.values) }
            for change in dropped + [change] + changedTables { for observer in observers { observer(change) } }
        }
        return change
    }

    private func truncate(_ name: TableName, _ currentKeyspace: String?) throws {
        let table = try schema.table(name, currentKeyspace: currentKeyspace)
        guard !table.isView else {
            throw CQLError.invalid("Cannot TRUNCATE materialized view directly; must truncate base table instead")
        }
        try storage.write(.synced) { transaction in
            try transaction.deleteRange(table.storage, .all)
            for view in table.views { try transaction.deleteRange(view.storage, .all) }
            for index in table.indexes { try transaction.deleteRange(index.storage, .all) }
        }
    }

    // MARK: Publishing

    static func encoded(_ definitions: SchemaDefinitions) -> [[UInt8]: [UInt8]] {
        var entries: [[UInt8]: [UInt8]] = [:]
        for keyspace in definitions.keyspaces.values {
            entries[CatalogCodec.keyspaceKey(keyspace.name)] = CatalogCodec.encode(keyspace)
        }
        for type in definitions.types.values.flatMap(\.values) {
            entries[CatalogCodec.typeKey(type)] = CatalogCodec.encode(type)
        }
        for table in definitions.tables.values {
            entries[CatalogCodec.tableKey(table.identifier)] = CatalogCodec.encode(table)
        }
        return entries
    }

    /// Makes new definitions the current ones, with the catalog's entries that differ.
    func publish(_ definitions: SchemaDefinitions) throws {
        let before = schema
        let oldNames = Set(before.definitions.tables.values.flatMap(\.storageNames))
        let newNames = Set(definitions.tables.values.flatMap(\.storageNames))
        // A leftover of a table of this name must not come back to life.
        for name in newNames.subtracting(oldNames) where storage.existingKeyspace(name) != nil {
            try storage.dropKeyspace(name)
        }
        let next = try Schema(version: before.version + 1, definitions: definitions) { name, rowOperator, compaction in
            try Self.open(name, rowOperator, compaction, storage)
        }
        for table in next.allTables { keepTimestamps(of: table) }
        let completed = before.definitions.unbuilt.subtracting(definitions.unbuilt)
            .compactMap { Self.target(of: $0, in: next)?.dependent.storage.id }
        let (old, new) = (Self.encoded(before.definitions), Self.encoded(next.definitions))
        try storage.write(.synced) { transaction in
            for key in old.keys where new[key] == nil { try transaction.delete(entries, key.rawSpan) }
            // What is built, or gone, has no progress.
            for name in before.definitions.unbuilt.subtracting(definitions.unbuilt) {
                let key = CatalogCodec.buildKey(name)
                guard try transaction.view.get(entries, key.rawSpan) != nil else { continue }
                try transaction.delete(entries, key.rawSpan)
            }
            for identifier in before.definitions.tables.keys where definitions.tables[identifier] == nil {
                let key = CatalogCodec.timestampKey(identifier)
                guard try transaction.view.get(entries, key.rawSpan) != nil else { continue }
                try transaction.delete(entries, key.rawSpan)
            }
            for (key, value) in new where old[key] != value {
                try transaction.put(entries, key.rawSpan, value.rawSpan)
            }
            transaction.onCommit { [self] sequence in
                completions.withLock { $0.merge(completed.map { ($0, sequence) }) { $1 } }
                setCurrent(next)
            }
        }
        for table in next.allTables { table.rowOperator.follow(table.definition) }
        for name in oldNames.subtracting(newNames) { try storage.dropKeyspace(name) }
    }

    /// Refuses a SELECT by a view or an index that was not whole yet at a commit: it would find nothing, or a part.
    func check(_ select: SelectPlan, at sequence: SequenceNumber) throws {
        let index = select.whereClause.index?.index
        try completions.withLock { completions in
            if let completion = completions[select.table.storage.id], completion > sequence {
                throw CQLError.invalid(
                    "The materialized view \(select.table.identifier) is younger than the snapshot that it is read on")
            }
            if let index, let completion = completions[index.storage.id], completion > sequence {
                throw CQLError.invalid(
                    "The index \(index.definition.name) is younger than the snapshot that it is read on; "
                        + "read without it, on a newer snapshot or by other columns")
            }
        }
    }

    // MARK: Building

    /// Completes what an earlier run of the program left unbuilt, from where that one stopped. What can't be built does not
    /// keep the store from being opened.
    private func buildRemaining() {
        for name in schema.definitions.unbuilt {
            do {
                guard let target = target(of: name) else { continue }
                try build(name, target)
            } catch let error as StorageError where error.code == .readOnly {
                return
            } catch {
                logger.error("Building \(name) failed; it lacks rows until a later opening completes it: \(error)")
            }
        }
    }

    /// Fills a new view or index from the rows that were there before it; takes it away again where that fails.
    private func buildNew(_ name: BuildName) throws {
        guard let target = target(of: name) else { return }
        do { try build(name, target) } catch {
            do {
                try publishChange(of: target, of: name) { $0.remove(name) }
            } catch let second {
                logger.error("Building \(name) failed, and so did removing it: \(second)")
            }
            throw error
        }
    }

    /// A chunk a commit, while writes and other changes of the schema go on. What is dropped meanwhile is done with.
    private func build(_ name: BuildName, _ target: (table: Table, dependent: DependentBuilder.Target)) throws {
        var builder = DependentBuilder(table: target.table, target: target.dependent, after: try progress(of: name))
        while try buildChunk(&builder, name) {}
        try publishChange(of: target, of: name) { $0.setBuilt(name) }
    }

    private func target(of name: BuildName) -> (table: Table, dependent: DependentBuilder.Target)? {
        Self.target(of: name, in: schema)
    }

    private static func target(
        of name: BuildName, in schema: Schema
    ) -> (table: Table, dependent: DependentBuilder.Target)? {
        for table in schema.allTables {
            if name.index.isEmpty {
                let view = table.views.first { $0.definition.identifier == name.table }
                if let view { return (table, .view(view)) }
            } else if table.identifier == name.table {
                let index = table.indexes.first { $0.definition.name == name.index }
                return index.map { (table, .index($0)) }
            }
        }
        return nil
    }

    /// Publishes a change of a view's or index's definition, if there still is that view or index.
    private func publishChange(
        of target: (table: Table, dependent: DependentBuilder.Target), of name: BuildName,
        _ body: (inout SchemaDefinitions) -> Void
    ) throws {
        try changes.withLock { _ in
            guard self.target(of: name)?.dependent.storage.id == target.dependent.storage.id else { return }
            var definitions = schema.definitions
            body(&definitions)
            try publish(definitions)
        }
    }

    /// Builds a chunk and keeps how far that came, in one commit; tells whether there is more.
    func buildChunk(_ builder: inout DependentBuilder, _ name: BuildName) throws -> Bool {
        try storage.write { (transaction: WriteTransaction) in
            guard builder.follow(schema) else { return false }
            let hasMore = try builder.buildChunk(transaction)
            // The last chunk is soon followed by the word that all is built, and may well come twice.
            if hasMore {
                let (key, value) = (CatalogCodec.buildKey(name), CatalogCodec.encode(builder.progress))
                try transaction.put(entries, key.rawSpan, value.rawSpan)
            }
            return hasMore
        }
    }

    /// How far a build has come; `nil` if it has not come far enough to be worth a note.
    func progress(of name: BuildName) throws -> BuildProgress? {
        try storage.get(entries, CatalogCodec.buildKey(name).rawSpan).map { try CatalogCodec.buildProgress($0) }
    }

    // MARK: Observing

    /// Calls `body` after every change, on the thread that made it, until the returned closure is called.
    func observe(_ body: @escaping @Sendable (SchemaChange) -> Void) -> @Sendable () -> Void {
        let token = observerCount.withLock { count in
            count += 1
            return count
        }
        observers.withLock { $0[token] = body }
        return { [weak self] in self?.observers.withLock { $0[token] = nil } }
    }
}

extension SchemaDefinitions {
    /// The tables and views whose definitions follow a change of another table or of a type, one change for each.
    fileprivate func changedTables(since before: SchemaDefinitions, besides change: SchemaChange) -> [SchemaChange] {
        let changed = tables.values.filter { table in
            guard let old = before.tables[table.identifier] else { return false }
            let isNamed =
                change.target == .table && change.keyspace == table.identifier.keyspace
                && change.name == table.identifier.name
            return !isNamed && old != table
        }
        return changed.map(\.identifier).sorted { $0.description < $1.description }.map {
            SchemaChange(kind: .updated, target: .table, keyspace: $0.keyspace, name: $0.name)
        }
    }

    /// What goes with a keyspace: its views, its tables, its types ([CA] schema/SchemaChangeNotifier.java,
    /// `notifyKeyspaceDropped`).
    fileprivate func drops(ofKeyspace keyspace: String) -> [SchemaChange] {
        let tables = tables(in: keyspace)
        let inOrder = tables.filter { $0.view != nil } + tables.filter { $0.view == nil }
        return inOrder.map {
            SchemaChange(kind: .dropped, target: .table, keyspace: keyspace, name: $0.identifier.name)
        }
            + (types[keyspace] ?? [:]).keys.sorted().map {
                SchemaChange(kind: .dropped, target: .type, keyspace: keyspace, name: $0)
            }
    }
}

extension TableIdentifier {
    func storageName(ofIndex name: String) -> String { "\(storageName)/\(name)" }
}

extension TableDefinition {
    /// The storage keyspaces of the table and its indexes.
    var storageNames: [String] {
        [identifier.storageName] + indexes.map { identifier.storageName(ofIndex: $0.name) }
    }
}
