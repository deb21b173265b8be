import StorageTypes
import Testing

@testable import WideColumnEngine

/// One cell or marker or deletion, written alone.
private struct Write {
    var marker: RowMarker?
    var deletion = DeletionTime.none
    var cells: [(Cell, [UInt8])] = []

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        var writer = RowFragmentWriter()
        let base = marker?.timestamp ?? cells.first?.0.timestamp ?? deletion.timestamp
        writer.begin(
            marker: marker, deletion: deletion, timestamp: base, timeToLive: 0, expiry: .max, into: &bytes)
        for (cell, value) in cells { writer.append(cell, value: value.rawSpan, into: &bytes) }
        return bytes
    }
}

private func merged(_ left: [UInt8], _ right: [UInt8]) throws -> [UInt8] {
    var result: [UInt8] = []
    try RowFragment.merge(left.rawSpan, right.rawSpan, into: &result)
    return result
}

@Suite("Reconciliation")
struct ReconciliationTests {
    private let old: [UInt8] = [1]
    private let new: [UInt8] = [2]

    /// The value (or `nil` for a tombstone) that wins, whichever side it is on.
    private func winner(_ left: Cell, _ leftValue: [UInt8], _ right: Cell, _ rightValue: [UInt8]) throws -> (
        Cell, [UInt8]
    ) {
        let (first, second) = (Write(cells: [(left, leftValue)]).bytes, Write(cells: [(right, rightValue)]).bytes)
        let forth = try merged(first, second)
        let back = try merged(second, first)
        #expect(forth == back)
        let cell = try #require(try fragment(forth).cells.first)
        return (cell, Array(forth[cell.value]))
    }

    @Test("rule 1: the higher timestamp wins, also of a live cell over a tombstone")
    func higherTimestamp() throws {
        let live = Cell(column: 1, kind: .live, timestamp: 2)
        let tombstone = Cell(column: 1, kind: .tombstone, timestamp: 1, localDeletionTime: 9)
        #expect(try winner(live, new, tombstone, []).0.kind == .live)
        #expect(try winner(Cell(column: 1, kind: .live, timestamp: 1), old, live, new).1 == new)
    }

    @Test("rule 2: at one timestamp, expiring and tombstone beat live")
    func expiringBeatsLive() throws {
        let live = Cell(column: 1, kind: .live, timestamp: 1)
        let expiring = Cell(column: 1, kind: .expiring, timestamp: 1, timeToLive: 5, localDeletionTime: 10)
        #expect(try winner(live, [9], expiring, [1]).0.kind == .expiring)
        let tombstone = Cell(column: 1, kind: .tombstone, timestamp: 1, localDeletionTime: 3)
        #expect(try winner(live, [9], tombstone, []).0.kind == .tombstone)
    }

    @Test("rule 3: tombstone beats expiring, whichever ends later")
    func tombstoneBeatsExpiring() throws {
        let expiring = Cell(column: 1, kind: .expiring, timestamp: 1, timeToLive: 5, localDeletionTime: 100)
        let tombstone = Cell(column: 1, kind: .tombstone, timestamp: 1, localDeletionTime: 3)
        #expect(try winner(expiring, [9], tombstone, []).0.kind == .tombstone)
    }

    @Test("rule 4: of two expiring cells the one that expires later wins")
    func laterExpiry() throws {
        let early = Cell(column: 1, kind: .expiring, timestamp: 1, timeToLive: 5, localDeletionTime: 10)
        let late = Cell(column: 1, kind: .expiring, timestamp: 1, timeToLive: 6, localDeletionTime: 11)
        #expect(try winner(early, [9], late, [1]).1 == [1])
        // Whatever of them a compaction has met, and whether or not their time was over then.
        let expired = Cell(column: 1, kind: .expired, timestamp: 1, timeToLive: 5, localDeletionTime: 10)
        #expect(try winner(expired, [], late, [1]).1 == [1])
        #expect(try winner(early, [9], expired, []).0.kind == .expired)
        #expect(try winner(Cell(column: 1, kind: .live, timestamp: 1), [9], expired, []).0.kind == .expired)
        let tombstone = Cell(column: 1, kind: .tombstone, timestamp: 1, localDeletionTime: 3)
        #expect(try winner(expired, [], tombstone, []).0.kind == .tombstone)
    }

