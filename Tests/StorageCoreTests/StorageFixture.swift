// StorageFixture.swift — small storages on a simulated disk, and threads that can be waited for.

import StorageTypes

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
