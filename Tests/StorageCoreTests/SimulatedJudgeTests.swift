// SimulatedJudgeTests.swift — the simulated disk as a judge: it acquits a correct protocol at every step and every
// pattern of survivors, and convicts each of the well-known mistakes.
//
// The protocol replaces a file atomically and appends to a log: write a new file, sync it, rename it over the old one,
// sync the directory; append a record, sync, acknowledge.

import StorageCore
import StorageTypes
import Testing

/// Steps that a careless author leaves out.
private enum Mistake: CaseIterable {
    case noFileSync
    case noDirectorySync
    case writesInPlace
    case acknowledgesBeforeSync
    case noLogDirectorySync
    case appendsAfterFailedSync
}

/// What was promised to the caller.
private struct Promise {
    var version: UInt8 = 1
    var recordCount = 0
}

private struct Violation: Error {
    var message: String
}

@Suite("Simulated disk: as a judge")
struct SimulatedJudgeTests {
    private static let contentByteCount = 1200

    private func content(_ version: UInt8) -> [UInt8] {
        [UInt8](repeating: version, count: Self.contentByteCount)
    }

    /// Three replacements of a file, each followed by log records; updates the promise as it is given.
    private func workload(_ disk: SimulatedFileSystem, without mistake: Mistake?, _ promise: inout Promise) throws {
        let log = try disk.open("/d/log", .create)
        if mistake != .noLogDirectorySync { try disk.syncDirectory("/d") }
        var offset: Int64 = 0
        for version: UInt8 in 2...4 {
            try replace(disk, version, mistake)
            promise.version = version
            for _ in 0..<3 {
                try append(to: log, number: promise.recordCount, at: offset, mistake, &promise)
                offset += 700
            }
        }
    }

    private func replace(_ disk: SimulatedFileSystem, _ version: UInt8, _ mistake: Mistake?) throws {
        if mistake == .writesInPlace {
            let file = try disk.open("/d/file", .readWrite)
            try file.write(content(version), at: 0)
            return try file.sync()
        }
        let file = try disk.open("/d/new", .createOrTruncate)
        try file.write(content(version), at: 0)
        if mistake != .noFileSync { try file.sync() }
        try disk.rename("/d/new", to: "/d/file")
        // A log directory sync left out must not be made good by this one.
        if mistake != .noDirectorySync, mistake != .noLogDirectorySync { try disk.syncDirectory("/d") }
    }

    private func append(
        to log: any StorageFile, number: Int, at offset: Int64, _ mistake: Mistake?, _ promise: inout Promise
    ) throws {
        try log.write([UInt8](repeating: UInt8(number + 1), count: 700), at: offset)
        if mistake == .acknowledgesBeforeSync { promise.recordCount += 1 }
        do {
            try log.sync()
        } catch {
            guard mistake == .appendsAfterFailedSync else { throw error }
            try log.sync()
        }
        if mistake != .acknowledgesBeforeSync { promise.recordCount += 1 }
    }

    /// What was promised must be there; the file must be one version, whole.
    private func check(_ disk: SimulatedFileSystem, _ promise: Promise, isReplacementPromised: Bool) throws {
        let file = try disk.readFile("/d/file")
        guard file.count == Self.contentByteCount, Set(file).count == 1 else {
            throw Violation(message: "The file is torn.")
        }
        guard !isReplacementPromised || file[0] >= promise.version else { throw Violation(message: "The file is old.") }
        guard promise.recordCount > 0 else { return }
        let log = try disk.readFile("/d/log")
        for number in 0..<promise.recordCount {
            guard
                log.dropFirst(700 * number).prefix(700).elementsEqual([UInt8](repeating: UInt8(number + 1), count: 700))
            else { throw Violation(message: "Record \(number) is lost.") }
        }
    }

    private func newDisk() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem(seed: 3)
        try disk.writeFile("/d/file", content(1))
        return disk
    }

    /// The number of violations over all steps and survivors, and of crashes tried.
    private func violations(of mistake: Mistake?) throws -> (violationCount: Int, crashCount: Int) {
        let whole = try newDisk()
        var promise = Promise()
        if mistake == .appendsAfterFailedSync { whole.failOperation(number: 4, kind: .sync, pathSuffix: "log") }
        try workload(whole, without: mistake, &promise)
        var (violationCount, crashCount) = (0, 0)
        for step in 1...whole.operationCount + 1 {
            let disk = try newDisk()
            if mistake == .appendsAfterFailedSync { disk.failOperation(number: 4, kind: .sync, pathSuffix: "log") }
            disk.cutPower(atOperation: step)
            var promise = Promise()
            do {
                try workload(disk, without: mistake, &promise)
                #expect(step == whole.operationCount + 1)
            } catch let error as StorageError {
                #expect(error.code == .ioFailure)
            }
            for survivors in SimulatedFileSystem.Survivors.allCases {
                for seed in 0..<UInt64(survivors == .torn || survivors == .reordered ? 20 : 1) {
                    crashCount += 1
                    do {
                        try check(
                            disk.crash(survivors, seed: seed), promise,
                            isReplacementPromised: mistake != .noLogDirectorySync)
                    } catch {
                        violationCount += 1
                    }
                }
            }
        }
        return (violationCount, crashCount)
    }

    @Test("a correct protocol is acquitted at every step, whatever survives")
    func acquits() throws {
        let (violationCount, crashCount) = try violations(of: nil)
        #expect(violationCount == 0)
        #expect(crashCount > 1000)
    }

    @Test("each well-known mistake is convicted", arguments: Mistake.allCases)
    private func convicts(_ mistake: Mistake) throws {
        let (violationCount, _) = try violations(of: mistake)
        #expect(violationCount > 0)
    }
}
