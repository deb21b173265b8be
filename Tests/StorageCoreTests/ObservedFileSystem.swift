// ObservedFileSystem.swift — a simulated disk that counts what is written, and can take its time or refuse.

import StorageCore
import StorageTypes
import Synchronization

/// Counts the bytes of writes by the suffix of the file's name.
final class ObservedFileSystem: ForwardingFileSystem {
    let disk = SimulatedFileSystem()
    private let clock: ManualClock
    private let written = Mutex<[String: Int]>([:])
    private let delay = Mutex(Duration.zero)
    private let refused = Mutex<String?>(nil)

    init(_ clock: ManualClock) {
        self.clock = clock
    }

    func byteCount(suffix: String) -> Int { written.withLock { $0[suffix] ?? 0 } }

    /// Every sync takes so long from now on.
    func setSyncTime(_ time: Duration) { delay.withLock { $0 = time } }

    /// Files of this suffix can't be made; nil for none.
    func refuse(suffix: String?) { refused.withLock { $0 = suffix } }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        if let suffix = refused.withLock({ $0 }), path.hasSuffix(suffix), mode != .read {
            throw StorageError(.ioFailure, "Refused.", file: path)
        }
        return ObservedFile(try disk.open(path, mode), self)
    }

    fileprivate func didWrite(_ byteCount: Int, to path: String) {
        guard let dot = path.lastIndex(of: ".") else { return }
        written.withLock { $0[String(path[dot...]), default: 0] += byteCount }
    }

    fileprivate func passSyncTime() { clock.advance(by: delay.withLock { $0 }) }
}

private final class ObservedFile: StorageFile {
    private let file: any StorageFile
    private let system: ObservedFileSystem

    init(_ file: any StorageFile, _ system: ObservedFileSystem) {
        self.file = file
        self.system = system
    }

    var path: String { file.path }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try file.write(bytes, at: offset)
        system.didWrite(bytes.count, to: path)
    }

    func sync() throws {
        system.passSyncTime()
        try file.sync()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        try file.read(into: buffer, at: offset)
    }

    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func close() throws { try file.close() }
}

/// Keeps what it is told.
final class RecordingSink: StorageTraceSink {
    private let recorded = Mutex<[StorageEvent]>([])

    func record(_ event: StorageEvent) { recorded.withLock { $0.append(event) } }

    var events: [StorageEvent] { recorded.withLock { $0 } }

    /// The events' cases by name, without what they carry.
    var names: [String] { events.map { String("\($0)".prefix { $0 != "(" }) } }

    func count(_ name: String) -> Int { names.count { $0 == name } }
}
