// SalvagedManifest.swift — what can still be read of the manifest.

/// The state that the readable edits of a manifest add up to.
struct SalvagedManifest {
    var state = ManifestState()
    var identity: UInt64?
    /// Whether the manifest was read from its beginning to the end of the file.
    private(set) var isWhole = false
    private var isContradictory = false
    /// Tables and keyspaces that a readable edit removed.
    var removedTables: Set<UInt64> = []
    var removedKeyspaces: Set<UInt32> = []
    var damage: [SalvageReport.Damage] = []
    var remarks: [String] = []

    /// Reads the manifest that CURRENT names, or the newest one that can be read.
    /// - Throws: `.unsupportedFormat` for a newer version; `.ioFailure`.
    init(directory: String, fileSystem: any FileSystem) throws {
        let numbers = try ManifestFiles.numbers(in: directory, fileSystem)
        var candidates = Array(numbers.reversed())
        do {
            guard let current = try ManifestFiles.current(in: directory, fileSystem) else {
                throw StorageError.corruption(
                    "CURRENT is missing.", file: "\(directory)/\(ManifestFiles.currentName)")
            }
            if !numbers.contains(current) {
                note("The manifest is missing.", "\(directory)/\(ManifestFiles.name(current))", nil)
            }
            candidates = [current] + candidates.filter { $0 != current }
        } catch let error as StorageError where error.code == .corruption {
            let path = "\(directory)/\(ManifestFiles.currentName)"
            note(error.message, path, error.location?.offset == nil ? nil : 0..<1)
        }
        for number in candidates where numbers.contains(number) {
            let path = "\(directory)/\(ManifestFiles.name(number))"
            if try read(fileSystem.readAll(path), path) { return }
        }
        remarks.append("No manifest could be read: names and options are those that the tables say.")
    }

    /// Damage to the manifest costs names and order at most: every entry is in a table or in the log.
    private mutating func note(_ message: String, _ file: String, _ offsets: Range<Int64>?) {
        damage.append(SalvageReport.Damage(file: file, offsets: offsets, message: message, lostEntryCount: 0))
    }

    /// Takes in every valid record; false if there is none.
    private mutating func read(_ bytes: [UInt8], _ path: String) throws -> Bool {
        guard let salt = try salt(bytes, path) else {
            note("The manifest is damaged from its beginning on.", path, 0..<Int64(bytes.count))
            return false
        }
        var offset = ManifestHeader.byteCount
        var damageStart: Int?
        var lastNumber: UInt64 = 0
        var hasGap = false
        while offset < bytes.count {
            guard let record = ManifestWriter.parse(bytes.rawSpan, at: offset, salt: salt),
                record.number > lastNumber,
                let edit = try? VersionEdit(
                    decoding: bytes.rawSpan.extracting(record.payload), file: path, offset: Int64(offset))
            else {
                damageStart = damageStart ?? offset
                offset += 8
                continue
            }
            if let start = damageStart {
                noteGap(path, start..<offset)
                hasGap = true
            }
            damageStart = nil
            lastNumber = record.number
            apply(edit)
            offset = record.end
        }
        if let start = damageStart, bytes[start...].contains(where: { $0 != 0 }) {
            noteGap(path, start..<bytes.count)
            hasGap = true
        }
        isWhole = lastNumber > 0 && !hasGap && !isContradictory
        return lastNumber > 0
    }

    private mutating func noteGap(_ path: String, _ range: Range<Int>) {
        note("Edits of the manifest are damaged.", path, Int64(range.lowerBound)..<Int64(range.upperBound))
    }

    /// The salt of the record checksums: the header's, or the one with which the first record is valid.
    private mutating func salt(_ bytes: [UInt8], _ path: String) throws -> UInt32? {
        do {
            let header = try ManifestHeader(decoding: bytes.rawSpan, file: path)
            identity = header.identity
            return header.salt
        } catch let error as StorageError where error.code == .corruption {
            note(error.message, path, 0..<Int64(min(bytes.count, ManifestHeader.byteCount)))
        }
        for offset in stride(from: ManifestHeader.byteCount, to: bytes.count - 24, by: 8) {
            let header = bytes.rawSpan.extracting(offset..<offset + 24)
            var reader = ByteReader(header, file: path)
            let salt = ChecksumAlgebra.seed(of: header.extracting(4...), checksum: try reader.u32())
            if ManifestWriter.parse(bytes.rawSpan, at: offset, salt: salt) != nil { return salt }
        }
        return nil
    }

    /// Applies what of an edit makes sense: edits before it may be missing.
    private mutating func apply(_ edit: VersionEdit) {
        for table in edit.removedTables { removedTables.insert(table.number) }
        for table in edit.newTables { removedTables.remove(table.metadata.number) }
        removedKeyspaces.formUnion(edit.removedKeyspaces)
        var next = state
        guard next.apply(edit) != nil else {
            state = next
            return
        }
        isContradictory = true
        for tree in edit.newTrees where state.trees[tree.id] == nil { state.trees[tree.id] = tree }
        for change in edit.changedTrees { state.trees[change.tree]?.options = change.options }
        for id in state.trees.keys {
            for level in 0..<Levels.count {
                state.trees[id]?.tables[level].removeAll { removedTables.contains($0.number) }
            }
        }
        for table in edit.newTables where table.level < Levels.count && !listed(table.metadata.number) {
            state.trees[table.tree]?.tables[table.level].append(table.metadata)
        }
        for flushed in edit.flushed { state.trees[flushed.tree]?.flushedThrough = flushed.through }
        for keyspace in edit.newKeyspaces + edit.changedKeyspaces where state.trees[keyspace.tree] != nil {
            state.keyspaces[keyspace.id] = keyspace
        }
        for id in edit.removedKeyspaces { state.keyspaces[id] = nil }
        for id in edit.removedTrees { state.trees[id] = nil }
        state.applyNumbers(edit)
    }

    private func listed(_ number: UInt64) -> Bool { state.tableNumbers.contains(number) }
}
