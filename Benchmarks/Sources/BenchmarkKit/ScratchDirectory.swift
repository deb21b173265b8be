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

    /// Bytes that its files take on the disk: blocks, so that holes don't count and preallocated space does.
    public var byteCount: Int {
        let files = FileManager.default.enumerator(atPath: path)
        var total = 0
        while let name = files?.nextObject() as? String {
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            total += Int(status.st_blocks) * 512
        }
        return total
    }

    /// A copy of the whole directory beside it.
    public func copy(named name: String) throws -> ScratchDirectory {
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let copy = try ScratchDirectory(in: parent, named: name)
        for file in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.copyItem(atPath: "\(path)/\(file)", toPath: "\(copy.path)/\(file)")
        }
        return copy
    }
}
