// ManifestFiles.swift — the names of manifests, and the pointer to the one that counts.
//
// CURRENT holds the manifest's number in decimal, a space, the CRC-32C of those digits in hexadecimal, and a line feed. It
// is replaced by renaming.

enum ManifestFiles {
    static let currentName = "CURRENT"
    static let prefix = "MANIFEST-"

    static func name(_ number: UInt64) -> String { prefix + FileNumbers.text(number) }

    /// The manifest numbers in a directory.
    static func numbers(in directory: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try fileSystem.list(directory).filter { $0.hasPrefix(prefix) }
            .compactMap { UInt64($0.dropFirst(prefix.count)) }
            .filter { $0 < FileNumbers.limit }
            .sorted()
    }

    /// The number that CURRENT names; nil if there is no such file.
    static func current(in directory: String, _ fileSystem: any FileSystem) throws -> UInt64? {
        let path = "\(directory)/\(currentName)"
        guard try fileSystem.exists(path) else { return nil }
        let text = String(decoding: try fileSystem.readAll(path), as: UTF8.self)
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard fields.count == 2, text.hasSuffix("\n"), let number = UInt64(fields[0]),
            number < FileNumbers.limit, text == currentText(number)
        else { throw StorageError.corruption("CURRENT does not name a manifest.", file: path, offset: 0) }
        return number
    }

    static func setCurrent(_ number: UInt64, in directory: String, _ fileSystem: any FileSystem) throws {
        let path = "\(directory)/\(currentName)"
        try fileSystem.replaceSynced(path, with: Array(currentText(number).utf8))
        try fileSystem.syncDirectory(directory)
    }

    private static func currentText(_ number: UInt64) -> String {
        let digits = String(number)
        return "\(digits) \(String(checksum(of: Array(digits.utf8).rawSpan), radix: 16))\n"
    }
}
