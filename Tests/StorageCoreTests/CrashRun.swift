// CrashRun.swift — carries out a workload, notes what was promised, and holds a disk found later against it.

import StorageCore
import StorageTypes

/// What a workload runs on.
enum CrashEngine: Sendable {
    case trees
    /// With a log in mapped segments.
    case mappedTrees
    case sqlite

    var logWriting: LogWriting { self == .mappedTrees ? .mapped : .written }

    func location(_ path: String) -> StorageLocation { self == .sqlite ? .sqlite(path) : .directory(path) }
}

final class CrashRun {
    let engine: CrashEngine
    let disk: SimulatedFileSystem
    let clock = ManualClock()
    private(set) var storage: Storage?

    /// The state after each commit, by sequence. The last one may be a commit that was not acknowledged.
    private(set) var history = [CrashState()]
    /// Commits that returned to the caller.
    private(set) var acknowledged = 0
    /// Commits that the storage has called durable.
    private(set) var durable = 0
    /// Which incarnation of a name there is.
    private(set) var incarnations: [String: Int] = [:]
    /// Creations (of that incarnation) and drops (nil) that did not return: they have happened or not.
    private var pending: [String: Int?] = [:]
    private var incarnationCount = 0
    private var checkpoints: [(path: String, sequence: Int, incarnations: [String: Int])] = []
    private var held: (snapshot: Snapshot, sequence: Int, incarnations: [String: Int])?
    /// Errors that calls have thrown, in order.
    private(set) var errors: [any Error] = []
    /// What the newest state would be with the commit whose append failed last: it was not acknowledged, but it may
    /// survive, whole.
    private var refused: CrashState?
    /// Whether a sync has failed since the storage was opened.
    private var isPoisoned = false
    private let fileSystem: any FileSystem

    /// - Parameter fileSystem: What the storage sees of the disk, if not the disk itself.
    init(
        _ disk: SimulatedFileSystem, seenAs fileSystem: (any FileSystem)? = nil, engine: CrashEngine = .trees
    ) {
        self.engine = engine
        self.disk = disk
        self.fileSystem = fileSystem ?? disk
    }

    private var options: StorageOptions { CrashWorkload.storageOptions(fileSystem, clock, engine.logWriting) }

    // MARK: Running

