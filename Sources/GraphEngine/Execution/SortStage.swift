// SortStage.swift — ORDER BY: all rows, or the best `limit` of them in a bounded heap.

final class SortStage: Stage {
    private struct Entry {
        var keys: [GraphValue]
        /// Ties keep the order of arrival.
        var arrival: Int
        var row: Row
    }

    private let keys: [SortKey]
    private let limit: Int?
    private var entries: [Entry] = []
    private var arrivals = 0

    init(_ keys: [SortKey], limit: Expression?, context: ExecutionContext, next: Stage?) throws {
        self.keys = keys
        self.limit = try limit.map { try context.count($0, "LIMIT") }
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        let entry = Entry(
            keys: try keys.map { try evaluator.evaluate($0.expression, row) }, arrival: arrivals, row: row)
        arrivals += 1
        guard let limit else {
            entries.append(entry)
            return true
        }
        if entries.count < limit {
            entries.append(entry)
            siftUp(entries.count - 1)
        } else if limit > 0, isBefore(entry, entries[0]) {
            entries[0] = entry
            siftDown(0)
        }
        return true
    }

    override func finish() throws {
        let rows = entries.sorted(by: isBefore).map(\.row)
        entries = []
        try forwardAll(rows)
    }

    private func isBefore(_ left: Entry, _ right: Entry) -> Bool {
        for (index, key) in keys.enumerated() {
            let order = left.keys[index].order(against: right.keys[index])
            if order != 0 { return key.isDescending ? order > 0 : order < 0 }
        }
        return left.arrival < right.arrival
    }

    // The heap's root is the last of the best: the first to go.

    private func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(entries[parent], entries[child]) else { return }
            entries.swapAt(parent, child)
            child = parent
        }
    }

    private func siftDown(_ start: Int) {
        var parent = start
        while true {
            var last = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if isBefore(entries[last], entries[child]) { last = child }
            }
            if last == parent { return }
            entries.swapAt(parent, last)
            parent = last
        }
    }
}
