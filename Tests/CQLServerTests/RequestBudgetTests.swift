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

    @Test("who waits has its own allowance once that is large enough, and leaves the line")
    func allowanceOfWaiters() throws {
        var budget = RequestBudget(largestByteCount: 4000, connectionCount: 10)
        let (big, small, other) = (budget.add(address: "a"), budget.add(address: "a"), budget.add(address: "a"))
        let (large, reserved) = (budget.reserve(1000, for: big), budget.reserve(90, for: small))
        let first = try #require(reserved)
        #expect(large?.isFree == false && first.isFree)
        #expect(budget.reserve(200, for: other) == nil)
        #expect(budget.reserve(50, for: small) == nil)
        let granted = budget.release([first])
        #expect(granted.map(\.connection) == [small] && granted.map(\.isFree) == [true])
        #expect(budget.byteCount == 1000 && budget.waitingCount == 1)
        // It is not granted what is shared as well.
        #expect(budget.reserve(50, for: small)?.isFree == true)
        #expect(budget.release(granted).isEmpty)
    }

    @Test("who does not want to wait passes those in line, and is refused by the bounds alone")
    func atOnce() throws {
        var budget = RequestBudget(largestByteCount: 4000, connectionCount: 1 << 20)
        let ids = (0..<6).map { budget.add(address: "\($0)") }
        let held = ids.prefix(3).compactMap { budget.reserve(900, for: $0) }
        #expect(held.count == 3)
        #expect(budget.reserve(1500, for: ids[3]) == nil)
        let charge = try budget.reserveAtOnce(10, for: ids[4])
        #expect(charge?.isFree == false && budget.byteCount == 2710 && budget.waitingCount == 1)
        let total = #expect(throws: ErrorMessage.self) { try budget.reserveAtOnce(1400, for: ids[5]) }
        #expect(total?.message.hasSuffix("(Endpoint: 0/1000 bytes, Global: 2710/4000 bytes.)") == true)
        let address = #expect(throws: ErrorMessage.self) { try budget.reserveAtOnce(101, for: ids[0]) }
        #expect(address?.message.hasSuffix("(Endpoint: 900/1000 bytes, Global: 2710/4000 bytes.)") == true)
        #expect(budget.byteCount == 2710 && budget.waitingCount == 1)
        #expect(budget.release(held).map(\.connection) == [ids[3]])
    }

    /// What is in flight of connections, some of which wait with one request.
    private struct Model {
        var budget = RequestBudget(largestByteCount: 1000, connectionCount: 5)
        var held: [RequestBudget.Charge] = []
        var waiting: [RequestBudget.ConnectionID: Int] = [:]

        mutating func add(_ charges: [RequestBudget.Charge]) {
            held += charges
            for charge in charges { waiting[charge.connection] = nil }
        }

        func byteCount(_ isCounted: (RequestBudget.Charge) -> Bool) -> Int {
            held.filter(isCounted).reduce(0) { $0 + $1.byteCount }
        }
    }

    @Test("whatever happens, what is in flight is within the bounds, and everybody is served", arguments: [1, 2, 3])
    func random(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var model = Model()
        let ids = (0..<12).map { model.budget.add(address: "\($0 % 3)") }
        #expect(model.budget.freeByteCount == 50)
        for step in 0..<5000 {
            let id = ids.randomElement(using: &random) ?? 0
            if Int.random(in: 0..<5, using: &random) < 2, model.waiting[id] == nil {
                let byteCount = Int.random(in: 1...(step % 10 == 0 ? 1500 : 60), using: &random)
                let charge: RequestBudget.Charge?
                if step % 7 == 0 {
                    charge = try? model.budget.reserveAtOnce(byteCount, for: id)
                } else {
                    charge = model.budget.reserve(byteCount, for: id)
                    if charge == nil { model.waiting[id] = byteCount }
                }
                if let charge { model.held.append(charge) }
            } else if !model.held.isEmpty {
                let charge = model.held.remove(at: Int.random(in: 0..<model.held.count, using: &random))
                model.add(model.budget.release([charge]))
            }
            check(model, ids, "seed \(seed), step \(step)")
        }
        while let charge = model.held.popLast() { model.add(model.budget.release([charge])) }
        #expect(model.budget.byteCount == 0 && model.waiting.isEmpty, "seed \(seed)")
    }

    private func check(_ model: Model, _ ids: [RequestBudget.ConnectionID], _ note: Comment) {
        let counted = model.held.filter { !$0.isFree }
        #expect(model.byteCount { !$0.isFree } == model.budget.byteCount, note)
        #expect(model.budget.byteCount <= 1000 || counted.count == 1, note)
        #expect(model.waiting.count == model.budget.waitingCount, note)
        for address in 0..<3 {
            let charges = counted.filter { $0.connection % 3 == address }
            #expect(charges.count <= 1 || charges.reduce(0) { $0 + $1.byteCount } <= 250, note)
        }
        for id in ids {
            let free = model.byteCount { $0.isFree && $0.connection == id }
            #expect(free <= 50, note)
            if let waiting = model.waiting[id] { #expect(free + waiting > 50, note) }
        }
    }
}