    /// Runs until the end or until the power is off. Errors of single steps are kept in `errors`, and the run goes on.
    /// - Throws: `CrashViolation` where the running storage breaks a promise.
    func run(_ steps: [CrashStep]) throws {
        if storage == nil { attempt { try reopen() } }
        for step in steps {
            guard !disk.isPowerOff else { return }
            if storage == nil { attempt { try reopen() } }
            guard let storage else { continue }
            try run(step, storage)
            durable = max(durable, Int(storage.durableSequence.rawValue))
        }
    }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { errors.append(error) }
    }

    private func run(_ step: CrashStep, _ storage: Storage) throws {
        switch step {
        case .create(let name): attempt { try create(name, storage) }
        case .drop(let name): attempt { try drop(name, storage) }
        case .change(let name, let options):
            guard incarnations[name] != nil, storage.existingKeyspace(name) != nil else { return }
            attempt { _ = try storage.keyspace(name, options: options) }
        case .commit(let changes, let durability, let inTransaction):
            try commit(changes, durability, inTransaction: inTransaction, storage)
        case .sync: attempt { try storage.sync() }
        case .work: attempt { try storage.step() }
        case .flush: attempt { try storage.flush() }
        case .compact: attempt { try storage.compact() }
        case .reopen:
            held = nil
            attempt { try storage.close() }
            self.storage = nil
            attempt { try reopen() }
        case .checkpoint(let path):
            attempt {
                try storage.checkpoint(to: path)
                checkpoints.append((path, history.count - 1, incarnations))
            }
        case .verify: try verify(storage)
        case .toggleSnapshot: try toggleSnapshot(storage)
        case .wait(let duration):
            // Clocks are set back too.
            if duration < .zero { clock.set(clock.now.advanced(by: duration)) } else { clock.advance(by: duration) }
        }
    }

    /// Opens the storage again, as the next process would.
    private func reopen() throws {
        let opened = try Storage.open(engine.location("/db"), options: options)
        storage = opened
        isPoisoned = false
        if let refused, Int(opened.visibleSequence.rawValue) == history.count { history.append(refused) }
        refused = nil
        forgetVolatile()
        for (name, incarnation) in pending {
            incarnations[name] = opened.existingKeyspace(name) == nil ? nil : incarnation ?? incarnations[name]
        }
        pending = [:]
    }

    /// What a volatile keyspace held is gone with the run: from now on it is another incarnation.
    private func forgetVolatile() {
        guard incarnations[CrashWorkload.volatileName] != nil else { return }
        incarnationCount += 1
        incarnations[CrashWorkload.volatileName] = incarnationCount
    }

    private func create(_ name: String, _ storage: Storage) throws {
        guard storage.existingKeyspace(name) == nil else { return }
        incarnationCount += 1
        pending.updateValue(incarnationCount, forKey: name)
        _ = try storage.keyspace(name, options: CrashWorkload.options(of: name))
        incarnations[name] = incarnationCount
        pending[name] = nil
    }

    private func drop(_ name: String, _ storage: Storage) throws {
        guard storage.existingKeyspace(name) != nil else { return }
        pending.updateValue(nil, forKey: name)
        try storage.dropKeyspace(name)
        incarnations[name] = nil
        pending[name] = nil
    }

    private func commit(
        _ changes: [CrashChange], _ durability: Durability, inTransaction: Bool, _ storage: Storage
    ) throws {
        let changes = changes.filter { incarnations[$0.keyspace] != nil }
        // What is volatile alone leaves no trace by which its commit could be counted later.
        guard changes.contains(where: { $0.keyspace != CrashWorkload.volatileName }) else { return }
        var next = history[history.count - 1]
        for change in changes { next.apply(change, incarnation: incarnation(change.keyspace), now: clock.now) }
        let before = storage.visibleSequence
        do {
            let handles = try handles(of: changes, storage)
            if inTransaction {
                try storage.write(durability) { transaction in
                    var target = transaction
                    for change in changes { try write(change, handles, to: &target) }
                }
            } else {
                var batch = WriteBatch()
                for change in changes { try write(change, handles, to: &batch) }
                try storage.commit(batch, durability)
            }
            guard !isPoisoned else { throw CrashViolation("a commit was accepted after a sync had failed") }
            history.append(next)
            refused = nil
            acknowledged = history.count - 1
            if durability == .synced { durable = acknowledged }
        } catch let error as StorageError {
            errors.append(error)
            // What became visible stays in the order; after a power cut, what was being appended may.
            if storage.visibleSequence > before || disk.isPowerOff {
                history.append(next)
            } else if error.code != .poisoned {
                refused = next
            }
            if error.code == .commitOutcomeUnknown { isPoisoned = true }
        }
        guard disk.isPowerOff || Int(storage.visibleSequence.rawValue) == history.count - 1 else {
            throw CrashViolation("sequence \(storage.visibleSequence.rawValue) after \(history.count - 1) commits")
        }
    }

    private func incarnation(_ name: String) -> String { "\(name) \(incarnations[name] ?? 0)" }

    private func handles(of changes: [CrashChange], _ storage: Storage) throws -> [String: Keyspace] {
        var handles: [String: Keyspace] = [:]
        for name in Set(changes.map(\.keyspace)).sorted() {
            handles[name] = try storage.keyspace(name, options: CrashWorkload.options(of: name))
        }
        return handles
    }

    private func write(
        _ change: CrashChange, _ handles: [String: Keyspace], to target: inout some CrashTarget
    ) throws {
        guard let keyspace = handles[change.keyspace] else { return }
        switch change {
        case .put(_, let key, let value, let lifetime):
            let expiry = lifetime.map { clock.now.advanced(by: $0) }
            try target.put(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
        case .delete(_, let key): try target.delete(keyspace, key.rawSpan)
        case .deleteRange(_, let range): try target.deleteRange(keyspace, range)
        case .merge(_, let key, let operand): try target.merge(keyspace, key.rawSpan, operand.rawSpan, expiry: nil)
        case .timed(_, let key, let elements):
            let operand = ModelTimedSet.encode(elements, from: clock.now)
            let bound = ModelTimedSet.bound(try ModelTimedSet.decode(operand))
            try target.merge(keyspace, key.rawSpan, operand.rawSpan, expiry: bound)
        }
    }

    /// Verification changes nothing, and finds nothing but background work that the disk lets fail.
    private func verify(_ storage: Storage) throws {
        let operations = disk.operationCount
        attempt {
            let problems = try storage.verify().problems.filter { !$0.contains("keeps failing") }
            if !problems.isEmpty, errors.isEmpty, !disk.isPowerOff { throw CrashViolation("verify(): \(problems)") }
        }
        guard disk.operationCount == operations else { throw CrashViolation("a verification has written") }
        if let violation = errors.last as? CrashViolation { throw violation }
    }

    private func toggleSnapshot(_ storage: Storage) throws {
        if let taken = held {
            held = nil
            do {
                try check(taken.snapshot, of: storage, is: taken.sequence, taken.incarnations)
            } catch let error as StorageError {
                errors.append(error)  // A read that failed and said so.
            }
        } else {
            held = (storage.snapshot(), history.count - 1, incarnations)
        }
    }
}

