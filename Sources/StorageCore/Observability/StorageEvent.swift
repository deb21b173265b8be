// StorageEvent.swift — what a storage tells whoever listens.

/// Listens to a storage: to log, to measure, to raise an alarm.
///
/// Called on the thread on which the event happens, a writer's or one of the storage's own, without any lock that reads
/// or commits need. Flushes, compactions and the caller's write wait for it: return soon, and call nothing of the
/// storage but ``Storage/statistics``.
public protocol StorageTraceSink: Sendable {
    func record(_ event: StorageEvent)
}

/// Something that happened in a storage. A case may be added in a minor release: switch with a default.
public enum StorageEvent: Sendable {
    /// The first event: the storage is open.
    case opened(Opening)
    case keyspaceCreated(name: String, id: UInt32)
    case keyspaceDropped(name: String, id: UInt32)
    /// A keyspace left a shared tree for one of its own; all its entries are there.
    case keyspaceMoved(name: String, id: UInt32)

    /// Every beginning has its end, in this order, on one thread.
    case flushBegan(FlushInput)
    case flushEnded(FlushInput, WorkResult)
    case compactionBegan(CompactionInput)
    case compactionEnded(CompactionInput, WorkResult)

    /// A writer waits for room after its commit; others may do so at the same time.
    case stallBegan(keyspaces: [String])
    case stallEnded(keyspaces: [String], duration: Duration)
    /// A sync took longer than ``StorageOptions/slowSyncThreshold``.
    case slowSync(duration: Duration)
    /// The log went on in a new segment.
    case logSegmentStarted(number: UInt64)
    /// Background work or a sync failed. A flush, a compaction or what the log archive refused is tried again;
    /// a failed sync is final.
    case failed(FailedWork, StorageError)

    public struct Opening: Sendable, Hashable {
        public var keyspaceCount = 0
        public var tableCount = 0
        /// Commits that the log held and tables did not.
        public var replayedCommitCount = 0
        /// The newest commit that was found.
        public var sequence = SequenceNumber(0)
        public var duration = Duration.zero
    }

    public struct FlushInput: Sendable, Hashable {
        public var tree: UInt32
        public var keyspaces: [String]
        public var entryCount: Int
        /// Memory of the memtable.
        public var byteCount: Int
    }

    public struct CompactionInput: Sendable, Hashable {
        public var tree: UInt32
        public var keyspaces: [String]
        public var tableCount: Int
        public var byteCount: Int64
        public var outputLevel: Int
        /// False if the tables only move to another level, or are dropped.
        public var readsTables: Bool
    }

    public struct WorkResult: Sendable {
        /// Tables in place of the inputs, those included that were only moved.
        public var tableCount = 0
        public var byteCount: Int64 = 0
        public var duration = Duration.zero
        /// What went wrong, if anything did; nothing has changed then.
        public var error: StorageError?
    }

    public enum FailedWork: Sendable, Hashable {
        case flush, compaction, sync, archive
    }
}
