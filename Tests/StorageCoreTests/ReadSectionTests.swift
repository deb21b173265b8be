// ReadSectionTests.swift — what is retired lives as long as somebody can be reading it, and no longer.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// Counts the objects of its kind that live, and is marked when it goes.
private final class Guarded: Sendable {
    static let aliveMark: UInt64 = 0x5AFE_5AFE_5AFE_5AFE
    private let mark = Atomic<UInt64>(aliveMark)
    private let living: SharedCounter

    init(_ living: SharedCounter) {
        self.living = living
        living.value.add(1, ordering: .relaxed)
    }

    deinit {
        mark.store(0, ordering: .relaxed)
        living.value.subtract(1, ordering: .relaxed)
    }

    var isAlive: Bool { mark.load(ordering: .relaxed) == Self.aliveMark }
}

@Suite("Read sections")
struct ReadSectionTests {
    private func living(_ counter: SharedCounter) -> Int { Int(counter.value.load(ordering: .relaxed)) }

    @Test("what is retired goes with the last section that was entered before")
    func order() {
        let sections = UnsafeReadSections()
        let counter = SharedCounter()
        let first = sections.enter()
        let second = sections.enter()
        sections.retire(Guarded(counter))
        let later = sections.enter()
        #expect(living(counter) == 1)
        sections.leave(first)
        #expect(living(counter) == 1 && sections.retiredCount == 1)
        sections.leave(second)
        #expect(living(counter) == 0 && sections.retiredCount == 0)
        sections.retire(Guarded(counter))
        #expect(living(counter) == 1)
        sections.leave(later)
        #expect(living(counter) == 0)
        sections.retire(Guarded(counter))
        #expect(living(counter) == 0)
    }

    @Test("what is left to another thread goes when that is asked to let go of it")
    func deferred() {
        let sections = UnsafeReadSections()
        let counter = SharedCounter()
        let requests = SharedCounter()
        sections.deferRelease { requests.value.add(1, ordering: .relaxed) }
        sections.retire(Guarded(counter))
        #expect(living(counter) == 1 && sections.retiredCount == 0 && living(requests) == 1)
        let section = sections.enter()
        sections.retire(Guarded(counter))
        #expect(living(counter) == 2 && sections.retiredCount == 1 && living(requests) == 1)
        sections.letGo()
        #expect(living(counter) == 1 && sections.retiredCount == 1)
        sections.leave(section)
        #expect(living(counter) == 1 && sections.retiredCount == 0 && living(requests) == 2)
        sections.letGo()
        #expect(living(counter) == 0)
        // Nobody is asked any more.
        sections.deferRelease(nil)
        sections.retire(Guarded(counter))
        #expect(living(counter) == 0 && living(requests) == 2)
    }

    @Test("more sections than there are slots all hold what they may have found")
    func surplus() {
        let sections = UnsafeReadSections()
        let counter = SharedCounter()
        var entered = (0..<UnsafeReadSections.slotCount + 30).map { _ in sections.enter() }
        sections.retire(Guarded(counter))
        var random = SeededRandom(seed: 3)
        entered.shuffle(using: &random)
        while let section = entered.popLast() {
            #expect(living(counter) == 1)
            sections.leave(section)
        }
        #expect(living(counter) == 0)
    }

    @Test("what waits for a section that is never left goes with the sections")
    func abandoned() {
        let counter = SharedCounter()
        var sections: UnsafeReadSections? = UnsafeReadSections()
        _ = sections?.enter()
        sections?.retire(Guarded(counter))
        #expect(living(counter) == 1)
        sections = nil
        #expect(living(counter) == 0)
    }

    /// A pointer that one thread replaces again and again, and many that read what it leads to.
    @Test("no reader ever finds what it reads gone, and nothing stays once all have left", arguments: [3, 90])
    func concurrent(readerCount: Int) throws {
        let sections = UnsafeReadSections()
        let counter = SharedCounter()
        let kept = Mutex(Guarded(counter))
        let current = unsafe Atomic<Unmanaged<Guarded>>(kept.withLock { unsafe .passUnretained($0) })
        let isDone = Atomic<Bool>(false)
        let readers = TestThreads()
        // Sections that stay entered, so that the others are driven into the list.
        let crowd = (0..<max(0, readerCount - 30)).map { _ in sections.enter() }
        for reader in 0..<min(readerCount, 6) {
            try readers.start {
                var random = SeededRandom(seed: UInt64(reader))
                while !isDone.load(ordering: .relaxed) {
                    let outer = sections.enter()
                    let found = unsafe current.load(ordering: .sequentiallyConsistent)
                    let inner = Bool.random(using: &random) ? sections.enter() : nil
                    for _ in 0..<Int.random(in: 1...200, using: &random) {
                        guard unsafe found._withUnsafeGuaranteedRef({ $0.isAlive }) else {
                            throw ModelMismatch(description: "reader \(reader) reads what is gone")
                        }
                    }
                    if let inner { sections.leave(inner) }
                    sections.leave(outer)
                }
            }
        }
        let writers = TestThreads()
        for _ in 0..<2 {
            try writers.start {
                for _ in 0..<4000 {
                    let old = kept.withLock { kept in
                        let old = kept
                        kept = Guarded(counter)
                        unsafe current.store(.passUnretained(kept), ordering: .sequentiallyConsistent)
                        return old
                    }
                    sections.retire(old)
                }
            }
        }
        #expect(writers.join() == [])
        isDone.store(true, ordering: .relaxed)
        #expect(readers.join() == [])
        for section in crowd { sections.leave(section) }
        #expect(sections.retiredCount == 0)
        #expect(living(counter) == 1)
    }
}
