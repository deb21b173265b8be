// The mapping's logic without tasks, storage or time: events in, actions out.

import StorageTypes
import TableEngine
import Testing

@testable import EventPipeline

@Suite("Mapping state")
struct MappingStateTests {
    let now = StorageInstant(seconds: 1_700_000_000)

    private func makeState(
        batchSize: Int = 4, window: Duration = .zero, retries: Int = -1, age: Duration? = nil, bisects: Bool = false
    ) -> MappingState {
        let rules = MappingState.Rules(
            batchSize: batchSize, batchingWindow: window, maximumRetryAttempts: retries, maximumRecordAge: age,
            bisects: bisects, backoff: BackoffPolicy(base: .seconds(1), maximum: .seconds(8)))
        return MappingState(rules: rules, checkpoint: nil, seed: 1)
    }

    private func records(_ numbers: ClosedRange<Int>, age: Duration = .zero) -> [StreamRecord] {
        numbers.map { TestStream.record($0, at: now.advanced(by: .zero - age)) }
    }

    private func delivered(_ action: MappingState.Action) -> [Int]? {
        guard case .deliver(let records, _) = action else { return nil }
        return records.map(\.number)
    }

    @Test("an empty stream is waited for, a grown one is read again")
    func emptyStream() {
        var state = makeState()
        #expect(state.next(now: now) == .fetch(after: nil, limit: 100))
        state.fetched([], through: nil, now: now)
        #expect(state.next(now: now) == .awaitRecords)
        state.recordsMayHaveArrived()
        #expect(state.next(now: now) == .fetch(after: nil, limit: 100))
    }

    @Test("records are delivered in batches, the rest of a read without reading again")
    func batches() {
        var state = makeState()
        _ = state.next(now: now)
        state.fetched(records(1...10), through: TestStream.position(10), now: now)
        var batches: [[Int]] = []
        while let batch = delivered(state.next(now: now)) {
            batches.append(batch)
            state.finishedFirst()
            #expect(state.checkpoint == TestStream.position(batch[batch.count - 1]))
        }
        #expect(batches == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]])
        #expect(state.next(now: now) == .fetch(after: TestStream.position(10), limit: 100))
    }

    @Test("filtered records advance the checkpoint, alone or behind a batch")
    func filtered() {
        var state = makeState()
        _ = state.next(now: now)
        state.fetched([], through: TestStream.position(100), now: now)
        #expect(state.next(now: now) == .advance(to: TestStream.position(100)))
        state.advanced(to: TestStream.position(100))
        #expect(state.next(now: now) == .fetch(after: TestStream.position(100), limit: 100))
        state.fetched(records(101...102), through: TestStream.position(200), now: now)
        state.fetched([], through: nil, now: now)
        #expect(delivered(state.next(now: now)) == [101, 102])
        state.finishedFirst()
        #expect(state.checkpoint == TestStream.position(200))
    }

    @Test("a batching window waits for more records, and closes when full or over")
    func window() {
        var state = makeState(window: .seconds(5))
        _ = state.next(now: now)
        state.fetched(records(1...2), through: TestStream.position(2), now: now)
        #expect(state.next(now: now) == .fetch(after: TestStream.position(2), limit: 2))
        state.fetched([], through: nil, now: now)
        #expect(state.isGathering)
        #expect(state.next(now: now) == .wait(until: now.advanced(by: .seconds(5))))
        state.recordsMayHaveArrived()
        _ = state.next(now: now)
        state.fetched(records(3...3), through: TestStream.position(3), now: now.advanced(by: .seconds(1)))
        state.fetched([], through: nil, now: now)
        #expect(state.next(now: now.advanced(by: .seconds(2))) == .wait(until: now.advanced(by: .seconds(5))))
        #expect(delivered(state.next(now: now.advanced(by: .seconds(5)))) == [1, 2, 3])
        state.finishedFirst()
        state.recordsMayHaveArrived()
        state.fetched(records(4...7), through: TestStream.position(7), now: now)
        #expect(delivered(state.next(now: now)) == [4, 5, 6, 7])
    }

    @Test("a failed batch is repeated after a back-off that doubles, jittered, up to its maximum")
    func backoff() throws {
        var state = makeState()
        state.fetched(records(1...2), through: TestStream.position(2), now: now)
        state.fetched([], through: nil, now: now)
        #expect(delivered(state.next(now: now)) == [1, 2])
        for seconds in [1.0, 2, 4, 8, 8, 8] {
            state.firstFailed(now: now)
            guard case .wait(let until) = state.next(now: now) else {
                Issue.record("expected a pause")
                return
            }
            let pause = now.duration(to: until)
            #expect(pause <= .seconds(seconds) && pause >= .seconds(seconds / 2) - .milliseconds(1))
            #expect(delivered(state.next(now: until)) == [1, 2])
        }
        #expect(state.checkpoint == nil)
    }

    @Test("after its retries a batch is given up, and the records behind it go on")
    func exhausted() {
        var state = makeState(batchSize: 2, retries: 2)
        state.fetched(records(1...4), through: TestStream.position(4), now: now)
        for _ in 0..<3 {
            #expect(delivered(state.next(now: now.advanced(by: .seconds(100)))) == [1, 2])
            state.firstFailed(now: now)
        }
        guard case .discard(let batch, .retryAttemptsExhausted) = state.next(now: now) else {
            Issue.record("expected the batch to be given up")
            return
        }
        #expect(batch.records.map(\.number) == [1, 2])
        #expect(batch.failedAttempts == 3)
        state.finishedFirst()
        #expect(delivered(state.next(now: now)) == [3, 4])
    }

