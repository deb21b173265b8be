import Foundation
import StorageTypes
import Testing

@testable import StorageCore

#if os(Linux)
    /// What a mapped log costs the device beside a written one: the reason why the one or the other is the default.
    @Suite struct LogVolumeTests {
        /// Bytes of pages that this thread has dirtied.
        private static func dirtiedByteCount() throws -> Int {
            let text = try String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("write_bytes:") })
            return try #require(Int(line.drop { !$0.isNumber }))
        }

        /// Bytes dirtied by appending records of 350 bytes and syncing each.
        private static func volume(_ writing: LogWriting, in directory: String) throws -> (bytes: Int, isMapped: Bool) {
            let files = LogSegmentFiles(
                directory: directory, fileSystem: POSIXFileSystem(), identity: 1, writing: writing)
            let segment = try files.make(
                writing == .written ? 1 : 2, salt: 7, capacity: 8 << 20, mappedCapacity: 8 << 20)
            let record = [UInt8](repeating: 1, count: 352)
            let before = try dirtiedByteCount()
            for sequence in 1...(Soak.duration == nil ? 600 : 10_000) as ClosedRange<UInt64> {
                try record.withUnsafeBytes { try segment.append($0, sequence: sequence) }
                try segment.sync()
            }
            let bytes = try dirtiedByteCount() - before
            try segment.close()
            return (bytes, segment.isMapped)
        }

        @Test("where mapping is the default, synced records dirty at most three times what written ones do")
        func volume() throws {
            let directory = NSTemporaryDirectory() + "log-volume-\(UUID().uuidString)"
            let fileSystem = POSIXFileSystem()
            try fileSystem.createDirectory(directory)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let mapped = try Self.volume(.automatic, in: directory)
            // Elsewhere writing is the default, and there is nothing to compare.
            guard mapped.isMapped else { return }
            let written = try Self.volume(.written, in: directory)
            #expect(mapped.bytes <= 3 * written.bytes, "mapped \(mapped.bytes), written \(written.bytes)")
        }
    }
#endif
