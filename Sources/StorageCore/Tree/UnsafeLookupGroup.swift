// UnsafeLookupGroup.swift — look-ups of several keys at once, step by step.
//
// A look-up is a chain of places in memory, or on the device, each known only once the one before has arrived: filter,
// index, block, entry. A group takes each step for all of its keys before the next one, and asks for the next place of
// each in the same go, so that they arrive side by side: the waiting is shared. What the look-ups do is `UnsafeLookup`'s.

internal import StorageTypes

/// The tree keys of several look-ups, side by side.
@safe
struct UnsafeTreeKeys: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private let ends: [Int]
    /// Places among the keys, in the order of the keys.
    let order: [Int]

    init(_ keys: [[UInt8]], in keyspace: Keyspace) {
        var ends: [Int] = []
        ends.reserveCapacity(keys.count)
        var byteCount = 0
        for key in keys {
            byteCount += Keyspace.prefixByteCount + key.count
            ends.append(byteCount)
        }
        unsafe memory = .allocate(byteCount: max(byteCount, 1), alignment: 8)
        self.ends = ends
        var start = 0
        for (key, end) in zip(keys, ends) {
            unsafe memory.storeBytes(of: keyspace.id.bigEndian, toByteOffset: start, as: UInt32.self)
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(start + Keyspace.prefixByteCount)..<end])
                .copyBytes(from: key)
            start = end
        }
        order = Self.order(of: keys)
    }

    deinit { unsafe memory.deallocate() }

    /// Good as long as this value is.
    @inline(__always)
    subscript(place: Int) -> UnsafeRawBufferPointer {
        let start = place == 0 ? 0 : ends[place &- 1]
        return unsafe UnsafeRawBufferPointer(rebasing: memory[start..<ends[place]])
    }

    private static func order(of keys: [[UInt8]]) -> [Int] {
        guard let first = keys.first else { return [] }
        var isSorted = true
        var common = first.count
        for (previous, key) in zip(keys, keys.dropFirst()) {
            if isSorted { isSorted = compareBytes(previous, key) <= 0 }
            common = commonByteCount(first, key, upTo: common)
        }
        if isSorted { return Array(keys.indices) }
        // Most keys differ in the eight bytes behind what all have in common.
        var numbers = keys.enumerated().map { (number: number($0.element, common), place: $0.offset) }
        numbers.sort { left, right in
            if left.number != right.number { return left.number < right.number }
            return compareBytes(keys[left.place], keys[right.place]) < 0
        }
        return numbers.map(\.place)
    }

    private static func commonByteCount(_ left: [UInt8], _ right: [UInt8], upTo limit: Int) -> Int {
        unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return 0 }
                return unsafe commonPrefixByteCount(leftBase, rightBase, min(limit, right.count))
            }
        }
    }

    /// Eight bytes as a number, filled up with zeros: keys whose numbers differ compare as these do.
    private static func number(_ key: [UInt8], _ offset: Int) -> UInt64 {
        var number: UInt64 = 0
        for place in offset..<offset + 8 { number = number << 8 | UInt64(place < key.count ? key[place] : 0) }
        return number
    }
}

/// Look-ups on their way down. Whoever uses it is in a section and keeps the keys alive.
@safe
struct UnsafeLookupGroup: ~Copyable {
    /// So many that what they ask for fits into the processor's nearest cache, and that its waiting is well used.
    static let capacity = 32

    @unsafe
    private struct Probe {
        var table: Unmanaged<TableFile>?
        var reader: Unmanaged<TableReader>?
        var position: UnsafePointPosition?
    }

    private let keys: UnsafeMutablePointer<UnsafeRawBufferPointer>
    private let lookups: UnsafeMutablePointer<UnsafeLookup>
    private let probes: UnsafeMutablePointer<Probe>
    private(set) var count = 0

    init() {
        unsafe keys = .allocate(capacity: Self.capacity)
        unsafe lookups = .allocate(capacity: Self.capacity)
        unsafe probes = .allocate(capacity: Self.capacity)
        unsafe probes.initialize(repeating: Probe(), count: Self.capacity)
    }

