// LiveService.swift — what a running stream shows: who watches, what is said, what is for sale.

public struct ChatMessage: Sendable, Hashable {
    public let userID: String
    public let text: String
    public let sentAt: StorageInstant

    public init(userID: String, text: String, sentAt: StorageInstant) {
        self.userID = userID
        self.text = text
        self.sentAt = sentAt
    }
}

/// Real-time state of the streams, backed by the events and the cache: events keep the history, the cache what is shown
/// now.
public protocol LiveService: Sendable {
    /// A viewer enters; the count of the stream's viewers rises unless the viewer was there already.
    @discardableResult
    func join(_ streamID: String, _ userID: String) async throws -> Int
    /// A viewer leaves.
    @discardableResult
    func leave(_ streamID: String, _ userID: String) async throws -> Int
    func viewerCount(of streamID: String) async throws -> Int

    func say(_ text: String, by userID: String, in streamID: String) async throws
    /// The newest messages, oldest first.
    func recentChat(of streamID: String, limit: Int) async throws -> [ChatMessage]

    /// Shows a product to the viewers of a stream.
    func showcase(_ productID: String?, in streamID: String) async throws
    /// What is shown now.
    func showcasedProduct(in streamID: String) async throws -> String?
}
