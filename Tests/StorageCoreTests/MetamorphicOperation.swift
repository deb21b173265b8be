// MetamorphicOperation.swift — random operations with all their arguments, so that they can be replayed anywhere.

import StorageCore
import StorageTypes

/// One operation on a storage. Everything it does is in it: no storage's answer decides what comes next.
enum MetamorphicOperation: CustomStringConvertible {
    case commit([Change], Durability)
    /// Changes and reads in turn; thrown away at the end if asked for.
    case transaction([Step], refuses: Bool)
    case get(keyspace: Int, key: [UInt8], snapshot: Int?)
    /// A walk with its moves; where a move asks for what is not there, it is left out.
    case walk(keyspace: Int, KeyRange, [Move], snapshot: Int?)
    case takeSnapshot(Int)
    case releaseSnapshot(Int)
    case advanceClock(milliseconds: Int)
    case flush
    case compact
    case step
    case sync
    case drop(keyspace: Int)
    case checkpoint
    case reopen

    struct Change {
        enum Kind { case put, delete, deleteRange, merge }

        var kind: Kind
        var keyspace: Int
        var key: [UInt8]
        /// The end of a range.
        var upper: [UInt8]?
        var value: [UInt8] = []
        /// From the clock's time at the operation on.
        var lifetimeMilliseconds: Int?
    }

    enum Step {
        case change(Change)
        case get(keyspace: Int, key: [UInt8])
        case walk(keyspace: Int, KeyRange, [Move])
    }

    enum Move {
        case first, last, next, previous
        case seek([UInt8])
        case seekBackward([UInt8])
    }

    var description: String {
        switch self {
        case .commit(let changes, let durability): "commit \(durability) \(changes.map(\.description))"
        case .transaction(let steps, let refuses): "transaction\(refuses ? ", refused" : "") \(steps)"
        case .get(let keyspace, let key, let snapshot): "get \(keyspace) \(key) \(snapshot.map { "at \($0)" } ?? "")"
        case .walk(let keyspace, let range, let moves, let snapshot):
            "walk \(keyspace) \(range.lower ?? [])..<\(range.upper ?? []) \(moves) \(snapshot.map { "at \($0)" } ?? "")"
        case .takeSnapshot(let number): "take snapshot \(number)"
        case .releaseSnapshot(let number): "release snapshot \(number)"
        case .advanceClock(let milliseconds): "advance \(milliseconds) ms"
        case .drop(let keyspace): "drop \(keyspace)"
        case .flush: "flush"
        case .compact: "compact"
        case .step: "step"
        case .sync: "sync"
        case .checkpoint: "checkpoint"
        case .reopen: "reopen"
        }
    }
}

extension MetamorphicOperation.Change: CustomStringConvertible {
    var description: String {
        "\(kind) \(keyspace) \(key)\(upper.map { "..<\($0)" } ?? "") = \(value.prefix(4))×\(value.count)"
            + (lifetimeMilliseconds.map { " for \($0) ms" } ?? "")
    }
}

/// The keyspaces of a metamorphic run.
enum MetamorphicKeyspace {
    enum Kind: CaseIterable { case plain, second, appended, expiring, timed, volatile }

    static let count = Kind.allCases.count

    static func name(_ index: Int) -> String { "\(Kind.allCases[index])" }
    static func kind(_ index: Int) -> Kind { Kind.allCases[index] }

    static func canMerge(_ index: Int) -> Bool { [.appended, .timed].contains(kind(index)) }
}

/// Makes operations from a seed.
struct MetamorphicMaker {
    private var random: SeededRandom
    private var snapshots: Set<Int> = []
    private var nextSnapshot = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func make(_ count: Int) -> [MetamorphicOperation] { (0..<count).map { _ in operation() } }

