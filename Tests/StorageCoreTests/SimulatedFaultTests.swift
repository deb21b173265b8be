// SimulatedFaultTests.swift — power cuts, failing operations, full disks and damage on the simulated disk.

import StorageCore
import StorageTypes
import Testing

@Suite("Simulated disk: faults")
struct SimulatedFaultTests {
    private func disk(with bytes: [UInt8] = []) throws -> (disk: SimulatedFileSystem, file: any StorageFile) {
        let disk = SimulatedFileSystem(seed: 1)
        try disk.writeFile("/d/a", bytes)
        return (disk, try disk.open("/d/a", .readWrite))
    }

    // MARK: Counting

    @Test("every step that changes the disk counts one, reads and refused calls count none")
    func counting() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        #expect(disk.operationCount(of: .createDirectory) == 1)
        #expect(disk.operationCount(of: .syncDirectory) == 1)
        try disk.createDirectory("/d")
        let file = try disk.open("/d/a", .create)
        try file.write([1], at: 0)
        try file.sync()
        try file.truncate(to: 0)
        try file.allocate(byteCount: 10)
        try disk.link("/d/a", to: "/d/b")
        try disk.rename("/d/b", to: "/d/c")
        try disk.remove("/d/c")
        _ = try disk.open("/d/a", .createOrTruncate)
        _ = try disk.open("/d/e", .createOrTruncate)
        try disk.lock("/d/LOCK").release()
        try disk.lock("/d/LOCK").release()
        try disk.syncDirectory("/d")
        try disk.createDirectory("/x")
        try disk.removeDirectory("/x")
        #expect(disk.operationCount == 17)
        let counts = SimulatedFileSystem.Operation.allCases.map { disk.operationCount(of: $0) }
        #expect(counts == [1, 0, 1, 2, 1, 3, 2, 1, 1, 1, 1, 3])
        _ = try file.readAll()
        _ = try disk.list("/d")
        _ = try? disk.open("/d/missing", .read)
        _ = try? disk.open("/d/a", .create)
        _ = try? disk.remove("/d/missing")
        #expect(disk.operationCount == 17)
        #expect(disk.readCount == 1)
    }

    // MARK: Power

    @Test("from the cut on every call throws and nothing changes")
    func powerCut() throws {
        let (disk, file) = try disk(with: [1])
        disk.cutPower(atOperation: 2)
        try file.write([2], at: 0)
        #expect(!disk.isPowerOff)
        expectStorageError(.ioFailure) { try file.sync() }
        #expect(disk.isPowerOff)
        expectStorageError(.ioFailure) { try file.write([3], at: 0) }
        expectStorageError(.ioFailure) { try file.truncate(to: 0) }
        expectStorageError(.ioFailure) { try file.allocate(byteCount: 5) }
        expectStorageError(.ioFailure) { try file.sync() }
        expectStorageError(.ioFailure) { _ = try file.readAll() }
        expectStorageError(.ioFailure) { _ = try file.read(at: 0, byteCount: 1) }
        expectStorageError(.ioFailure) { _ = try disk.open("/d/a", .read) }
        expectStorageError(.ioFailure) { _ = try disk.open("/d/b", .create) }
        expectStorageError(.ioFailure) { _ = try disk.exists("/d/a") }
        expectStorageError(.ioFailure) { _ = try disk.list("/d") }
        expectStorageError(.ioFailure) { try disk.createDirectory("/d") }
        expectStorageError(.ioFailure) { try disk.createDirectory("/e") }
        expectStorageError(.ioFailure) { try disk.remove("/d/a") }
        expectStorageError(.ioFailure) { try disk.removeDirectory("/d") }
        expectStorageError(.ioFailure) { try disk.rename("/d/a", to: "/d/b") }
        expectStorageError(.ioFailure) { try disk.link("/d/a", to: "/d/b") }
        expectStorageError(.ioFailure) { try disk.syncDirectory("/d") }
        expectStorageError(.ioFailure) { _ = try disk.lock("/d/LOCK") }
        expectStorageError(.ioFailure) { _ = try disk.freeByteCount("/d") }
        try file.close()
        #expect(disk.operationCount == 2)
        #expect(try disk.readFile("/d/a") == [2])
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1])
        #expect(try disk.crash(.everything).readFile("/d/a") == [2])
    }

    @Test("the power can be cut at once")
    func powerCutNow() throws {
        let (disk, file) = try disk()
        disk.cutPower()
        expectStorageError(.ioFailure) { try file.write([1], at: 0) }
    }

    @Test("the write that the cut interrupts may be torn, and may not have happened")
    func interruptedWrite() throws {
        let (disk, file) = try disk(with: sectors([0, 0, 0]))
        disk.cutPower(atOperation: 1)
        #expect(throws: StorageError.self) { try file.write(sectors([1, 1, 1]), at: 0) }
        func firsts(_ disk: SimulatedFileSystem) throws -> [UInt8] {
            let bytes = try disk.readFile("/d/a")
            return [bytes[0], bytes[512], bytes[1024]]
        }
        #expect(try outcomes(of: disk, .torn, firsts) == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
        #expect(try outcomes(of: disk, .reordered, firsts).count == 8)
        #expect(try outcomes(of: disk, .syncedOnly, firsts) == [[0, 0, 0]])
        #expect(try outcomes(of: disk, .everything, firsts) == [[0, 0, 0]])
    }

    @Test("the rename that the cut interrupts may have happened")
    func interruptedRename() throws {
        let (disk, _) = try disk()
        disk.cutPower(atOperation: 1)
        #expect(throws: StorageError.self) { try disk.rename("/d/a", to: "/d/b") }
        #expect(try outcomes(of: disk, .reordered) { try $0.list("/d") } == [["a"], ["b"]])
        #expect(try disk.crash(.everything).list("/d") == ["a"])
        #expect(try disk.crash(.syncedOnly).list("/d") == ["a"])
    }

    @Test("the sync that the cut interrupts may have written some of its sectors")
    func interruptedSync() throws {
        let (disk, file) = try disk(with: sectors([0, 0]))
        try file.write(sectors([1, 1]), at: 0)
        disk.cutPower(atOperation: 2)
        #expect(throws: StorageError.self) { try file.sync() }
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == sectors([0, 0]))
        #expect(try outcomes(of: disk, .reordered) { try $0.readFile("/d/a") }.count == 4)
    }

    // MARK: Failing operations

    @Test("an operation fails once, and the next one succeeds")
    func failsOnce() throws {
        let (disk, file) = try disk()
        disk.failOperation(number: 2)
        try file.write([1], at: 0)
        expectStorageError(.ioFailure) { try file.sync() }
        try file.write([2], at: 0)
        try file.sync()
    }

    @Test("operations fail from the n-th on until the faults are cleared")
    func failsForEver() throws {
        let (disk, file) = try disk()
        disk.failOperation(number: 2, once: false, with: .diskFull)
        try file.write([1], at: 0)
        expectStorageError(.diskFull) { try file.write([2], at: 0) }
        expectStorageError(.diskFull) { try disk.remove("/d/a") }
        disk.clearFaults()
        try file.write([2], at: 0)
    }

    @Test("only the n-th operation of a kind fails, only on matching paths")
    func failsByKindAndPath() throws {
        let (disk, file) = try disk()
        let other = try disk.open("/d/table.sst", .create)
        disk.failOperation(number: 2, kind: .sync)
        disk.failOperation(number: 1, once: false, kind: .write, pathSuffix: ".sst")
        try file.write([1], at: 0)
        expectStorageError(.ioFailure) { try other.write([1], at: 0) }
        expectStorageError(.ioFailure) { try other.write([1], at: 0) }
        try file.sync()
        expectStorageError(.ioFailure) { try file.sync() }
        try file.sync()
        try file.write([2], at: 0)
    }

    @Test("a name operation that fails changes nothing")
    func failedNames() throws {
        let (disk, _) = try disk(with: [1])
        disk.failOperation(number: 1, once: false)
        expectStorageError(.ioFailure) { try disk.remove("/d/a") }
        expectStorageError(.ioFailure) { try disk.rename("/d/a", to: "/d/b") }
        expectStorageError(.ioFailure) { _ = try disk.open("/d/c", .create) }
        expectStorageError(.ioFailure) { _ = try disk.open("/d/a", .createOrTruncate) }
        #expect(try disk.list("/d") == ["a"])
        #expect(try disk.readFile("/d/a") == [1])
    }

    @Test("a failed write has written any number of its first sectors")
    func failedWrite() throws {
        var found: Set<[UInt8]> = []
        for seed in 0..<100 {
            let disk = SimulatedFileSystem(seed: UInt64(seed))
            try disk.writeFile("/a", sectors([0, 0]))
            disk.failOperation(number: 1)
            let file = try disk.open("/a", .readWrite)
            expectStorageError(.ioFailure) { try file.write(sectors([1, 1]), at: 0) }
            found.insert(try disk.readFile("/a"))
        }
        #expect(found == [sectors([0, 0]), sectors([1, 0]), sectors([1, 1])])
    }

    @Test("after a failed sync the bytes stay readable, but later syncs do not make them durable")
    func failedSync() throws {
        let (disk, file) = try disk(with: sectors([0, 0, 0]))
        try file.write(sectors([1, 1]), at: 0)
        disk.failOperation(number: 1, kind: .sync)
        expectStorageError(.ioFailure) { try file.sync() }
        try file.sync()
        #expect(try file.readAll() == sectors([1, 1, 0]))
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == sectors([0, 0, 0]))
        #expect(try outcomes(of: disk, .reordered) { try $0.readFile("/d/a") }.count == 4)
        try file.write([2], at: 512)
        try file.sync()
        let rewritten = [2] + sectors([1]).dropFirst()
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == sectors([0]) + rewritten + sectors([0]))
        #expect(
            try outcomes(of: disk, .torn) { try $0.readFile("/d/a") } == [
                sectors([0]) + rewritten + sectors([0]), sectors([1]) + rewritten + sectors([0]),
            ])
    }

    @Test("after a failed sync of appended bytes a later sync leaves a hole of zeros")
    func failedSyncOfAppend() throws {
        let (disk, file) = try disk()
        try file.write(sectors([1]), at: 0)
        disk.failOperation(number: 1, kind: .sync)
        expectStorageError(.ioFailure) { try file.sync() }
        try file.write(sectors([2]), at: 512)
        try file.sync()
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == sectors([0, 2]))
        #expect(try disk.crash(.everything).readFile("/d/a") == sectors([1, 2]))
    }

    @Test("a directory whose sync failed does not keep the names at the next one")
    func failedDirectorySync() throws {
        let (disk, _) = try disk()
        _ = try disk.open("/d/b", .create)
        disk.failOperation(number: 1, kind: .syncDirectory)
        expectStorageError(.ioFailure) { try disk.syncDirectory("/d") }
        try disk.syncDirectory("/d")
        #expect(try disk.list("/d") == ["a", "b"])
        #expect(try disk.crash(.syncedOnly).list("/d") == ["a"])
        try disk.remove("/d/b")
        try disk.syncDirectory("/d")
        #expect(try outcomes(of: disk, .reordered) { try $0.list("/d") } == [["a"]])
    }

    @Test("reads fail when told to")
    func failedReads() throws {
        let (disk, file) = try disk(with: [1])
        disk.failReads(number: 2)
        #expect(try file.read(at: 0, byteCount: 1) == [1])
        expectStorageError(.ioFailure) { _ = try file.read(at: 0, byteCount: 1) }
        #expect(try file.read(at: 0, byteCount: 1) == [1])
        disk.failReads(number: 1, once: false, with: .corruption, pathSuffix: "/a")
        expectStorageError(.corruption) { _ = try file.readAll() }
        disk.clearFaults()
        #expect(try file.readAll() == [1])
    }

    // MARK: Space

    @Test("a full disk writes what fits, refuses the rest, and goes on when there is space")
    func diskFull() throws {
        let (disk, file) = try disk()
        disk.capacity = 1000
        try file.write([UInt8](repeating: 1, count: 600), at: 0)
        expectStorageError(.diskFull) { try file.write([UInt8](repeating: 2, count: 600), at: 600) }
        #expect(try file.byteCount() == 1000)
        #expect(disk.usedByteCount == 1000)
        #expect(try disk.freeByteCount("/d") == 0)
        try file.write([UInt8](repeating: 3, count: 1000), at: 0)
        expectStorageError(.diskFull) { try file.write([1], at: 1000) }
        disk.capacity = 1200
        try file.write([1], at: 1000)
        #expect(disk.usedByteCount == 1001)
    }

    @Test("allocated space is taken at once and is there for later writes")
    func allocation() throws {
        let (disk, file) = try disk()
        disk.capacity = 1000
        try file.allocate(byteCount: 800)
        let other = try disk.open("/d/b", .create)
        expectStorageError(.diskFull) { try other.write([UInt8](repeating: 1, count: 300), at: 0) }
        expectStorageError(.diskFull) { try other.allocate(byteCount: 900) }
        #expect(try other.byteCount() == 200)
        try file.write([UInt8](repeating: 1, count: 800), at: 0)
        #expect(disk.usedByteCount == 1000)
        try file.truncate(to: 0)
        #expect(disk.usedByteCount == 200)
    }

    @Test("space is free again when the last name and the last handle are gone")
    func freeing() throws {
        let (disk, file) = try disk(with: [UInt8](repeating: 1, count: 100))
        try disk.link("/d/a", to: "/d/b")
        try disk.remove("/d/a")
        #expect(disk.usedByteCount == 100)
        try disk.remove("/d/b")
        #expect(disk.usedByteCount == 100)
        try file.close()
        #expect(disk.usedByteCount == 0)
        try disk.writeFile("/d/c", [1, 2, 3])
        try disk.writeFile("/d/e", [1, 2])
        try disk.rename("/d/c", to: "/d/e")
        #expect(disk.usedByteCount == 3)
        disk.capacity = 10
        let found = disk.crash(.everything)
        #expect(found.usedByteCount == 3)
        #expect(found.capacity == 10)
    }

    // MARK: Damage

    @Test("a flipped bit is seen by readers and stays after a crash")
    func flippedBit() throws {
        let (disk, file) = try disk(with: [0, 0])
        try disk.flipBit(path: "/d/a", bitOffset: 9)
        #expect(try file.readAll() == [0, 2])
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [0, 2])
        try file.write([4, 4, 4], at: 0)
        try disk.flipBit(path: "/d/a", bitOffset: 16)
        try file.sync()
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [4, 4, 5])
        expectStorageError(.invalidArgument) { try disk.flipBit(path: "/d/a", bitOffset: 24) }
        expectStorageError(.invalidArgument) { try disk.flipBit(path: "/d/a", bitOffset: -1) }
        expectStorageError(.notFound) { try disk.flipBit(path: "/d/b", bitOffset: 0) }
    }
}