    deinit {
        unsafe lookups.deinitialize(count: count)
        unsafe probes.deinitialize(count: Self.capacity)
        unsafe keys.deallocate()
        unsafe lookups.deallocate()
        unsafe probes.deallocate()
    }

    mutating func append(_ lookup: UnsafeLookup, _ key: UnsafeRawBufferPointer) {
        assert(count < Self.capacity)
        unsafe (keys + count).initialize(to: key)
        unsafe (lookups + count).initialize(to: lookup)
        count += 1
    }

    /// Looks the keys up and forgets them. `body` is called once for each, with its place in the group and its value.
    mutating func run(
        in state: TreeState, _ counters: TreeCounters, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void
    ) throws {
        defer {
            unsafe lookups.deinitialize(count: count)
            count = 0
        }
        unsafe try visit(state, body)
        if let inherited = state.inherited { unsafe try visit(inherited, body) }
        for index in 0..<count {
            unsafe counters.lookups.add(lookups[index].tally)
            let isFound = unsafe try lookups[index].finish(keys[index]) { unsafe try body(index, $0) }
            if !isFound { try body(index, nil) }
        }
    }

    private func visit(_ state: TreeState, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void) throws {
        var isDone = true
        for index in 0..<count where unsafe !lookups[index].isDone {
            unsafe try lookups[index].visitMemtables(of: state, keys[index]) { unsafe try body(index, $0) }
            if unsafe !lookups[index].isDone { isDone = false }
        }
        if isDone { return }
        unsafe try state.fences._withUnsafeGuaranteedRef { fences in
            for level in 0..<fences.levelCount { unsafe try visit(fences.level(level), isOrdered: level > 0, body) }
        }
    }

    private func visit(
        _ fences: UnsafePointer<UnsafeLevelFences>, isOrdered: Bool,
        _ body: (Int, UnsafeRawBufferPointer?) throws -> Void
    ) throws {
        guard isOrdered else {
            for table in unsafe 0..<fences.pointee.count {
                let hasAny = unsafe choose(in: fences) { key, number in
                    unsafe fences.pointee.mayHold(table, key, number) ? table : nil
                }
                if hasAny { unsafe try probeTables(body) }
            }
            return
        }
        let hasAny = unsafe choose(in: fences) { unsafe fences.pointee.index(holding: $0, $1) }
        if hasAny { unsafe try probeTables(body) }
    }

    /// Notes for each key the table to be looked at; whether there is one for any.
    @inline(__always)
    private func choose(
        in fences: UnsafePointer<UnsafeLevelFences>, _ table: (UnsafeRawBufferPointer, UInt64) -> Int?
    ) -> Bool {
        var hasAny = false
        for index in 0..<count {
            unsafe probes[index].table = nil
            guard unsafe !lookups[index].isDone, let number = unsafe fences.pointee.number(of: keys[index]),
                let place = unsafe table(keys[index], number)
            else { continue }
            unsafe probes[index].table = unsafe fences.pointee.table(place)
            hasAny = true
        }
        return hasAny
    }

    /// Takes each key through its table.
    private func probeTables(_ body: (Int, UnsafeRawBufferPointer?) throws -> Void) throws {
        defer { forgetPositions() }
        try openTables()
        try findPartitions()
        let missing = try findBlocks()
        if missing > 0 { try readBlocks(announces: missing > 1) }
        prefetchEntries()
        for index in 0..<count {
            guard unsafe probes[index].table != nil else { continue }
            if let reader = unsafe probes[index].reader {
                let position = unsafe probes[index].position
                unsafe try reader._withUnsafeGuaranteedRef {
                    unsafe try lookups[index].endVisit($0, position, keys[index]) { unsafe try body(index, $0) }
                }
            }
            unsafe lookups[index].stopIfCovered()
        }
    }

    private func forgetPositions() {
        for index in 0..<count {
            unsafe probes[index].reader = nil
            unsafe probes[index].position = nil
        }
    }

