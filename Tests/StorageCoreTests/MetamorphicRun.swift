// MetamorphicRun.swift — one list of operations carried out on one configuration, with every answer written down.
//
// Answers are lines of text that hold nothing a configuration may choose for itself: values, keys, sequences, commit
// times, names, and the codes of errors. Two configurations are compared line by line.

import StorageCore
import StorageTypes

/// An engine with its options.
struct MetamorphicConfiguration: CustomStringConvertible, Sendable {
    var description: String
    var location = "directory"
    var isDedicated = false
    var compression = CompressionOptions()
    var filterBitsPerKey = 10
    var clusteringLayout: ClusteringLayout?
    var strategy = CompactionStrategy.leveled()
    var garbageThreshold: Double?
    var change: @Sendable (inout StorageOptions) -> Void = { _ in }

    func storageLocation(_ path: String) -> StorageLocation {
        location == "sqlite" ? .sqlite(path) : .directory(path)
    }

    func keyspaceOptions(_ index: Int) -> KeyspaceOptions {
        var options = KeyspaceOptions(
            isDedicated: isDedicated, compression: compression, filterBitsPerKey: filterBitsPerKey,
            strategy: strategy, garbageThreshold: garbageThreshold, clusteringLayout: clusteringLayout)
        switch MetamorphicKeyspace.kind(index) {
        case .plain, .second: break
        case .appended: options.mergeOperator = ModelAppend()
        case .expiring: options.expiry = .engine
        case .timed:
            options.mergeOperator = ModelTimedSet()
            options.expiry = .operator
        case .volatile: options.isVolatile = true
        }
        return options
    }
}

final class MetamorphicRun {
    private let configuration: MetamorphicConfiguration
    private let disk = SimulatedFileSystem(seed: 1)
    private let clock = ManualClock()
    private var storage: Storage
    private var keyspaces: [Keyspace] = []
    private var snapshots: [Int: (snapshot: Snapshot, keyspaces: [Keyspace])] = [:]
    private var checkpointCount = 0
    private var openingCount = 0

    init(_ configuration: MetamorphicConfiguration) throws {
        self.configuration = configuration
        var options = StorageOptions()
        options.fileSystem = disk
        options.clock = clock
        options.backgroundWork = .manual
        configuration.change(&options)
        self.options = options
        storage = try Storage.open(configuration.storageLocation("/db"), options: options)
        keyspaces = try openKeyspaces(storage)
    }

    private let options: StorageOptions

    private func openKeyspaces(_ storage: Storage) throws -> [Keyspace] {
        openingCount += 1
        return try (0..<MetamorphicKeyspace.count).map {
            var keyspaceOptions = configuration.keyspaceOptions($0)
            if options.sharedKeyspaceByteCount < 1 << 20 {
                keyspaceOptions.filterBitsPerKey = [10, 10, 5][(openingCount + $0) % 3]
                keyspaceOptions.strategy = (openingCount / 2 + $0) % 4 == 3 ? .sizeTiered() : .leveled()
                keyspaceOptions.compactsAutomatically = (openingCount / 4 + $0) % 5 > 0
            }
            return try storage.keyspace(MetamorphicKeyspace.name($0), options: keyspaceOptions)
        }
    }

    /// The answers to the operations, one line for each, and what everything comes to in the end.
    static func answers(
        of configuration: MetamorphicConfiguration, to operations: [MetamorphicOperation]
    ) throws -> [String] {
        let run = try MetamorphicRun(configuration)
        var answers = operations.map { run.answer($0) }
        answers.append(run.answer { try run.content(run.storage.snapshot().view, run.keyspaces) })
        answers.append(run.answer { try run.storage.verify().isHealthy ? "healthy" : "\(run.storage.verify())" })
        run.snapshots = [:]
        try run.storage.close()
        return answers
    }

    private func answer(_ body: () throws -> String) -> String {
        do {
            return try body()
        } catch {
            return (error as? StorageError).map { "error \($0.code)" } ?? "error \(error)"
        }
    }

    private struct Refusal: Error {}

