import BenchmarkKit
import Testing

@Suite("Workload")
struct WorkloadTests {
    @Test("keys are 48 bytes, distinct, and the same for the same seed")
    func keys() {
        let keys = (0..<10_000).map(KeyGenerator(seed: 7).key)
        #expect(keys.allSatisfy { $0.count == 48 })
        #expect(Set(keys).count == keys.count)
        #expect(keys[..<100].elementsEqual((0..<100).map(KeyGenerator(seed: 7).key)))
        #expect(KeyGenerator(seed: 8).key(0) != keys[0])
    }

    @Test("about half of a value is constant")
    func valuesCompress() {
        let pool = ValuePool(seed: 7)
        var value = [UInt8](repeating: 0, count: ValuePool.byteCount)
        var constant = 0
        for index in 0..<1_000 {
            pool.write(index, into: &value)
            constant += value.count { $0 == UInt8(ascii: "s") }
        }
        #expect((110...140).contains(constant / 1_000))
    }

    @Test("threads and tasks count every operation and hand on an error")
    func concurrency() async throws {
        #expect(try onThreads(8) { _, meter in for _ in 0..<100 { meter.lap() } }.operations == 800)
        let fromTasks = try await inTasks(8) { _, meter in for _ in 0..<100 { meter.lap() } }
        #expect(fromTasks.operations == 800)
        #expect(throws: CancellationError.self) {
            try onThreads(4) { index, _ in if index == 2 { throw CancellationError() } }
        }
    }
}
