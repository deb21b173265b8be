// Storage+Verify.swift — reading everything, and holding one structure against another.

internal import Synchronization

extension Storage {
    /// Reads every checksum (manifest, log, tables), checks the order of keys and levels, and runs the cross-checks that
    /// engines have registered. What is wrong is listed; only a failure to read at all is thrown.
    public func verify() throws -> VerificationReport {
        if isClosed.load(ordering: .acquiring) { throw StorageError(.closed, "The storage was closed.") }
        var report = VerificationReport()
        verifyBackground(&report)
        if let sqlite { verify(sqlite, &report) }
        verifyManifest(&report)
        verifyLog(&report)
        for tree in catalog.withLock({ $0.persistentTrees }).sorted(by: { $0.id < $1.id }) {
            verify(tree, &report)
        }
        let snapshot = snapshot()
        for crossCheck in crossChecks.withLock({ $0 }) {
            report.crossChecks.append(crossCheck.name)
            do {
                report.problems += try crossCheck.check(snapshot).map { "\(crossCheck.name): \($0)" }
            } catch {
                report.problems.append("\(crossCheck.name): \(error)")
            }
        }
        return report
    }

    /// What keeps failing in the background is nobody's error to catch: it shows here.
    private func verifyBackground(_ report: inout VerificationReport) {
        if let failure = background.failure(of: .flush) { report.problems.append("flush keeps failing: \(failure)") }
        if let failure = background.failure(of: .compaction) {
            report.problems.append("compaction keeps failing: \(failure)")
        }
    }

    private func verifyManifest(_ report: inout VerificationReport) {
        guard let manifest, !isClosed.load(ordering: .acquiring) else { return }
        do {
            // Under the manifest's lock nothing is appended meanwhile.
            try manifest.whileFileUnchanged { state, number in
                let read = try ManifestWriter.read(
                    number: number, directory: directory, fileSystem: options.fileSystem)
                if read.state != state {
                    throw StorageError.corruption(
                        "The manifest on disk differs from the one in memory.",
                        file: "\(directory)/\(ManifestFiles.name(number))", offset: read.end)
                }
                if try ManifestFiles.current(in: directory, options.fileSystem) != number {
                    throw StorageError.corruption(
                        "CURRENT does not name the manifest in use.", file: "\(directory)/\(ManifestFiles.currentName)",
                        offset: 0)
                }
            }
        } catch {
            report.add(error, in: "manifest")
        }
    }

    private func verifyLog(_ report: inout VerificationReport) {
        guard let manifest, let log, !isClosed.load(ordering: .acquiring) else { return }
        do {
            try log.keepingSegments {
                let state = manifest.manifest
                // In this order: all that was appended lies before the ends.
                let reached = log.appendedSequence
                let ends = log.segments(from: state.logStart).map { ($0.number, $0.byteCount) }
                let recovery = LogRecovery(
                    fileSystem: options.fileSystem, directory: directory + "/log", identity: manifest.identity)
                let end = try recovery.replay(
                    from: state.logStart, previousSequence: state.logStartPrevious,
                    ends: Dictionary(uniqueKeysWithValues: ends)
                ) { _, payload, file, offset in
                    try BatchEncoding.decode(payload, file: file, offset: offset) { _, _ in
                    } entry: { _, _, _, _ in
                    }
                }
                if end.sequence < reached {
                    throw StorageError.corruption(
                        "The log ends at sequence \(end.sequence), before \(reached).", file: end.file,
                        offset: end.offset)
                }
            }
        } catch {
            report.add(error, in: "log")
        }
    }

    private func verify(_ tree: Tree, _ report: inout VerificationReport) {
        let levels = tree.state.levels
        for level in 1..<Levels.count {
            for (left, right) in zip(levels[level], levels[level].dropFirst())
            where left.metadata.overlaps(right.metadata)
                || compareBytes(left.metadata.smallestKey, right.metadata.smallestKey) >= 0
            {
                report.problems.append("Tables \(left.number) and \(right.number) of level \(level) overlap.")
            }
        }
        for table in levels.all {
            do {
                // Opened anew: a reader that is open would go on reading a file that has lost its name.
                try tableCache.open(number: table.number, expected: table.metadata).verify()
                report.tableCount += 1
                report.entryCount += table.metadata.entryCount
                report.byteCount += table.metadata.byteCount
            } catch {
                report.add(error, in: "table \(table.number)")
            }
        }
    }
}
