// CompactionTurns.swift — which trees are compacted now, and by whom.
//
// Invariant: a tree is compacted by one thread at a time. Beside it only flushes change the tree's tables, and they only
// add to level 0 what is newer than everything there; so a plan stays good until it is carried out.

internal import Synchronization

final class CompactionTurns: Sendable {
    private struct State {
        var busy: Set<UInt32> = []
        var queue = CompactionQueue()
        /// Tables that were rewritten without getting rid of their garbage, by tree.
        var exhausted: [UInt32: Set<UInt64>] = [:]
    }

    /// A tree that its caller may compact, and what to do to it.
    struct Claim {
        var tree: Tree
        var plan: CompactionPlan
        var description: TreeDescription
        /// Its place among the others, in the queue's virtual time.
        var finish: Double
        /// How many other compactions have stopped for it, on its thread.
        var depth: Int
    }

    private let state = ConditionLock(State())

    /// Claims the tree that is to be compacted next; nil if none is due that nobody compacts yet.
    /// - Parameters:
    ///   - interrupted: A claim that stops for this one, if it comes first; nil for a thread that has nothing else to do.
    ///   - describe: Called under the lock; nil for a tree that is not to be compacted now.
    /// - Throws: What `describe` first threw, if no tree is left that could be claimed: one that can't be described keeps no other
    ///   from being compacted.
    func claimNext(
        _ trees: [Tree], interrupting interrupted: Claim? = nil,
        describe: (Tree, _ exhausted: Set<UInt64>) throws -> TreeDescription?
    ) throws -> Claim? {
        let depth = interrupted.map { $0.depth + 1 } ?? 0
        return try state.withLock { state in
            var claims: [Claim] = []
            var failure: (any Error)?
            for tree in trees where !state.busy.contains(tree.id) {
                let description: TreeDescription?
                do {
                    description = try describe(tree, state.exhausted[tree.id] ?? [])
                } catch {
                    failure = failure ?? error
                    continue
                }
                guard let description, let plan = CompactionPicker.plan(for: description) else { continue }
                claims.append(
                    Claim(tree: tree, plan: plan, description: description, finish: .infinity, depth: depth))
            }
            let due = claims.map {
                CompactionQueue.Due(
                    tree: $0.tree.id, urgency: $0.plan.urgency,
                    byteCount: $0.plan.action == .rewrite ? $0.plan.byteCount : 0)
            }
            guard let next = state.queue.next(among: due, doneBefore: interrupted?.finish ?? .infinity) else {
                if let failure { throw failure }
                return nil
            }
            claims[next.index].finish = next.finish
            state.busy.insert(claims[next.index].tree.id)
            return claims[next.index]
        }
    }

    /// Claims a tree, once whoever compacts it is done.
    func claim(_ tree: Tree) {
        state.wait { state in state.busy.insert(tree.id).inserted ? () : nil }
    }

    func release(_ tree: Tree) {
        state.withLockAndSignal { state in
            state.busy.remove(tree.id)
            guard tree.isDropped.load(ordering: .acquiring) else { return }
            state.queue.remove(tree.id)
            state.exhausted[tree.id] = nil
        }
    }

    /// Returns once a tree was released; false if none is claimed.
    func waitForRelease() -> Bool {
        var before: Int?
        return state.wait { state in
            if state.busy.isEmpty { return before != nil }
            if let before, state.busy.count < before { return true }
            before = before ?? state.busy.count
            return nil
        }
    }

    func markExhausted(_ numbers: some Sequence<UInt64>, of tree: Tree) {
        state.withLock { $0.exhausted[tree.id, default: []].formUnion(numbers) }
    }

    /// Forgets tables that are gone.
    func forget(_ numbers: some Sequence<UInt64>, of tree: Tree) {
        state.withLock { state in
            guard state.exhausted[tree.id] != nil else { return }
            state.exhausted[tree.id]?.subtract(numbers)
        }
    }
}
