// IORateLimiter.swift — a byte rate for what compactions write, so that they leave room for synced commits.

internal import Synchronization

/// A token bucket without a thread: each write reserves the time that it takes at the rate and waits until it has come.
final class IORateLimiter: Sendable {
    /// How long a write holds off for a commit that waits for its sync.
    static let yieldNanoseconds: UInt64 = 2_000_000
    /// What an idle bucket saves up.
    private static let burstNanoseconds: UInt64 = 100_000_000

    private let nanosecondsPerByte: Double
    private let next = Atomic<UInt64>(0)

    init(bytesPerSecond: Int64) {
        nanosecondsPerByte = 1e9 / Double(max(bytesPerSecond, 1))
    }

    /// Takes the time that a write takes, and returns how long to wait before it, in nanoseconds.
    /// - Parameter now: By the monotonic clock, in nanoseconds.
    func reserve(byteCount: Int, now: UInt64) -> UInt64 {
        let cost = UInt64(Double(max(byteCount, 0)) * nanosecondsPerByte)
        let earliest = now > Self.burstNanoseconds ? now - Self.burstNanoseconds : 0
        var current = next.load(ordering: .relaxed)
        while true {
            let start = max(current, earliest)
            let (exchanged, original) = next.compareExchange(
                expected: current, desired: start &+ cost, ordering: .relaxed)
            if exchanged { return start > now ? start - now : 0 }
            current = original
        }
    }
}

/// A file whose writes are announced before they are made.
final class PacedFile: StorageFile {
    private let file: any StorageFile
    private let willWrite: @Sendable (Int) -> Void

    init(_ file: any StorageFile, willWrite: @escaping @Sendable (Int) -> Void) {
        self.file = file
        self.willWrite = willWrite
    }

    var path: String { file.path }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        willWrite(bytes.count)
        unsafe try file.write(bytes, at: offset)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        unsafe try file.read(into: buffer, at: offset)
    }

    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func sync() throws { try file.sync() }
    func close() throws { try file.close() }
}
