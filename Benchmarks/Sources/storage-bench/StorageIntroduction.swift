// What the report says before its figures: the machine, the data and how each side was set up.

import BenchmarkKit

struct StorageIntroduction {
    let machine: String
    let sizes: StorageSizes
    let sides: [any Side]
    let absent: [String]
    let rounds: Int

    var text: String {
        """
        # Storage, side by side

        \(machine)

        One process, \(rounds) alternating rounds of ours and the first peer, fewer of the others; the median counts.
        The same on all sides: keys of \(KeyGenerator.byteCount) bytes, values of \(ValuePool.byteCount) bytes of \
        which half compresses, \(settings.memtableByteCount >> 20) MiB memtable, \
        \(settings.cacheByteCount >> 20) MiB cache, \(settings.filterBitsPerKey) filter bits by key, as far as the \
        engine has such a thing. Sizes: burst \(sizes.burstEntries) entries, sustained \(sizes.sustainedEntries), \
        settled trees \(sizes.settledEntries), tombstones \(sizes.tombstones), log after the crash \
        \(sizes.crashEntries) entries.

        | engine | set up with |
        |---|---|
        \(sides.map { "| \($0.name) | \($0.configuration) |" }.joined(separator: "\n"))
        \(absent.isEmpty ? "" : "\nAbsent when this was measured: \(absent.joined(separator: ", ")).\n")
        *Write* is bytes handed to write calls by byte of keys and values, *dirty* the same for bytes of dirtied pages
        on their way to the device, *space* the blocks that the files take by byte of live keys and values, *CPU* the
        processor time of the whole process by operation. A ratio above 1 means that ours is better.
        """
    }

    private var settings: StoreSettings { StoreSettings() }
}
