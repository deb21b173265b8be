// RequestWork.swift — one request on its way to the engine, and back as the bytes of an answer.

internal import WideColumnEngine

/// A request that a connection handed out.
struct RequestWork: Sendable {
    var request: Request
    var stream: Int16
    var isTracing: Bool
    /// What it counts against the server's bound.
    var byteCount: Int
    /// How the answer is encoded.
    var encoder: EnvelopeEncoder
    var largestBodyByteCount: Int

    /// The answer's envelope. Blocks while the engine works, and compresses: never call it on an event loop.
    func envelope(by executor: RequestExecutor) -> [UInt8] {
        let envelope = encoder.envelope(executor.respond(to: self), stream: stream)
        guard envelope.count - EnvelopeHeader.byteCount > largestBodyByteCount else { return envelope }
        let message =
            "Response is too big: length \(envelope.count) exceeds maximum allowed length "
            + "\(largestBodyByteCount). Use paging or LIMIT."
        return encoder.envelope(Response(CQLError(.invalidRequest, message)), stream: stream)
    }
}
