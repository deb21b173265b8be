// LogSegmentFiles.swift — how a log segment's file comes to be.
//
// A segment's header and its name are on the device before it takes a record. A mapped segment is made under another name
// (`.new`) and gets its own only then: a file with a segment's name and size, but without its header, is damage.

struct LogSegmentFiles: Sendable {
    let directory: String
    let fileSystem: any FileSystem
    let identity: UInt64
    let writing: LogWriting

    /// Makes a segment.
    /// - Parameters:
    ///   - capacity: At which size it is full, if it is written.
    ///   - mappedCapacity: What it holds at least, if it is mapped.
    ///   - recycling: A segment's file that nothing needs any more; its content is never read again.
    func make(
        _ number: UInt64, salt: UInt32, capacity: Int64, mappedCapacity: Int64, recycling old: String? = nil
    ) throws -> LogSegment {
        let header = LogSegmentHeader(number: number, identity: identity, salt: salt)
        if writing != .written {
            if let old {
                if let segment = try recycle(old, header, mappedCapacity) { return segment }
                try fileSystem.remove(old)
            }
            if let segment = try makeMapped(header, mappedCapacity) { return segment }
        }
        return try makeWritten(header, capacity)
    }

    private func makeWritten(_ header: LogSegmentHeader, _ capacity: Int64) throws -> LogSegment {
        let path = LogFiles.path(of: header.number, in: directory)
        // A segment that could not be finished is not used again: after a failed sync its name may never become durable.
        if try fileSystem.exists(path) { try fileSystem.remove(path) }
        let file = try fileSystem.open(path, .create)
        try file.write(header.bytes, at: 0)
        try file.sync()
        try fileSystem.syncDirectory(directory)
        return LogSegment(header, path: path, capacity: capacity, file: file, mapping: nil)
    }

    /// Nil where the file system can't map, or has no room for a segment of its own size.
    private func makeMapped(_ header: LogSegmentHeader, _ capacity: Int64) throws -> LogSegment? {
        let unfinished = LogFiles.path(of: header.number, in: directory) + UnfinishedFile.suffix
        if try fileSystem.exists(unfinished) { try fileSystem.remove(unfinished) }
        let file = try fileSystem.open(unfinished, .create)
        do {
            guard writing == .mapped || file.prefersMapping, try reserve(capacity, in: file),
                let mapping = try file.map(byteCount: capacity)
            else {
                try file.close()
                try fileSystem.remove(unfinished)
                return nil
            }
            return try finish(header, unfinished, capacity, file, mapping)
        } catch {
            try? file.close()
            try? fileSystem.remove(unfinished)
            throw error
        }
    }

    private func reserve(_ capacity: Int64, in file: any StorageFile) throws -> Bool {
        do {
            try file.allocate(byteCount: capacity)
            try file.truncate(to: capacity)
            return true
        } catch let error as StorageError where error.code == .diskFull {
            return false
        }
    }

    /// Nil where the old file is too small, or can't be read any more; it is still there then.
    private func recycle(_ old: String, _ header: LogSegmentHeader, _ capacity: Int64) throws -> LogSegment? {
        let unfinished = LogFiles.path(of: header.number, in: directory) + UnfinishedFile.suffix
        let file = try fileSystem.open(old, .readWrite)
        let byteCount = try file.byteCount()
        guard byteCount >= capacity, let mapping = try file.map(byteCount: byteCount),
            (try? mapping.populate(from: 0, byteCount: byteCount, forStores: false)) != nil
        else {
            try file.close()
            return nil
        }
        if try fileSystem.exists(unfinished) { try fileSystem.remove(unfinished) }
        try fileSystem.rename(old, to: unfinished)
        return try finish(header, unfinished, byteCount, file, mapping)
    }

    private func finish(
        _ header: LogSegmentHeader, _ unfinished: String, _ capacity: Int64, _ file: any StorageFile,
        _ mapping: any FileMapping
    ) throws -> LogSegment {
        let path = LogFiles.path(of: header.number, in: directory)
        try file.write(header.bytes, at: 0)
        try file.sync()
        try fileSystem.rename(unfinished, to: path)
        try fileSystem.syncDirectory(directory)
        return LogSegment(header, path: path, capacity: capacity, file: file, mapping: mapping)
    }

    func remove(_ path: String) throws { try fileSystem.remove(path) }
}

/// Names of log files.
enum LogFiles {
    static let suffix = ".log"

    static func path(of number: UInt64, in directory: String) -> String {
        "\(directory)/\(FileNumbers.text(number))\(suffix)"
    }

    /// The numbers of the segments in a directory, ascending.
    static func numbers(in directory: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try FileNumbers.list(directory, suffix: suffix, fileSystem)
    }

    /// Writes the file of a number that no record has, in the place of what is there; its name is synced with the directory.
    static func writeEmpty(
        _ number: UInt64, identity: UInt64, in directory: String, _ fileSystem: any FileSystem
    ) throws {
        let header = LogSegmentHeader(number: number, identity: identity, salt: 0)
        try fileSystem.replaceSynced(path(of: number, in: directory), with: header.bytes)
    }

    /// Paths of segments that a crash kept from being finished.
    static func unfinished(in directory: String, _ fileSystem: any FileSystem) throws -> [String] {
        try fileSystem.list(directory).filter { $0.hasSuffix(suffix + UnfinishedFile.suffix) }
            .map { "\(directory)/\($0)" }
    }
}

/// File names that are numbers of twelve digits.
enum FileNumbers {
    /// Numbers from here on are not ours: nobody counts so far.
    static let limit: UInt64 = 1 << 56

    static func text(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    static func list(_ directory: String, suffix: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try fileSystem.list(directory)
            .filter { $0.hasSuffix(suffix) }
            .compactMap { UInt64($0.dropLast(suffix.count)) }
            .filter { $0 < limit }
            .sorted()
    }
}
