// EmbeddedLiveService.swift — live state: sets, lists and strings of the cache; every change is an event too.

internal import CacheEngine
internal import DocumentEngine
internal import WideColumnEngine

struct EmbeddedLiveService: LiveService {
    static let keptChatMessages = 100

    let cache: CacheStore
    let events: any EventService
    let clock: any StorageClock
    let timeToLive: Duration

    // MARK: Viewers

    func join(_ streamID: String, _ userID: String) async throws -> Int {
        let isNew = try cache.addMembers([userID], to: viewers(streamID)) > 0
        _ = try cache.expire(viewers(streamID), after: timeToLive)
        if isNew { try await record(.join, streamID, userID, "{}") }
        return try cache.memberCount(of: viewers(streamID))
    }

    func leave(_ streamID: String, _ userID: String) async throws -> Int {
        let wasThere = try cache.removeMembers([userID], from: viewers(streamID)) > 0
        if wasThere { try await record(.leave, streamID, userID, "{}") }
        return try cache.memberCount(of: viewers(streamID))
    }

    func viewerCount(of streamID: String) async throws -> Int {
        try cache.memberCount(of: viewers(streamID))
    }

    // MARK: Chat

    func say(_ text: String, by userID: String, in streamID: String) async throws {
        let line = "\(clock.now.milliseconds) \(userID.utf8.count) \(userID)\(text)"
        try cache.pushBounded(line, to: chat(streamID), limit: Self.keptChatMessages)
        _ = try cache.expire(chat(streamID), after: timeToLive)
        let payload: Document = ["text": .string(text)]
        try await record(.chat, streamID, userID, ExtendedJSON.relaxed(payload))
    }

    func recentChat(of streamID: String, limit: Int) async throws -> [ChatMessage] {
        guard limit > 0 else { return [] }
        return try cache.elements(0, limit - 1, of: chat(streamID)).reversed().compactMap(Self.message)
    }

    /// `milliseconds`, the user id's byte count, a space, the user id, the text.
    private static func message(_ line: [UInt8]) -> ChatMessage? {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let milliseconds = Int64(String(decoding: fields[0], as: UTF8.self)),
            let count = Int(String(decoding: fields[1], as: UTF8.self)), count >= 0, fields[2].count >= count
        else { return nil }
        return ChatMessage(
            userID: String(decoding: fields[2].prefix(count), as: UTF8.self),
            text: String(decoding: fields[2].dropFirst(count), as: UTF8.self),
            sentAt: StorageInstant(milliseconds: milliseconds))
    }

    // MARK: Showcase

    func showcase(_ productID: String?, in streamID: String) async throws {
        guard let productID else {
            _ = try cache.delete(product(streamID))
            return
        }
        try cache.set(product(streamID), productID, expiresIn: timeToLive)
    }

    func showcasedProduct(in streamID: String) async throws -> String? {
        try cache.string(product(streamID))
    }

    // MARK: Helpers

    private func record(_ type: EventType, _ streamID: String, _ userID: String, _ payload: String) async throws {
        try await events.record(
            SessionEvent(
                sessionID: streamID, occurredAt: clock.now, userID: userID, type: type, payload: payload))
    }

    private func viewers(_ streamID: String) -> String { "viewers:" + streamID }
    private func chat(_ streamID: String) -> String { "chat:" + streamID }
    private func product(_ streamID: String) -> String { "showcase:" + streamID }
}
