// StorageStatistics+JSON.swift — statistics for programs: sizes in bytes, times in seconds, null for what is not known.

extension StorageStatistics {
    /// One JSON object. Members may be added in a minor release.
    public var json: String {
        JSONText.object([
            ("uptime", JSONText.seconds(uptime)), ("keyspaceCount", "\(keyspaceCount)"),
            ("writeAmplification", JSONText.number(writeAmplification)),
            (
                "commits",
                JSONText.object([
                    ("count", "\(commits.count)"), ("entryCount", "\(commits.entryCount)"),
                    ("userByteCount", "\(commits.userByteCount)"),
                    ("visibleSequence", "\(commits.visibleSequence.rawValue)"),
                    ("durableSequence", "\(commits.durableSequence.rawValue)"),
                ])
            ),
            (
                "log",
                JSONText.object([
                    ("byteCount", "\(log.byteCount)"), ("byteBudget", "\(log.byteBudget)"),
                    ("segmentCount", "\(log.segmentCount)"), ("appendedByteCount", "\(log.appendedByteCount)"),
                    ("unarchivedSegmentCount", "\(log.unarchivedSegmentCount)"),
                    ("unarchivedByteCount", "\(log.unarchivedByteCount)"),
                ])
            ),
            ("syncs", syncs.json), ("stalls", stalls.json), ("delays", delays.json),
            ("stalledWriterCount", "\(stalledWriterCount)"),
            (
                "blockCache",
                JSONText.object([
                    ("hitCount", "\(blockCache.hitCount)"), ("missCount", "\(blockCache.missCount)"),
                    ("blockCount", "\(blockCache.blockCount)"), ("byteCount", "\(blockCache.byteCount)"),
                    ("byteCapacity", "\(blockCache.byteCapacity)"),
                ])
            ),
            (
                "openTables",
                JSONText.object([
                    ("count", "\(openTables.count)"), ("byteCount", "\(openTables.byteCount)"),
                    ("byteCapacity", "\(openTables.byteCapacity)"),
                ])
            ),
            (
                "snapshots",
                JSONText.object([
                    ("count", "\(snapshots.count)"), ("oldestAge", JSONText.seconds(snapshots.oldestAge)),
                ])
            ),
            ("memtableByteBudget", "\(memtableByteBudget)"), ("total", total.json),
            ("trees", JSONText.array(trees.map(\.json))), ("keyspaces", JSONText.array(keyspaces.map(\.json))),
        ])
    }
}

extension LatencySummary {
    fileprivate var json: String {
        JSONText.object([
            ("count", "\(count)"), ("total", JSONText.seconds(total)), ("median", JSONText.seconds(median)),
            ("p99", JSONText.seconds(p99)), ("p999", JSONText.seconds(p999)), ("maximum", JSONText.seconds(maximum)),
        ])
    }
}

extension TreeStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("id", "\(id)"), ("keyspaces", JSONText.array(keyspaces.map(JSONText.string))),
            ("isVolatile", "\(isVolatile)"), ("levels", JSONText.array(levels.map(\.json))),
            ("memtable", memtable.json), ("writtenEntryCount", "\(writtenEntryCount)"),
            ("userByteCount", "\(userByteCount)"), ("flushes", flushes.json), ("compactions", compactions.json),
            ("unreadTableCount", "\(unreadTableCount)"), ("compactionDebtByteCount", "\(compactionDebtByteCount)"),
            ("writePressure", JSONText.number(writePressure)),
            ("lookups", lookups.json), ("writeAmplification", JSONText.number(writeAmplification)),
            ("spaceAmplification", JSONText.number(spaceAmplification)), ("readAmplification", "\(readAmplification)"),
            ("largestRunByteCount", "\(largestRunByteCount)"),
        ])
    }
}

extension KeyspaceStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("id", "\(id)"), ("tree", tree.map { "\($0)" } ?? "null"),
            ("neighbourCount", "\(neighbourCount)"), ("isVolatile", "\(isVolatile)"),
            ("writtenEntryCount", "\(writtenEntryCount)"), ("userByteCount", "\(userByteCount)"),
            ("levels", JSONText.array(levels.map(\.json))), ("isEstimate", "\(isEstimate)"),
            ("unreadableTableCount", "\(unreadableTableCount)"),
            ("writeAmplification", JSONText.number(writeAmplification)),
            ("spaceAmplification", JSONText.number(spaceAmplification)),
            ("readAmplification", readAmplification.map { "\($0)" } ?? "null"),
        ])
    }
}

extension KeyspaceLevelStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("tableCount", "\(tableCount)"), ("byteCount", "\(byteCount)"), ("entryCount", "\(entryCount)"),
        ])
    }
}

extension LevelStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("tableCount", "\(tableCount)"), ("byteCount", "\(byteCount)"), ("entryCount", "\(entryCount)"),
            ("tombstoneCount", "\(tombstoneCount)"),
        ])
    }
}

extension MemtableStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("byteCount", "\(byteCount)"), ("entryCount", "\(entryCount)"), ("immutableCount", "\(immutableCount)"),
            ("immutableByteCount", "\(immutableByteCount)"),
        ])
    }
}

extension WorkStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("count", "\(count)"), ("runningCount", "\(runningCount)"), ("inputByteCount", "\(inputByteCount)"),
            ("outputByteCount", "\(outputByteCount)"), ("duration", JSONText.seconds(duration)),
        ])
    }
}

extension LookupStatistics {
    fileprivate var json: String {
        JSONText.object([
            ("count", "\(count)"), ("ruledOutTableCount", "\(ruledOutTableCount)"),
            ("searchedTableCount", "\(searchedTableCount)"), ("misledTableCount", "\(misledTableCount)"),
            ("filterEffectiveness", JSONText.number(filterEffectiveness)),
        ])
    }
}

/// Pieces of JSON.
private enum JSONText {
    static func object(_ members: [(name: String, value: String)]) -> String {
        "{" + members.map { "\(string($0.name)): \($0.value)" }.joined(separator: ", ") + "}"
    }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ", ") + "]" }

    static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "null" }
        return "\(value)"
    }

    static func seconds(_ duration: Duration?) -> String { number(duration.map { $0 / .seconds(1) }) }

    static func string(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