    @Test("rule 5: the greater value wins, unsigned")
    func greaterValue() throws {
        let cell = Cell(column: 1, kind: .live, timestamp: 1)
        #expect(try winner(cell, [0x7F], cell, [0x80]).1 == [0x80])
        #expect(try winner(cell, [1], cell, [1, 0]).1 == [1, 0])
    }

    @Test("writes at one timestamp mix cell by cell")
    func mixing() throws {
        let cells = { (values: [UInt8]) in
            values.enumerated().map { (Cell(column: UInt16($0.offset), kind: .live, timestamp: 1), [$0.element]) }
        }
        let result = try merged(Write(cells: cells([1, 9])).bytes, Write(cells: cells([2, 3])).bytes)
        let row = try fragment(result)
        #expect(row.cells.map { Array(result[$0.value]) } == [[2], [9]])
    }

    @Test("a row deletion removes marker and cells up to its timestamp, and stays")
    func rowDeletion() throws {
        let row = Write(
            marker: RowMarker(timestamp: 5),
            cells: [
                (Cell(column: 1, kind: .live, timestamp: 5), [1]), (Cell(column: 2, kind: .live, timestamp: 6), [2]),
            ])
        let deletion = Write(deletion: DeletionTime(timestamp: 5, localDeletionTime: 7))
        let result = try fragment(try merged(row.bytes, deletion.bytes))
        #expect(result.marker == nil && result.cells.map(\.column) == [2] && result.deletion.timestamp == 5)
    }

    @Test("marker ties: expiring beats lasting, then the later expiry")
    func markers() {
        let lasting = RowMarker(timestamp: 1)
        let expiring = RowMarker(timestamp: 1, timeToLive: 5, expiry: 10)
        let later = RowMarker(timestamp: 1, timeToLive: 6, expiry: 11)
        for (left, right, winner) in [(lasting, expiring, expiring), (expiring, later, later)] {
            #expect(RowMarker.winner(left, right) == winner && RowMarker.winner(right, left) == winner)
        }
        #expect(RowMarker.winner(RowMarker(timestamp: 2), later) == RowMarker(timestamp: 2))
    }

    @Test("a complex deletion removes the elements of its collection, not of others")
    func complexDeletion() throws {
        // An element per column, encoded with paths by hand: the path is the value's own range.
        func element(_ column: UInt16, _ timestamp: Int64) -> [UInt8] {
            var bytes: [UInt8] = []
            var writer = RowFragmentWriter()
            writer.begin(marker: nil, deletion: .none, timestamp: timestamp, timeToLive: 0, expiry: .max, into: &bytes)
            let cell = Cell(column: column, kind: .live, timestamp: timestamp, path: 0..<1, value: 0..<1)
            let values: [UInt8] = [7]
            writer.append(cell, from: values.rawSpan, into: &bytes)
            return bytes
        }
        let deletion = Write(cells: [(Cell(column: 1, kind: .complexDeletion, timestamp: 5, localDeletionTime: 1), [])])
        var all = try merged(element(1, 5), element(2, 5))
        all = try merged(all, deletion.bytes)
        #expect(try fragment(all).cells.map(\.kind) == [.complexDeletion, .live])
        all = try merged(all, element(1, 6))
        #expect(try fragment(all).cells.map(\.column) == [1, 1, 2])
    }

