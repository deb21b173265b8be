// StorageStatistics+Text.swift — statistics as a page for people.

extension StorageStatistics: CustomStringConvertible {
    /// Several lines: the whole storage, then a table of its keyspaces, the largest on disk first, and one of its trees and their
    /// levels.
    public var description: String {
        let total = total
        var lines = [
            "commits      \(commits.count) of \(commits.entryCount) entries, \(bytes(commits.userByteCount)); "
                + "visible \(commits.visibleSequence.rawValue), durable \(commits.durableSequence.rawValue)",
            "amplification  write \(decimal(writeAmplification)), space \(decimal(total.spaceAmplification)), "
                + "read \(decimal(total.lookups.searchedTables)) tables by look-up",
            "log          \(bytes(Int(log.byteCount))) in \(log.segmentCount) segments, budget \(bytes(Int(log.byteBudget))); "
                + "\(bytes(log.appendedByteCount)) appended",
            "memtables    \(bytes(total.memtable.byteCount)), \(total.memtable.immutableCount) waiting with "
                + "\(bytes(total.memtable.immutableByteCount)), budget \(bytes(memtableByteBudget))",
            "tables       \(total.tableCount) with \(bytes(Int(total.byteCount))), \(total.entryCount) entries, "
                + "\(total.tombstoneCount) tombstones; compaction debt \(bytes(Int(total.compactionDebtByteCount)))",
            "flushes      \(describe(total.flushes))",
            "compactions  \(describe(total.compactions)); \(total.unreadTableCount) tables moved or dropped unread",
            "look-ups     \(total.lookups.count), filters ruled out \(percent(total.lookups.filterEffectiveness)) "
                + "of the tables without the key",
            "block cache  \(bytes(blockCache.byteCount)) of \(bytes(blockCache.byteCapacity)), "
                + "hits \(percent(blockCache.hitRate)) of \(blockCache.hitCount + blockCache.missCount)",
            "open tables  \(openTables.count) with \(bytes(openTables.byteCount)) of \(bytes(openTables.byteCapacity))",
            "syncs        \(describe(syncs))",
            "stalls       \(describe(stalls)); \(stalledWriterCount) writers wait now",
            "delays       \(describe(delays)); pressure \(percent(total.writePressure))",
            "snapshots    \(snapshots.count)" + (snapshots.oldestAge.map { ", the oldest \(duration($0)) old" } ?? ""),
        ]
        lines += keyspaceTable + treeTable
        return lines.joined(separator: "\n")
    }

    /// A page has no room for more keyspaces.
    private static let keyspaceLimit = 50

    private var keyspaceTable: [String] {
        guard !keyspaces.isEmpty else { return [] }
        var rows = [["tree", "entries", "bytes", "tables", "bytes on disk", "write", "space", "read", "keyspace"]]
        let order = keyspaces.sorted {
            ($1.byteCount, $1.userByteCount, $0.name) < ($0.byteCount, $0.userByteCount, $1.name)
        }
        for keyspace in order.prefix(Self.keyspaceLimit) {
            rows.append(
                [
                    keyspace.tree.map { "\($0)" } ?? "–", "\(keyspace.writtenEntryCount)",
                    bytes(keyspace.userByteCount), "\(keyspace.tableCount)",
                    (keyspace.isEstimate ? "~" : "") + bytes(Int(keyspace.byteCount)),
                    decimal(keyspace.writeAmplification), decimal(keyspace.spaceAmplification),
                    keyspace.readAmplification.map { "\($0)" } ?? "–", keyspace.name,
                ])
        }
        let left = keyspaces.count - Self.keyspaceLimit
        return table(rows) + (left > 0 ? ["and \(left) more"] : [])
    }

    private var treeTable: [String] {
        var rows = [["tree", "level", "tables", "bytes", "entries", "tombstones", "keyspaces"]]
        for tree in trees {
            let names = tree.keyspaces.joined(separator: " ") + (tree.isVolatile ? " (volatile)" : "")
            let memory = tree.memtable
            rows.append(
                [
                    "\(tree.id)", "memory", "\(1 + memory.immutableCount)",
                    bytes(memory.byteCount + memory.immutableByteCount), "\(memory.entryCount)", "", names,
                ])
            for (index, level) in tree.levels.enumerated() where level.tableCount > 0 {
                rows.append(
                    [
                        "", "\(index)", "\(level.tableCount)", bytes(Int(level.byteCount)), "\(level.entryCount)",
                        "\(level.tombstoneCount)", "",
                    ])
            }
        }
        return table(rows)
    }

    /// Columns of the same width, under an empty line.
    private func table(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return [""]
            + rows.map { row in
                let cells = zip(row, widths).enumerated().map { column, cell in
                    let gap = String(repeating: " ", count: cell.1 - cell.0.count)
                    // Numbers to the right, names to the left.
                    return column == row.count - 1 ? cell.0 : gap + cell.0
                }
                return cells.joined(separator: "  ")
            }
    }

    private func describe(_ work: WorkStatistics) -> String {
        "\(work.count), \(bytes(work.inputByteCount)) in, \(bytes(work.outputByteCount)) out, "
            + "\(duration(work.duration)), \(work.runningCount) running"
    }

    private func describe(_ latency: LatencySummary) -> String {
        guard latency.count > 0 else { return "none" }
        return "\(latency.count), p50 \(duration(latency.median)), p99 \(duration(latency.p99)), "
            + "p99.9 \(duration(latency.p999)), longest \(duration(latency.maximum))"
    }
}

// MARK: Figures

private func bytes(_ count: Int) -> String {
    for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where count >= size {
        return "\(decimal(Double(count) / Double(size))) \(unit)"
    }
    return "\(count) B"
}

private func duration(_ duration: Duration) -> String {
    for (unit, size) in [("s", Duration.seconds(1)), ("ms", .milliseconds(1)), ("µs", .microseconds(1))]
    where duration >= size { return "\(decimal(duration / size)) \(unit)" }
    return "\(Int(duration / .nanoseconds(1))) ns"
}

/// Two digits behind the point; a dash for nothing.
private func decimal(_ value: Double?) -> String {
    guard let value, value.magnitude < 1e15 else { return "–" }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
}

private func percent(_ part: Double?) -> String {
    part.map { "\(decimal($0 * 100)) %" } ?? "–"
}
