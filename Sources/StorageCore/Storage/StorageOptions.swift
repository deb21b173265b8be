// StorageOptions.swift — how a storage is opened.

/// Who does background work.
public enum BackgroundWork: Sendable, Hashable {
    /// Dedicated threads for sync, flush and compaction.
    case threads
    /// Nobody: flush and compaction happen where ``Storage/step()`` is called or a write needs room, syncs on the
    /// calling thread. For tests that must be deterministic.
    case manual
}

/// How a storage is opened. The defaults suit a server process with a gigabyte to spare.
public struct StorageOptions: Sendable {
    public var clock: any StorageClock = SystemClock()
    /// Seeds what is random inside (skip-list heights, log salts).
    public var seed: UInt64 = 0x5EED
    public var isReadOnly = false
    public var backgroundWork = BackgroundWork.threads
    /// A memtable that reaches this size is flushed.
    public var memtableByteCount = 64 << 20

    public init() {}
}