/// What a change can be written to.
private protocol CrashTarget {
    mutating func put(_ keyspace: Keyspace, _ key: RawSpan, _ value: RawSpan, expiry: StorageInstant?) throws
    mutating func delete(_ keyspace: Keyspace, _ key: RawSpan) throws
    mutating func deleteRange(_ keyspace: Keyspace, _ range: KeyRange) throws
    mutating func merge(_ keyspace: Keyspace, _ key: RawSpan, _ operand: RawSpan, expiry: StorageInstant?) throws
}

extension WriteBatch: CrashTarget {}
extension WriteTransaction: CrashTarget {}

// MARK: Checking

extension CrashRun {
    /// What a disk must hold that was found after a crash.
    enum Promise {
        /// Every commit that was called durable: what a power cut leaves.
        case durable
        /// Every commit that was acknowledged: what the death of the process leaves.
        case acknowledged
    }

    private typealias Names = [String: Int]

    /// The incarnation of a volatile keyspace that was opened and not written to.
    private static let nothing = -1

    /// Opens what was found, holds it against the history, writes to it, and opens it once more.
    /// - Parameter briefly: Leaves it at the history.
    /// - Returns: The number of commits that survived.
    @discardableResult
    func check(_ found: SimulatedFileSystem, holds promise: Promise, briefly: Bool = false) throws -> Int {
        let options = CrashWorkload.storageOptions(found, clock, engine.logWriting)
        let least = promise == .durable ? durable : acknowledged
        if !briefly, engine != .sqlite { try checkReadOnly(found, least) }
        let storage = try Storage.open(engine.location("/db"), options: options)
        let sequence = try survivingSequence(storage, least)
        try checkHealth(storage)
        guard !briefly else { return sequence }
        try checkCheckpoints(on: found)

        // What a reader has been shown must not be taken back by the next crash.
        let afterPowerCut = found.crash(.syncedOnly)
        let again = try Storage.open(
            engine.location("/db"), options: CrashWorkload.storageOptions(afterPowerCut, clock, engine.logWriting))
        try requireSame(storage, again, "after a power cut that follows the recovery")

        try writeAndReopen(storage, options)
        return sequence
    }

    /// Who opens what was found without writing to it sees the survivors too.
    private func checkReadOnly(_ found: SimulatedFileSystem, _ least: Int) throws {
        var options = CrashWorkload.storageOptions(found, clock, engine.logWriting)
        options.isReadOnly = true
        let operations = found.operationCount
        do {
            let storage = try Storage.open(at: "/db", options: options)
            _ = try survivingSequence(storage, least)
            try checkHealth(storage)
            try storage.close()
        } catch let error as StorageError where error.code == .notFound && least == 0 {
            // The power was cut before there was a storage.
        }
        guard found.operationCount == operations else { throw CrashViolation("a read-only opening has written") }
    }

    /// Opens a damaged disk: it has to be refused, or found unhealthy, or hold a state that is right. What is read is right
    /// or an error.
    func checkDamaged(_ found: SimulatedFileSystem, atLeast least: Int) throws {
        let refusals: Set<StorageError.Code> = [.corruption, .unsupportedFormat]
        do {
            let storage = try Storage.open(
                engine.location("/db"), options: CrashWorkload.storageOptions(found, clock, engine.logWriting))
            let isHealthy = try storage.verify().isHealthy
            do {
                _ = try survivingSequence(storage, least)
            } catch let error as StorageError {
                guard !isHealthy else { throw CrashViolation("healthy by verify(), but reading says \(error)") }
                throw error
            }
        } catch let error as StorageError {
            guard refusals.contains(error.code) else { throw CrashViolation("damage is told as \(error)") }
        }
    }

    func check(_ snapshot: Snapshot, of storage: Storage, is sequence: Int, _ names: [String: Int]) throws {
        for (name, incarnation) in names where incarnations[name] == incarnation {
            let keyspace = try storage.keyspace(name, options: CrashWorkload.options(of: name))
            let expected = history[sequence].visible("\(name) \(incarnation)", at: snapshot.readTime)
            try require(try crashContent(snapshot.view, keyspace), expected, "\(name) in a snapshot of \(sequence)")
        }
    }

    /// Holds the running storage against the newest state.
    func checkReads() throws {
        guard let storage else { return }
        try check(storage.snapshot(), of: storage, is: history.count - 1, incarnations)
    }

