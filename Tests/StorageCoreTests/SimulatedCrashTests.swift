// SimulatedCrashTests.swift — which bytes and names the simulated disk lets survive.

import StorageCore
import StorageTypes
import Testing

/// Bytes that are told apart sector by sector.
func sectors(_ values: [UInt8]) -> [UInt8] {
    values.flatMap { [UInt8](repeating: $0, count: 512) }
}

/// What many crashes of one disk leave of it, each looked at in the same way.
func outcomes<Value: Hashable>(
    of disk: SimulatedFileSystem, _ survivors: SimulatedFileSystem.Survivors, crashCount: UInt64 = 300,
    _ look: (SimulatedFileSystem) throws -> Value
) rethrows -> Set<Value> {
    Set(try (0..<crashCount).map { try look(disk.crash(survivors, seed: $0)) })
}

@Suite("Simulated disk: crashes")
struct SimulatedCrashTests {
    typealias Survivors = SimulatedFileSystem.Survivors

    /// A disk with a durable file `/d/a` of these bytes.
    private func disk(with bytes: [UInt8]) throws -> (disk: SimulatedFileSystem, file: any StorageFile) {
        let disk = SimulatedFileSystem(seed: 1)
        try disk.writeFile("/d/a", bytes)
        return (disk, try disk.open("/d/a", .readWrite))
    }

