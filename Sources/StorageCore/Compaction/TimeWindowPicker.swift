// TimeWindowPicker.swift — tables of one window of time are merged, after Cassandra's TimeWindowCompactionStrategy.
//
// A table belongs to the window in which the newest commit that it may hold was made. Commit times follow the order of
// the sequences, so the tables of a window are neighbours in level 0. In the newest window tables are merged by size; one
// that is over is merged into one table, once. Windows are never merged with one another: so what expires together is
// dropped together, by `GarbagePicker`, unread.

struct TimeWindowPicker {
    let tree: TreeDescription
    let options: TimeWindowOptions

    init(_ tree: TreeDescription, _ options: TimeWindowOptions) {
        self.tree = tree
        self.options = options
    }

    /// The tables of a window, as positions in level 0.
    struct Window: Equatable {
        var number: Int64
        var range: Range<Int>
    }

    /// Newest first.
    var windows: [Window] {
        var windows: [Window] = []
        for (position, table) in tree.levels[0].enumerated() {
            let number = number(of: table.latestTime)
            if let last = windows.last, last.number == number {
                windows[windows.count - 1].range = last.range.lowerBound..<position + 1
            } else {
                windows.append(Window(number: number, range: position..<position + 1))
            }
        }
        return windows
    }

    func plan() -> CompactionPlan? {
        let current = currentWindow
        for window in windows {
            if window.number >= current {
                if let plan = SizeTieredPicker(tree, options.sizeTiered).plan(in: window.range) { return plan }
            } else if window.range.count > 1 {
                return SizeTieredPicker.merge(Array(tree.levels[0][window.range]), reason: .window)
            }
        }
        return nil
    }

    var debt: CompactionDebt {
        let current = currentWindow
        return windows.reduce(into: CompactionDebt()) { debt, window in
            if window.number >= current {
                let inside = SizeTieredPicker(tree, options.sizeTiered).debt(in: window.range)
                debt.runCount += inside.runCount
                debt.byteCount += inside.byteCount
            } else if window.range.count > 1 {
                debt.runCount += window.range.count - 1
                debt.byteCount += tree.levels[0][window.range].reduce(0) { $0 + $1.byteCount }
            }
        }
    }

    /// The window that commits of now fall into, or that of the newest table where the clock lags behind.
    private var currentWindow: Int64 {
        max(number(of: tree.now.microseconds), windows.first.map(\.number).flatMap { $0 == .max ? nil : $0 } ?? .min)
    }

    /// Windows begin at multiples of their width since 1970. `Int64.max` for a table whose times are not known.
    func number(of time: Int64) -> Int64 {
        guard time != .max else { return .max }
        let width = options.windowMicroseconds
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: width)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
