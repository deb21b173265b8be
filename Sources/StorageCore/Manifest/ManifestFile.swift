// ManifestFile.swift — the file of edits, and the pointer to the one that counts.
//
// Header, 64 bytes:
//    0  8 B  magic "SSMANIFT"          8  u32  format version: 1
//   12  u32  incompatible feature bits: a reader that does not know one refuses the storage
//   16  u32  compatible feature bits   20  u32  salt of the record checksums
//   24  u64  identity of the storage   32  28 B zeros
//   60  u32  CRC-32C of bytes 0..<60
// Then records, each at a multiple of eight bytes:
//    0  u32  CRC-32C of bytes 4..<24, seeded with the salt
//    4  u32  CRC-32C of the payload, seeded with the salt
//    8  u64  edit number: 1 for the first record, then without gaps
//   16  u64  payload byte count
//   24  payload (a version edit), then zeros up to a multiple of eight bytes
//
// Every edit is synced before the next is written, and the first, a snapshot of the whole state, before CURRENT names the
// file. So a record that is not valid is a torn tail only if it is the last one; anything valid after it means damage.
//
// CURRENT holds the manifest's number in decimal, a space, the CRC-32C of those digits in hexadecimal, and a line feed. It
// is replaced by renaming.

internal import Synchronization

enum ManifestFiles {
    static let currentName = "CURRENT"
    static let prefix = "MANIFEST-"

    static func name(_ number: UInt64) -> String { prefix + FileNumbers.text(number) }

    /// The manifest numbers in a directory.
    static func numbers(in directory: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try fileSystem.list(directory).filter { $0.hasPrefix(prefix) }
            .compactMap { UInt64($0.dropFirst(prefix.count)) }.sorted()
    }

    /// The number that CURRENT names; nil if there is no such file.
    static func current(in directory: String, _ fileSystem: any FileSystem) throws -> UInt64? {
        let path = "\(directory)/\(currentName)"
        guard try fileSystem.exists(path) else { return nil }
        let text = String(decoding: try fileSystem.readAll(path), as: UTF8.self)
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard fields.count == 2, text.hasSuffix("\n"), let number = UInt64(fields[0]),
            text == currentText(number)
        else { throw StorageError.corruption("CURRENT does not name a manifest.", file: path, offset: 0) }
        return number
    }

    static func setCurrent(_ number: UInt64, in directory: String, _ fileSystem: any FileSystem) throws {
        let path = "\(directory)/\(currentName)"
        let file = try fileSystem.open(path + ".new", .createOrTruncate)
        try file.write(Array(currentText(number).utf8), at: 0)
        try file.sync()
        try file.close()
        try fileSystem.rename(path + ".new", to: path)
        try fileSystem.syncDirectory(directory)
    }

    private static func currentText(_ number: UInt64) -> String {
        let digits = String(number)
        return "\(digits) \(String(checksum(of: Array(digits.utf8).rawSpan), radix: 16))\n"
    }
}

struct ManifestHeader: Equatable {
    static let byteCount = 64
    static let magic: [UInt8] = Array("SSMANIFT".utf8)
    static let formatVersion: UInt32 = 1

    var salt: UInt32
    var identity: UInt64

    var bytes: [UInt8] {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.raw(Self.magic.rawSpan)
        writer.u32(Self.formatVersion)
        writer.u32(0)
        writer.u32(0)
        writer.u32(salt)
        writer.u64(identity)
        writer.raw(Array(repeating: 0, count: 28).rawSpan)
        writer.u32(checksum(of: writer.bytes.rawSpan))
        return writer.bytes
    }

    init(salt: UInt32, identity: UInt64) {
        self.salt = salt
        self.identity = identity
    }

    init(decoding bytes: RawSpan, file: String) throws {
        var reader = ByteReader(bytes, file: file)
        let magic = try reader.raw(8).array()
        let version = try reader.u32()
        let incompatible = try reader.u32()
        _ = try reader.u32()
        salt = try reader.u32()
        identity = try reader.u64()
        _ = try reader.raw(28)
        guard try reader.u32() == checksum(of: bytes.extracting(first: 60)), magic == Self.magic else {
            throw StorageError.corruption("The header of the manifest is damaged.", file: file, offset: 0)
        }
        guard version == Self.formatVersion, incompatible == 0 else {
            throw StorageError(
                .unsupportedFormat,
                "The storage has format version \(version) and features \(incompatible); this version of the library "
                    + "reads version 1 and none. Open it with a newer one.",
                file: file)
        }
    }
}

/// The manifest of an open storage. Edits are applied to the state and the file together.
final class ManifestWriter: Sendable {
    private struct State {
        var manifest: ManifestState
        var editNumber: UInt64
        var end: Int64
        var failure: (any Error)?
    }

    private static let recordHeaderByteCount = 24

    let number: UInt64
    let identity: UInt64
    private let salt: UInt32
    private let file: any StorageFile
    private let reserve: SpaceReserve
    private let state: Mutex<State>

    /// Creates a manifest that holds `manifest`, and makes it the current one.
    /// - Parameter reserveByteCount: Space set aside for edits that find the disk full.
    init(
        number: UInt64, manifest: ManifestState, identity: UInt64, salt: UInt32, directory: String,
        fileSystem: any FileSystem, reserveByteCount: Int64 = 0
    ) throws {
        self.number = number
        self.identity = identity
        self.salt = salt
        file = try fileSystem.open("\(directory)/\(ManifestFiles.name(number))", .createOrTruncate)
        let record = Self.record(VersionEdit(snapshotOf: manifest).encoded, number: 1, salt: salt)
        try file.write(ManifestHeader(salt: salt, identity: identity).bytes + record, at: 0)
        try file.sync()
        try fileSystem.syncDirectory(directory)
        try ManifestFiles.setCurrent(number, in: directory, fileSystem)
        reserve = SpaceReserve(directory: directory, byteCount: reserveByteCount, fileSystem: fileSystem)
        state = Mutex(
            State(
                manifest: manifest, editNumber: 1, end: Int64(ManifestHeader.byteCount + record.count), failure: nil))
    }