    @Test("synced bytes under a synced name survive every crash", arguments: Survivors.allCases)
    func syncedSurvives(_ survivors: Survivors) throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        let file = try disk.open("/d/a", .create)
        try file.write([1, 2, 3], at: 0)
        try file.sync()
        try disk.syncDirectory("/d")
        #expect(try outcomes(of: disk, survivors) { try $0.readFile("/d/a") } == [[1, 2, 3]])
    }

    @Test("unsynced bytes survive the process but not the power cut that drops them")
    func unsyncedBytes() throws {
        let (disk, file) = try disk(with: [1])
        try file.write([2, 3], at: 0)
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1])
        #expect(try disk.crash(.everything).readFile("/d/a") == [2, 3])
    }

    @Test("a synced file is lost with its name if the directory was not synced")
    func unsyncedName() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        let file = try disk.open("/d/a", .create)
        try file.write([1], at: 0)
        try file.sync()
        #expect(try disk.crash(.syncedOnly).list("/d") == [])
        #expect(try disk.crash(.everything).readFile("/d/a") == [1])
        #expect(try outcomes(of: disk, .reordered) { try $0.exists("/d/a") } == [true, false])
        #expect(try outcomes(of: disk, .torn) { try $0.exists("/d/a") } == [true, false])
    }

    @Test("a synced name of an unsynced file is an empty file")
    func unsyncedContent() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        try disk.open("/d/a", .create).write([1], at: 0)
        try disk.syncDirectory("/d")
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [])
    }

    @Test("directories are durable once made, with their parents")
    func directories() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/a/b/c")
        #expect(try disk.crash(.syncedOnly).list("/a/b/c") == [])
        try disk.removeDirectory("/a/b/c")
        #expect(try disk.crash(.syncedOnly).exists("/a/b/c"))
        try disk.syncDirectory("/a/b")
        #expect(try disk.crash(.syncedOnly).exists("/a/b/c") == false)
    }

    @Test("a rename is there or not, never half", arguments: [Survivors.torn, .reordered])
    func renameIsAtomic(_ survivors: Survivors) throws {
        let disk = SimulatedFileSystem()
        try disk.writeFile("/d/current", [1])
        try disk.writeFile("/d/next", [2])
        try disk.rename("/d/next", to: "/d/current")
        let found = try outcomes(of: disk, survivors) {
            [try $0.readFile("/d/current"), try $0.list("/d").map(\.utf8.count)[...].map(UInt8.init)]
        }
        #expect(found == [[[1], [7, 4]], [[2], [7]]])
    }

    @Test("a rename into another directory leaves one name, and a sync of either directory makes it durable")
    func renameAcrossDirectories() throws {
        for synced in ["/x", "/y"] {
            let disk = SimulatedFileSystem()
            try disk.writeFile("/x/a", [1])
            try disk.createDirectory("/y")
            try disk.rename("/x/a", to: "/y/a")
            let found = try outcomes(of: disk, .reordered) { [try $0.exists("/x/a"), try $0.exists("/y/a")] }
            #expect(found == [[true, false], [false, true]])
            try disk.syncDirectory(synced)
            #expect(try disk.crash(.syncedOnly).readFile("/y/a") == [1])
            #expect(try disk.crash(.syncedOnly).exists("/x/a") == false)
        }
    }

    @Test("a removed file may come back until the directory is synced")
    func remove() throws {
        let (disk, _) = try disk(with: [1])
        try disk.remove("/d/a")
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1])
        #expect(try outcomes(of: disk, .reordered) { try $0.exists("/d/a") } == [true, false])
        try disk.syncDirectory("/d")
        #expect(try outcomes(of: disk, .reordered) { try $0.exists("/d/a") } == [false])
    }

    @Test("names survive independently when reordered: the later one without the earlier one")
    func namesReordered() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        _ = try disk.open("/d/a", .create)
        _ = try disk.open("/d/b", .create)
        #expect(try outcomes(of: disk, .reordered) { try $0.list("/d") } == [[], ["a"], ["b"], ["a", "b"]])
        #expect(try outcomes(of: disk, .torn) { try $0.list("/d") } == [[], ["a"], ["a", "b"]])
    }

    @Test("a link survives like any name, with the bytes of its file")
    func link() throws {
        let (disk, _) = try disk(with: [1])
        try disk.link("/d/a", to: "/d/b")
        try disk.remove("/d/a")
        #expect(try disk.crash(.syncedOnly).list("/d") == ["a"])
        try disk.syncDirectory("/d")
        #expect(try disk.crash(.syncedOnly).readFile("/d/b") == [1])
    }

    @Test("torn: the oldest writes survive, one is torn at a sector, no later one survives")
    func torn() throws {
        let (disk, file) = try disk(with: sectors([0, 0, 0, 0, 0, 0]))
        try file.write(sectors([1, 1]), at: 0)
        try file.write(sectors([2, 2]), at: 1024)
        try file.write(sectors([3]), at: 0)
        let found = try outcomes(of: disk, .torn) {
            try $0.readFile("/d/a").enumerated().filter { $0.offset % 512 == 0 }.map(\.element)
        }
        #expect(
            found == [
                [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 2, 0, 0, 0], [1, 1, 2, 2, 0, 0],
                [3, 1, 2, 2, 0, 0],
            ])
    }

    @Test("torn: the order holds across files and names")
    func tornAcrossFiles() throws {
        let (disk, first) = try disk(with: [])
        let second = try disk.open("/d/b", .create)
        try first.write([1], at: 0)
        try second.write([2], at: 0)
        let found = try outcomes(of: disk, .torn) { found in
            [try found.readFile("/d/a"), (try? found.readFile("/d/b")) ?? [0]]
        }
        #expect(found == [[[], [0]], [[], []], [[1], []], [[1], [2]]])
    }

    @Test("reordered: each sector is left at any moment since the sync, none half way between two")
    func reordered() throws {
        let (disk, file) = try disk(with: sectors([0, 0]))
        try file.write(sectors([1, 1]), at: 0)
        try file.write([UInt8](repeating: 2, count: 512), at: 256)
        let old = sectors([0])
        let new = sectors([1])
        let (left, right) = (
            new[..<256] + [UInt8](repeating: 2, count: 256), [UInt8](repeating: 2, count: 256) + new[256...]
        )
        var expected: Set<[UInt8]> = []
        for first in [old, new, Array(left)] { for second in [old, new, right] { expected.insert(first + second) } }
        #expect(try outcomes(of: disk, .reordered, crashCount: 1000) { try $0.readFile("/d/a") } == expected)
    }

    @Test("reordered: the length survives apart from the bytes; what is missing reads as zeros")
    func reorderedLength() throws {
        let (disk, file) = try disk(with: [])
        try file.write(sectors([1]), at: 0)
        try file.write(sectors([2]), at: 512)
        let found = try outcomes(of: disk, .reordered, crashCount: 1000) { try $0.readFile("/d/a") }
        #expect(
            found == [
                [], sectors([0]), sectors([1]), sectors([0, 0]), sectors([1, 0]), sectors([0, 2]), sectors([1, 2]),
            ])
    }

    @Test("reordered: small appends to one sector survive up to any of them, never a later without an earlier one")
    func reorderedAppends() throws {
        let (disk, file) = try disk(with: [])
        for index in 0..<4 { try file.write([UInt8(index) + 1], at: Int64(index)) }
        let found = try outcomes(of: disk, .reordered, crashCount: 1000) { try $0.readFile("/d/a").filter { $0 != 0 } }
        #expect(found == [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]])
    }

    @Test("an unsynced truncation may or may not survive")
    func truncation() throws {
        let (disk, file) = try disk(with: [1, 2, 3])
        try file.truncate(to: 1)
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1, 2, 3])
        #expect(try disk.crash(.everything).readFile("/d/a") == [1])
        #expect(try outcomes(of: disk, .torn) { try $0.readFile("/d/a") } == [[1], [1, 2, 3]])
        #expect(try outcomes(of: disk, .reordered) { try $0.readFile("/d/a") } == [[1], [1, 2, 3], [1, 0, 0]])
        try file.sync()
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1])
    }

    @Test("the death of the process leaves bytes readable but no more durable than before")
    func processKill() throws {
        let (disk, file) = try disk(with: [1])
        try file.write([2], at: 0)
        _ = try disk.open("/d/b", .create)
        let restarted = disk.crash(.everything)
        #expect(try restarted.readFile("/d/a") == [2])
        #expect(try restarted.crash(.syncedOnly).readFile("/d/a") == [1])
        #expect(try restarted.crash(.syncedOnly).list("/d") == ["a"])
        try restarted.open("/d/a", .read).sync()
        try restarted.syncDirectory("/d")
        #expect(try restarted.crash(.syncedOnly).readFile("/d/a") == [2])
        #expect(try restarted.crash(.syncedOnly).list("/d") == ["a", "b"])
        try restarted.open("/d/a", .readWrite).write([3], at: 0)
        #expect(try outcomes(of: restarted, .torn) { try $0.readFile("/d/a") } == [[2], [3]])
    }

    @Test("a found disk counts its operations anew and holds no lock")
    func foundDisk() throws {
        let (disk, file) = try disk(with: [1])
        let lock = try disk.lock("/d/LOCK")
        try file.write([2], at: 0)
        for survivors in Survivors.allCases {
            let found = disk.crash(survivors)
            #expect(found.operationCount == 0)
            #expect(!found.isPowerOff)
            try found.lock("/d/LOCK").release()
        }
        lock.release()
    }

    @Test(
        "a crash changes nothing on the disk it happened to, nor is the found disk tied to it",
        arguments: Survivors.allCases)
    func independence(_ survivors: Survivors) throws {
        let (disk, file) = try disk(with: [1])
        try file.write([2], at: 0)
        let found = disk.crash(survivors)
        try found.writeFile("/d/a", [9])
        try found.writeFile("/d/new", [9])
        #expect(try disk.readFile("/d/a") == [2])
        #expect(try disk.list("/d") == ["a"])
        #expect(try disk.crash(.syncedOnly).readFile("/d/a") == [1])
    }

    @Test("the same seed and the same calls find the same disk, another seed finds others")
    func determinism() throws {
        func run(_ seed: UInt64, _ survivors: Survivors) throws -> [[UInt8]] {
            let disk = SimulatedFileSystem(seed: seed)
            try disk.createDirectory("/d")
            for name in ["a", "b", "c", "d", "e"] {
                let file = try disk.open("/d/\(name)", .create)
                try file.write(sectors([1, 2, 3]), at: 0)
            }
            let found = disk.crash(survivors)
            return try found.list("/d").flatMap { [Array($0.utf8), try found.readFile("/d/\($0)")] }
        }
        for survivors in [Survivors.torn, .reordered] {
            #expect(try run(5, survivors) == run(5, survivors))
            #expect(Set(try (0..<20).map { try run($0, survivors) }).count > 5)
        }
    }
}
