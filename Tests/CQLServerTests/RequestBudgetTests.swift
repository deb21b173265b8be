import StorageTypes
import Testing

@testable import CQLServer

@Suite("The bytes of requests in flight")
struct RequestBudgetTests {
    /// Nothing is free in it.
    private func budget(_ byteCount: Int) -> RequestBudget {
        RequestBudget(largestByteCount: byteCount, connectionCount: byteCount)
    }

    @Test("who does not fit waits in line, and is counted when it is granted")
    func line() throws {
        var budget = budget(100)
        let ids = (0..<4).map { budget.add(address: "\($0)") }
        let reserved = budget.reserve(90, for: ids[0])
        let first = try #require(reserved)
        #expect(budget.reserve(80, for: ids[1]) == nil)
        // It would fit, but is behind.
        #expect(budget.reserve(5, for: ids[2]) == nil)
        #expect(budget.reserve(50, for: ids[3]) == nil)
        #expect(budget.byteCount == 90)
        let granted = budget.release([first])
        #expect(granted.map(\.connection) == [ids[1], ids[2]])
        #expect(budget.byteCount == 85 && budget.waitingCount == 1)
        #expect(budget.release(granted).map(\.connection) == [ids[3]])
        #expect(budget.byteCount == 50 && budget.waitingCount == 0)
    }

    @Test("an address has a quarter; who waits for that is passed over by other addresses, not by its own")
    func addresses() throws {
        var budget = budget(100)
        let many = (0..<3).map { _ in budget.add(address: "a") }
        let other = budget.add(address: "b")
        let reserved = budget.reserve(20, for: many[0])
        let first = try #require(reserved)
        #expect(budget.reserve(10, for: many[1]) == nil)
        #expect(budget.reserve(1, for: many[2]) == nil)
        #expect(budget.reserve(25, for: other) != nil)
        #expect(budget.release([first]).map(\.connection) == [many[1], many[2]])
    }

    @Test("what is larger than a bound is granted where nothing else is in flight")
    func large() throws {
        var budget = budget(100)
        let (a, b) = (budget.add(address: "a"), budget.add(address: "b"))
        let reserved = budget.reserve(1, for: b)
        let small = try #require(reserved)
        #expect(budget.reserve(500, for: a) == nil)
        let granted = budget.release([small])
        #expect(granted.map(\.byteCount) == [500])
        #expect(budget.reserve(1, for: b) == nil)
        #expect(budget.release(granted).map(\.connection) == [b])
    }

    @Test("small requests have an allowance of their connection, however full it is elsewhere")
    func allowance() throws {
        var budget = RequestBudget(largestByteCount: 4000, connectionCount: 10)
        #expect(budget.freeByteCount == 100)
        let (a, b) = (budget.add(address: "a"), budget.add(address: "b"))
        #expect(budget.reserve(4000, for: a)?.isFree == false)
        let reserved = budget.reserve(60, for: b)
        let free = try #require(reserved)
        #expect(free.isFree && budget.byteCount == 4000)
        #expect(budget.reserve(60, for: b) == nil)
        #expect(budget.remove(b).isEmpty && budget.waitingCount == 0)
        #expect(budget.release([free]).isEmpty)
        #expect(RequestBudget(largestByteCount: 512 << 20, connectionCount: 1024).freeByteCount == 128 * 1024)
    }

    @Test("a connection that goes leaves the line, and those behind it move up")
    func removal() throws {
        var budget = budget(100)
        let ids = (0..<3).map { budget.add(address: "\($0)") }
        let reserved = budget.reserve(90, for: ids[0])
        let first = try #require(reserved)
        #expect(budget.reserve(80, for: ids[1]) == nil)
        #expect(budget.reserve(5, for: ids[2]) == nil)
        #expect(budget.remove(ids[1]).map(\.connection) == [ids[2]])
        // What it still had in flight comes back later.
        #expect(budget.remove(ids[0]).isEmpty && budget.byteCount == 95)
        #expect(budget.release([first]).isEmpty && budget.byteCount == 5)
    }

    @Test("whatever happens, what is in flight is within the bounds, and everybody is served", arguments: [1, 2, 3])
    func random(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var budget = RequestBudget(largestByteCount: 1000, connectionCount: 50)
        var idle = (0..<12).map { budget.add(address: "\($0 % 3)") }
        var held: [RequestBudget.Charge] = []
        for step in 0..<5000 {
            if Bool.random(using: &random), let id = idle.randomElement(using: &random) {
                idle.removeAll { $0 == id }
                let byteCount = Int.random(in: 1...(step % 10 == 0 ? 1500 : 120), using: &random)
                if let charge = budget.reserve(byteCount, for: id) { held.append(charge) }
            } else if !held.isEmpty {
                let charge = held.remove(at: Int.random(in: 0..<held.count, using: &random))
                idle.append(charge.connection)
                held += budget.release([charge])
            }
            let counted = held.filter { !$0.isFree }
            #expect(counted.reduce(0) { $0 + $1.byteCount } == budget.byteCount, "seed \(seed), step \(step)")
            #expect(budget.byteCount <= 1000 || counted.count == 1, "seed \(seed), step \(step)")
            #expect(held.count + idle.count + budget.waitingCount == 12, "seed \(seed), step \(step)")
        }
        while let charge = held.popLast() { held += budget.release([charge]) }
        #expect(budget.byteCount == 0 && budget.waitingCount == 0, "seed \(seed)")
    }
}
