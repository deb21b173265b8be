// Responses recorded on AWS: looked for in SHOPSTREAM_CONFORMANCE or ../shared/conformance.

import Foundation

enum ConformanceData {
    static func file(_ path: String) -> URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        let environment = ProcessInfo.processInfo.environment["SHOPSTREAM_CONFORMANCE"].map { URL(filePath: $0) }
        let folder = environment ?? root.appending(path: "../shared/conformance").standardized
        let file = folder.appending(path: path)
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    /// The first object anywhere below that has a member of this name.
    static func firstObject(in value: any Sendable, having name: String) -> [String: any Sendable]? {
        if let object = value as? [String: any Sendable] {
            if object[name] != nil { return object }
            for key in object.keys.sorted() {
                if let member = object[key], let found = firstObject(in: member, having: name) { return found }
            }
        }
        if let list = value as? [any Sendable] {
            for element in list {
                if let found = firstObject(in: element, having: name) { return found }
            }
        }
        return nil
    }

    /// The names of all members, nested ones with their path.
    static func paths(_ object: [String: any Sendable], prefix: String = "") -> Set<String> {
        var result: Set<String> = []
        for (name, value) in object {
            result.insert(prefix + name)
            if let nested = value as? [String: any Sendable] {
                result.formUnion(paths(nested, prefix: prefix + name + "."))
            }
        }
        return result
    }
}
