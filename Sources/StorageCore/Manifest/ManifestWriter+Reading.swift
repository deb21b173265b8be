// ManifestWriter+Reading.swift — from the bytes of a manifest to the state that its edits come to.
//
// Records, after the header, each at a multiple of eight bytes:
//    0  u32  CRC-32C of bytes 4..<24, seeded with the salt
//    4  u32  CRC-32C of the payload, seeded with the salt
//    8  u64  edit number: 1 for the first record, then without gaps
//   16  u64  payload byte count
//   24  payload (a version edit), then zeros up to a multiple of eight bytes
//
// Every edit is synced before the next is written, and the first, a snapshot of the whole state, before CURRENT names the
// file. So a record that is not valid is a torn tail only if it is the last one; anything valid after it means damage.

extension ManifestWriter {
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

    /// The record at an offset; nil if there is no valid one.
    static func parse(
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