    private func openTables() throws {
        for index in 0..<count {
            guard let table = unsafe probes[index].table else { continue }
            try unsafe table._withUnsafeGuaranteedRef { table in
                if table.hasRangeDeletes {
                    let view = RangeTombstoneView(
                        try table.rangeTombstones(), atMost: unsafe lookups[index].sequence)
                    unsafe lookups[index].cover(view, keys[index])
                }
                let reader = unsafe try table.openInSection()
                unsafe probes[index].reader = unsafe reader
                unsafe reader._withUnsafeGuaranteedRef { unsafe lookups[index].prefetchFilter(of: $0, keys[index]) }
            }
        }
    }

    /// Leaves out what the filters rule out.
    private func findPartitions() throws {
        for index in 0..<count {
            guard let reader = unsafe probes[index].reader else { continue }
            try unsafe reader._withUnsafeGuaranteedRef { reader in
                guard unsafe lookups[index].beginVisit(reader, keys[index]) else {
                    unsafe probes[index].reader = nil
                    return
                }
                let hash = unsafe lookups[index].partitionHash(of: keys[index], reader)
                let position = unsafe try reader.partitionPosition(
                    of: keys[index], hash: hash, lookups[index].sequence)
                unsafe position?.index.prefetch()
                unsafe probes[index].position = unsafe position
            }
        }
    }

    /// Finds the data blocks, as far as the cache has them; how many it has not.
    private func findBlocks() throws -> Int {
        var missing = 0
        for index in 0..<count where unsafe probes[index].position != nil {
            guard unsafe try probes[index].position?.enterPartition(keys[index], lookups[index].sequence) == true else {
                unsafe probes[index].position = nil
                continue
            }
            guard let reader = unsafe probes[index].reader, let handle = unsafe probes[index].position?.handle else {
                continue
            }
            let block = unsafe reader._withUnsafeGuaranteedRef { $0.cachedBlock(handle) }
            unsafe probes[index].position?.block = block
            if block == nil { missing += 1 }
        }
        return missing
    }

    /// Reads the blocks that are missing; the device is told of all before the first is waited for.
    private func readBlocks(announces: Bool) throws {
        if announces { try forEachMissing { $0.willRead($1) } }
        try forEachMissing { reader, handle, index in
            unsafe probes[index].position?.block = try reader.block(handle, fillCache: true)
        }
    }

    private func forEachMissing(_ body: (TableReader, BlockHandle) throws -> Void) throws {
        var last: (table: UInt64, handle: BlockHandle)?
        try forEachMissing { reader, handle, _ in
            // Keys are in order, so those of one block follow each other.
            if let last, last.table == reader.fileNumber, last.handle == handle { return }
            last = (reader.fileNumber, handle)
            try body(reader, handle)
        }
    }

    private func forEachMissing(_ body: (TableReader, BlockHandle, Int) throws -> Void) throws {
        for index in 0..<count {
            guard let reader = unsafe probes[index].reader, let position = unsafe probes[index].position,
                unsafe position.block == nil
            else { continue }
            let handle = unsafe position.handle
            try unsafe reader._withUnsafeGuaranteedRef { try body($0, handle, index) }
        }
    }

    private func prefetchEntries() {
        for index in 0..<count {
            guard let block = unsafe probes[index].position?.block else { continue }
            unsafe block.prefetchEntry(of: keys[index])
        }
    }
}

extension Keyspace {
    /// Calls `body` with the place and the value of each of some keys as of `sequence`; nil for a key that is absent.
    func withValues(
        of keys: [[UInt8]], sequence: UInt64, readTime: StorageInstant,
        _ body: (Int, UnsafeRawBufferPointer?) throws -> Void
    ) throws {
        let treeKeys = UnsafeTreeKeys(keys, in: self)
        try withTreeInSection { state, counters in
            var group = UnsafeLookupGroup()
            let order = treeKeys.order
            for first in stride(from: 0, to: order.count, by: UnsafeLookupGroup.capacity) {
                for place in order[first..<min(first + UnsafeLookupGroup.capacity, order.count)] {
                    let lookup = unsafe UnsafeLookup(
                        self, sequence, readTime: readTime.microseconds, operands: [], traceSink: nil)
                    unsafe group.append(lookup, treeKeys[place])
                }
                unsafe try group.run(in: state, counters) { unsafe try body(order[first + $0], $1) }
            }
        }
        extendLifetime(treeKeys)
    }
}
