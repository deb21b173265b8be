// Storage+Memory.swift — one budget for the memtables of all trees.
//
// The lane never waits for memory. It makes memtables immutable, the largest first, so that those that take writes hold
// half of the share at most; the flush thread writes the others to disk. If it falls behind, writers wait after their
// commit, outside the lane: those whose own trees are in debt once the share is used up, all of them at half as much
// again. They wait only for flushes that are to come.

internal import Synchronization

extension Storage {
    /// Counts what a commit has added, makes room from time to time, and notes for which trees the writer has to wait.
    /// In the lane only, after publication.
    func shareMemory(_ batch: borrowing WriteBatch, _ commit: inout Commit) {
        unsafe scratch.unsurveyedByteCount += batch.memtableByteCount
        if unsafe scratch.unsurveyedByteCount > memory.surveyInterval {
            unsafe scratch.unsurveyedByteCount = 0
            rotateLargest()
            surveyMemtables()
        }
        guard memtableUse.byteCount > memory.memtables else { return }
        batch.slots.forEachTree { if isShortOfMemory($0) { commit.crowdedTrees.append($0) } }
    }

    /// Adds up what the memtables hold.
    func surveyMemtables() { memtableUse.survey { catalog.withLock { $0.persistentTrees } } }

    /// Gives the block cache what memtables that wait for their flush leave unused, and so many bytes less. In the flushes' turn,
    /// and not in the lane: removing blocks takes time.
    func lendMemory(besides byteCount: Int = 0) {
        surveyMemtables()
        tableCache.blocks.resize(to: memory.blockCache(besideWaiting: memtableUse.waitingByteCount + byteCount))
    }

    /// Makes memtables immutable until those that take writes are within their part.
    private func rotateLargest() {
        var active = catalog.withLock { $0.persistentTrees }
            .map { (tree: $0, memtable: $0.state.memtable) }
            .filter { !$0.memtable.isEmpty }
        var byteCount = active.reduce(0) { $0 + $1.memtable.byteCount }
        guard byteCount > memory.activeMemtables else { return }
        active.sort { $0.memtable.byteCount < $1.memtable.byteCount }
        while byteCount > memory.activeMemtables, let largest = active.popLast() {
            byteCount -= largest.memtable.byteCount
            rotate(largest.tree)
        }
    }

    /// Whether a writer to `tree` has to wait until memtables are flushed.
    func isCrowded(_ tree: Tree) -> Bool {
        tree.state.immutables.count > options.maximumImmutableMemtables || isShortOfMemory(tree)
    }

    private func isShortOfMemory(_ tree: Tree) -> Bool {
        let used = memtableUse.byteCount
        guard used > memory.memtables, memtableUse.waitingByteCount > 0, !tree.isVolatile else { return false }
        return used > memory.memtables + memory.memtables / 2 || !tree.state.immutables.isEmpty
    }
}
