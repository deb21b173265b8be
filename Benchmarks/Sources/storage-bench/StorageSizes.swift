// How much work the storage lines do.

struct StorageSizes {
    /// Fits into the memtable on all sides: nothing is flushed while the clock runs.
    var burstEntries = 150_000
    var sustainedEntries = 10_000_000
    /// What the overwrites go over.
    var overwrittenEntries = 2_500_000
    var settledEntries = 1_000_000
    var reads = 1_000_000
    var readsWhileWriting = 500_000
    var seeks = 100_000
    /// Commits of each writer, by the number of writers.
    var syncedCommits = [(writers: 1, commits: 2_000), (16, 500), (64, 500)]
    var tombstones = 1_000_000
    var tombstoneScans = 20
    var queueOperations = 20_000
    /// About a gigabyte of log.
    var crashEntries = 3_000_000

    static let full = StorageSizes()
    static let quick = StorageSizes(
        burstEntries: 120_000, sustainedEntries: 500_000, overwrittenEntries: 125_000, settledEntries: 300_000,
        reads: 200_000, readsWhileWriting: 100_000, seeks: 10_000,
        syncedCommits: [(1, 200), (16, 60), (64, 40)], tombstones: 200_000, tombstoneScans: 5,
        queueOperations: 4_000, crashEntries: 300_000)
    /// For tests: that every line runs, not how fast.
    static let smoke = StorageSizes(
        burstEntries: 500, sustainedEntries: 1_000, overwrittenEntries: 300, settledEntries: 1_000, reads: 500,
        readsWhileWriting: 500, seeks: 50, syncedCommits: [(1, 5), (4, 5)], tombstones: 500, tombstoneScans: 2,
        queueOperations: 50, crashEntries: 500)
}
