// ModelRun.swift — a storage on a simulated disk, driven at random beside the model.
//
// Everything follows from the seed: a run that failed is repeated by running its seed again.

import StorageCore

final class ModelRun {
    struct HeldSnapshot {
        var snapshot: Snapshot
        var state: ModelState
        /// Incarnations that existed when it was taken.
        var incarnations: [Int]
    }

    let seed: UInt64
    var random: SeededRandom
    let disk: SimulatedFileSystem
    let clock = ManualClock()
    var storage: Storage
    var keyspaces: [Keyspace] = []
    /// The incarnation of each keyspace.
    var incarnations = Array(ModelKeyspace.all.indices)
    var nextIncarnation = ModelKeyspace.all.count
    var state = ModelState()
    var sequence = SequenceNumber.zero
    var lastCommitTime = StorageInstant.distantPast
    var snapshots: [HeldSnapshot] = []
    var checkpointCount = 0
    /// What was done, for the last lines of a failure.
    var journal: [String] = []

    private let options: StorageOptions
    /// Of each keyspace.
    private let strategies: [CompactionStrategy]
    private let location: (String) -> StorageLocation

    /// - Parameter location: Which engine a storage of that name has.
    init(seed: UInt64, location: @escaping (String) -> StorageLocation) throws {
        self.location = location
        self.seed = seed
        random = SeededRandom(seed: seed)
        disk = SimulatedFileSystem(seed: seed)
        var options = StorageOptions()
        options.fileSystem = disk
        options.clock = clock
        options.seed = seed
        options.backgroundWork = .manual
        options.memtableByteCount = Int.random(in: 1...4, using: &random) << 10
        options.tableByteCount = 2 << 10
        options.blockByteCount = 512
        options.levelOneByteCount = 8 << 10
        options.logSegmentByteCount = 16 << 10
        options.logByteBudget = 64 << 10
        options.blockCacheByteCount = 64 << 10
        options.descriptorBudget = 40
        options.memoryByteBudget = [64 << 10, 1 << 20, 64 << 20].randomElement(using: &random) ?? 0
        self.options = options
        var strategyRandom = SeededRandom(seed: seed &+ 1)
        strategies = ModelKeyspace.all.map { _ in Self.randomStrategy(&strategyRandom) }
        storage = try Storage.open(location("/db"), options: options)
        try openKeyspaces()
    }

    private func openKeyspaces() throws {
        keyspaces = try ModelKeyspace.all.indices.map { try open($0, in: storage) }
    }

    private func open(_ index: Int, in storage: Storage) throws -> Keyspace {
        var options = ModelKeyspace.all[index].options
        options.strategy = strategies[index]
        return try storage.keyspace(ModelKeyspace.all[index].name, options: options)
    }

