// CrashWorkload.swift — a random list of everything that can be done to a storage, the same for the same seed.

import StorageCore
import StorageTypes

enum CrashStep {
    case create(String)
    case drop(String)
    /// Opens a keyspace with other options than it has; the next commit to it brings the first ones back.
    case change(String, KeyspaceOptions)
    case commit([CrashChange], Durability, inTransaction: Bool)
    case sync
    /// One unit of background work.
    case work
    case flush
    case compact
    case reopen
    case checkpoint(String)
    case verify
    /// Takes a snapshot if none is held, otherwise checks the one that is and lets it go.
    case toggleSnapshot
    case wait(Duration)
}

struct CrashWorkload {
    /// Outside every promise of durability: empty after every opening.
    static let volatileName = "scratch"

    let steps: [CrashStep]

    /// What the keyspaces of a workload are created with.
    static func options(of name: String) -> KeyspaceOptions {
        switch name {
        case "merged": KeyspaceOptions(mergeOperator: CrashAppend())
        case "dedicated": KeyspaceOptions(isDedicated: true)
        case "second": KeyspaceOptions(strategy: .sizeTiered(SizeTieredOptions(minimumThreshold: 2)))
        case "expiring":
            KeyspaceOptions(expiry: .engine, strategy: .timeWindow(TimeWindowOptions(window: .seconds(20))))
        case "series":
            KeyspaceOptions(
                mergeOperator: ModelTimedSet(), expiry: .operator, isDedicated: true,
                strategy: .timeWindow(TimeWindowOptions(window: .seconds(30))))
        case volatileName: KeyspaceOptions(isVolatile: true)
        case "brief": KeyspaceOptions(mergeOperator: CrashAppend(), isDedicated: true)
        default: KeyspaceOptions()
        }
    }

    /// Small enough that a few dozen commits go through every mechanism.
    static func storageOptions(
        _ fileSystem: any FileSystem, _ clock: any StorageClock, _ logWriting: LogWriting = .written
    ) -> StorageOptions {
        var options = StorageOptions()
        options.fileSystem = fileSystem
        options.clock = clock
        options.backgroundWork = .manual
        // A memtable's first chunk for entries is 4096 bytes: the second one fills it.
        options.memtableByteCount = 7000
        options.maximumImmutableMemtables = 2
        options.logWriting = logWriting
        options.logSegmentByteCount = 4 << 10
        options.logByteBudget = 12 << 10
        options.blockByteCount = 512
        options.tableByteCount = 2 << 10
        options.levelZeroTableCount = 2
        options.levelOneByteCount = 6 << 10
        options.reserveByteCount = 2 << 10
        options.manifestReplacementByteCount = 2 << 10
        options.sharedKeyspaceByteCount = 1500
        return options
    }

    init(seed: UInt64, stepCount: Int) {
        var maker = CrashWorkloadMaker(seed: seed)
        steps = maker.make(stepCount)
    }
}

private struct CrashWorkloadMaker {
    private var random: SeededRandom
    private var names = ["plain", "second", "merged", "dedicated", "expiring", "series"]
    /// Says what goes into the volatile keyspace, so that the other choices stay as they were.
    private var volatileRandom = SeededRandom(seed: 0)
    private var operandCount = 0
    private var checkpointCount = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func make(_ count: Int) -> [CrashStep] {
        var steps = (names + [CrashWorkload.volatileName]).map { CrashStep.create($0) }
        for _ in 0..<count { steps.append(step()) }
        return steps
    }

    private mutating func step() -> CrashStep {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<64: return commit()
        case 64..<74: return .work
        case 74..<78: return .flush
        case 78: return Bool.random(using: &random) ? .compact : changeOptions()
        case 79: return .verify
        case 80..<84: return .toggleSnapshot
        case 84..<88: return .wait(.seconds(Int.random(in: -10..<40, using: &random)))
        case 88..<92: return toggle(["brief", "passing"][Int.random(in: 0..<2, using: &random)])
        case 92..<95: return .reopen
        case 95..<97:
            guard checkpointCount < 2 else { return .work }
            checkpointCount += 1
            return .checkpoint("/copies/\(checkpointCount)")
        default: return .sync
        }
    }

    private mutating func changeOptions() -> CrashStep {
        let name = names[Int.random(in: 0..<names.count, using: &random)]
        var options = CrashWorkload.options(of: name)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: options.isDedicated = true
        case 1: options.compression = CompressionOptions(upper: .none, bottom: .none)
        default: options.strategy = .sizeTiered(SizeTieredOptions(minimumThreshold: 3))
        }
        return .change(name, options)
    }

    private mutating func toggle(_ name: String) -> CrashStep {
        if let index = names.firstIndex(of: name) {
            names.remove(at: index)
            return .drop(name)
        }
        names.append(name)
        return .create(name)
    }

    private mutating func commit() -> CrashStep {
        let count = [1, 1, 2, 3, 6][Int.random(in: 0..<5, using: &random)]
        var changes = (0..<count).map { _ in change() }
        if Int.random(in: 0..<4, using: &volatileRandom) == 0 {
            let key = [UInt8.random(in: 0..<9, using: &volatileRandom)]
            changes.append(.put(CrashWorkload.volatileName, key, value(), lifetime: nil))
        }
        let isSynced = Int.random(in: 0..<10, using: &random) < 3
        return .commit(changes, isSynced ? .synced : .buffered, inTransaction: Bool.random(using: &random))
    }

    private mutating func change() -> CrashChange {
        let name = names[Int.random(in: 0..<names.count, using: &random)]
        let key = key()
        let isMerged = name == "merged" || name == "brief"
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<3: return .delete(name, key)
        case 3:
            // Empty ranges leave nothing to commit.
            let other = self.key() + [0]
            let bounds = key.lexicographicallyPrecedes(other) ? (key, other) : (other, key)
            return .deleteRange(name, KeyRange(lower: bounds.0, upper: bounds.1))
        case 4..<15 where isMerged:
            operandCount += 1
            return .merge(name, key, Array("[\(operandCount)]".utf8))
        default:
            guard name != "series" else { return .timed(name, key, elements()) }
            let lifetime = name == "expiring" && Bool.random(using: &random)
            return .put(
                name, key, value(), lifetime: lifetime ? .seconds(Int.random(in: 1..<60, using: &random)) : nil)
        }
    }

    /// Numbers, each with how long it lives.
    private mutating func elements() -> [UInt8: Duration] {
        var elements: [UInt8: Duration] = [:]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            elements[UInt8.random(in: 0..<8, using: &random)] = .seconds(Int.random(in: 1..<90, using: &random))
        }
        return elements
    }

    private mutating func key() -> [UInt8] {
        Array("key-\(Int.random(in: 10..<34, using: &random))".utf8)
    }

    private mutating func value() -> [UInt8] {
        operandCount += 1
        let filler = UInt8.random(in: 97...122, using: &random)
        return Array("<\(operandCount)>".utf8)
            + [UInt8](repeating: filler, count: Int.random(in: 0..<200, using: &random))
    }
}