    @Test("merging is associative and commutative over random writes")
    func algebra() throws {
        let seed: UInt64 = 20_251_122
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let writes = (0..<4).map { _ in randomWrite(&random).bytes }
            let expected = try writes.dropFirst().reduce(writes[0]) { try merged($0, $1) }
            let shuffled = writes.shuffled(using: &random)
            let leftFirst = try shuffled.dropFirst().reduce(shuffled[0]) { try merged($0, $1) }
            let pairs = try merged(merged(shuffled[0], shuffled[1]), merged(shuffled[2], shuffled[3]))
            #expect(try normal(leftFirst) == normal(expected), "seed \(seed), round \(round)")
            #expect(try normal(pairs) == normal(expected), "seed \(seed), round \(round)")
        }
    }

    @Test("what survives of a fragment beside a row makes of it what the whole fragment makes")
    func survivors() throws {
        let seed: UInt64 = 20_251_130
        var random = SeededRandom(seed: seed)
        var lostCount = 0
        for round in 0..<600 {
            let isElements = round.isMultiple(of: 2)
            let writes = (0..<4).map { _ in isElements ? randomElements(&random) : randomWrite(&random).bytes }
            let stored = try merged(merged(writes[0], writes[1]), writes[2])
            let late = writes[3]
            let row = try RowFragment.survivors(of: late.rawSpan, beside: stored.rawSpan)
            var survivors: [UInt8] = []
            row.encode(from: late.rawSpan, into: &survivors)
            #expect(try merged(stored, survivors) == merged(stored, late), "seed \(seed), round \(round)")
            if try row.cells.count < fragment(late).cells.count { lostCount += 1 }
            // What is stored already adds nothing.
            let whole = try merged(stored, late)
            let again = try RowFragment.survivors(of: late.rawSpan, beside: whole.rawSpan)
            #expect(again.isEmpty, "seed \(seed), round \(round)")
        }
        #expect(lostCount > 50)
    }

    // MARK: Elements

    /// A write that also has elements and deletions of collections, by their raw form.
    private func randomElements(_ random: inout SeededRandom) -> [UInt8] {
        var row = RowFragment()
        var source: [UInt8] = []
        if Int.random(in: 0..<4, using: &random) == 0 {
            row.deletion = DeletionTime(timestamp: .random(in: 1...4, using: &random), localDeletionTime: 1)
        }
        if Bool.random(using: &random) { row.marker = RowMarker(timestamp: .random(in: 1...4, using: &random)) }
        for column in 0..<UInt16(3) {
            if column == 1, Int.random(in: 0..<3, using: &random) == 0 {
                row.cells.append(
                    Cell(
                        column: column, kind: .complexDeletion, timestamp: .random(in: 1...4, using: &random),
                        localDeletionTime: .random(in: 1...3, using: &random)))
            }
            for path in (column == 1 ? [UInt8(1), 2, 3] : [0]) where Bool.random(using: &random) {
                var cell = Cell(column: column, kind: .live, timestamp: .random(in: 1...4, using: &random))
                if path > 0 {
                    cell.path = source.count..<source.count + 1
                    source.append(path)
                }
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    cell.kind = .tombstone
                    cell.localDeletionTime = .random(in: 1...3, using: &random)
                case 1:
                    cell.kind = .expiring
                    cell.timeToLive = 5
                    cell.localDeletionTime = .random(in: 6...8, using: &random)
                default: break
                }
                if cell.kind != .tombstone {
                    cell.value = source.count..<source.count + 1
                    source.append(.random(in: 0...2, using: &random))
                }
                row.cells.append(cell)
            }
        }
        var bytes: [UInt8] = []
        // A writer leaves out what its own deletions cover.
        var clean = row
        if !row.deletion.isNone {
            if let marker = row.marker, row.deletion.covers(marker.timestamp) { clean.marker = nil }
            clean.cells.removeAll { row.deletion.covers($0.timestamp) }
        }
        clean.encode(from: source.rawSpan, into: &bytes)
        return bytes
    }

    /// What a naive model keeps of all writes: of each column and element the winner that no deletion covers.
    private struct Model {
        var deletion = Int64.min
        var marker: RowMarker?
        var complex: [UInt16: (timestamp: Int64, time: Int64)] = [:]
        var cells: [String: (cell: Cell, path: [UInt8], value: [UInt8])] = [:]

        mutating func add(_ bytes: [UInt8]) throws {
            let row = try fragment(bytes)
            deletion = max(deletion, row.deletion.timestamp)
            if let other = row.marker { marker = marker.map { RowMarker.winner($0, other) } ?? other }
            for cell in row.cells {
                if cell.kind == .complexDeletion {
                    let known = complex[cell.column] ?? (.min, .min)
                    if (cell.timestamp, cell.localDeletionTime) > known {
                        complex[cell.column] = (cell.timestamp, cell.localDeletionTime)
                    }
                    continue
                }
                let (path, value) = (Array(bytes[cell.path]), Array(bytes[cell.value]))
                let key = "\(cell.column) \(path)"
                if let known = cells[key] {
                    let source = value + known.value
                    var (left, right) = (cell, known.cell)
                    left.value = 0..<value.count
                    right.value = value.count..<source.count
                    guard left.wins(over: right, values: source.rawSpan, otherValues: source.rawSpan) else { continue }
                }
                cells[key] = (cell, path, value)
            }
        }

        var lines: [String] {
            var lines: [String] = []
            for (key, entry) in cells {
                let covered = max(deletion, entry.path.isEmpty ? .min : complex[entry.cell.column]?.timestamp ?? .min)
                guard entry.cell.timestamp > covered else { continue }
                lines.append(
                    "\(key) \(entry.cell.kind) \(entry.cell.timestamp) \(entry.cell.localDeletionTime) \(entry.value)")
            }
            if let marker, marker.timestamp > deletion { lines.append("marker \(marker.timestamp)") }
            return lines.sorted()
        }
    }

    @Test("elements, deletions of collections and of rows: any grouping and order gives what a naive model predicts")
    func elementModel() throws {
        let seed: UInt64 = 20_251_125
        var random = SeededRandom(seed: seed)
        for round in 0..<1500 {
            let writes = (0..<5).map { _ in randomElements(&random) }
            var model = Model()
            for write in writes { try model.add(write) }
            let shuffled = writes.shuffled(using: &random)
            let inOrder = try shuffled.dropFirst().reduce(shuffled[0]) { try merged($0, $1) }
            let grouped = try merged(
                merged(writes[0], writes[1]), merged(writes[2], merged(writes[3], merged(writes[4], writes[4]))))
            #expect(inOrder == grouped, "seed \(seed), round \(round)")
            #expect(try seen(inOrder) == model.lines, "seed \(seed), round \(round)")
        }
    }

    private func seen(_ bytes: [UInt8]) throws -> [String] {
        let row = try fragment(bytes)
        var lines = row.cells.filter { $0.kind != .complexDeletion }.map { cell in
            "\(cell.column) \(Array(bytes[cell.path])) \(cell.kind) \(cell.timestamp) \(cell.localDeletionTime) \(Array(bytes[cell.value]))"
        }
        if let marker = row.marker { lines.append("marker \(marker.timestamp)") }
        return lines.sorted()
    }

    /// A fragment without regard to which timestamp was chosen as its base.
    private func normal(_ bytes: [UInt8]) throws -> String {
        let row = try fragment(bytes)
        let cells = row.cells.map {
            "\($0.column) \($0.kind) \($0.timestamp) \($0.timeToLive) \($0.localDeletionTime) \(bytes[$0.value])"
        }
        return "\(String(describing: row.marker)) \(row.deletion) \(cells)"
    }

    private func randomWrite(_ random: inout SeededRandom) -> Write {
        var write = Write()
        func small(_ random: inout SeededRandom) -> Int64 { Int64.random(in: 1...3, using: &random) }
        if Bool.random(using: &random) {
            let timeToLive = Int32.random(in: 0...2, using: &random)
            write.marker = RowMarker(
                timestamp: small(&random), timeToLive: timeToLive, expiry: timeToLive == 0 ? .max : small(&random))
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            write.deletion = DeletionTime(timestamp: small(&random), localDeletionTime: small(&random))
        }
        for column in 0..<UInt16(3) where Bool.random(using: &random) {
            var cell = Cell(column: column, kind: .live, timestamp: small(&random))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: break
            case 1:
                cell.kind = .expiring
                cell.timeToLive = Int32.random(in: 1...2, using: &random)
                cell.localDeletionTime = small(&random)
            default:
                cell.kind = .tombstone
                cell.localDeletionTime = small(&random)
            }
            write.cells.append((cell, cell.kind == .tombstone ? [] : [UInt8(small(&random))]))
        }
        return write
    }

    @Test("malformed fragments are corruption errors, never traps")
    func malformed() throws {
        var random = SeededRandom(seed: 99)
        for _ in 0..<2000 {
            var bytes = randomWrite(&random).bytes
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            bytes.removeLast(Int.random(in: 0...min(3, bytes.count), using: &random))
            _ = try? merged(bytes, bytes)
            _ = try? tombstones(bytes)
        }
        #expect(throws: StorageError.self) { try fragment([0xFF]) }
    }

    @Test("expired data loses its value, counts as deleted since its write, and goes when the grace period is over")
    func purge() throws {
        let expiring = Cell(column: 1, kind: .expiring, timestamp: 1, timeToLive: 100, localDeletionTime: 1100)
        var row = try fragment(Write(cells: [(expiring, [1])]).bytes)
        #expect(row.droppableAfter(graceSeconds: 500) == StorageInstant(seconds: 1501))
        var changed = row.purge(now: 1099, graceSeconds: 500)
        #expect(!changed)
        changed = row.purge(now: 1100, graceSeconds: 500)
        #expect(changed)
        let expired = Cell(column: 1, kind: .expired, timestamp: 1, timeToLive: 100, localDeletionTime: 1100)
        #expect(row.cells == [expired] && row.droppableAfter(graceSeconds: 500) == StorageInstant(seconds: 1501))
        // So it is stored, and read again.
        row = try fragment(Write(cells: [(expired, [])]).bytes)
        #expect(row.cells == [expired])
        changed = row.purge(now: 1500, graceSeconds: 500)
        #expect(!changed && row.cells == [expired])
        changed = row.purge(now: 1501, graceSeconds: 500)
        #expect(changed && row.isEmpty)
        // A time to live longer than the grace period: never kept.
        row = try fragment(Write(cells: [(expiring, [1])]).bytes)
        #expect(row.droppableAfter(graceSeconds: 10) == StorageInstant(seconds: 1101))
        changed = row.purge(now: 1100, graceSeconds: 10)
        #expect(changed && row.isEmpty)
        let lasting = try fragment(Write(marker: RowMarker(timestamp: 1)).bytes)
        #expect(lasting.droppableAfter(graceSeconds: 1) == nil)
    }

    @Test("times at the ends of their range never trap", arguments: [Int64.min, .min + 1, -1, .max - 1, .max])
    func extremeTimes(time: Int64) throws {
        for graceSeconds in [Int64.min, -1, 0, .max] {
            for timeToLive in [Int32.min, -1, .max] {
                let cell = Cell(
                    column: 1, kind: .expiring, timestamp: time, timeToLive: timeToLive, localDeletionTime: time)
                let marker = RowMarker(timestamp: time, timeToLive: timeToLive, expiry: time)
                var row = try fragment(Write(marker: marker, cells: [(cell, [1])]).bytes)
                let end = row.droppableAfter(graceSeconds: graceSeconds)
                #expect(end.map { $0 >= StorageInstant(seconds: time) } ?? false)
                _ = row.purge(now: 0, graceSeconds: graceSeconds)
            }
            var deletions = PartitionTombstones(partition: DeletionTime(timestamp: 1, localDeletionTime: time))
            let past = deletions.past(now: 0, graceSeconds: graceSeconds)
            if time == .max && graceSeconds == .max { #expect(past.isEmpty) }
            deletions.remove(past)
            #expect(deletions.isEmpty == !past.isEmpty)
        }
    }
}