    private static func randomStrategy(_ random: inout SeededRandom) -> CompactionStrategy {
        let small = SizeTieredOptions(
            minimumThreshold: Int.random(in: 2...4, using: &random), minimumTableByteCount: 1 << 10)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return .sizeTiered(small)
        case 1: return .timeWindow(TimeWindowOptions(window: .seconds(1), sizeTiered: small))
        case 2:
            let byteCount = Int.random(in: 1 << 8...4 << 10, using: &random)
            return .leveled(LeveledOptions(multiplier: .random(in: 1...4, using: &random), tableByteCount: byteCount))
        default: return .leveled()
        }
    }

    // MARK: Steps

    func step() throws {
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<340: try commitBatch()
        case 340..<560: try runTransaction()
        case 560..<615: clock.advance(by: .milliseconds(Int.random(in: 0...4000, using: &random)))
        case 615..<620: turnClockBack()
        case 620..<660: takeSnapshot()
        case 660..<690: if !snapshots.isEmpty { snapshots.remove(at: randomIndex(snapshots.count)) }
        case 690..<760: if !snapshots.isEmpty { try check(snapshots[randomIndex(snapshots.count)]) }
        case 760..<860: try checkNow()
        case 860..<940: try note("step") { _ = try storage.step() }
        case 940..<965: try note("flush") { try storage.flush() }
        case 965..<970: try note("compact") { try storage.compact() }
        case 970..<975: try compactRange()
        case 975..<983: try reopen()
        case 983..<990: try dropAndRecreate()
        case 990..<995: try checkpoint()
        default: try verify()
        }
    }

    func finish() throws {
        for held in snapshots { try check(held) }
        snapshots = []
        try storage.compact()
        try checkNow()
        try verify()
        try reopen()
        try checkNow()
        try storage.close()
    }

    private func note<R>(_ what: String, _ body: () throws -> R) rethrows -> R {
        journal.append(what)
        return try body()
    }

    private func turnClockBack() {
        // What has expired is purged at any time there; nothing keeps it gone if the clock is set back.
        if case .sqlite = location("/db") { return }
        journal.append("clock set back")
        clock.set(clock.now.advanced(by: .milliseconds(Int.random(in: -8000...0, using: &random))))
    }

    private func compactRange() throws {
        let keyspace = keyspaces[randomIndex(keyspaces.count)]
        let range = randomRange()
        try note("compact \(range) of \(keyspace.name)") { try storage.compact(keyspace, range) }
    }

    private func verify() throws {
        let report = try note("verify") { try storage.verify() }
        guard report.isHealthy else { throw ModelMismatch(description: "verify: \(report)") }
    }

    // MARK: Writing

    private func commitBatch() throws {
        var batch = WriteBatch()
        var next = state
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let (index, change) = randomChange()
            let keyspace = keyspaces[index]
            switch change {
            case .put(let key, let value, let expiry):
                try batch.put(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
            case .delete(let key): try batch.delete(keyspace, key.rawSpan)
            case .deleteRange(let range): try batch.deleteRange(keyspace, range)
            case .merge(let key, let operand, let expiry):
                try batch.merge(keyspace, key.rawSpan, operand.rawSpan, expiry: expiry)
            }
            try next.apply(change, to: incarnations[index], ModelKeyspace.all[index].content)
        }
        let expected = batch.isEmpty ? sequence : sequence.next
        let committed = try note("batch \(expected.rawValue)") { try storage.commit(batch) }
        guard committed == expected else {
            throw ModelMismatch(description: "commit has sequence \(committed), not \(expected)")
        }
        (state, sequence) = (next, committed)
    }

    private struct Refusal: Error {}

    private func runTransaction() throws {
        var next = state
        let refuses = Int.random(in: 0..<5, using: &random) == 0
        let expected = sequence.next
        journal.append("transaction \(expected.rawValue)\(refuses ? ", thrown away" : "")")
        do {
            let (commitTime, wroteNothing) = try storage.write { transaction in
                guard transaction.sequence == expected, transaction.commitTime > lastCommitTime else {
                    throw ModelMismatch(description: "transaction \(transaction.sequence) at \(transaction.commitTime)")
                }
                var count = 0
                for _ in 0..<Int.random(in: 0...10, using: &random) {
                    count += try stepInTransaction(transaction, &next)
                }
                if refuses { throw Refusal() }
                return (transaction.commitTime, count == 0)
            }
            state = next
            if !wroteNothing || storage.visibleSequence == expected {
                sequence = sequence.next
                lastCommitTime = commitTime
            }
        } catch is Refusal {}
        guard storage.visibleSequence == sequence else {
            throw ModelMismatch(description: "visible sequence \(storage.visibleSequence), not \(sequence)")
        }
    }

    /// The number of changes made, not counting range deletes of nothing.
    private func stepInTransaction(_ transaction: WriteTransaction, _ next: inout ModelState) throws -> Int {
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            try checkLookUp(transaction.view, randomIndex(keyspaces.count), next)
            return 0
        case 1:
            let index = randomIndex(keyspaces.count)
            let range = randomRange()
            let expected = try next.entries(
                of: incarnations[index], ModelKeyspace.all[index].content, in: range, at: transaction.commitTime)
            var cursor = try transaction.cursor(keyspaces[index], range)
            // What is written after the cursor was made is not seen by it.
            var count = 0
            for _ in 0..<Int.random(in: 0...2, using: &random) { count += try change(transaction, &next) }
            if ModelKeyspace.all[index].content != .timed {
                let walk = ModelCursorWalk(
                    expected: expected, context: "\(ModelKeyspace.all[index].name) \(range) in \(transaction.sequence)")
                try walk.run(&cursor, moves: 10, random: &random, key: Self.randomKey)
            }
            return count
        default:
            return try change(transaction, &next)
        }
    }

    private func change(_ transaction: WriteTransaction, _ next: inout ModelState) throws -> Int {
        let (index, change) = randomChange()
        let keyspace = keyspaces[index]
        var count = 1
        switch change {
        case .put(let key, let value, let expiry):
            try transaction.put(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
        case .delete(let key): try transaction.delete(keyspace, key.rawSpan)
        case .deleteRange(let range):
            try transaction.deleteRange(keyspace, range)
            count = 0
        case .merge(let key, let operand, let expiry):
            try transaction.merge(keyspace, key.rawSpan, operand.rawSpan, expiry: expiry)
        }
        try next.apply(change, to: incarnations[index], ModelKeyspace.all[index].content)
        return count
    }

    // MARK: Checking

    private func takeSnapshot() {
        guard snapshots.count < 4 else { return }
        journal.append("snapshot")
        snapshots.append(HeldSnapshot(snapshot: storage.snapshot(), state: state, incarnations: incarnations))
    }

    private func check(_ held: HeldSnapshot) throws {
        // A keyspace that was dropped meanwhile is gone from every snapshot.
        let living = incarnations.indices.filter { held.incarnations[$0] == incarnations[$0] }
        try check(held.snapshot.view, held.state, living)
    }

    private func checkNow() throws {
        let snapshot = storage.snapshot()
        guard snapshot.sequence == sequence else {
            throw ModelMismatch(description: "a snapshot reads at \(snapshot.sequence), not \(sequence)")
        }
        try check(snapshot.view, state, Array(incarnations.indices))
    }

    private func check(_ view: ReadView, _ state: ModelState, _ living: [Int]) throws {
        for index in living {
            for _ in 0..<4 { try checkLookUp(view, index, state) }
            try checkRange(view, index, state, Int.random(in: 0..<3, using: &random) == 0 ? randomRange() : .all)
        }
    }

    private func checkLookUp(_ view: ReadView, _ index: Int, _ state: ModelState) throws {
        let definition = ModelKeyspace.all[index]
        let key = Self.randomKey(&random)
        let expected = try state.value(key, in: incarnations[index], definition.content, at: view.readTime)
        var found = try view.get(keyspaces[index], key.rawSpan)
        if definition.content == .timed {
            found = try found.flatMap { try ModelTimedSet.live($0, at: view.readTime) }
        } else {
            let contains = try view.contains(keyspaces[index], key.rawSpan)
            let borrowed = try view.withValue(keyspaces[index], key.rawSpan) { $0.array() }
            guard contains == (found != nil), borrowed == found else {
                throw ModelMismatch(description: "\(definition.name) \(key): get, contains and withValue disagree")
            }
        }
        guard found == expected else {
            throw ModelMismatch(
                description: "\(definition.name) \(key) at \(view.sequence): \(String(describing: found)), not "
                    + String(describing: expected))
        }
    }

    func checkRange(_ view: ReadView, _ index: Int, _ state: ModelState, _ range: KeyRange) throws {
        let definition = ModelKeyspace.all[index]
        let expected = try state.entries(
            of: incarnations[index], definition.content, in: range, at: view.readTime)
        let context = "\(definition.name) \(range) at \(view.sequence)"
        guard definition.content == .timed else {
            var cursor = try view.cursor(keyspaces[index], range)
            let walk = ModelCursorWalk(expected: expected, context: context)
            return try walk.run(&cursor, moves: 12, random: &random, key: Self.randomKey)
        }
        for scan in [modelScan, modelScanBackward] {
            let found = try scan(view, keyspaces[index], range).compactMap { entry in
                try ModelTimedSet.live(entry.value, at: view.readTime).map { ModelEntry(key: entry.key, value: $0) }
            }
            guard found == expected else {
                throw ModelMismatch(description: "\(context): a scan finds \(found), not \(expected)")
            }
        }
    }

    // MARK: Life cycle

    private func reopen() throws {
        journal.append("reopen")
        snapshots = []
        try storage.close()
        storage = try Storage.open(location("/db"), options: options)
        try openKeyspaces()
        for index in incarnations.indices where ModelKeyspace.all[index].isVolatile { state.clear(incarnations[index]) }
        guard storage.visibleSequence == sequence else {
            throw ModelMismatch(description: "reopened at \(storage.visibleSequence), not \(sequence)")
        }
    }

    private func dropAndRecreate() throws {
        let index = randomIndex(keyspaces.count)
        let definition = ModelKeyspace.all[index]
        journal.append("drop \(definition.name)")
        try storage.dropKeyspace(definition.name)
        if Bool.random(using: &random) { _ = try storage.step() }
        state.clear(incarnations[index])
        incarnations[index] = nextIncarnation
        nextIncarnation += 1
        keyspaces[index] = try open(index, in: storage)
    }

    private func checkpoint() throws {
        checkpointCount += 1
        let path = "/checkpoint \(checkpointCount)"
        try note(path) { try storage.checkpoint(to: path) }
        var copyOptions = options
        copyOptions.isReadOnly = true
        let copy = try Storage.open(location(path), options: copyOptions)
        let kept = keyspaces
        defer { keyspaces = kept }
        keyspaces = try ModelKeyspace.all.indices.map { try open($0, in: copy) }
        var expected = state
        for index in incarnations.indices where ModelKeyspace.all[index].isVolatile {
            expected.clear(incarnations[index])
        }
        try check(copy.snapshot().view, expected, Array(incarnations.indices))
        try copy.close()
    }

    // MARK: Chance

    private func randomIndex(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    /// Few enough that operations meet, with prefixes of one another and bytes at both ends.
    static func randomKey(_ random: inout SeededRandom) -> [UInt8] {
        let alphabet: [UInt8] = [0, 1, 0x61, 0x62, 0xFE, 0xFF]
        return (0..<Int.random(in: 0...3, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
    }

    private func randomRange() -> KeyRange {
        func bound() -> [UInt8]? { Int.random(in: 0..<5, using: &random) == 0 ? nil : Self.randomKey(&random) }
        if Int.random(in: 0..<4, using: &random) == 0 { return .prefix(Self.randomKey(&random)) }
        return KeyRange(lower: bound(), upper: bound())
    }

    private func randomChange() -> (Int, ModelChange) {
        let index = randomIndex(keyspaces.count)
        let content = ModelKeyspace.all[index].content
        let key = Self.randomKey(&random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4: return (index, .delete(key))
        case 4: return (index, .deleteRange(randomRange()))
        case 5..<12 where content == .appended:
            return (index, .merge(key, randomBytes(12), nil))
        case 5..<16 where content == .timed:
            let set = randomTimedSet()
            return (index, .merge(key, ModelTimedSet.encode(set), ModelTimedSet.bound(set)))
        default:
            break
        }
        if content == .timed {
            let set = randomTimedSet()
            return (index, .put(key, ModelTimedSet.encode(set), ModelTimedSet.bound(set)))
        }
        let hasExpiry = content == .expiring && Bool.random(using: &random)
        return (index, .put(key, randomBytes(120), hasExpiry ? randomExpiry() : nil))
    }

    private func randomBytes(_ maximumCount: Int) -> [UInt8] {
        let byte = UInt8.random(in: 0...255, using: &random)
        return Array(repeating: byte, count: Int.random(in: 0...maximumCount, using: &random))
    }

    private func randomExpiry() -> StorageInstant {
        clock.now.advanced(by: .milliseconds(Int.random(in: -500...8000, using: &random)))
    }

    private func randomTimedSet() -> [UInt8: Int64] {
        var set: [UInt8: Int64] = [:]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let stays = Int.random(in: 0..<6, using: &random) == 0
            set[UInt8.random(in: 0..<6, using: &random)] = stays ? .max : randomExpiry().microseconds
        }
        return set
    }
}
