// CrashDeafFileSystem.swift — a disk that says it has synced and has not, to see whether the crash tests notice.

import StorageCore

struct CrashDeafFileSystem: ForwardingFileSystem {
    /// What is never synced.
    enum Deafness: Sendable {
        case log, tables, manifest, current, names, sqliteLog, sqliteDatabase

        func covers(_ path: String) -> Bool {
            switch self {
            case .log: path.hasSuffix(".log")
            case .tables: path.hasSuffix(".sst")
            case .manifest: path.contains("MANIFEST-")
            case .current: path.contains("CURRENT")
            case .names: false
            case .sqliteLog: path.hasSuffix("-wal")
            case .sqliteDatabase: path == "/db"
            }
        }
    }

    let disk: SimulatedFileSystem
    private let deafness: Deafness

    init(_ disk: SimulatedFileSystem, _ deafness: Deafness) {
        self.disk = disk
        self.deafness = deafness
    }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let file = try disk.open(path, mode)
        return deafness.covers(path) ? DeafFile(file: file) : file
    }

    func syncDirectory(_ path: String) throws {
        if deafness != .names { try disk.syncDirectory(path) }
    }
}

private final class DeafFile: StorageFile {
    private let file: any StorageFile

    init(file: any StorageFile) {
        self.file = file
    }

    var path: String { file.path }

    func sync() {}

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try file.write(bytes, at: offset) }
    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func close() throws { try file.close() }
}
