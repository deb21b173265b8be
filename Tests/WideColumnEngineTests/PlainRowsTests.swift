import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

/// The quick readers of rows and keys beside the ones that know everything: as far as they go, both must say the same,
/// whatever the bytes.
@Suite("Plain rows")
struct PlainRowsTests {
    // MARK: Fragments

    @Test("a walk over a fragment says what the reader says, or stops")
    func walk() throws {
        let seed: UInt64 = 91
        var random = SeededRandom(seed: seed)
        var (walked, stopped, refused) = (0, 0, 0)
        for round in 0..<6000 {
            var bytes = Self.randomFragment(&random)
            if round % 2 == 1 { Self.damage(&bytes, &random) }
            let now = Int64.random(in: 0...20, using: &random)
            let known = try? fragment(bytes)
            if known == nil { refused += 1 }
            guard let cells = Self.walk(bytes, now: now) else {
                stopped += 1
                continue
            }
            walked += 1
            let row = try #require(known, "seed \(seed), round \(round): only the walk takes \(bytes)")
            #expect(cells.isMarkerLive == (row.marker?.isLive(at: now) ?? false), "seed \(seed), round \(round)")
            #expect(
                cells.cells.map(\.column) == row.cells.map { Int($0.column) }
                    && cells.cells.map(\.value) == row.cells.map { $0.isLive(at: now) ? $0.value : nil },
                "seed \(seed), round \(round): \(bytes)")
        }
        #expect(walked > 2000 && stopped > 1000 && refused > 500, "seed \(seed): \(walked) \(stopped) \(refused)")
    }

    private static func walk(
        _ bytes: [UInt8], now: Int64
    ) -> (isMarkerLive: Bool, cells: [(column: Int, value: Range<Int>?)])? {
        var walk = RowFragmentWalk(bytes.rawSpan, now: now)
        guard walk.begin() else { return nil }
        var cells: [(column: Int, value: Range<Int>?)] = []
        while !walk.isAtEnd {
            guard walk.next() else { return nil }
            cells.append((walk.column, walk.isCellLive ? walk.value.range : nil))
        }
        return (walk.isMarkerLive, cells)
    }

    /// Of every kind of cell, with few times, so that bases are shared.
    private static func randomFragment(_ random: inout SeededRandom) -> [UInt8] {
        func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        func time() -> (timeToLive: Int32, expiry: Int64) { number(0...1) == 0 ? (5, 10) : (7, Int64(number(0...20))) }
        var row = RowFragment()
        if number(0...3) > 0 {
            var marker = RowMarker(timestamp: Int64(number(1...2)))
            if number(0...1) == 0 { (marker.timeToLive, marker.expiry) = time() }
            row.marker = marker
        }
        if number(0...9) == 0 { row.deletion = DeletionTime(timestamp: 0, localDeletionTime: 3) }
        var values: [UInt8] = []
        for column in 0..<number(0...5) where number(0...3) > 0 {
            var cell = Cell(column: UInt16(column), kind: .live, timestamp: Int64(number(1...2)))
            switch number(0...9) {
            case 0...3: (cell.kind, (cell.timeToLive, cell.localDeletionTime)) = (.expiring, time())
            case 4: (cell.kind, cell.localDeletionTime) = (.tombstone, 3)
            case 5 where number(0...3) == 0: (cell.kind, cell.localDeletionTime) = (.complexDeletion, 3)
            case 6 where number(0...3) == 0: cell.column += 200
            case 7 where number(0...3) == 0: cell.path = 0..<min(1, values.count)
            default: break
            }
            if cell.kind == .live || cell.kind == .expiring {
                let byteCount = [0, 1, 40, 127, 128, 300, 17_000][number(0...39) == 0 ? 6 : number(0...5)]
                cell.value = values.count..<values.count + byteCount
                values += repeatElement(UInt8(column), count: byteCount)
            }
            row.cells.append(cell)
        }
        var bytes: [UInt8] = []
        row.encode(from: values.rawSpan, into: &bytes)
        return bytes
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1: bytes.append(UInt8.random(in: 0...2, using: &random))
        default:
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                guard let index = bytes.indices.randomElement(using: &random) else { return }
                bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        }
    }

    // MARK: Keys

    @Test("the short way back from an ordered component is the longer one, or none")
    func orderedForms() throws {
        let seed: UInt64 = 92
        var random = SeededRandom(seed: seed)
        let types: [CQLType] = [
            .text, .ascii, .blob, .inet, .int, .bigint, .counter, .timestamp, .uuid, .timeuuid, .double,
        ]
        var decodedCount = 0
        for round in 0..<8000 {
            let type = types[round % types.count]
            let form = try #require(OrderedForm(type))
            let isDescending = Bool.random(using: &random)
            var key = [UInt8](repeating: 7, count: 3)
            try OrderedComponent.append(
                Self.value(type, &random).rawSpan, type, descending: isDescending, to: &key)
            key += (0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            if round % 3 == 0 { Self.damage(&key, &random) }
            var offset = Int.random(in: 0...9, using: &random) == 0 ? 4 : 3
            var knownOffset = offset
            var known: [UInt8] = []
            let isKnown: ()? = try? OrderedComponent.decode(
                key.rawSpan, at: &knownOffset, type, descending: isDescending, into: &known)
            var rows = UnsafeRows(width: 1)
            try rows.reserve(key.count)
            guard let cell = form.decode(key.rawSpan, at: &offset, descending: isDescending, to: &rows) else {
                continue
            }
            decodedCount += 1
            #expect(isKnown != nil, "seed \(seed), round \(round): \(type) \(key)")
            #expect(
                offset == knownOffset && rows.withBytes(of: cell) { $0.array() } == known,
                "seed \(seed), round \(round)")
        }
        #expect(decodedCount > 4000, "seed \(seed): \(decodedCount)")
    }

    @Test("types without a short way back have no form")
    func noForm() {
        for type in [.boolean, .date, .time, .varint, .decimal, .float, .frozen(.list(.int)), .tuple([.int])]
            as [CQLType]
        {
            #expect(OrderedForm(type) == nil)
        }
    }

    private static func value(_ type: CQLType, _ random: inout SeededRandom) -> [UInt8] {
        let byteCount = type.fixedByteCount ?? Int.random(in: 0...20, using: &random)
        if type.allowsEmpty, Int.random(in: 0...9, using: &random) == 0 { return [] }
        let isPlain = Bool.random(using: &random)
        return (0..<byteCount).map { _ in
            isPlain ? UInt8.random(in: 1...254, using: &random) : [0, 1, 0xFF].randomElement(using: &random) ?? 0
        }
    }

    // MARK: Values and names

    @Test("a value of a result is what its bytes stand for, or null where they stand for none")
    func values() throws {
        var random = SeededRandom(seed: 93)
        let types: [CQLType] = [
            .text, .blob, .boolean, .int, .bigint, .timestamp, .uuid, .timeuuid, .double, .varint, .date, .list(.int),
        ]
        for round in 0..<4000 {
            let type = types[round % types.count]
            let byteCount =
                Bool.random(using: &random) ? type.fixedByteCount ?? 6 : Int.random(in: 0...17, using: &random)
            let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
            var builder = RowBuilder(columns: [ResultColumn(name: "a", type: type)])
            try builder.append(bytes.rawSpan)
            try builder.endRow()
            let result = ResultSet(builder.storage())
            // NaN is not equal to itself.
            #expect("\(result[0][0])" == "\((try? type.value(of: bytes)) ?? .null)", "\(type) \(bytes)")
            #expect(result[0].wireBytes(0) == bytes)
        }
    }

    @Test("a name is that of the first column that has it, in whatever order names are asked for")
    func names() throws {
        let names = ["a", "b", "a", "c", "a name that is longer than fifteen bytes", "c", "d"]
        var builder = RowBuilder(columns: names.map { ResultColumn(name: $0, type: .int) })
        for index in names.indices { try builder.append(.int(Int32(index)), .int) }
        try builder.endRow()
        let row = ResultSet(builder.storage())[0]
        var random = SeededRandom(seed: 94)
        for _ in 0..<500 {
            let name = (names + ["e", ""]).randomElement(using: &random) ?? ""
            #expect(row[name, as: Int.self] == names.firstIndex(of: name), "\(name)")
        }
    }

    // MARK: Memory

    @Test("results of all sizes keep what was appended, in the order that is asked for")
    func growth() throws {
        var random = SeededRandom(seed: 95)
        for rowCount in [0, 1, 9, 700, 4000] {
            var builder = RowBuilder(columns: ["a", "b"].map { ResultColumn(name: $0, type: .blob) })
            var model: [[[UInt8]?]] = []
            for index in 0..<rowCount {
                let byteCount = index % 500 == 499 ? 200_000 : Int.random(in: 0...90, using: &random)
                let value = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: byteCount)
                try builder.append(value.rawSpan)
                try builder.appendNull()
                try builder.endRow()
                model.append([value, nil])
            }
            let order = Array(Array(0..<rowCount).shuffled(using: &random).prefix(rowCount / 2 + 1))
            if rowCount > 1 {
                builder.reorder(order)
                model = order.map { model[$0] }
            }
            let result = ResultSet(builder.storage())
            #expect(result.map { row in [row.wireBytes(0), row.wireBytes(1)] } == model)
            var (wire, expected): ([UInt8], [UInt8]) = ([], [])
            result.appendWireRows(to: &wire)
            for value in model.joined() {
                expected.appendBigEndian(Int32(value?.count ?? -1))
                expected += value ?? []
            }
            #expect(wire == expected)
            #expect(builder.count == 0)
        }
    }

    // MARK: Damage

    @Test("damaged rows and keys are read, or refused, as by the longer way", arguments: [1, 2] as [UInt64])
    func damagedRows(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int, c text, d timestamp, e uuid, v int, w text, PRIMARY KEY (k, c, d, e))
            WITH CLUSTERING ORDER BY (c ASC, d DESC)
            """)
        let insert = try store.prepare("INSERT INTO t (k, c, d, e, v, w) VALUES (?, ?, ?, ?, ?, ?)")
        let table = try store.table("t")
        var (answered, refused) = (0, 0)
        for round in 0..<400 {
            let partition = Int32(round)
            for index in 0..<3 {
                try insert.execute([
                    .int(partition), .text("c\(index)"), .timestamp(1_741_615_200_000),
                    .uuid(.random(using: &random)), .int(Int32(index)), .text("some text"),
                ])
            }
            try damageRow(of: partition, in: table, store, &random)
            let cql = ["SELECT * FROM t WHERE k = ?", "SELECT w, e FROM t WHERE k = ?"][round % 2]
            let statement = try store.prepare(cql)
            func outcome(isTracing: Bool) -> Result<[[String]], CQLOutcome> {
                var options = ExecutionOptions()
                options.isTracing = isTracing
                do {
                    return .success(
                        try statement.execute([.int(partition)], options: options).map { $0.values.map(\.description) })
                } catch let error as StorageError {
                    return .failure(CQLOutcome(text: "\(error.code)"))
                } catch {
                    return .failure(CQLOutcome(text: "\(error)"))
                }
            }
            let short = outcome(isTracing: false)
            #expect(short == outcome(isTracing: true), "seed \(seed), round \(round)")
            switch short {
            case .success: answered += 1
            case .failure(let error):
                refused += 1
                #expect(error.text == "corruption", "seed \(seed), round \(round)")
            }
        }
        #expect(answered > 50 && refused > 50, "seed \(seed): \(answered) \(refused)")
    }

    private struct CQLOutcome: Error, Equatable {
        var text: String
    }

    private func damageRow(
        of partition: Int32, in table: Table, _ store: WideColumnStore, _ random: inout SeededRandom
    ) throws {
        var prefix: [UInt8] = []
        var partitionKey: [UInt8] = []
        partitionKey.appendBigEndian(partition)
        try appendPartition(partitionKey, to: &prefix)
        let clusteringOffset = prefix.count + 1
        let range = KeyRange(lower: prefix, upper: StorageKey.successor(ofPrefix: prefix))
        var cursor = try store.storage.snapshot().view.cursor(table.storage, range)
        try cursor.seekToFirst()
        var (key, value) = (cursor.key.array(), cursor.value.array())
        var clustering = Array(key[clusteringOffset...])
        let isKey = Bool.random(using: &random)
        if isKey { Self.damage(&clustering, &random) } else { Self.damage(&value, &random) }
        let oldKey = key
        key[clusteringOffset...] = clustering[...]
        try store.storage.write { transaction in
            try transaction.delete(table.storage, oldKey.rawSpan)
            try transaction.put(table.storage, key.rawSpan, value.rawSpan)
        }
    }
}
