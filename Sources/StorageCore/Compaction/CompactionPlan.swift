// CompactionPlan.swift — what is to be done to a tree next, before anything was read.

/// Tables that go, and where what is left of them goes.
struct CompactionPlan: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        /// Read the inputs, write what is left.
        case rewrite
        /// List the only input in another level; no byte of it is read.
        case move
        /// Everything in the inputs may go; no byte of them is read.
        case drop
    }

    enum Reason: Sendable, Equatable {
        case levelZero
        case levelSize
        case sizeTier
        case window
        /// Deletions, or what has expired, take up too much of a table.
        case garbage
        case expired
        case rangeDelete
        /// Keyspaces that were dropped have left a table to nobody, or too much of one that others share.
        case droppedKeyspace
        case manual
    }

    /// Tables of one level.
    struct Input: Sendable, Equatable {
        var level: Int
        /// Level 0: newest first. Deeper: in key order.
        var tables: [TableMetadata]
    }

    var action: Action
    var reason: Reason
    /// By level, ascending.
    var inputs: [Input]
    var outputLevel: Int
    /// Outputs are cut at this size; `Int.max` for one table.
    var tableByteCount: Int
    /// How much it is called for: from 1 on. Plans without a reader waiting for them have 1.
    var urgency = 1.0

    var tables: [TableMetadata] { inputs.flatMap(\.tables) }

    var byteCount: Int64 { tables.reduce(0) { $0 + $1.byteCount } }

    func moves(_ table: TableMetadata) -> Bool { action == .move && tables == [table] }
}

/// How far a tree is behind what its strategy asks for.
struct CompactionDebt: Sendable, Equatable {
    /// Sorted runs over the number that the strategy is content with: each costs every read something.
    var runCount = 0
    /// Bytes that compactions still have to write until nothing is due.
    var byteCount: Int64 = 0
}