    private func answer(_ operation: MetamorphicOperation) -> String {
        answer {
            switch operation {
            case .commit(let changes, let durability): return try commit(changes, durability)
            case .transaction(let steps, let refuses): return try transaction(steps, refuses: refuses)
            case .get(let keyspace, let key, let number):
                guard let (view, keyspaces) = view(number) else { return "no such snapshot" }
                let found = try get(view, keyspaces[keyspace], key)
                guard number == nil else { return found }
                // The same without a snapshot.
                let newest = try shown(
                    storage.get(keyspaces[keyspace], key.rawSpan), keyspaces[keyspace], view.readTime)
                return "\(found), newest \(newest.map { "\($0)" } ?? "nothing")"
            case .walk(let keyspace, let range, let moves, let number):
                guard let (view, keyspaces) = view(number) else { return "no such snapshot" }
                var cursor = try view.cursor(keyspaces[keyspace], range)
                return try walk(&cursor, moves, keyspaces[keyspace], view.readTime)
            case .takeSnapshot(let number):
                let snapshot = storage.snapshot()
                snapshots[number] = (snapshot, keyspaces)
                return "\(snapshot.sequence)"
            case .releaseSnapshot(let number):
                // All it saw, once more, before it goes.
                let held = snapshots.removeValue(forKey: number)
                return try held.map { try content($0.snapshot.view, $0.keyspaces) } ?? "no such snapshot"
            case .advanceClock(let milliseconds):
                clock.advance(by: .milliseconds(milliseconds))
                return "\(clock.now)"
            default:
                return try maintain(operation)
            }
        }
    }

    private func maintain(_ operation: MetamorphicOperation) throws -> String {
        switch operation {
        case .flush: try storage.flush()
        case .compact: try storage.compact()
        case .step: _ = try storage.step()
        case .sync:
            try storage.sync()
            return "\(storage.durableSequence)"
        case .drop(let keyspace):
            try storage.dropKeyspace(MetamorphicKeyspace.name(keyspace))
            keyspaces = try openKeyspaces(storage)
        case .checkpoint: return try checkpoint()
        case .reopen:
            snapshots = [:]
            try storage.close()
            storage = try Storage.open(configuration.storageLocation("/db"), options: options)
            keyspaces = try openKeyspaces(storage)
        default: break
        }
        return "\(storage.visibleSequence) \(storage.keyspaceNames)"
    }

    private func checkpoint() throws -> String {
        checkpointCount += 1
        let path = "/copy \(checkpointCount)"
        try storage.checkpoint(to: path)
        var options = options
        options.isReadOnly = true
        let copy = try Storage.open(configuration.storageLocation(path), options: options)
        defer { try? copy.close() }
        return try content(copy.snapshot().view, openKeyspaces(copy))
    }

    // MARK: Writing

    private func commit(_ changes: [MetamorphicOperation.Change], _ durability: Durability) throws -> String {
        var batch = WriteBatch()
        for change in changes { try write(change, to: &batch) }
        return "\(try storage.commit(batch, durability))"
    }

    private func transaction(_ steps: [MetamorphicOperation.Step], refuses: Bool) throws -> String {
        var answers: [String] = []
        do {
            try storage.write { transaction in
                answers.append("\(transaction.sequence) \(transaction.commitTime)")
                var target = transaction
                for step in steps {
                    switch step {
                    case .change(let change): try write(change, to: &target)
                    case .get(let keyspace, let key):
                        answers.append(try get(transaction.view, keyspaces[keyspace], key))
                    case .walk(let keyspace, let range, let moves):
                        var cursor = try transaction.cursor(keyspaces[keyspace], range)
                        answers.append(try walk(&cursor, moves, keyspaces[keyspace], transaction.commitTime))
                    }
                }
                if refuses { throw Refusal() }
            }
        } catch is Refusal {
            answers.append("refused")
        }
        return "\(storage.visibleSequence) \(answers.joined(separator: "; "))"
    }

