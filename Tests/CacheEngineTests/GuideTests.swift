// The code of Docs/guides/cache.md, compiled and run.

import Foundation
import StorageCore
import StorageTypes
import Testing

@testable import CacheEngine

@Suite("Cache guide")
struct GuideTests {
    @Test("the guide's code does what the guide says")
    func code() throws {
        let storage = try Storage.inMemory()
        let cache = CacheStore()
        let durable = try CacheStore(
            storage: storage, name: "sessions", options: CacheOptions(persistence: .writeThrough))

        try cache.set("token:42", "usr_8821", expiresIn: .seconds(1800))
        let user = try cache.string("token:42")
        let renewed = try cache.get("token:42", renewing: .after(.seconds(1800)))
        let first = try cache.set("lock:42", "me", expiresIn: .seconds(5), when: .ifAbsent)
        #expect(user == "usr_8821" && renewed == Array("usr_8821".utf8) && first)

        let viewers = try cache.increment("viewers:live_882")
        try cache.decrement("viewers:live_882")
        #expect(viewers == 1)

        try cache.setFields(["prod_001": "2", "prod_007": "1"], of: "cart:usr_8821")
        try cache.incrementField("prod_001", of: "cart:usr_8821", by: 1)
        try cache.expire("cart:usr_8821", after: .seconds(86_400))
        let cart = try cache.allFields(of: "cart:usr_8821").map { ($0.nameText, $0.valueText) }
        #expect(cart.map(\.0) == ["prod_001", "prod_007"] && cart.map(\.1) == ["3", "1"])

        try cache.pushBounded("Ada: is it waterproof?", to: "chat:live_882", limit: 100)
        let latest = try cache.elements(0, 19, of: "chat:live_882")
        try cache.addMembers(["usr_8821", "usr_1"], to: "present:live_882")
        let present = try cache.memberCount(of: "present:live_882")
        #expect(latest.count == 1 && present == 2)

        try storage.write { transaction in
            try durable.set("order:last", "o-1", in: transaction)
            try durable.delete("cart:usr_8821", in: transaction)
        }
        #expect(try durable.string("order:last") == "o-1")
    }

    @Test("the guide quotes this file's code")
    func quotation() throws {
        let here = URL(filePath: #filePath)
        let guide = here.deletingLastPathComponent().appending(path: "../../Docs/guides/cache.md").standardized
        let source = Self.lines(try String(contentsOf: here, encoding: .utf8))
        let blocks = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count >= 5)
        for block in blocks {
            let code = Self.lines(block.components(separatedBy: "```")[0])
            let isQuoted = source.indices.contains { source[$0...].starts(with: code) }
            #expect(isQuoted, "not in the tests: \(code.joined(separator: "\n"))")
        }
    }

    /// The lines that are not empty, without indentation.
    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
