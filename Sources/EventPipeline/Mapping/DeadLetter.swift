// DeadLetter.swift — what is left of records that a mapping gave up: the document that Lambda sends to an on-failure
// destination. It names the records by their sequence numbers; the stream keeps them for 24 hours.

public import StorageTypes
public import TableEngine

/// A batch that was given up.
public struct DeadLetter: Sendable, Hashable {
    public let requestID: String
    /// Name of the mapping.
    public let functionName: String
    public let condition: DiscardCondition
    /// How often the batch was delivered.
    public let approximateInvokeCount: Int
    /// Whether the last attempt ended with an error rather than with an answer that named failed records.
    public let endedWithError: Bool
    public let timestamp: StorageInstant
    public let startSequenceNumber: StreamSequenceNumber
    public let endSequenceNumber: StreamSequenceNumber
    public let approximateArrivalOfFirstRecord: StorageInstant
    public let approximateArrivalOfLastRecord: StorageInstant
    public let batchSize: Int
    public let shardID: String
    public let streamARN: String

    init?(
        _ batch: PendingBatch, _ condition: DiscardCondition, mapping: EventSourceMapping, requestID: String,
        now: StorageInstant
    ) {
        guard let first = batch.records.first, let last = batch.records.last else { return nil }
        self.requestID = requestID
        functionName = mapping.name
        self.condition = condition
        approximateInvokeCount = batch.failedAttempts
        endedWithError = batch.failedWithError
        timestamp = now
        startSequenceNumber = first.sequenceNumber
        endSequenceNumber = last.sequenceNumber
        approximateArrivalOfFirstRecord = first.approximateCreationDateTime
        approximateArrivalOfLastRecord = last.approximateCreationDateTime
        batchSize = batch.records.count
        shardID = mapping.shardID
        streamARN = mapping.streamARN
    }

    /// The document as JSON, members in the order in which Lambda writes them.
    public var json: String {
        let error = endedWithError ? "\"Unhandled\"" : "null"
        return "{\"requestContext\":{\"requestId\":\(JSONText.quoted(requestID)),"
            + "\"functionArn\":\(JSONText.quoted(functionName)),\"condition\":\"\(condition.rawValue)\","
            + "\"approximateInvokeCount\":\(approximateInvokeCount)},"
            + "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\",\"functionError\":\(error)},"
            + "\"version\":\"1.0\",\"timestamp\":\"\(JSONText.timestamp(timestamp, milliseconds: true))\","
            + "\"DDBStreamBatchInfo\":{\"shardId\":\(JSONText.quoted(shardID)),"
            + "\"startSequenceNumber\":\"\(startSequenceNumber)\",\"endSequenceNumber\":\"\(endSequenceNumber)\","
            + "\"approximateArrivalOfFirstRecord\":\"\(JSONText.timestamp(approximateArrivalOfFirstRecord))\","
            + "\"approximateArrivalOfLastRecord\":\"\(JSONText.timestamp(approximateArrivalOfLastRecord))\","
            + "\"batchSize\":\(batchSize),\"streamArn\":\(JSONText.quoted(streamARN))}}"
    }
}
