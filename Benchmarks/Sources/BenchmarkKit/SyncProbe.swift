// How long the disk takes to make a record durable, right now: printed beside every synced figure, because the same
// disk may need a tenth of a millisecond in one minute and three in the next.

import Foundation

public enum SyncProbe {
    /// Median milliseconds of appending 512 bytes to a file of written zeros and syncing its data.
    public static func milliseconds(in directory: String, rounds: Int = 25) throws -> Double {
        let path = "\(directory)/sync-probe-\(UUID().uuidString)"
        defer { unlink(path) }
        let file = open(path, O_CREAT | O_RDWR, 0o600)
        guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(file) }
        let page = [UInt8](repeating: 0, count: rounds * 512)
        pwrite(file, page, page.count, 0)
        try syncData(file)

        let record = [UInt8](repeating: 1, count: 512)
        var times: [UInt64] = []
        for round in 0..<rounds {
            let start = Clocks.wallNanoseconds
            pwrite(file, record, record.count, off_t(round * record.count))
            try syncData(file)
            times.append(Clocks.wallNanoseconds - start)
        }
        return Double(times.sorted()[rounds / 2]) / 1e6
    }

    /// The note beside a synced figure.
    public static func describe(_ directory: String) throws -> String {
        String(format: "fdatasync probe: %.3f ms", try milliseconds(in: directory))
    }

    private static func syncData(_ file: Int32) throws {
        #if canImport(Darwin)
            let result = fcntl(file, F_FULLFSYNC)
        #else
            let result = fdatasync(file)
        #endif
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}
