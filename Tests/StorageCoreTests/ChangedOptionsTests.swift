// ChangedOptionsTests.swift — keyspaces that are opened with other options than they have.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Options of an existing keyspace") struct ChangedOptionsTests {
    private static func fill(_ storage: Storage, _ keyspace: Keyspace, _ numbers: Range<Int>) throws {
        for number in numbers {
            let value = bytes("value \(number) value \(number) value \(number)")
            try storage.write { try $0.put(keyspace, bytes("key \(number)").rawSpan, value.rawSpan) }
        }
        try storage.flush()
    }

    private static func expectFilled(_ storage: Storage, _ keyspace: Keyspace, _ numbers: Range<Int>) throws {
        let view = storage.snapshot().view
        for number in numbers {
            let value = bytes("value \(number) value \(number) value \(number)")
            #expect(try view.get(keyspace, bytes("key \(number)").rawSpan) == value)
        }
        #expect(try keys(view, keyspace).count == numbers.count)
        #expect(try storage.verify().problems == [])
    }

    @Test("what it is opened with is what new tables are written with, in this run and in the next")
    func takeEffect() throws {
        let disk = SimulatedFileSystem()
        var storage = try smallStorage(disk)
        var options = KeyspaceOptions(isDedicated: true)
        var keyspace = try storage.keyspace("k", options: options)
        try Self.fill(storage, keyspace, 0..<40)
        #expect(keyspace.tree.state.levels.all.map(\.metadata.compression) == [.lz4])

        options.compression = CompressionOptions(upper: .none, bottom: .zstd(level: 1))
        options.filterBitsPerKey = 0
        options.isArchived = false
        keyspace = try storage.keyspace("k", options: options)
        try Self.fill(storage, keyspace, 40..<80)
        #expect(keyspace.tree.state.levels.all.map(\.metadata.compression) == [.none, .lz4])
        #expect(try keyspace.tree.state.levels[0][0].open().filter == nil)

        try storage.close()
        storage = try smallStorage(disk)
        // Asked for nothing, it is as it was.
        keyspace = try storage.keyspace("k")
        #expect(keyspace.options.compression == options.compression)
        #expect(keyspace.options.filterBitsPerKey == 0 && !keyspace.options.isArchived && keyspace.options.isDedicated)
        try Self.fill(storage, keyspace, 80..<90)
        #expect(keyspace.tree.state.levels[0][0].metadata.compression == .none)
        try storage.compact()
        #expect(keyspace.tree.state.levels.all.allSatisfy { $0.metadata.compression == .zstd(level: 1) })
        try Self.expectFilled(storage, keyspace, 0..<90)
    }

    @Test("an opening that changes nothing writes nothing")
    func unchanged() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        var options = KeyspaceOptions(filterBitsPerKey: 7, strategy: .sizeTiered())
        _ = try storage.keyspace("k", options: options)
        options.isDedicated = true
        _ = try storage.keyspace("k", options: options)
        let before = disk.operationCount
        for _ in 0..<3 {
            _ = try storage.keyspace("k", options: options)
            _ = try storage.keyspace("k")
        }
        // A tree of its own is kept by who does not ask for one.
        options.isDedicated = false
        _ = try storage.keyspace("k", options: options)
        #expect(disk.operationCount == before)
    }

    @Test("a change that the manifest could not take is not made")
    func refused() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        disk.failOperation(number: disk.operationCount + 1)
        let changed = KeyspaceOptions(isDedicated: true, filterBitsPerKey: 3)
        #expect(errorCode { try storage.keyspace("k", options: changed) } != nil)
        #expect(keyspace.tree.options.filterBitsPerKey == 10)
        #expect(storage.existingKeyspace("k")?.options.filterBitsPerKey == 10)
        // Where nothing can be written any more it can still be opened for reading, as it is.
        #expect(try storage.keyspace("k", options: changed).tree.options.filterBitsPerKey == 10)
    }

    /// An operator that is told apart from another of its name.
    private final class StatefulAppend: MergeOperator {
        var name: String { ModelAppend().name }

        func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
            ModelAppend().merge(key: key, older: older, newer: newer, into: &result)
        }
    }

    @Test("an operator stays for the run, whatever else changes, since it may know what was written")
    func operatorStays() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        _ = try storage.keyspace("neighbour", options: KeyspaceOptions(mergeOperator: StatefulAppend()))
        let first = StatefulAppend()
        var options = KeyspaceOptions(mergeOperator: first)
        _ = try storage.keyspace("k", options: options)
        options.mergeOperator = StatefulAppend()
        for change in 0..<3 {
            switch change {
            case 0: options.isDedicated = true
            case 1: options.strategy = .sizeTiered()
            default: options.isArchived.toggle()
            }
            let keyspace = try storage.keyspace("k", options: options)
            #expect(keyspace.options.mergeOperator as? StatefulAppend === first)
            #expect(storage.existingKeyspace("k")?.options.mergeOperator as? StatefulAppend === first)
        }
    }

    private static let strategies: [CompactionStrategy] = [
        .leveled(), .sizeTiered(SizeTieredOptions(minimumThreshold: 2, minimumTableByteCount: 0)),
        .timeWindow(TimeWindowOptions(window: .seconds(10))),
    ]

    @Test("from every strategy to every other nothing is lost, and merging goes on", arguments: 0..<3, 0..<3)
    func strategies(from: Int, to: Int) throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock()
        let storage = try smallStorage(disk, clock)
        var options = KeyspaceOptions(mergeOperator: ModelAppend(), isDedicated: true, strategy: Self.strategies[from])
        var keyspace = try storage.keyspace("k", options: options)
        var expected: [UInt8: [UInt8]] = [:]
        var count: UInt8 = 0
        func write(_ rounds: Int) throws {
            for round in 0..<rounds {
                for key in UInt8(0)..<20 {
                    count &+= 1
                    let operand = [count]
                    try storage.write { try $0.merge(keyspace, [key].rawSpan, operand.rawSpan) }
                    expected[key, default: []] += operand
                }
                if round % 3 == 0 {
                    try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: [3], upper: [7])) }
                    for key in UInt8(3)..<7 { expected[key] = nil }
                }
                clock.advance(by: .seconds(3))
                try storage.flush()
                while try storage.step() {}
            }
        }
        func check() throws {
            let view = storage.snapshot().view
            for key in UInt8(0)..<20 { #expect(try view.get(keyspace, [key].rawSpan) == expected[key]) }
            #expect(try storage.verify().problems == [])
        }
        try write(6)
        options.strategy = Self.strategies[to]
        keyspace = try storage.keyspace("k", options: options)
        try check()
        try write(12)
        try check()
        if case .leveled = options.strategy {
            #expect(keyspace.tree.state.levels[0].count <= 4)
        } else {
            #expect(keyspace.tree.state.levels.tables.dropFirst().joined().isEmpty || to == 2)
        }
        try storage.compact()
        try check()
    }
}
