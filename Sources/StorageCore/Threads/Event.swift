// Event.swift — something that threads sleep for and that happens again and again.

internal import CStorage

/// Occurrences of one kind, counted. Who wants the next one takes the count first, looks whether it must wait, and sleeps
/// until the count is another: an occurrence in between is not missed.
@safe final class Event: @unchecked Sendable {  // the word is atomic
    private let event = unsafe cstorage_event_create()

    deinit { unsafe cstorage_event_destroy(event) }

    /// How often it has happened, so far and modulo 2³².
    var count: UInt32 { unsafe cstorage_event_load(event) }

    /// Sleeps until the count differs from `seen`; may return before.
    func wait(beyond seen: UInt32) { unsafe cstorage_event_wait(event, seen) }

    /// The same, for `nanoseconds` at most.
    func wait(beyond seen: UInt32, nanoseconds: UInt64) { unsafe cstorage_event_wait_for(event, seen, nanoseconds) }

    /// It happens: everyone who sleeps wakes.
    func happen() { unsafe cstorage_event_advance(event) }
}
