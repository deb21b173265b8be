// SimulatedModelTests.swift — random work on the simulated disk against a model that keeps every state a file ever had.

import StorageCore
import StorageTypes
import Testing

/// All contents of a file since its last sync, the synced one first.
private struct FileHistory {
    var states: [[UInt8]] = [[]]

    var current: [UInt8] { states[states.count - 1] }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        var next = current
        if next.count < offset + bytes.count { next += [UInt8](repeating: 0, count: offset + bytes.count - next.count) }
        for (index, byte) in bytes.enumerated() { next[offset + index] = byte }
        states.append(next)
    }

    mutating func truncate(to byteCount: Int) {
        states.append(Array((current + [UInt8](repeating: 0, count: byteCount)).prefix(byteCount)))
    }

    mutating func sync() {
        states = [current]
    }

    /// A sector of a state; zeros beyond its end.
    private func sector(_ index: Int, of state: [UInt8]) -> [UInt8] {
        let part = Array(state.dropFirst(index * 512).prefix(512))
        return part + [UInt8](repeating: 0, count: 512 - part.count)
    }

    /// Whether each sector, and the length, is that of some state.
    func allows(reordered found: [UInt8]) -> Bool {
        guard states.contains(where: { $0.count == found.count }) else { return false }
        return (0..<(found.count + 511) / 512).allSatisfy { index in
            let limit = min(512, found.count - index * 512)
            return states.contains { sector(index, of: $0).prefix(limit) == sector(index, of: found).prefix(limit) }
        }
    }

    /// Whether the content is a state, or lies sector by sector between one and the next.
    func allows(torn found: [UInt8]) -> Bool {
        if states.contains(found) { return true }
        return zip(states, states.dropFirst()).contains { before, after in
            FileHistory(states: [before, after]).allows(tornStep: found)
        }
    }

    /// New sectors first, then old ones.
    private func allows(tornStep found: [UInt8]) -> Bool {
        let sectorCount = (max(states[0].count, found.count) + 511) / 512
        return (0...sectorCount).contains { boundary in
            (0..<sectorCount).allSatisfy { index in
                sector(index, of: found) == sector(index, of: states[index < boundary ? 1 : 0])
            }
        }
    }
}

@Suite("Simulated disk: against a model")
struct SimulatedModelTests {
    @Test("random writes, truncations and syncs leave after a crash only what the contract allows")
    func randomWork() throws {
        let seed = TestSeed.draw("simulated disk")
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            let disk = SimulatedFileSystem(seed: random.next())
            var histories = [FileHistory(), FileHistory(), FileHistory()]
            let files = try histories.indices.map { index in
                try disk.writeFile("/\(index)", [])
                return try disk.open("/\(index)", .readWrite)
            }
            for _ in 0..<Int.random(in: 1...25, using: &random) {
                let index = Int.random(in: 0..<files.count, using: &random)
                try step(files[index], &histories[index], &random)
            }
            try check(disk, histories, &random)
        }
    }

    private func step(
        _ file: any StorageFile, _ history: inout FileHistory, _ random: inout SeededRandom
    ) throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            try file.sync()
            history.sync()
        case 1:
            let byteCount = Int.random(in: 0...3000, using: &random)
            try file.truncate(to: Int64(byteCount))
            history.truncate(to: byteCount)
        default:
            let isAppend = Bool.random(using: &random)
            let offset = isAppend ? history.current.count : Int.random(in: 0...2000, using: &random)
            let byte = UInt8.random(in: 1...255, using: &random)
            let bytes = [UInt8](repeating: byte, count: Int.random(in: 1...1500, using: &random))
            try file.write(bytes, at: Int64(offset))
            history.write(bytes, at: offset)
        }
        #expect(try file.readAll() == history.current)
    }

    private func check(
        _ disk: SimulatedFileSystem, _ histories: [FileHistory], _ random: inout SeededRandom
    ) throws {
        for (index, history) in histories.enumerated() {
            let path = "/\(index)"
            #expect(try disk.crash(.syncedOnly).readFile(path) == history.states[0])
            #expect(try disk.crash(.everything).readFile(path) == history.current)
            #expect(try disk.crash(.everything).crash(.syncedOnly).readFile(path) == history.states[0])
            for _ in 0..<10 {
                let seed = random.next()
                #expect(history.allows(torn: try disk.crash(.torn, seed: seed).readFile(path)))
                #expect(history.allows(reordered: try disk.crash(.reordered, seed: seed).readFile(path)))
            }
        }
    }
}