    var manifest: ManifestState { state.withLock { $0.manifest } }

    var byteCount: Int64 { state.withLock { $0.end } }

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
            if let failure = state.failure { throw failure }
            let (edit, result) = try make(state.manifest)
            var next = state.manifest
            if let contradiction = next.apply(edit) {
                throw StorageError(.corruption, "An edit contradicts the manifest: \(contradiction).", file: file.path)
            }
            do {
                try append(edit, &state)
            } catch let full as ManifestFull {
                throw full.cause
            } catch {
                state.failure = error
                throw error
            }
            state.manifest = next
            commit(result)
            return result
        }
    }

    /// Runs `body` with the state, which does not change meanwhile.
    func whileUnchanged<R>(_ body: (ManifestState) throws -> R) throws -> R {
        try state.withLock { try body($0.manifest) }
    }

    private func append(_ edit: VersionEdit, _ state: inout State) throws {
        let record = Self.record(edit.encoded, number: state.editNumber + 1, salt: salt)
        do {
            try write(record, at: state.end)
        } catch let full as ManifestFull {
            guard reserve.release() else { throw full }
            try write(record, at: state.end)
        }
        try sync()
        state.editNumber += 1
        state.end += Int64(record.count)
        reserve.restore()
    }

    private func write(_ record: [UInt8], at end: Int64) throws {
        do {
            try file.write(record, at: end)
        } catch let error as StorageError where error.code == .diskFull {
            // Nothing was synced: the edit did not happen if its bytes go.
            try file.truncate(to: end)
            try sync()
            throw ManifestFull(cause: error)
        }
    }

    /// A disk may be found full here too; but then nobody knows whether the edit will survive.
    private func sync() throws {
        do {
            try file.sync()
        } catch {
            throw StorageError(
                .ioFailure, "A sync of the manifest failed; its last edit may survive or not.", file: file.path,
                cause: error)
        }
    }

    /// Closes the file and refuses every later edit.
    func close() throws {
        try state.withLock { state in
            state.failure = state.failure ?? StorageError(.closed, "The storage was closed.")
            try file.close()
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

    // MARK: Reading

    /// Reads a manifest; `end` is where its last valid record ends.
    /// - Throws: `.corruption`, `.unsupportedFormat`.
    static func read(
        number: UInt64, directory: String, fileSystem: any FileSystem
    ) throws -> (state: ManifestState, identity: UInt64, end: Int64) {
        let path = "\(directory)/\(ManifestFiles.name(number))"
        guard try fileSystem.exists(path) else {
            throw StorageError.corruption("The manifest that CURRENT names is missing.", file: path)
        }
        let bytes = try fileSystem.readAll(path)
        let header = try ManifestHeader(decoding: bytes.rawSpan, file: path)
        var state = ManifestState()
        var offset = ManifestHeader.byteCount
        var editNumber: UInt64 = 0
        while let record = parse(bytes.rawSpan, at: offset, salt: header.salt), record.number == editNumber + 1 {
            let payload = bytes.rawSpan.extracting(record.payload)
            let edit = try VersionEdit(decoding: payload, file: path, offset: Int64(record.payload.lowerBound))
            if let contradiction = state.apply(edit) {
                throw StorageError.corruption(
                    "Edit \(record.number) of the manifest contradicts those before it: \(contradiction).", file: path,
                    offset: Int64(offset))
            }
            editNumber = record.number
            offset = record.end
        }
        guard editNumber > 0 else {
            throw StorageError.corruption(
                "The first record of the manifest is damaged.", file: path, offset: Int64(offset))
        }
        try refuseValidRecord(bytes.rawSpan, after: offset, salt: header.salt, path: path)
        return (state, header.identity, Int64(offset))
    }

    private static func refuseValidRecord(_ bytes: RawSpan, after start: Int, salt: UInt32, path: String) throws {
        for offset in stride(from: start + 8, to: bytes.byteCount, by: 8)
        where parse(bytes, at: offset, salt: salt) != nil {
            throw StorageError.corruption(
                "The manifest is damaged: a valid record follows one that is not.", file: path, offset: Int64(start))
        }
    }

    private static func parse(
        _ bytes: RawSpan, at offset: Int, salt: UInt32
    ) -> (number: UInt64, payload: Range<Int>, end: Int)? {
        guard offset + recordHeaderByteCount <= bytes.byteCount else { return nil }
        let header = bytes.extracting(offset..<offset + recordHeaderByteCount)
        var reader = ByteReader(header, file: "")
        guard let headerChecksum = try? reader.u32(),
            headerChecksum == checksum(of: header.extracting(4...), seed: salt),
            let payloadChecksum = try? reader.u32(), let number = try? reader.u64(), let byteCount = try? reader.u64(),
            byteCount <= UInt64(bytes.byteCount - offset - recordHeaderByteCount)
        else { return nil }
        let start = offset + recordHeaderByteCount
        let payload = start..<start + Int(byteCount)
        guard checksum(of: bytes.extracting(payload), seed: salt) == payloadChecksum else { return nil }
        return (number, payload, min((payload.upperBound + 7) & ~7, bytes.byteCount))
    }
}

/// The disk is full, and the manifest is as it was: the edit can be tried again.
struct ManifestFull: Error {
    var cause: StorageError
}