    private func require(_ found: [[UInt8]: [UInt8]], _ expected: [[UInt8]: [UInt8]], _ what: String) throws {
        guard found != expected else { return }
        let keys = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
        let lines = keys.map { key in
            "\(text(key)): found \(found[key].map(text) ?? "nothing"), expected \(expected[key].map(text) ?? "nothing")"
        }
        throw CrashViolation("\(what): \(lines.sorted().prefix(4).joined(separator: "; "))")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(40), as: UTF8.self) }

    /// The number of commits after which the state is what the storage shows.
    private func survivingSequence(_ storage: Storage, _ least: Int) throws -> Int {
        let names = try expectedNames(storage)
        let view = storage.snapshot().view
        var found: [String: [[UInt8]: [UInt8]]] = [:]
        for name in names.keys {
            let keyspace = try storage.keyspace(name, options: CrashWorkload.options(of: name))
            found[name] = try crashContent(view, keyspace)
        }
        func isState(_ sequence: Int) -> Bool {
            let state = sequence < history.count ? history[sequence] : refused ?? history[sequence - 1]
            return names.allSatisfy { state.visible("\($0.key) \($0.value)", at: view.readTime) == found[$0.key] }
        }
        if let sequence = (least...history.count).reversed().first(where: isState) { return sequence }
        if let lost = (0..<least).reversed().first(where: isState) {
            throw CrashViolation("only \(lost) commits survive, \(least) were promised")
        }
        for (name, incarnation) in names.sorted(by: { $0.key < $1.key }) {
            let newest = history[history.count - 1].visible("\(name) \(incarnation)", at: view.readTime)
            try require(
                found[name] ?? [:], newest, "the survivors are no prefix of \(least)...\(history.count - 1); \(name)")
        }
        throw CrashViolation("the survivors are no prefix of \(least)...\(history.count - 1) in all keyspaces")
    }

    /// The keyspaces there must be; one whose creation or drop did not return may be there or not.
    private func expectedNames(_ storage: Storage) throws -> Names {
        let present = Set(storage.keyspaceNames)
        var expected = incarnations
        for (name, incarnation) in pending where present.contains(name) != (incarnations[name] != nil) {
            expected[name] = incarnation
        }
        if expected[CrashWorkload.volatileName] != nil { expected[CrashWorkload.volatileName] = Self.nothing }
        guard present == Set(expected.keys) else {
            throw CrashViolation("keyspaces \(present.sorted()) instead of \(expected.keys.sorted())")
        }
        return expected
    }

    private func checkHealth(_ storage: Storage) throws {
        let report = try storage.verify()
        guard report.isHealthy else { throw CrashViolation("\(report)") }
    }

    private func checkCheckpoints(on found: SimulatedFileSystem) throws {
        for checkpoint in checkpoints {
            var options = CrashWorkload.storageOptions(found, clock, engine.logWriting)
            options.isReadOnly = true
            let copy = try Storage.open(engine.location(checkpoint.path), options: options)
            guard Set(copy.keyspaceNames) == Set(checkpoint.incarnations.keys) else {
                throw CrashViolation("\(checkpoint.path) has the keyspaces \(copy.keyspaceNames)")
            }
            let view = copy.snapshot().view
            for (name, incarnation) in checkpoint.incarnations {
                let keyspace = try copy.keyspace(name, options: CrashWorkload.options(of: name))
                let kept = name == CrashWorkload.volatileName ? Self.nothing : incarnation
                let expected = history[checkpoint.sequence].visible("\(name) \(kept)", at: view.readTime)
                try require(try crashContent(view, keyspace), expected, "\(name) in \(checkpoint.path)")
            }
            try checkHealth(copy)
        }
    }

    private func requireSame(_ left: Storage, _ right: Storage, _ what: String) throws {
        guard left.keyspaceNames == right.keyspaceNames else { throw CrashViolation("other keyspaces \(what)") }
        for name in left.keyspaceNames {
            let options = CrashWorkload.options(of: name)
            try require(
                try crashContent(right.snapshot().view, right.keyspace(name, options: options)),
                try crashContent(left.snapshot().view, left.keyspace(name, options: options)), "\(name) \(what)")
        }
    }

    private func writeAndReopen(_ storage: Storage, _ options: StorageOptions) throws {
        let plain = try storage.keyspace("plain")
        let merged = try storage.keyspace("merged", options: CrashWorkload.options(of: "merged"))
        let before = storage.visibleSequence
        try storage.write(.synced) { transaction in
            try transaction.put(plain, Array("after".utf8).rawSpan, Array("the crash".utf8).rawSpan)
            try transaction.merge(merged, Array("key-10".utf8).rawSpan, Array("[after]".utf8).rawSpan)
        }
        guard storage.visibleSequence > before, storage.durableSequence == storage.visibleSequence else {
            throw CrashViolation("a commit after the recovery got no new number")
        }
        let image = options.fileSystem as? SimulatedFileSystem
        let killed = try Storage.open(
            engine.location("/db"),
            options: CrashWorkload.storageOptions(image?.crash(.syncedOnly) ?? SimulatedFileSystem(), clock))
        try requireSame(storage, killed, "after a power cut that follows a commit that follows the recovery")
        try storage.close()
        let reopened = try Storage.open(engine.location("/db"), options: options)
        try requireSame(killed, reopened, "after closing and opening")
        try checkHealth(reopened)
    }
}
