// Where a line keeps its files, on the disk that is measured; removed with the last reference.

import Foundation

public final class ScratchDirectory: Sendable {
    public let path: String

    /// A new, empty directory below `parent`.
    public init(in parent: String, named name: String) throws {
        path = "\(parent)/shopstream-bench-\(ProcessInfo.processInfo.processIdentifier)-\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Bytes of the files in it.
    public var byteCount: Int {
        let files = FileManager.default.enumerator(atPath: path)
        var total = 0
        while files?.nextObject() != nil {
            total += (files?.fileAttributes?[.size] as? Int) ?? 0
        }
        return total
    }
}