    @Test("bisecting isolates the record that fails without using up its attempts")
    func bisecting() {
        var state = makeState(batchSize: 8, retries: 1, bisects: true)
        state.fetched(records(1...8), through: TestStream.position(8), now: now)
        var invocations: [[Int]] = []
        var discarded: [Int] = []
        var instant = now
        loop: while true {
            switch state.next(now: instant) {
            case .deliver(let records, _):
                invocations.append(records.map(\.number))
                if records.contains(where: { $0.number == 6 }) {
                    state.firstFailed(now: instant)
                } else {
                    state.finishedFirst()
                }
            case .wait(let until): instant = until
            case .discard(let batch, _):
                discarded += batch.records.map(\.number)
                #expect(batch.failedAttempts == 2)
                state.finishedFirst()
            default: break loop
            }
        }
        #expect(
            invocations == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [5, 6], [5], [6], [6], [7, 8]])
        #expect(discarded == [6])
        #expect(state.checkpoint == TestStream.position(8))
    }

    @Test("a partial failure keeps what is done before the lowest failed record")
    func partialFailure() {
        var state = makeState(batchSize: 4, retries: 1)
        state.fetched(records(1...4), through: TestStream.position(4), now: now)
        _ = state.next(now: now)
        #expect(state.firstFailed(from: 2, now: now) == TestStream.position(2))
        #expect(state.checkpoint == TestStream.position(2))
        let later = now.advanced(by: .seconds(10))
        #expect(state.next(now: later) == .deliver(records(3...4), attempt: 2))
        #expect(state.firstFailed(from: 0, now: now) == nil)
        guard case .discard(let batch, .retryAttemptsExhausted) = state.next(now: later) else {
            Issue.record("expected the rest to be given up")
            return
        }
        #expect(batch.records.map(\.number) == [3, 4])
        #expect(!batch.failedWithError)
    }

    @Test("records over the age limit are given up before the younger ones are delivered")
    func recordAge() {
        var state = makeState(batchSize: 4, age: .seconds(60))
        state.fetched(
            records(1...2, age: .seconds(61)) + records(3...4, age: .seconds(59)), through: TestStream.position(4),
            now: now)
        guard case .discard(let batch, .recordAgeExceeded) = state.next(now: now) else {
            Issue.record("expected the old records to be given up")
            return
        }
        #expect(batch.records.map(\.number) == [1, 2])
        #expect(batch.coveredThrough == TestStream.position(2))
        state.finishedFirst()
        #expect(delivered(state.next(now: now)) == [3, 4])
    }

    @Test("a failed transaction isolates its record at once")
    func transactionFailure() {
        var state = makeState(batchSize: 5)
        state.fetched(records(1...5), through: TestStream.position(5), now: now)
        _ = state.next(now: now)
        state.firstFailed(aloneAt: 2, now: now)
        #expect(state.next(now: now) == .deliver(records(1...2), attempt: 1))
        state.finishedFirst()
        guard case .wait(let until) = state.next(now: now) else {
            Issue.record("expected a pause")
            return
        }
        #expect(state.next(now: until) == .deliver(records(3...3), attempt: 2))
        state.finishedFirst()
        #expect(state.next(now: now) == .deliver(records(4...5), attempt: 1))
    }

    @Test("random failures: every record is handled or given up, in order", arguments: [1, 2, 3, 4])
    func randomFailures(seed: UInt64) {
        print("seed \(seed)")
        var random = SeededRandom(seed: seed)
        var state = makeState(
            batchSize: Int.random(in: 1...7, using: &random), retries: 2, bisects: Bool.random(using: &random))
        let total = 60
        var done: [Int] = []
        var instant = now
        var steps = 0
        while done.count < total, steps < 5000 {
            steps += 1
            switch state.next(now: instant) {
            case .fetch(let position, let limit):
                let first = position.map { Int($0.commit.rawValue) / 10 + 1 } ?? 1
                let last = min(total, first + min(limit, Int.random(in: 1...9, using: &random)) - 1)
                state.fetched(
                    first <= last ? records(first...last) : [],
                    through: first <= last ? TestStream.position(last) : nil, now: instant)
            case .deliver(let records, _):
                switch Int.random(in: 0..<4, using: &random) {
                case 0: state.firstFailed(now: instant)
                case 1:
                    let index = Int.random(in: 0..<records.count, using: &random)
                    if state.firstFailed(from: index, now: instant) != nil {
                        done += records.prefix(index).map(\.number)
                    }
                case 2: state.firstFailed(aloneAt: Int.random(in: 0..<records.count, using: &random), now: instant)
                default:
                    done += records.map(\.number)
                    state.finishedFirst()
                }
            case .discard(let batch, _):
                done += batch.records.map(\.number)
                state.finishedFirst()
            case .wait(let until): instant = until
            case .advance, .awaitRecords: Issue.record("nothing is filtered, and the stream is not done")
            }
            #expect(state.checkpoint == done.last.map { TestStream.position($0) })
        }
        #expect(done == Array(1...total))
    }
}