    private mutating func operation() -> MetamorphicOperation {
        switch number(1000) {
        case 0..<300: return .commit((0...number(6)).map { _ in change() }, number(8) == 0 ? .synced : .buffered)
        case 300..<450: return .transaction((0...number(8)).map { _ in step() }, refuses: number(6) == 0)
        case 450..<580: return .get(keyspace: keyspace(), key: key(), snapshot: anySnapshot())
        case 580..<720: return .walk(keyspace: keyspace(), range(), moves(), snapshot: anySnapshot())
        case 720..<770: return takeSnapshot()
        case 770..<800:
            guard let number = snapshots.sorted().randomElement(using: &random) else { return .step }
            snapshots.remove(number)
            return .releaseSnapshot(number)
        case 800..<870: return .advanceClock(milliseconds: number(3000))
        case 870..<910: return .flush
        case 910..<925: return .compact
        case 925..<965: return .step
        case 965..<980: return .sync
        case 980..<985: return .drop(keyspace: keyspace())
        case 985..<990: return .checkpoint
        default:
            snapshots = []
            return .reopen
        }
    }

    private mutating func takeSnapshot() -> MetamorphicOperation {
        guard snapshots.count < 4 else { return .step }
        nextSnapshot += 1
        snapshots.insert(nextSnapshot)
        return .takeSnapshot(nextSnapshot)
    }

    private mutating func step() -> MetamorphicOperation.Step {
        switch number(4) {
        case 0: .get(keyspace: keyspace(), key: key())
        case 1: .walk(keyspace: keyspace(), range(), moves())
        default: .change(change())
        }
    }

    private mutating func change() -> MetamorphicOperation.Change {
        let keyspace = keyspace()
        let kind = MetamorphicKeyspace.kind(keyspace)
        var change = MetamorphicOperation.Change(kind: .put, keyspace: keyspace, key: key())
        switch number(20) {
        case 0..<4: change.kind = .delete
        case 4:
            change.kind = .deleteRange
            change.upper = number(6) == 0 ? nil : key()
        case 5..<14 where MetamorphicKeyspace.canMerge(keyspace): change.kind = .merge
        default: break
        }
        guard change.kind == .put || change.kind == .merge else { return change }
        if kind == .timed {
            // The set's own expiries are offsets to the clock, which is the same everywhere.
            change.lifetimeMilliseconds = number(6000) - 500
            change.value = [UInt8(number(5))]
        } else {
            change.value = Array(repeating: UInt8(number(256)), count: number(change.kind == .merge ? 10 : 160))
            if kind == .expiring, number(2) == 0 { change.lifetimeMilliseconds = number(6000) - 500 }
        }
        return change
    }

    private mutating func moves() -> [MetamorphicOperation.Move] {
        (0...number(14)).map { position in
            switch position == 0 ? number(4) : number(12) {
            case 0: .first
            case 1: .last
            case 2: .seek(key())
            case 3: .seekBackward(key())
            case 4..<8: .next
            default: .previous
            }
        }
    }

    /// Few enough that operations meet, with prefixes of one another and bytes at both ends; half of them with a clustering.
    private mutating func key() -> [UInt8] {
        let alphabet: [UInt8] = [0, 0x61, 0x62, 0x7F, 0xFF]
        let group: [UInt8] = number(2) == 0 ? [] : [[], [0x61], [0, 0xFF, 0x7F]][number(3)] + [0, 0, 0x61]
        return group + (0..<number(4)).map { _ in alphabet[number(alphabet.count)] }
    }

    private mutating func range() -> KeyRange {
        switch number(4) {
        case 0: .all
        case 1: .prefix(key())
        default: KeyRange(lower: number(5) == 0 ? nil : key(), upper: number(5) == 0 ? nil : key())
        }
    }

    private mutating func keyspace() -> Int { number(MetamorphicKeyspace.count) }
    private mutating func anySnapshot() -> Int? {
        number(3) == 0 ? snapshots.sorted().randomElement(using: &random) : nil
    }
    private mutating func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
}
