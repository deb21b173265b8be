// FunctionArgumentTests.swift — every function with too few, too many, null, unset and extreme arguments.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Arguments of functions")
struct FunctionArgumentTests {
    private static let nativeTypes = [
        "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int",
        "smallint",
        "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
    ]

    /// The functions by how many arguments they take.
    private static let functions: [(names: [String], counts: ClosedRange<Int>)] = [
        (
            [
                "uuid", "now", "current_timeuuid", "currenttimeuuid", "current_timestamp", "currenttimestamp",
                "current_date", "currentdate", "current_time", "currenttime",
            ], 0...0
        ),
        (
            [
                "totimestamp", "to_timestamp", "dateof", "todate", "to_date", "tounixtimestamp", "to_unix_timestamp",
                "unixtimestampof", "mintimeuuid", "min_timeuuid", "maxtimeuuid", "max_timeuuid", "to_json", "tojson",
                "from_json", "fromjson", "abs", "exp", "log", "log10", "round", "map_keys", "map_values",
                "collection_count", "collection_min", "collection_max", "collection_sum", "collection_avg", "mask_null",
                "mask_default", "token",
            ] + nativeTypes.flatMap { ["\($0)asblob", "\($0)_as_blob", "blobas\($0)", "blob_as_\($0)"] }, 1...1
        ),
        (["mask_replace", "similarity_cosine", "similarity_euclidean", "similarity_dot_product"], 2...2),
        (["mask_hash"], 1...2), (["floor"], 2...3), (["mask_inner", "mask_outer"], 3...4),
    ]
    private static let aggregates = ["count", "min", "max", "sum", "avg"]

    private static let columns =
        nativeTypes.map { "c_\($0)" } + ["c_list", "c_set", "c_map", "c_vector", "c_tuple", "c_user"]

