// StorageFixture.swift — small storages on a simulated disk, and threads that can be waited for.

import StorageTypes
import Testing

@testable import StorageCore

func smallOptions(
    _ disk: SimulatedFileSystem, _ clock: any StorageClock = ManualClock(), _ work: BackgroundWork = .manual
) -> StorageOptions {
    var options = StorageOptions()
    options.fileSystem = disk
    options.clock = clock
    options.backgroundWork = work
    // A memtable's first chunk for entries is 4096 bytes: the second one fills it.
    options.memtableByteCount = 7000
    options.tableByteCount = 2 << 10
    options.blockByteCount = 512
    options.levelOneByteCount = 8 << 10
    return options
}

func smallStorage(
    _ disk: SimulatedFileSystem = SimulatedFileSystem(), _ clock: any StorageClock = ManualClock(),
    _ work: BackgroundWork = .manual
) throws -> Storage {
    try Storage.open(at: "/db", options: smallOptions(disk, clock, work))
}

/// Threads of the operating system, for what must not run on the task pool.
final class TestThreads: Sendable {
    private let state = ConditionLock((running: 0, failures: [String]()))

    func start(_ body: @escaping @Sendable () throws -> Void) throws {
        state.withLock { $0.running += 1 }
        try BackgroundThread.start("test") { [state] in
            var failure: String?
            do { try body() } catch { failure = "\(error)" }
            state.withLockAndSignal {
                $0.running -= 1
                if let failure { $0.failures.append(failure) }
            }
        }
    }

    /// Waits until all have ended; what they threw.
    func join() -> [String] { state.wait { $0.running == 0 ? $0.failures : nil } }
}

/// A latch that threads and tasks look at.
final class TestLatch: Sendable {
    private let state = ConditionLock(false)
    func open() { state.withLockAndSignal { $0 = true } }
    func wait() { state.wait { $0 ? () : nil } }
    var isOpen: Bool { state.withLock { $0 } }
}

extension SequenceNumber {
    init(_ value: Int) { self.init(UInt64(value)) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The code of the storage error that `body` throws; nil if it throws none.
func errorCode<R>(_ body: () throws -> R) -> StorageError.Code? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? StorageError)?.code
    }
}

/// A storage with the keyspaces `a` and `b` that was opened on a full disk changes nothing until there is room.
func expectRefusals(of storage: Storage, _ comment: Comment) throws {
    let keyspace = try storage.keyspace("a")
    var batch = WriteBatch()
    try batch.put(keyspace, [1].rawSpan, [1].rawSpan)
    #expect(errorCode { try storage.commit(batch) } == .diskFull, comment)
    #expect(errorCode { try storage.write(.synced) { _ in } } == .diskFull, comment)
    #expect(errorCode { try storage.keyspace("new") } == .diskFull, comment)
    #expect(errorCode { try storage.dropKeyspace("b") } == .diskFull, comment)
    #expect(errorCode { try storage.flush() } == .diskFull, comment)
    #expect(errorCode { try storage.step() } == .diskFull, comment)
    #expect(errorCode { try storage.compact() } == .diskFull, comment)
}