    private func write(_ change: MetamorphicOperation.Change, to target: inout some MetamorphicTarget) throws {
        let keyspace = keyspaces[change.keyspace]
        let key = change.key
        switch change.kind {
        case .delete: try target.delete(keyspace, key.rawSpan)
        case .deleteRange: try target.deleteRange(keyspace, KeyRange(lower: key, upper: change.upper))
        case .put:
            let (value, expiry) = content(of: change)
            try target.put(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
        case .merge:
            let (value, expiry) = content(of: change)
            try target.merge(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
        }
    }

    private func content(of change: MetamorphicOperation.Change) -> ([UInt8], StorageInstant?) {
        let expiry = change.lifetimeMilliseconds.map { clock.now.advanced(by: .milliseconds($0)) }
        guard MetamorphicKeyspace.kind(change.keyspace) == .timed else { return (change.value, expiry) }
        let set = [change.value.first ?? 0: expiry?.microseconds ?? .max]
        return (ModelTimedSet.encode(set), ModelTimedSet.bound(set))
    }

    // MARK: Reading

    private func view(_ number: Int?) -> (ReadView, [Keyspace])? {
        guard let number else { return (storage.snapshot().view, keyspaces) }
        return snapshots[number].map { ($0.snapshot.view, $0.keyspaces) }
    }

    /// A value as a reader may rely on: of a set that expires by parts, what lives.
    private func shown(_ value: [UInt8]?, _ keyspace: Keyspace, _ now: StorageInstant) throws -> [UInt8]? {
        guard keyspace.options.expiry == .operator else { return value }
        return try value.flatMap { try ModelTimedSet.live($0, at: now) }
    }

    /// The value of a key, the same again among several, and that of its neighbour.
    private func get(_ view: ReadView, _ keyspace: Keyspace, _ key: [UInt8]) throws -> String {
        let value = try shown(try view.get(keyspace, key.rawSpan), keyspace, view.readTime)
        let several = try view.multiGet(keyspace, [key, key + [0], key])
        for other in [several[0], several[2]] where try shown(other, keyspace, view.readTime) != value {
            return "\(String(describing: value)), among several \(several)"
        }
        let neighbour = try shown(several[1], keyspace, view.readTime)
        return "\(value.map { "\($0)" } ?? "nothing")\(neighbour.map { ", then \($0)" } ?? "")"
    }

    private func walk(
        _ cursor: inout Cursor, _ moves: [MetamorphicOperation.Move], _ keyspace: Keyspace, _ now: StorageInstant
    ) throws -> String {
        // Entries of which nothing lives are there or not, as compaction went: a walk over them can't be compared.
        guard keyspace.options.expiry != .operator else { return try scan(&cursor, keyspace, now) }
        var path = ""
        for move in moves {
            switch move {
            case .first: try cursor.seekToFirst()
            case .last: try cursor.seekToLast()
            case .seek(let key): try cursor.seek(key.rawSpan)
            case .seekBackward(let key): try cursor.seekBackward(key.rawSpan)
            case .next:
                guard cursor.isValid else { continue }
                try cursor.next()
            case .previous:
                guard cursor.isValid else { continue }
                try cursor.previous()
            }
            path += cursor.isValid ? " \(cursor.key.array())=\(cursor.value.array().hashed)" : " end"
        }
        return path
    }

    private func scan(_ cursor: inout Cursor, _ keyspace: Keyspace, _ now: StorageInstant) throws -> String {
        var path = ""
        try cursor.seekToFirst()
        while cursor.isValid {
            if let value = try shown(cursor.value.array(), keyspace, now) { path += " \(cursor.key.array())=\(value)" }
            try cursor.next()
        }
        return path
    }

    private func content(_ view: ReadView, _ keyspaces: [Keyspace]) throws -> String {
        try keyspaces.map { keyspace in
            var cursor = try view.cursor(keyspace)
            return "\(keyspace.name):" + (try scan(&cursor, keyspace, view.readTime))
        }.joined(separator: "\n")
    }
}

/// What a change can be written to.
private protocol MetamorphicTarget {
    mutating func put(_ keyspace: Keyspace, _ key: RawSpan, _ value: RawSpan, expiry: StorageInstant?) throws
    mutating func delete(_ keyspace: Keyspace, _ key: RawSpan) throws
    mutating func deleteRange(_ keyspace: Keyspace, _ range: KeyRange) throws
    mutating func merge(_ keyspace: Keyspace, _ key: RawSpan, _ operand: RawSpan, expiry: StorageInstant?) throws
}

extension WriteBatch: MetamorphicTarget {}
extension WriteTransaction: MetamorphicTarget {}

extension [UInt8] {
    /// Short, the same in every run, and different for different bytes as good as always.
    fileprivate var hashed: String {
        "\(count):" + String(reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 36)
    }
}
