// ClusteringLayoutTests.swift — tables of another time are left out, and nothing else is.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Clustering layouts")
struct ClusteringLayoutTests {
    static let layout = ClusteringLayout(fixedByteCount: 2, tag: 7)

    /// A key without the keyspace's prefix.
    static func key(_ group: [UInt8], _ clustering: [UInt8], tag: UInt8 = 7) -> [UInt8] {
        var encoder = KeyEncoder()
        encoder.append(uint16: UInt16(group.count) &* 40_503)
        encoder.append(bytes: group)
        return encoder.bytes + [tag] + clustering
    }

    private static func key(_ group: Int, at time: UInt64) -> [UInt8] {
        var encoder = KeyEncoder()
        encoder.append(uint64: time, descending: true)
        return key(bytes("group \(group)"), encoder.bytes)
    }

    @Test("a clustering begins behind the escaped group and the tag, in keys that have both")
    func offsets() {
        let seed = TestSeed.draw("clustering offsets")
        var random = SeededRandom(seed: seed)
        for _ in 0..<3000 {
            let group = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                [0, 0, 0xFF, 1, 7, 200][Int.random(in: 0..<6, using: &random)] as UInt8
            }
            let clustering = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8(Int.random(in: 0..<4, using: &random))
            }
            let tag: UInt8 = Int.random(in: 0..<4, using: &random) == 0 ? 8 : 7
            let key: [UInt8] = [0, 0, 0, 9] + Self.key(group, clustering, tag: tag)
            let expected = tag == 7 ? key.count - clustering.count : nil
            #expect(key.withUnsafeBytes { Self.layout.offset(in: $0) } == expected, "\(group) \(clustering)")
            // Cut off anywhere, a key has a clustering only from where it begins.
            let cut = Int.random(in: 0..<key.count + 1, using: &random)
            let isWhole = expected.map { cut >= $0 } ?? false
            #expect(key[..<cut].withUnsafeBytes { Self.layout.offset(in: $0) } == (isWhole ? expected : nil))
        }
    }

    @Test("clusterings are in the order of the keys of a group, and those of a range hold those of its keys")
    func order() throws {
        let seed = TestSeed.draw("clustering order")
        var random = SeededRandom(seed: seed)
        func clustering(_ key: [UInt8]) throws -> UInt128 {
            try #require(key.withUnsafeBytes { Self.layout.clustering(of: $0) })
        }
        for _ in 0..<300 {
            let common = [UInt8](repeating: 3, count: Int.random(in: 0..<18, using: &random))
            let keys = (0..<20).map { _ in
                [0, 0, 0, 9]
                    + Self.key(
                        [1],
                        common
                            + (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                                UInt8(Int.random(in: 0..<3, using: &random))
                            })
            }.sorted { $0.lexicographicallyPrecedes($1) }
            for (lower, upper) in zip(keys, keys.dropFirst()) {
                #expect(try clustering(lower) <= clustering(upper))
            }
            let (first, last) = (
                keys[Int.random(in: 0..<20, using: &random)], keys[Int.random(in: 0..<20, using: &random)]
            )
            if let range = Self.layout.clusterings(lower: first, upper: last)?.range {
                for key in keys where compareBytes(first, key) <= 0 && compareBytes(key, last) < 0 {
                    #expect(range.contains(try clustering(key)))
                }
            } else {
                #expect(try clustering(first) > clustering(last))
            }
        }
    }

    @Test("a range has clusterings only if it lies in one group")
    func ranges() throws {
        let prefix: [UInt8] = [0, 0, 0, 9]
        let start = prefix + Self.key([1], [])
        let end = try #require(upperBound(ofPrefix: start))
        #expect(Self.layout.clusterings(lower: start, upper: end)?.range == 0...UInt128.max)
        #expect(Self.layout.clusterings(lower: start + [5], upper: start + [6])?.range == (5 << 120)...(6 << 120))
        #expect(Self.layout.clusterings(lower: start + [5], upper: end)?.range == (5 << 120)...UInt128.max)
        #expect(Self.layout.clusterings(lower: start, upper: end + [0])?.range == nil)
        #expect(Self.layout.clusterings(lower: start, upper: prefix + Self.key([2], []))?.range == nil)
        #expect(Self.layout.clusterings(lower: prefix, upper: end)?.range == nil)
        #expect(Self.layout.clusterings(lower: Array(start.dropLast()), upper: end)?.range == nil)
    }

    @Test("the group of a key ends behind the byte string, whatever follows; a range is of one if it stays within")
    func groups() throws {
        let group: [UInt8] = [0, 0, 0, 9] + Self.key([1, 0, 2], []).dropLast()
        func end(_ key: [UInt8]) -> Int? { key.withUnsafeBytes { Self.layout.groupEnd(in: $0) } }
        for rest in [[], [0], [0xFF], [7, 1, 2, 3], [8] + [UInt8](repeating: 0, count: 20)] as [[UInt8]] {
            #expect(end(group + rest) == group.count)
        }
        for count in 0..<group.count { #expect(end(Array(group[..<count])) == nil) }

        let bound = try #require(upperBound(ofPrefix: group))
        #expect(Self.layout.group(lower: group, upper: bound) == group[...])
        #expect(Self.layout.group(lower: group + [9], upper: group + [9, 1]) == group[...])
        #expect(Self.layout.group(lower: group, upper: bound + [0]) == nil)
        #expect(Self.layout.group(lower: Array(group.dropLast()), upper: bound) == nil)
    }

    @Test("a table's filter knows the groups of its keys, whole or in parts", arguments: [0, 1 << 20])
    func filters(wholeFilterByteCount: Int) throws {
        let seed = TestSeed.draw("groups in filters")
        var random = SeededRandom(seed: seed)
        // Every second group; some of so many keys that they lie in several partitions of the index.
        var entries: [PlainEntry] = []
        for group in stride(from: 0, to: 400, by: 2) {
            for time in 0..<(group % 40 == 0 ? 300 : Int.random(in: 1...5, using: &random)) {
                let isTagged = time % 3 != 1
                let clustering = withUnsafeBytes(of: UInt64(time).bigEndian) { Array($0) }
                let key = Self.key(bytes("group \(group)"), clustering, tag: isTagged ? 7 : 6)
                entries.append(PlainEntry([0, 0, 0, 9] + key, 5, value: bytes("value")))
            }
        }
        entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
        let table = try BuiltTable(
            entries,
            options: TableOptions(
                blockByteCount: 256, wholeFilterByteCount: wholeFilterByteCount, clusteringLayout: Self.layout))
        let reader = try table.open()
        #expect(reader.filterPartitions.isEmpty == (wholeFilterByteCount > 0))
        try reader.verify()
        func mayContain(_ group: Int, _ layout: ClusteringLayout = Self.layout) throws -> Bool {
            let bytes: [UInt8] = [0, 0, 0, 9] + Self.key(bytes("group \(group)"), []).dropLast()
            return try reader.mayContain(KeyGroup(bytes[...], by: layout))
        }
        var misledCount = 0
        for group in 0..<400 {
            let isFound = try mayContain(group)
            if group % 2 == 0 { #expect(isFound) } else if isFound { misledCount += 1 }
        }
        // About one in a hundred of two hundred, if filters do what they are for.
        #expect(misledCount < 20)
        // Others' groups it does not know.
        #expect(try mayContain(1, ClusteringLayout(fixedByteCount: 3, tag: 7)))
    }

    @Test("a cursor within a group enters the tables that have some of it, also where the range says nothing of times")
    func cursorsWithinGroups() throws {
        var options = smallOptions(SimulatedFileSystem())
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try Self.open(storage)
        // Three tables, each of groups 0 and 99 and every third one in between.
        for table in 0..<3 {
            try storage.write { transaction in
                for group in [0, 99] + stride(from: table, to: 99, by: 3) {
                    try transaction.put(keyspace, Self.key(group, at: UInt64(table)).rawSpan, bytes("v").rawSpan)
                }
            }
            try storage.flush()
        }
        let numbers = tableNumbers(keyspace)
        let recorder = AccessRecorder()
        var misledCount = 0
        for group in 1..<99 {
            let range = KeyRange.prefix(Array(Self.key(bytes("group \(group)"), []).dropLast()))
            var cursor = try storage.snapshot().traced(by: recorder).view.cursor(keyspace, range)
            try cursor.seekToFirst()
            let isFound = cursor.isValid
            #expect(isFound)
            let entered = Set(recorder.takeTables())
            #expect(entered.contains(numbers[group % 3]))
            misledCount += entered.count - 1
        }
        #expect(misledCount < 20)
    }

    @Test("bounds are among a table's properties")
    func properties() throws {
        let entries = (0..<500).map { number in
            // Every fifth key has none.
            let key = number % 5 == 0 ? bytes("plain \(1000 + number)") : Self.key(number % 7, at: UInt64(number))
            return PlainEntry([0, 0, 0, 9] + key, 5, value: [1])
        }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let table = try BuiltTable(entries, options: TableOptions(blockByteCount: 512, clusteringLayout: Self.layout))
        let bounds = try #require(table.properties.clustering)
        // Descending, so the newest is the smallest.
        let newest = UInt128(~UInt64(499)) << 64
        #expect(bounds.mayContain(newest) && !bounds.mayContain(newest - 1))
        #expect(bounds.mayContain(UInt128(~UInt64(1)) << 64) && !bounds.mayContain(UInt128(~UInt64(0)) << 64))
        #expect(bounds.mayContain(nil))
        let reader = try table.open()
        #expect(reader.clusteringBounds(by: Self.layout) == bounds)
        try reader.verify()

        let plain = try BuiltTable(
            entries.filter { $0.key[4] == UInt8(ascii: "p") },
            options: TableOptions(blockByteCount: 512, clusteringLayout: Self.layout))
        #expect(plain.properties.clustering == ClusteringBounds(Self.layout, hasOthers: true))
        try plain.open().verify()
        let clustered = try BuiltTable(
            entries.filter { $0.key[4] != UInt8(ascii: "p") },
            options: TableOptions(blockByteCount: 512, clusteringLayout: Self.layout))
        #expect(try #require(clustered.open().clusteringBounds(by: Self.layout)).mayContain(nil) == false)
        try clustered.open().verify()
        #expect(
            try BuiltTable(entries, options: TableOptions(blockByteCount: 512)).open().clusteringBounds(by: Self.layout)
                == nil)
    }

    // MARK: In a storage

    private static func open(_ storage: Storage, _ layout: ClusteringLayout? = Self.layout) throws -> Keyspace {
        try storage.keyspace("events", options: KeyspaceOptions(isDedicated: true, clusteringLayout: layout))
    }

    /// Five tables, of a thousand moments each, with entries of all groups.
    private func makeStorage(_ disk: SimulatedFileSystem = SimulatedFileSystem()) throws -> (Storage, Keyspace) {
        var options = smallOptions(disk)
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try Self.open(storage)
        for table in 0..<5 {
            for moment in stride(from: table * 1000, to: table * 1000 + 1000, by: 10) {
                try storage.write {
                    try $0.put(
                        keyspace, Self.key(moment / 10 % 7, at: UInt64(moment)).rawSpan, bytes("\(moment)").rawSpan)
                }
            }
            try storage.flush()
        }
        return (storage, keyspace)
    }

    /// Oldest first.
    private func tableNumbers(_ keyspace: Keyspace) -> [UInt64] {
        keyspace.tree.state.levels.all.map(\.number).reversed()
    }

    @Test("a look-up leaves out the tables of other times, and asks no filter for that")
    func lookups() throws {
        let (storage, keyspace) = try makeStorage()
        let recorder = AccessRecorder()
        let view = storage.snapshot().traced(by: recorder).view
        let numbers = tableNumbers(keyspace)
        #expect(numbers.count == 5)
        for moment in stride(from: 0, to: 5000, by: 10) {
            let key = Self.key(moment / 10 % 7, at: UInt64(moment))
            #expect(try view.get(keyspace, key.rawSpan) == bytes("\(moment)"))
            #expect(Set(recorder.takeTables()) == [numbers[moment / 1000]])
        }
        // Later than all of them.
        let before = keyspace.tree.counters.lookups.statistics
        #expect(try storage.snapshot().view.get(keyspace, Self.key(3, at: 5001).rawSpan) == nil)
        let after = keyspace.tree.counters.lookups.statistics
        #expect(after.searchedTableCount == before.searchedTableCount)
        #expect(after.ruledOutTableCount == before.ruledOutTableCount)
    }

    @Test("a cursor enters the tables of its times only, whether they are in level 0 or below")
    func cursors() throws {
        let (storage, keyspace) = try makeStorage()
        let recorder = AccessRecorder()
        func moments(_ range: KeyRange) throws -> [Int] {
            var cursor = try storage.snapshot().traced(by: recorder).view.cursor(keyspace, range)
            var moments: [Int] = []
            try cursor.seekToFirst()
            while cursor.isValid {
                moments.append(try #require(Int(String(decoding: cursor.value.array(), as: UTF8.self))))
                try cursor.next()
            }
            return moments
        }
        let all = Array(stride(from: 0, to: 5000, by: 10))
        func expected(_ group: Int, _ times: ClosedRange<Int>) -> [Int] {
            all.filter { $0 / 10 % 7 == group && times.contains($0) }.reversed()
        }
        let numbers = tableNumbers(keyspace)
        // From 1500 to 2500: two tables. Descending, so the later one is the lower bound.
        let range = KeyRange(lower: Self.key(3, at: 2500), upper: Self.key(3, at: 1499))
        #expect(try moments(range) == expected(3, 1500...2500))
        #expect(Set(recorder.takeTables()) == [numbers[1], numbers[2]])
        // From 4990 on.
        let start = Self.key(bytes("group 3"), [])
        #expect(try moments(KeyRange(lower: start, upper: Self.key(3, at: 3999))) == expected(3, 4000...5000))
        #expect(Set(recorder.takeTables()) == [numbers[4]])
        // All of a group, and of all groups.
        #expect(try moments(.prefix(start)) == expected(3, 0...5000))
        #expect(Set(recorder.takeTables()) == Set(numbers))
        #expect(try Set(moments(.all)) == Set(all))
        #expect(Set(recorder.takeTables()) == Set(numbers))

        try storage.compact()
        let compacted = keyspace.tree.state.levels
        #expect(compacted[0].isEmpty)
        #expect(try moments(range) == expected(3, 1500...2500))
        let later = KeyRange(lower: start, upper: Self.key(3, at: 5000))
        _ = recorder.take()
        #expect(try moments(later) == [])
        #expect(Set(recorder.takeTables()) == [])
    }

    @Test("range deletes reach over the times of the table that has them")
    func rangeDeletes() throws {
        let (storage, keyspace) = try makeStorage()
        let group = Self.key(bytes("group 3"), [])
        // Its table has one entry, of a time of its own.
        try storage.write { transaction in
            try transaction.deleteRange(keyspace, .prefix(group))
            try transaction.put(keyspace, Self.key(1, at: 9000).rawSpan, bytes("9000").rawSpan)
        }
        try storage.flush()
        let view = storage.snapshot().view
        for moment in stride(from: 0, to: 5000, by: 10) {
            let isDeleted = moment / 10 % 7 == 3
            let value = try view.get(keyspace, Self.key(moment / 10 % 7, at: UInt64(moment)).rawSpan)
            #expect(value == (isDeleted ? nil : bytes("\(moment)")))
        }
        let range = KeyRange(lower: Self.key(3, at: 2500), upper: Self.key(3, at: 1499))
        var cursor = try view.cursor(keyspace, range)
        try cursor.seekToFirst()
        let isFound = cursor.isValid
        #expect(!isFound)
        #expect(try storage.verify().problems == [])
    }

    @Test("with another layout, or after one without, no table is left out that may hold a key")
    func otherLayouts() throws {
        let disk = SimulatedFileSystem()
        var (storage, _) = try makeStorage(disk)
        let layouts = [
            nil, ClusteringLayout(fixedByteCount: 3, tag: 7), ClusteringLayout(fixedByteCount: 2, tag: 9), Self.layout,
        ]
        for layout in layouts {
            try storage.close()
            storage = try Storage.open(at: "/db", options: smallOptions(disk))
            let keyspace = try Self.open(storage, layout)
            #expect(keyspace.options.clusteringLayout == layout)
            try storage.write { try $0.put(keyspace, Self.key(3, at: 7777).rawSpan, bytes("\(layout == nil)").rawSpan) }
            try storage.flush()
            let view = storage.snapshot().view
            #expect(try view.get(keyspace, Self.key(3, at: 7777).rawSpan) == bytes("\(layout == nil)"))
            for moment in stride(from: 0, to: 5000, by: 70) {
                #expect(
                    try view.get(keyspace, Self.key(moment / 10 % 7, at: UInt64(moment)).rawSpan) == bytes("\(moment)"))
            }
            #expect(try storage.verify().problems == [])
        }
    }
}
