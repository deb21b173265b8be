// ManifestWriter.swift — the manifest of an open storage: its state, and the file that edits are appended to.
//
// A manifest that has grown to several times the size of its state is replaced: the state is written to a file of the next
// number as one record, synced, and CURRENT is made to name it. A crash before that leaves the old file in charge, a
// crash after it a leftover that the next opening removes; both come to the same state.

internal import Synchronization

/// Edits are applied to the state and the file together.
final class ManifestWriter: Sendable {
    private struct Output {
        var number: UInt64
        var salt: UInt32
        var file: any StorageFile
        var editNumber: UInt64 = 1
        var end: Int64
        /// What the first record took.
        var snapshotByteCount: Int64
    }

    private struct State {
        var manifest: ManifestState
        var output: Output
        var failure: (any Error)?
    }

    static let recordHeaderByteCount = 24

    let identity: UInt64
    private let directory: String
    private let fileSystem: any FileSystem
    private let latch: FailureLatch
    private let reserve: SpaceReserve
    /// No manifest is replaced before it is this long.
    private let replacementByteCount: Int64
    private let state: Mutex<State>

    /// Creates a manifest that holds `manifest`, and makes it the current one.
    /// - Parameters:
    ///   - latch: Told of failures that leave the end of the file unknown.
    ///   - reserveByteCount: Space set aside for edits that find the disk full.
    ///   - replacementByteCount: From this size on a manifest is replaced once it is four times what its state takes.
    init(
        number: UInt64, manifest: ManifestState, identity: UInt64, salt: UInt32, directory: String,
        fileSystem: any FileSystem, latch: FailureLatch = FailureLatch(), reserveByteCount: Int64 = 0,
        replacementByteCount: Int64 = 1 << 20
    ) throws {
        self.identity = identity
        self.directory = directory
        self.fileSystem = fileSystem
        self.latch = latch
        self.replacementByteCount = replacementByteCount
        let output = try Self.create(
            number, manifest, identity: identity, salt: salt, directory: directory, fileSystem: fileSystem)
        reserve = SpaceReserve(directory: directory, byteCount: reserveByteCount, fileSystem: fileSystem)
        state = Mutex(State(manifest: manifest, output: output, failure: nil))
    }

    private static func create(
        _ number: UInt64, _ manifest: ManifestState, identity: UInt64, salt: UInt32, directory: String,
        fileSystem: any FileSystem
    ) throws -> Output {
        let file = try fileSystem.open("\(directory)/\(ManifestFiles.name(number))", .createOrTruncate)
        let record = record(VersionEdit(snapshotOf: manifest).encoded, number: 1, salt: salt)
        try file.write(ManifestHeader(salt: salt, identity: identity).bytes + record, at: 0)
        try file.sync()
        try fileSystem.syncDirectory(directory)
        try ManifestFiles.setCurrent(number, in: directory, fileSystem)
        let end = Int64(ManifestHeader.byteCount + record.count)
        return Output(number: number, salt: salt, file: file, end: end, snapshotByteCount: end)
    }

    var manifest: ManifestState { state.withLock { $0.manifest } }

    /// The number in the file's name.
    var number: UInt64 { state.withLock { $0.output.number } }

    var byteCount: Int64 { state.withLock { $0.output.end } }

    /// Makes an edit of the state and writes it; it is on the device when this returns.
    ///
    /// After a failure the end of the file is unknown and every later edit is refused.
    /// - Parameters:
    ///   - make: Reads the state and returns the edit; runs under the manifest's lock, so no other edit comes between.
    ///   - commit: Runs once the edit is durable, still under the lock: what it publishes is published in the order of
    ///     the edits.
    @discardableResult
    func edit<R>(
        _ make: (ManifestState) throws -> (VersionEdit, R), commit: (R) -> Void = { _ in }
    ) throws -> R {
        try state.withLock { state in
            try check(state)
            let (edit, result) = try make(state.manifest)
            var next = state.manifest
            if let contradiction = next.apply(edit) {
                throw StorageError(
                    .corruption, "An edit contradicts the manifest: \(contradiction).", file: state.output.file.path)
            }
            do {
                try append(edit, &state.output)
            } catch let full as ManifestFull {
                throw full.cause
            } catch {
                fail(error, &state)
                throw error
            }
            state.manifest = next
            commit(result)
            replaceIfLong(&state)
            return result
        }
    }

