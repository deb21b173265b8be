import StorageTypes
import Testing

@testable import CQLServer

@Suite("Requests that wait for a thread")
struct RequestQueueTests {
    private func all(_ queue: inout RequestQueue<String>) -> [String] {
        var requests: [String] = []
        while let (_, request) = queue.next() { requests.append(request) }
        return requests
    }

    @Test("connections take turns, each in its own order")
    func turns() {
        var queue = RequestQueue<String>()
        for number in 1...3 { queue.append("a\(number)", of: 1) }
        for number in 1...2 { queue.append("b\(number)", of: 2) }
        #expect(queue.next()?.request == "a1")
        queue.append("c1", of: 3)
        #expect(queue.count == 5)
        #expect(all(&queue) == ["b1", "a2", "c1", "b2", "a3"])
        #expect(queue.count == 0)
    }

    @Test("those of a connection that is held stay, those of one that ends are dropped")
    func heldAndDropped() {
        var queue = RequestQueue<String>()
        for connection in 1...3 {
            for number in 1...2 { queue.append("\(connection)\(number)", of: connection) }
        }
        queue.hold(1, true)
        queue.append("13", of: 1)
        #expect(queue.contains(of: 1) { $0 == "13" } && !queue.contains(of: 1) { $0 == "21" })
        #expect(!queue.contains(of: 7) { _ in true })
        #expect(queue.remove(2) == ["21", "22"])
        #expect(all(&queue) == ["31", "32"])
        #expect(queue.count == 3)
        queue.hold(1, false)
        queue.hold(1, false)
        #expect(queue.next()?.request == "11")
        queue.hold(1, true)
        #expect(queue.next() == nil)
        queue.hold(1, false)
        #expect(all(&queue) == ["12", "13"])
        #expect(queue.remove(1) == [] && queue.remove(7) == [])
    }

    private final class Body {}

    @Test("a request that was taken is not kept, though later ones of its connection wait")
    func taken() {
        var queue = RequestQueue<Body>()
        for _ in 0..<3 { queue.append(Body(), of: 1) }
        weak var first = queue.next()?.request
        #expect(first == nil && queue.count == 2)
    }

    @Test("a connection has no more requests under way than it may have, and goes on when one is finished")
    func underWay() {
        var queue = RequestQueue<String>(largestStartedCount: 2)
        for number in 1...4 { queue.append("a\(number)", of: 1) }
        queue.append("b1", of: 2)
        #expect(all(&queue) == ["a1", "b1", "a2"])
        queue.append("b2", of: 2)
        queue.append("a5", of: 1)
        #expect(all(&queue) == ["b2"])
        queue.finish(1, of: 1)
        #expect(all(&queue) == ["a3"])
        queue.hold(1, true)
        queue.finish(2, of: 1)
        #expect(queue.next() == nil)
        queue.hold(1, false)
        #expect(all(&queue) == ["a4", "a5"])
        queue.append("b3", of: 2)
        #expect(queue.remove(2) == ["b3"])
        queue.finish(2, of: 2)
        #expect(queue.next() == nil && queue.count == 0)
    }

    @Test("every request comes once, in its connection's order", arguments: [1, 2])
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = RequestQueue<Int>()
        var model: [Int: [Int]] = [:]
        for step in 0..<5000 {
            let connection = Int.random(in: 0..<5, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<9:
                queue.append(step, of: connection)
                model[connection, default: []].append(step)
            case 9: #expect(queue.remove(connection) == model.removeValue(forKey: connection) ?? [])
            case 10: queue.hold(connection, Bool.random(using: &random))
            default:
                guard let (connection, request) = queue.next() else { continue }
                #expect(model[connection]?.first == request, "seed \(seed), step \(step)")
                model[connection]?.removeFirst()
            }
            #expect(queue.count == model.values.reduce(0) { $0 + $1.count }, "seed \(seed), step \(step)")
        }
        for connection in 0..<5 { queue.hold(connection, false) }
        while let (connection, request) = queue.next() {
            let expected = model[connection]?.removeFirst()
            #expect(expected == request, "seed \(seed)")
        }
        #expect(model.values.allSatisfy { $0.isEmpty }, "seed \(seed)")
    }
}
