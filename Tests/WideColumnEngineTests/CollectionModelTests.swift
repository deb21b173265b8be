import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

/// A partition's rows by the plainest rules: every write is kept, and each read goes through all of them.
private struct ElementModel {
    struct Write {
        var timestamp: Int64
        var key: Int
        /// `nil`: the whole collection.
        var element: Int?
        var value: Int?
    }

    private var writes: [Write] = []

    mutating func assign(_ key: Int, _ values: [Int: Int], _ timestamp: Int64) {
        writes.append(Write(timestamp: timestamp - 1, key: key, element: nil, value: nil))
        for (element, value) in values { set(key, element, value, timestamp) }
    }

    mutating func set(_ key: Int, _ element: Int, _ value: Int?, _ timestamp: Int64) {
        writes.append(Write(timestamp: timestamp, key: key, element: element, value: value))
    }

    mutating func delete(_ key: Int, _ timestamp: Int64) {
        writes.append(Write(timestamp: timestamp, key: key, element: nil, value: nil))
    }

    func value(_ key: Int) -> [Int: Int] {
        let mine = writes.filter { $0.key == key }
        let deletion = mine.filter { $0.element == nil }.map(\.timestamp).max() ?? .min
        var result: [Int: Int] = [:]
        for element in Set(mine.compactMap(\.element)) {
            let versions = mine.filter { $0.element == element && $0.timestamp > deletion }
            guard let latest = versions.map(\.timestamp).max() else { continue }
            let last = versions.filter { $0.timestamp == latest }
            // At one timestamp a deletion beats a value, and the greater value the lesser.
            if last.contains(where: { $0.value == nil }) { continue }
            result[element] = last.compactMap(\.value).max()
        }
        return result
    }
}

@Suite("Collections against a model")
struct CollectionModelTests {
    @Test("maps of a table and of its views are what the model predicts, across flushes, compactions and restarts")
    func maps() throws {
        let seed: UInt64 = 20_251_126
        var random = SeededRandom(seed: seed)
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int, c int, m map<int, int>, PRIMARY KEY (k, c))")
        try disk.store.execute(
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE c IS NOT NULL AND k IS NOT NULL PRIMARY KEY (c, k)")
        try disk.store.execute("CREATE INDEX ON t (keys(m))")
        var model = ElementModel()
        // Rounds that changed something: what comes too late for that is of less use.
        var effectiveCount = 0
        for round in 0..<1200 {
            let key = Int.random(in: 0..<3, using: &random)
            let before = model.value(key)
            let timestamp = Int64(round) + Int64.random(in: 1...40, using: &random)
            let element = Int.random(in: 0..<4, using: &random)
            let value = Int.random(in: 0..<9, using: &random)
            let (k, e, v) = (CQLValue.int(Int32(key)), CQLValue.int(Int32(element)), CQLValue.int(Int32(value)))
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let other = (element + 1) % 4
                model.assign(key, [element: value, other: 1], timestamp)
                try disk.store.execute(
                    "UPDATE t USING TIMESTAMP ? SET m = {?: ?, ?: 1} WHERE k = ? AND c = 0",
                    [.bigint(timestamp), e, v, .int(Int32(other)), k])
            case 1, 2:
                model.set(key, element, value, timestamp)
                try disk.store.execute(
                    "UPDATE t USING TIMESTAMP ? SET m[?] = ? WHERE k = ? AND c = 0", [.bigint(timestamp), e, v, k])
            case 3:
                model.set(key, element, nil, timestamp)
                try disk.store.execute(
                    "DELETE m[?] FROM t USING TIMESTAMP ? WHERE k = ? AND c = 0", [e, .bigint(timestamp), k])
            case 4:
                model.delete(key, timestamp)
                try disk.store.execute(
                    "DELETE m FROM t USING TIMESTAMP ? WHERE k = ? AND c = 0", [.bigint(timestamp), k])
            default:
                model.delete(key, timestamp)
                let condition = Bool.random(using: &random) ? "k = ? AND c = 0" : "k = ? AND c < 5"
                try disk.store.execute("DELETE FROM t USING TIMESTAMP ? WHERE \(condition)", [.bigint(timestamp), k])
            }
            if model.value(key) != before { effectiveCount += 1 }
            if round % 300 == 299 {
                try disk.flushAndCompact()
                try disk.reopen()
            }
            guard round % 10 == 0 else { continue }
            for key in 0..<3 {
                let expected = model.value(key).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
                let line = expected.isEmpty ? [] : ["{\(expected.joined(separator: ", "))}"]
                let note = "seed \(seed), round \(round), key \(key)"
                let values = [CQLValue.int(Int32(key))]
                #expect(try disk.store.lines("SELECT m FROM t WHERE k = ?", values) == line, "\(note)")
                #expect(try disk.store.lines("SELECT m FROM v WHERE c = 0 AND k = ?", values) == line, "\(note)")
            }
            #expect(try disk.store.storage.verify().problems.isEmpty, "seed \(seed), round \(round)")
        }
        #expect(effectiveCount > 300)
    }

    @Test("lists keep the order of their additions, whatever is deleted in between")
    func lists() throws {
        let seed: UInt64 = 20_251_127
        var random = SeededRandom(seed: seed)
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, l list<int>)")
        var model: [Int] = []
        for round in 0..<500 {
            let value = Int.random(in: 0..<6, using: &random)
            let index = Int.random(in: 0..<8, using: &random)
            let (v, i) = (CQLValue.int(Int32(value)), CQLValue.int(Int32(index)))
            switch Int.random(in: 0..<7, using: &random) {
            case 0:
                model = [value, value + 1]
                try store.execute("UPDATE t SET l = [?, ?] WHERE k = 1", [v, .int(Int32(value + 1))])
            case 1, 2:
                model += [value, 7]
                try store.execute("UPDATE t SET l = l + [?, 7] WHERE k = 1", [v])
            case 3:
                model = [value, 8] + model
                try store.execute("UPDATE t SET l = [?, 8] + l WHERE k = 1", [v])
            case 4 where model.indices.contains(index):
                model[index] = value
                try store.execute("UPDATE t SET l[?] = ? WHERE k = 1", [i, v])
            case 5 where model.indices.contains(index):
                model.remove(at: index)
                try store.execute("DELETE l[?] FROM t WHERE k = 1", [i])
            default:
                model.removeAll { $0 == value }
                try store.execute("UPDATE t SET l = l - [?] WHERE k = 1", [v])
            }
            let expected = model.isEmpty ? "null" : "[\(model.map(String.init).joined(separator: ", "))]"
            let lines = try store.lines("SELECT l FROM t WHERE k = 1")
            #expect(lines == (model.isEmpty ? [] : [expected]), "seed \(seed), round \(round)")
        }
    }
}