    /// Runs `body` with the state and the file's number, which do not change meanwhile.
    func whileUnchanged<R>(_ body: (ManifestState) throws -> R) throws -> R {
        try state.withLock { try body($0.manifest) }
    }

    /// Runs `body` with the state, and with the number of the file that holds it; neither changes meanwhile.
    func whileFileUnchanged<R>(_ body: (ManifestState, UInt64) throws -> R) throws -> R {
        try state.withLock { try body($0.manifest, $0.output.number) }
    }

    private func check(_ state: State) throws {
        guard let failure = state.failure else { return }
        if let error = failure as? StorageError, error.code == .closed { throw error }
        throw StorageError(
            .poisoned, "An earlier write of the manifest failed; it takes no edit until the storage is opened again.",
            file: state.output.file.path, cause: failure)
    }

    private func fail(_ error: any Error, _ state: inout State) {
        state.failure = error
        latch.set(error)
    }

    // MARK: Writing

    private func append(_ edit: VersionEdit, _ output: inout Output) throws {
        let record = Self.record(edit.encoded, number: output.editNumber + 1, salt: output.salt)
        do {
            try write(record, output)
        } catch let full as ManifestFull {
            guard reserve.release() else { throw full }
            try write(record, output)
        }
        try sync(output.file)
        output.editNumber += 1
        output.end += Int64(record.count)
        reserve.restore()
    }

    private func write(_ record: [UInt8], _ output: Output) throws {
        do {
            try output.file.write(record, at: output.end)
        } catch let error as StorageError where error.code == .diskFull {
            // Nothing was synced: the edit did not happen if its bytes go.
            try output.file.truncate(to: output.end)
            try sync(output.file)
            throw ManifestFull(cause: error)
        }
    }

    /// A disk may be found full here too; but then nobody knows whether the edit will survive.
    private func sync(_ file: any StorageFile) throws {
        do {
            try file.sync()
        } catch {
            throw StorageError(
                .ioFailure, "A sync of the manifest failed; its last edit may survive or not.", file: file.path,
                cause: error)
        }
    }

    /// Puts a manifest of one record in the place of one that has grown long.
    ///
    /// The edit that made it long stands already. If there is no room for another file, the old one grows on; if it is not
    /// known which of the two the next opening will find, no edit is taken any more.
    private func replaceIfLong(_ state: inout State) {
        let old = state.output
        guard old.end >= max(replacementByteCount, old.snapshotByteCount * 4) else { return }
        let next = old.number + 1
        do {
            state.output = try Self.create(
                next, state.manifest, identity: identity,
                salt: old.salt ^ UInt32(truncatingIfNeeded: next &* 0x9E37_79B9),
                directory: directory, fileSystem: fileSystem)
        } catch {
            abandon(next, after: error, &state)
            return
        }
        try? old.file.close()
        try? fileSystem.remove("\(directory)/\(ManifestFiles.name(old.number))")
    }

    private func abandon(_ number: UInt64, after error: any Error, _ state: inout State) {
        // Whatever failed, edits go on only where CURRENT surely names the old file, now and after a crash.
        guard latch.refusal == nil, (try? ManifestFiles.current(in: directory, fileSystem)) == state.output.number
        else {
            return fail(error, &state)
        }
        try? fileSystem.remove("\(directory)/\(ManifestFiles.name(number))")
        // Not at every edit from now on.
        state.output.snapshotByteCount = state.output.end / 2
    }

    /// Closes the file and refuses every later edit.
    func close() throws {
        try state.withLock { state in
            state.failure = state.failure ?? StorageError(.closed, "The storage was closed.")
            try state.output.file.close()
        }
    }

    private static func record(_ payload: [UInt8], number: UInt64, salt: UInt32) -> [UInt8] {
        var writer = ByteWriter(reservingCapacity: recordHeaderByteCount + payload.count + 8)
        writer.u32(0)
        writer.u32(checksum(of: payload.rawSpan, seed: salt))
        writer.u64(number)
        writer.u64(UInt64(payload.count))
        writer.replaceU32(at: 0, with: checksum(of: writer.bytes.rawSpan.extracting(4...), seed: salt))
        writer.raw(payload.rawSpan)
        while writer.count % 8 != 0 { writer.u8(0) }
        return writer.bytes
    }
}

/// The disk is full, and the manifest is as it was: the edit can be tried again.
struct ManifestFull: Error {
    var cause: StorageError
}
