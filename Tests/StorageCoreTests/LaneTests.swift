import Synchronization
import Testing

@testable import StorageCore

/// What callers of a lane leave behind.
private final class LaneRecord: Sendable {
    let order = Mutex<[Int]>([])
    let inside = Atomic<Int>(0)
    let count = Atomic<Int>(0)

    func visit(_ lane: WriterLane) {
        if inside.add(1, ordering: .relaxed).newValue != 1 { Issue.record("two callers are inside") }
        count.add(1, ordering: .relaxed)
        inside.subtract(1, ordering: .relaxed)
        lane.leave()
    }
}

@Suite struct LaneTests {
    @Test("threads and tasks get the lane in the order in which they came")
    func order() async throws {
        let lane = WriterLane()
        let record = LaneRecord()
        let threads = TestThreads()
        var tasks: [Task<Void, Never>] = []
        await lane.enterSuspending()
        for index in 0..<12 {
            if index % 3 == 0 {
                try threads.start {
                    lane.enter()
                    record.order.withLock { $0.append(index) }
                    lane.leave()
                }
            } else {
                tasks.append(
                    Task {
                        await lane.enterSuspending()
                        record.order.withLock { $0.append(index) }
                        lane.leave()
                    })
            }
            while lane.waiterCount <= index { try await Task.sleep(for: .microseconds(200)) }
        }
        lane.leave()
        for task in tasks { await task.value }
        #expect(threads.join() == [])
        #expect(record.order.withLock { $0 } == Array(0..<12))
        #expect(lane.waiterCount == 0)
    }

    @Test("one caller at a time is inside")
    func exclusion() async throws {
        let lane = WriterLane()
        let record = LaneRecord()
        let threads = TestThreads()
        for _ in 0..<3 {
            try threads.start {
                for _ in 0..<2000 {
                    lane.enter()
                    record.visit(lane)
                }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    for _ in 0..<200 {
                        await lane.enterSuspending()
                        record.visit(lane)
                    }
                }
            }
        }
        #expect(threads.join() == [])
        #expect(record.count.load(ordering: .relaxed) == 10_000)
    }
}
