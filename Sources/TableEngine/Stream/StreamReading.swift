// StreamReading.swift — what a consumer of a stream needs of it.

/// A source of stream records: what event source mappings are written against. ``TableStream`` is the one of a table.
public protocol StreamReading: Sendable {
    /// The records behind a position, oldest first; from the oldest one kept if the position is `nil`.
    ///
    /// Only durable records are given, so that no consumer acts on a change that a power cut may erase.
    /// - Throws: `TrimmedDataAccessException` if records behind the position were already trimmed.
    func records(after position: StreamSequenceNumber?, limit: Int) throws -> [StreamRecord]

    /// Suspends until there may be a durable record behind the position; returns at once if there is one.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    func waitForRecords(after position: StreamSequenceNumber?) async throws
}
