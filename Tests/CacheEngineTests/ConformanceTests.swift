// The command and reply cases of resp-compatibility (MIT), for the commands this cache has.
//
// Looked for in SHOPSTREAM_CONFORMANCE or ../shared/conformance; skipped where absent.

import Foundation
import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Redis conformance")
struct ConformanceTests {
    static let casesFile: URL? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        let environment = ProcessInfo.processInfo.environment["SHOPSTREAM_CONFORMANCE"].map { URL(filePath: $0) }
        let folder = environment ?? root.appending(path: "../shared/conformance").standardized
        let file = folder.appending(path: "redis/cts.json")
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }()

    @Test("every case of a supported command answers as Redis does", .enabled(if: casesFile != nil))
    func cases() throws {
        let data = try Data(contentsOf: #require(Self.casesFile))
        let cases = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        var passed = 0
        for testCase in cases where testCase["tags"] as? String != "cluster" && testCase["skipped"] == nil {
            let lines = try #require(testCase["command"] as? [String])
            let commands = lines.map { line in line.split(separator: " ").map(String.init) }
            guard testCase["command_binary"] == nil,
                commands.allSatisfy({ RedisCommandRunner.supports($0) })
            else { continue }
            let expected = try #require(testCase["result"] as? [Any])
            let runner = RedisCommandRunner()
            let isUnordered = testCase["sort_result"] as? Bool == true
            for (command, reply) in zip(commands, expected) {
                let answer = normalized(runner.run(command), sorted: isUnordered)
                let wanted = normalized(RedisReply(json: reply), sorted: isUnordered)
                #expect(answer == wanted, "\(testCase["name"] ?? ""): \(command)")
            }
            passed += 1
        }
        print("\(passed) of \(cases.count) cases apply")
        #expect(passed >= 60)
    }

    private func normalized(_ reply: RedisReply, sorted: Bool) -> RedisReply {
        guard sorted, case .array(let replies) = reply else { return reply }
        return .array(replies.sorted { "\($0)" < "\($1)" })
    }
}

enum RedisReply: Equatable {
    case null
    case integer(Int64)
    case text(String)
    case array([RedisReply])

    init(json: Any) {
        switch json {
        case let number as NSNumber: self = .integer(number.int64Value)
        case let text as String: self = .text(text)
        case let array as [Any]: self = .array(array.map { RedisReply(json: $0) })
        default: self = .null
        }
    }

    init(_ bytes: [UInt8]?) {
        self = bytes.map { .text(String(decoding: $0, as: UTF8.self)) } ?? .null
    }

    init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }
    init(_ count: Int) { self = .integer(Int64(count)) }
    init(_ list: [[UInt8]]) { self = .array(list.map { RedisReply($0) }) }
}
