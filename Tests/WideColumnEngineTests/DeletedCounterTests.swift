// DeletedCounterTests.swift — a counter that was deleted stays so, also where nothing else of its row lives.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Deleted counters")
struct DeletedCounterTests {
    @Test("the only live counter of a row stays deleted", arguments: [false, true])
    func only(isFlushed: Bool) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE n (k int PRIMARY KEY, c counter, d counter)")
        try store.execute("UPDATE n SET c = c + 5 WHERE k = 1")
        try store.execute("DELETE c FROM n WHERE k = 1")
        if isFlushed { try store.storage.flush() }
        try store.execute("UPDATE n SET c = c + 1 WHERE k = 1")
        #expect(try store.execute("SELECT c FROM n").isEmpty)
        try store.execute("UPDATE n SET c = c + 1, d = d + 3 WHERE k = 1")
        #expect(try store.lines("SELECT c, d FROM n") == ["null 3"])
    }

    @Test("so does a static one, and one beside a deleted row begins anew")
    func others() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE n (k int, e int, s counter STATIC, c counter, PRIMARY KEY (k, e))")
        try store.execute("UPDATE n SET s = s + 5 WHERE k = 1")
        try store.execute("DELETE s FROM n WHERE k = 1")
        try store.execute("UPDATE n SET s = s + 1 WHERE k = 1")
        #expect(try store.execute("SELECT s FROM n").isEmpty)
        try store.execute("UPDATE n SET c = c + 5 WHERE k = 1 AND e = 1")
        try store.execute("DELETE FROM n WHERE k = 1 AND e = 1")
        try store.execute("UPDATE n SET c = c + 1 WHERE k = 1 AND e = 1")
        #expect(try store.lines("SELECT s, c FROM n") == ["null 1"])
    }

    @Test("conditions and reads before writes see nothing in a row whose cells are all deleted or expired")
    func deadRows() throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, l list<int>)")
        try store.execute("UPDATE t USING TTL 5 SET v = 7, l = [1, 2] WHERE k = 1")
        clock.advance(by: .seconds(6))
        #expect(try !store.execute("UPDATE t SET v = 1 WHERE k = 1 IF v = 7").wasApplied)
        #expect(try !store.execute("UPDATE t SET v = 1 WHERE k = 1 IF EXISTS").wasApplied)
        expectInvalid("Attempted to set an element on a list which is null") {
            try store.execute("UPDATE t SET l[0] = 1 WHERE k = 1")
        }
        #expect(try store.execute("UPDATE t SET v = 1 WHERE k = 1 IF v = null AND l = null").wasApplied)
        #expect(try store.lines("SELECT * FROM t") == ["1 null 1"])
    }
}
