// One engine in the storage lines, whatever its type: each call below is one measurement, inside which everything is
// specialised for the engine.

import BenchmarkKit

/// Calls come from one thread, one after another.
protocol Side: AnyObject {
    /// With its version.
    var name: String { get }
    /// How it was set up, for the report.
    var configuration: String { get }

    // MARK: Lines with a store of their own

    /// Puts in random order into an empty store, one by one, or in batches; `settled`: timed until flushes and
    /// compactions are done.
    func fill(entries: Int, batchSize: Int?, settled: Bool) throws -> Timing
    /// Puts of random keys over `entries` compacted ones, timed until flushes and compactions are done.
    func overwrite(puts: Int, entries: Int) throws -> Timing
    /// Callers at once, each committing `commits` entries of its own one by one, on disk when each call returns.
    /// - Parameter asTasks: By suspending calls, where the engine has them; nil where it hasn't.
    func syncedCommits(callers: Int, commits: Int, asTasks: Bool) async throws -> Timing?
    /// A queue with a backlog: each operation puts at the end, finds the first entry and deletes it.
    func queue(operations: Int, backlog: Int) throws -> Timing

    // MARK: Lines on a store that is kept open

    /// Opens a store and fills it, in random order, compacted and read once; or left in the memtable.
    func open(entries: Int, compacted: Bool) throws
    /// Opens a store of entries in key order, compacts it, and deletes the first `deletes` of them again.
    func openWithTombstones(entries: Int, deletes: Int) throws
    /// Closes the store that is open, if one is, and removes its files.
    func close() throws

    func readHits(_ reads: Int, of entries: Int) throws -> Timing
    func readMisses(_ reads: Int, of entries: Int) throws -> Timing
    func multiGets(_ calls: Int, keysEach: Int, of entries: Int) throws -> Timing
    func seeks(_ seeks: Int, entriesEach: Int, of entries: Int, backwards: Bool) throws -> Timing
    func scan() throws -> Timing
    /// Point reads while another thread overwrites at a fixed rate.
    func readHitsWhileWriting(_ reads: Int, of entries: Int, putsPerSecond: Int) throws -> Timing
    /// Scans from the start of the keyspace that end after some entries.
    func scansFromStart(_ scans: Int, entriesEach: Int) throws -> Timing

    // MARK: A crash

    /// Writes entries that stay in the log, and keeps the files as a crash of the process would leave them.
    /// - Returns: How many bytes they take; nil if the engine can't log as much within reason.
    func prepareCrash(entries: Int) throws -> Int?
    /// Opens a copy of those files and reads from it; nil if there are none.
    func openAfterCrash(entries: Int) throws -> Timing?
    func removeCrash()
}
