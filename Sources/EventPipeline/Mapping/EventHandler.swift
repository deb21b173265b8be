// EventHandler.swift — what a mapping calls with the records it reads.

public import TableEngine

/// Records handed to an external handler, oldest first.
public struct EventBatch: Sendable {
    public let mappingName: String
    public let records: [StreamRecord]
    /// 1 for the first time, one more for each repetition of exactly these records.
    public let attempt: Int
}

/// What an external handler answers: which records it could not process (`ReportBatchItemFailures`).
public struct BatchResponse: Sendable, Hashable {
    /// Sequence numbers of the failed records, as text. The lowest one counts: everything before it is done, it and
    /// everything after it is delivered again. A missing, empty or unknown one fails the whole batch.
    public var batchItemFailures: [String?]

    public init(batchItemFailures: [String?] = []) {
        self.batchItemFailures = batchItemFailures
    }

    public static let success = BatchResponse()

    /// Fails from a record on.
    public static func failure(from record: StreamRecord) -> BatchResponse {
        BatchResponse(batchItemFailures: [record.sequenceNumber.description])
    }
}

/// How a mapping acts on records.
public enum EventHandler: Sendable {
    /// An effect outside the storage, at least once: after a crash between effect and checkpoint it happens again. An error
    /// fails the whole batch.
    case external(@Sendable (EventBatch) async throws -> BatchResponse)

    /// An effect inside the storage, exactly once: what the handler writes through the transaction commits together with the
    /// checkpoint, or neither does. It is called record by record; all records of a batch share one transaction. If it
    /// throws, the records before go on in a transaction of their own, and the failed record is tried again alone.
    case transactional(@Sendable (StreamRecord, WriteTransaction) throws -> Void)
}

/// How a batch ended.
enum BatchOutcome: Sendable, Hashable {
    case success
    /// The whole batch failed: the handler threw, or its answer doesn't name records of the batch.
    case failure(withError: Bool)
    /// The records before this one are done.
    case failureFrom(Int)
}

extension BatchResponse {
    func outcome(for records: [StreamRecord]) -> BatchOutcome {
        guard !batchItemFailures.isEmpty else { return .success }
        let positions = Dictionary(
            records.enumerated().map { ($1.sequenceNumber.description, $0) }, uniquingKeysWith: { first, _ in first })
        var lowest = records.count
        for identifier in batchItemFailures {
            guard let identifier, let position = positions[identifier] else { return .failure(withError: false) }
            lowest = min(lowest, position)
        }
        return .failureFrom(lowest)
    }
}
