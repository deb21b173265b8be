import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] doc cql/types.adoc, "Collections", "User-Defined Types", "Tuples"; dml.adoc.

@Suite("Collections and user-defined types, element by element")
struct CollectionTests {
    private let clock = ManualClock()

    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute("CREATE TYPE address (street text, zip int, tags frozen<set<text>>)")
        try store.execute(
            """
            CREATE TABLE t (k int, c int, s set<int> STATIC, l list<text>, m map<text, int>, e set<int>, u address,
            f frozen<address>, p tuple<int, text>, PRIMARY KEY (k, c))
            """)
        return store
    }

    @Test("maps: assignment replaces, + and [key] add, - and DELETE remove; an empty one is null")
    func maps() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, c, m) VALUES (1, 1, {'b': 2, 'a': 1})")
        #expect(try store.lines("SELECT m FROM t") == ["{'a': 1, 'b': 2}"])
        try store.execute("UPDATE t SET m = m + {'c': 3, 'a': 9}, m['d'] = 4 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["{'a': 9, 'b': 2, 'c': 3, 'd': 4}"])
        try store.execute("UPDATE t SET m = m - {'a', 'x'} WHERE k = 1 AND c = 1")
        try store.execute("DELETE m['b'] FROM t WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET m['c'] = null WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["{'d': 4}"])
        try store.execute("UPDATE t SET m = {'z': 26} WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["{'z': 26}"])
        try store.execute("DELETE m FROM t WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["null"])
        try store.execute("UPDATE t SET m[''] = 0 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["{'': 0}"])
        try store.execute("INSERT INTO t (k, c, m) VALUES (1, 1, {})")
        #expect(try store.lines("SELECT m FROM t") == ["null"])
        expectInvalid("Invalid null map key") {
            try store.execute("UPDATE t SET m[?] = 1 WHERE k = 1 AND c = 1", [nil])
        }
    }

    @Test("lists append, prepend, set and delete by index, and remove equal elements")
    func lists() throws {
        let store = try makeTable()
        expectInvalid("Attempted to set an element on a list which is null") {
            try store.execute("UPDATE t SET l[0] = 'x' WHERE k = 1 AND c = 1")
        }
        try store.execute("UPDATE t SET l = ['b', 'c'] WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET l = l + ['d'] WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET l = ['y', 'a'] + l WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET l = ['x'] + l WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT l FROM t") == ["['x', 'y', 'a', 'b', 'c', 'd']"])
        try store.execute("UPDATE t SET l[1] = 'Y' WHERE k = 1 AND c = 1")
        try store.execute("DELETE l[0] FROM t WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET l = l + ['b'] WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT l FROM t") == ["['Y', 'a', 'b', 'c', 'd', 'b']"])
        try store.execute("UPDATE t SET l = l - ['b', 'q'] WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT l FROM t") == ["['Y', 'a', 'c', 'd']"])
        expectInvalid("List index 4 out of bound, list has size 4") {
            try store.execute("UPDATE t SET l[4] = 'x' WHERE k = 1 AND c = 1")
        }
        expectInvalid("List index -1 out of bound, list has size 4") {
            try store.execute("DELETE l[-1] FROM t WHERE k = 1 AND c = 1")
        }
    }

    @Test("sets of static and regular columns")
    func sets() throws {
        let store = try makeTable()
        try store.execute("UPDATE t SET s = {3, 1} WHERE k = 1")
        try store.execute("UPDATE t SET s = s + {-2}, e = {5} WHERE k = 1 AND c = 1")
        try store.execute("DELETE e[5], s[3] FROM t WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT s, e FROM t") == ["{-2, 1} null"])
        expectInvalid("Invalid operation (e[1] = 2) for set column e") {
            try store.execute("UPDATE t SET e[1] = 2 WHERE k = 1 AND c = 1")
        }
    }

    @Test("fields of a type are written one by one; a frozen one is written whole")
    func userTypes() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, c, u, f) VALUES (1, 1, {street: 'a', zip: 1}, {zip: 7, tags: {'x'}})")
        try store.execute("UPDATE t SET u.zip = 2, u.tags = {'q'} WHERE k = 1 AND c = 1")
        #expect(
            try store.lines("SELECT u, f FROM t") == [
                "{street: 'a', zip: 2, tags: {'q'}} {street: null, zip: 7, tags: {'x'}}"
            ])
        try store.execute("DELETE u.street FROM t WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT u.street, u.zip, f.zip FROM t") == ["null 2 7"])
        try store.execute("ALTER TYPE address ADD country text")
        #expect(try store.lines("SELECT u.country, f.country FROM t") == ["null null"])
        try store.execute("UPDATE t SET u.country = 'de' WHERE k = 1 AND c = 1")
        try store.execute("ALTER TYPE address RENAME zip TO postcode")
        #expect(try store.lines("SELECT u.postcode, u.country FROM t") == ["2 'de'"])
        expectInvalid("UDT column u does not have a field named zip") {
            try store.execute("UPDATE t SET u.zip = 2 WHERE k = 1 AND c = 1")
        }
        expectInvalid("Invalid operation (f.street = 'x') for frozen UDT column f") {
            try store.execute("UPDATE t SET f.street = 'x' WHERE k = 1 AND c = 1")
        }
        let row = try store.execute("SELECT u, p FROM t")[0]
        #expect(row["u"][field: "postcode"] == .int(2))
        try store.execute("UPDATE t SET p = (1, null) WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT p FROM t") == ["(1, null)"])
        #expect(try store.lines("SELECT c FROM t WHERE p = (1, null) ALLOW FILTERING") == ["1"])
    }

    @Test("whole assignment reaches what is older, not what is newer; a deletion wins at equal timestamps")
    func timestamps() throws {
        let store = try makeTable()
        try store.execute("UPDATE t USING TIMESTAMP 10 SET e = {1} WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t USING TIMESTAMP 30 SET e = e + {3} WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t USING TIMESTAMP 20 SET e = {2} WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT e FROM t") == ["{2, 3}"])
        try store.execute("UPDATE t USING TIMESTAMP 20 SET e = {4} WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT e, writetime(e) FROM t") == ["{2, 3, 4} [20, 30, 20]"])
        try store.execute("DELETE e FROM t USING TIMESTAMP 20 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT e, maxwritetime(e) FROM t") == ["{3} 30"])
    }

    @Test("writetime, maxwritetime and ttl of elements, slices and fields are those of their cells")
    func partTimes() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TYPE pair (x int, y int)")
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, m map<text, int>, s set<int>, l list<int>, u pair, fm frozen<map<text, int>>,
            fs frozen<set<int>>, fu frozen<pair>, v int)
            """)
        try store.execute(
            """
            INSERT INTO t (k, m, s, l, u, fm, fs, fu, v)
            VALUES (1, {'a': 1, 'b': 2}, {1, 2}, [5, 6], {x: 1}, {'a': 1, 'b': 2}, {1, 2}, {x: 1}, 7)
            USING TIMESTAMP 10
            """)
        try store.execute("UPDATE t USING TIMESTAMP 20 AND TTL 100 SET m['b'] = 3, m['c'] = 4, s = s + {2} WHERE k = 1")
        try store.execute("UPDATE t USING TIMESTAMP 30 AND TTL 50 SET u.y = 2 WHERE k = 1")
        for (selection, expected) in [
            ("writetime(m['a']), writetime(m['b']), writetime(m['x'])", "10 20 null"),
            ("ttl(m['a']), ttl(m['b']), ttl(m['x'])", "null 100 null"),
            (
                "maxwritetime(m['b']), maxwritetime(m), maxwritetime(m['a'..'b']), maxwritetime(m['x'..])",
                "20 20 20 null"
            ),
            ("writetime(m['b'..]), writetime(m[..'a']), writetime(m['x'..])", "[20, 20] [10] null"),
            ("ttl(m['a'..'b'])", "[null, 100]"),
            ("writetime(s[1]), writetime(s[2]), writetime(s[3]), ttl(s[2])", "10 20 null 100"),
            ("writetime(s[2..]), writetime(s)", "[20] [10, 20]"),
            ("writetime(u), ttl(u), maxwritetime(u)", "[10, 30] [null, 50] 30"),
            ("writetime(u.x), writetime(u.y), ttl(u.y), maxwritetime(u.y)", "10 30 50 30"),
            ("writetime(fm['a']), writetime(fm['x']), writetime(fm['a'..]), maxwritetime(fm['b'])", "10 null 10 10"),
            ("writetime(fs[1]), writetime(fs[9]), writetime(fs[9..])", "10 null null"),
            ("writetime(fu.x), writetime(fu.y), writetime(fu), ttl(fu.x)", "10 null 10 null"),
            ("writetime(v), maxwritetime(v), writetime(l), maxwritetime(l)", "10 10 [10, 10] 10"),
        ] {
            #expect(try store.lines("SELECT \(selection) FROM t") == [expected], "\(selection)")
        }
        let result = try store.execute("SELECT writetime(m['a']), ttl(m['a'..]), maxwritetime(u.x) FROM t")
        #expect(result.columns.map(\.name) == ["writetime(m['a'])", "ttl(m['a'..])", "maxwritetime(u.x)"])
        #expect(result.columns.map(\.type) == [.bigint, .list(.int), .bigint])
        let bound = try store.prepare("SELECT writetime(m[?]), max(writetime(m[:key])) FROM t")
        #expect(try bound.execute([.text("a"), .text("b")])[0].values == [.bigint(10), .bigint(20)])
        // A field that was never set has no time; one without any has no list.
        try store.execute("UPDATE t USING TIMESTAMP 5 SET u = {y: 1}, v = 1 WHERE k = 2")
        #expect(try store.lines("SELECT writetime(u), ttl(u) FROM t WHERE k = 2") == ["[null, 5] [null, null]"])
        #expect(try store.lines("SELECT writetime(m), writetime(m['a']) FROM t WHERE k = 2") == ["null null"])
        clock.advance(by: .seconds(50))
        #expect(try store.lines("SELECT writetime(u.y), ttl(m['b']) FROM t WHERE k = 1") == ["null 50"])
        expectInvalid("Element selection is only allowed on sets and maps, but l is a list") {
            try store.execute("SELECT writetime(l[0]) FROM t")
        }
        expectInvalid("u of type pair has no field z") { try store.execute("SELECT writetime(u.z) FROM t") }
        expectInvalid("Cannot use selection function writetime on PRIMARY KEY part k") {
            try store.execute("SELECT writetime(k) FROM t")
        }
    }

    @Test("elements have times to live of their own")
    func elementTimeToLive() throws {
        let store = try makeTable()
        try store.execute("UPDATE t SET m = {'a': 1} WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t USING TTL 10 SET m['b'] = 2 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m, ttl(m) FROM t") == ["{'a': 1, 'b': 2} [null, 10]"])
        clock.advance(by: .seconds(10))
        #expect(try store.lines("SELECT m FROM t") == ["{'a': 1}"])
    }

    @Test("elements and slices of maps and sets can be selected, of frozen ones too")
    func elementSelection() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, c, m, e) VALUES (1, 1, {'a': 1, 'b': 2, 'c': 3}, {1, 2, 3})")
        #expect(try store.lines("SELECT m['b'], m['x'], e[2], e[9] FROM t") == ["2 null 2 null"])
        #expect(
            try store.lines("SELECT m['b'..], m[..'b'], e[2..2] FROM t") == ["{'b': 2, 'c': 3} {'a': 1, 'b': 2} {2}"])
        let result = try store.execute("SELECT m['b'], m['a'..'b'] AS x FROM t")
        #expect(result.columns.map(\.name) == ["m['b']", "x"])
        expectInvalid("Element selection is only allowed on sets and maps, but l is a list") {
            try store.execute("SELECT l[0] FROM t")
        }
    }

    @Test("filters look inside of collections")
    func filtering() throws {
        let store = try makeTable()
        for c in 1...3 {
            try store.execute(
                "INSERT INTO t (k, c, m, l) VALUES (1, ?, {'n': ?}, ['x', ?])",
                [.int(Int32(c)), .int(Int32(c)), .text("\(c)")])
        }
        #expect(try store.lines("SELECT c FROM t WHERE l CONTAINS '2' ALLOW FILTERING") == ["2"])
        #expect(try store.lines("SELECT c FROM t WHERE m CONTAINS KEY 'n' AND m CONTAINS 3 ALLOW FILTERING") == ["3"])
        #expect(try store.lines("SELECT c FROM t WHERE m['n'] = 1 ALLOW FILTERING") == ["1"])
        expectInvalid("Collection column 'm' (map<text, int>) cannot be restricted by a '=' relation") {
            try store.execute("SELECT c FROM t WHERE m = {'n': 1} ALLOW FILTERING")
        }
        expectInvalid("Non-frozen UDT column 'u' (address) cannot be restricted by any relation") {
            try store.execute("SELECT c FROM t WHERE u = {zip: 1} ALLOW FILTERING")
        }
    }

    @Test("conditions test whole collections, elements and fields")
    func conditions() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, c, m, l, u) VALUES (1, 1, {'a': 1}, ['x', 'y'], {zip: 5})")
        let update = "UPDATE t SET e = {1} WHERE k = 1 AND c = 1 IF "
        for condition in [
            "m = {'a': 1}", "m['a'] = 1", "m['b'] = null", "l[1] = 'y'", "l[1] > 'x'", "u.zip = 5", "u.street = null",
            "m['a'] IN (1, 2)", "e = null", "l != ['x']", "u = {zip: 5}",
        ] {
            #expect(try store.execute(update + condition).wasApplied, "\(condition)")
            try store.execute("DELETE e FROM t WHERE k = 1 AND c = 1")
        }
        for condition in ["m['a'] = 2", "l[7] = 'y'", "u.zip < 5", "m = null", "l = ['x']", "e = {1}"] {
            #expect(!(try store.execute(update + condition).wasApplied), "\(condition)")
        }
    }

    @Test("several changes of one column go together, two whole ones do not")
    func incompatible() throws {
        let store = try makeTable()
        try store.execute("UPDATE t SET m['a'] = 1, m['b'] = 2, m['a'] = 3 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT m FROM t") == ["{'a': 3, 'b': 2}"])
        expectInvalid("Multiple incompatible setting of column m", .syntaxException) {
            try store.execute("UPDATE t SET m = {'a': 1}, m['b'] = 2 WHERE k = 1 AND c = 1")
        }
    }

    @Test("collections survive flush, compaction and restart, and purge forgets what is deleted")
    func onDisk() throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TYPE point (x int, y int)")
        try disk.store.execute(
            "CREATE TABLE t (k int PRIMARY KEY, m map<int, text>, p point) WITH gc_grace_seconds = 100")
        try disk.store.execute("UPDATE t SET m = {1: 'a', 2: 'b'}, p = {x: 1, y: 2} WHERE k = 1")
        try disk.flushAndCompact()
        try disk.store.execute("UPDATE t SET m = {3: 'c'}, p.x = null WHERE k = 1")
        try disk.reopen()
        #expect(try disk.store.lines("SELECT m, p FROM t") == ["{3: 'c'} {x: null, y: 2}"])
        try disk.store.execute("DELETE m, p FROM t WHERE k = 1")
        clock.advance(by: .seconds(200))
        try disk.store.execute("INSERT INTO t (k) VALUES (2)")
        try disk.flushAndCompact()
        #expect(try disk.entryCount("ks", "t") == 1)
        try disk.reopen()
        #expect(try disk.store.lines("SELECT * FROM t") == ["2 null null"])
    }

    @Test("elements are found by keys that are the same in the order of their type")
    func equalKeys() throws {
        let store = try makeStore(clock)
        try store.execute(
            """
            CREATE TABLE n (k int PRIMARY KEY, m map<decimal, int>, f frozen<map<decimal, int>>, s set<decimal>, d map<double, int>)
            """)
        try store.execute("CREATE INDEX ON n (entries(m))")
        try store.execute(
            "INSERT INTO n (k, m, f, s, d) VALUES (1, {1.0: 5, 20: 6}, {1.0: 5}, {1.50}, {NaN: 7, 0.0: 8, -0.0: 9})")
        #expect(try store.lines("SELECT m[1.0], m[1], m[1.00], m[2e1], m[2] FROM n") == ["5 5 5 6 null"])
        #expect(
            try store.lines("SELECT f[1.00], f[1], f[2], s[1.5], s[1.500], s[1] FROM n") == ["5 5 null 1.5 1.5 null"])
        #expect(try store.lines("SELECT d[NaN], d[0.0], d[-0.0] FROM n") == ["7 8 9"])
        #expect(try store.lines("SELECT k FROM n WHERE m[1.00] = 5") == ["1"])
        #expect(try store.lines("SELECT k FROM n WHERE m[20.0] = 6") == ["1"])
        #expect(try store.lines("SELECT k FROM n WHERE d[NaN] = 7 ALLOW FILTERING") == ["1"])
        #expect(try store.execute("SELECT k FROM n WHERE d[1.0] = 7 ALLOW FILTERING").isEmpty)
        for condition in ["m[1.0] = 5", "m[20.000] = 6", "f[1.00] = 5", "d[NaN] = 7", "m[3] = null"] {
            #expect(try store.execute("UPDATE n SET m[1] = 5 WHERE k = 1 IF \(condition)").wasApplied, "\(condition)")
        }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("members of a batch see lists as they were before it")
    func listsInBatches() throws {
        let store = try makeTable()
        func row(_ c: Int) throws -> [String] { try store.lines("SELECT l FROM t WHERE k = 1 AND c = \(c)") }
        func batch(_ statements: String...) -> String {
            "BEGIN BATCH \(statements.joined(separator: "; ")); APPLY BATCH"
        }
        try store.execute("INSERT INTO t (k, c, l) VALUES (1, 1, ['a', 'b', 'c'])")
        let delete = "DELETE l[0] FROM t WHERE k = 1 AND c = 1"
        try store.execute(batch(delete, delete))
        #expect(try row(1) == ["['b', 'c']"])
        let append = "UPDATE t SET l = l + ['b'] WHERE k = 1 AND c = 1"
        try store.execute(batch(append, "UPDATE t SET l = l - ['b'] WHERE k = 1 AND c = 1"))
        #expect(try row(1) == ["['c', 'b']"])
        expectInvalid("Attempted to set an element on a list which is null") {
            try store.execute(
                batch(
                    "UPDATE t SET l = ['x'] WHERE k = 1 AND c = 2", "UPDATE t SET l[0] = 'y' WHERE k = 1 AND c = 2"))
        }
        expectInvalid("List index 2 out of bound, list has size 2") {
            try store.execute(batch(append, "UPDATE t SET l[2] = 'y' WHERE k = 1 AND c = 1"))
        }
        // Also where the partition goes before, and in a batch of prepared statements.
        try store.execute(
            batch("UPDATE t SET l[0] = 'z' WHERE k = 1 AND c = 1", "UPDATE t SET m['q'] = 1 WHERE k = 1 AND c = 1"))
        #expect(try row(1) == ["['z', 'b']"])
        let prepared = try store.prepare(delete)
        try store.execute(StatementBatch(.logged, [(prepared, []), (prepared, []), (prepared, [])]))
        #expect(try row(1) == ["['b']"])
        // In a transaction each statement sees those before it, and a batch in it all of those.
        try store.storage.write { transaction in
            try store.execute("INSERT INTO t (k, c, m) VALUES (1, 3, {'a': 1})", in: transaction)
            try store.execute("UPDATE t SET l = l + ['p', 'q', 'r'] WHERE k = 1 AND c = 3", in: transaction)
            let deleteThird = "DELETE l[0] FROM t WHERE k = 1 AND c = 3"
            try store.execute(deleteThird, in: transaction)
            try store.execute(batch(deleteThird, deleteThird), in: transaction)
        }
        #expect(try row(3) == ["['r']"])
        // A condition's batch reads before it writes too.
        try store.execute("INSERT INTO t (k, c, l) VALUES (1, 4, ['a', 'b', 'c'])")
        let fourth = "DELETE l[0] FROM t WHERE k = 1 AND c = 4"
        #expect(
            try store.execute(batch("UPDATE t SET m['a'] = 1 WHERE k = 1 AND c = 4 IF m = null", fourth, fourth))
                .wasApplied)
        #expect(try row(4) == ["['b', 'c']"])
    }
}
