// EventService.swift — what happens in live sessions: append-only, by time, gone after ninety days.

public import WideColumnEngine

public enum EventType: String, Sendable, Hashable, CaseIterable {
    case join
    case leave
    case chat
    case productView = "product_view"
    case purchase
}

public struct SessionEvent: Sendable, Hashable {
    public var sessionID: String
    /// Kept in milliseconds.
    public var occurredAt: StorageInstant
    public var eventID: CQLUUID
    public var userID: String
    public var type: EventType
    /// JSON, flexible per type.
    public var payload: String

    public init(
        sessionID: String, occurredAt: StorageInstant, eventID: CQLUUID = .random(), userID: String, type: EventType,
        payload: String
    ) {
        self.sessionID = sessionID
        self.occurredAt = occurredAt
        self.eventID = eventID
        self.userID = userID
        self.type = type
        self.payload = payload
    }
}

/// Events of live sessions, read by session or by user, each a single-partition read.
public protocol EventService: Sendable {
    /// Adds an event to its session and to its user's view, in one commit.
    func record(_ event: SessionEvent) async throws
    /// Events of a session after an instant, oldest first.
    func events(ofSession sessionID: String, after instant: StorageInstant, limit: Int) async throws -> [SessionEvent]
    /// Events of a user after an instant, newest first.
    func events(ofUser userID: String, after instant: StorageInstant, limit: Int) async throws -> [SessionEvent]
}