    /// A table with a row of nulls, one of the greatest values and one of the least.
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore(ManualClock(now: StorageInstant(seconds: 1_741_618_800)))
        try store.execute("CREATE TYPE u (a int, b text)")
        let natives = Self.nativeTypes.map { "c_\($0) \($0)" }.joined(separator: ", ")
        for table in ["t", "written"] {
            try store.execute(
                """
                CREATE TABLE \(table) (k int PRIMARY KEY, \(natives), c_list list<int>, c_set set<text>,
                c_map map<int, double>, c_vector vector<float, 2>, c_tuple tuple<int, text>, c_user frozen<u>)
                """)
        }
        try store.execute("INSERT INTO t (k) VALUES (1)")
        for isGreatest in [true, false] { try insert(store, isGreatest) }
        return store
    }

    private func insert(_ store: WideColumnStore, _ isGreatest: Bool) throws {
        let uuid = CQLUUID(
            mostSignificantBits: isGreatest ? 0xFFFF_FFFF_FFFF_1FFF : 0x1000,
            leastSignificantBits: isGreatest ? .max : 0)
        let number = try #require(CQLInteger(String(repeating: "9", count: 400)))
        let edge = isGreatest ? number : -number
        let duration =
            isGreatest
            ? CQLDuration(months: .max, days: .max, nanoseconds: .max)
            : CQLDuration(months: .min, days: .min, nanoseconds: .min)
        let values: [String: CQLValue] = [
            "ascii": "", "bigint": .bigint(isGreatest ? .max : .min), "blob": .blob(isGreatest ? [0xFF] : []),
            "boolean": .boolean(isGreatest), "date": .date(isGreatest ? .max : .min),
            "decimal": .decimal(CQLDecimal(unscaled: edge, scale: isGreatest ? .min : .max)),
            "double": .double(isGreatest ? .infinity : -.infinity), "duration": .duration(duration),
            "float": .float(isGreatest ? .nan : -.greatestFiniteMagnitude), "inet": .inet([0, 0, 0, 0]),
            "int": .int(isGreatest ? .max : .min), "smallint": .smallint(isGreatest ? .max : .min), "text": "🙂",
            "time": .time(isGreatest ? 86_399_999_999_999 : 0), "timestamp": .timestamp(isGreatest ? .max : .min),
            "timeuuid": .uuid(uuid), "tinyint": .tinyint(isGreatest ? .max : .min), "uuid": .uuid(uuid),
            "varint": .varint(edge), "list": .list([.int(.max), .int(.max)]), "set": .set(["a"]),
            "map": .map([.init(key: .int(.min), value: .double(.nan))]),
            "vector": .vector([.float(.infinity), .float(0)]), "tuple": .tuple([.null, .null]),
            "user": .userDefined([.init("b", "x")]),
        ]
        let names = values.keys.sorted()
        try store.execute(
            "INSERT INTO t (k, \(names.map { "c_\($0)" }.joined(separator: ", "))) VALUES "
                + "(?\(String(repeating: ", ?", count: names.count)))",
            [.int(isGreatest ? 2 : 3)] + names.map { values[$0] ?? .null })
    }

    /// Executes a statement that may be refused, in CQL's words only; tells whether it was planned.
    private func attempt(_ store: WideColumnStore, _ cql: String) throws -> Bool {
        let statement: PreparedStatement
        do { statement = try store.prepare(cql) } catch is CQLError { return false }
        for value in [CQLValue.null, .unset] {
            let values = statement.markers.map { _ in value }
            do { _ = try statement.execute(values).map(\.values) } catch is CQLError {}
        }
        return true
    }

    @Test("a wrong number of arguments is refused before anything is executed, in terms and in selections")
    func counts() throws {
        let store = try makeTable()
        for (names, counts) in Self.functions {
            for (name, count) in names.flatMap({ name in (0...4).map { (name, $0) } }) where !counts.contains(count) {
                for argument in ["?", "'1'", "1", "null"] {
                    let call = "\(name)(\(Array(repeating: argument, count: count).joined(separator: ", ")))"
                    for column in ["c_int", "c_text", "c_blob", "c_timestamp"] {
                        let isPlanned = try attempt(store, "INSERT INTO t (k, \(column)) VALUES (9, \(call))")
                        #expect(!isPlanned, "\(call) for \(column)")
                    }
                    #expect(try !attempt(store, "SELECT \(call) FROM t"), "\(call)")
                }
            }
        }
        for (name, count) in Self.aggregates.flatMap({ name in [0, 2, 3, 4].map { (name, $0) } }) {
            let call = "\(name)(\(Array(repeating: "k", count: count).joined(separator: ", ")))"
            #expect(try !attempt(store, "SELECT \(call) FROM t"), "\(call)")
        }
        expectInvalid("Invalid number of arguments for function system.fromjson") {
            try store.execute("INSERT INTO t (k, c_int) VALUES (1, fromJson('1', '2'))")
        }
        expectInvalid("Invalid number of arguments for function system.from_json") {
            try store.execute("INSERT INTO t (k, c_int) VALUES (1, from_json())")
        }
        expectInvalid("Invalid number of arguments for function system.to_json") {
            try store.execute("SELECT to_json() FROM t")
        }
    }

    @Test("null, unset and extreme arguments of all types give a value or an error")
    func values() throws {
        let store = try makeTable()
        var plannedCount = 0
        for (names, counts) in Self.functions {
            for name in names {
                for count in counts {
                    var lists = Self.columns.map { Array(repeating: $0, count: count) }
                    lists += [Array(repeating: "?", count: count), Array(repeating: "null", count: count)]
                    if count > 1 {
                        for (column, other) in Self.columns.flatMap({ column in
                            ["c_duration", "c_int", "c_text", "c_timestamp", "?"].map { (column, $0) }
                        }) {
                            lists.append([column] + Array(repeating: other, count: count - 1))
                            if count > 2 { lists.append([column, "c_duration", column]) }
                            if count > 3 { lists.append([column, "c_int", "c_int", other]) }
                        }
                    }
                    for list in lists where list.count == count {
                        if try attempt(store, "SELECT \(name)(\(list.joined(separator: ", "))) FROM t") {
                            plannedCount += 1
                        }
                    }
                    for column in Self.columns {
                        let call = "\(name)(\(Array(repeating: "?", count: count).joined(separator: ", ")))"
                        _ = try attempt(store, "INSERT INTO written (k, \(column)) VALUES (9, \(call))")
                    }
                }
            }
        }
        for (name, column) in Self.aggregates.flatMap({ name in Self.columns.map { (name, $0) } }) {
            if try attempt(store, "SELECT \(name)(\(column)) FROM t") { plannedCount += 1 }
        }
        for (column, type) in Self.columns.flatMap({ column in Self.nativeTypes.map { (column, $0) } }) {
            if try attempt(store, "SELECT CAST(\(column) AS \(type)) FROM t") { plannedCount += 1 }
        }
        #expect(plannedCount > 300)
    }
}