@Suite("Partition tombstones")
struct PartitionTombstoneTests {
    private func range(_ lower: UInt8, _ upper: UInt8?, _ timestamp: Int64) -> PartitionTombstones {
        PartitionTombstones(
            range: .init(
                lower: [lower], upper: upper.map { [$0] },
                deletion: DeletionTime(timestamp: timestamp, localDeletionTime: timestamp)))
    }

    @Test("ranges overlap, touch and nest; every point has the latest deletion that covers it")
    func fragments() throws {
        let seed: UInt64 = 5
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let parts = (0..<5).map { _ -> (UInt8, UInt8?, Int64) in
                let lower = UInt8.random(in: 0..<20, using: &random)
                let upper =
                    Int.random(in: 0..<5, using: &random) == 0 ? nil : lower + UInt8.random(in: 1...9, using: &random)
                return (lower, upper, Int64.random(in: 1...4, using: &random))
            }
            let forth = parts.reduce(PartitionTombstones()) { $0.merged(with: range($1.0, $1.1, $1.2)) }
            let back = parts.reversed().reduce(PartitionTombstones()) { range($1.0, $1.1, $1.2).merged(with: $0) }
            #expect(forth == back, "seed \(seed), round \(round)")
            for point in UInt8(0)...40 {
                let covering = parts.filter { $0.0 <= point && ($0.1.map { point < $0 } ?? true) }.map(\.2)
                let expected = covering.max() ?? DeletionTime.none.timestamp
                #expect(forth.timestamp(at: [point]) == expected, "seed \(seed), round \(round)")
            }
            var bytes: [UInt8] = []
            forth.encode(into: &bytes)
            #expect(try tombstones(bytes) == forth)
        }
    }

    @Test("the partition's deletion counts where it is later than a range's")
    func partitionDeletion() {
        let both = range(3, 5, 2).merged(
            with: PartitionTombstones(partition: DeletionTime(timestamp: 3, localDeletionTime: 3)))
        #expect(both.timestamp(at: [UInt8(4)]) == 3)
        #expect(both.timestamp(at: [UInt8(9)]) == 3)
    }
}
