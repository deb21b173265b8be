// RequestWork.swift — one request on its way to the engine, and back as the bytes of an answer.

internal import WideColumnEngine

/// Bytes on their way to a client.
struct Answer: Hashable, Sendable {
    /// An envelope, or the frames that hold it.
    var bytes: [UInt8]
    /// Whether the bytes go out as they are.
    var isFramed = false

    /// In bytes. Larger envelopes have frames of their own.
    static let largestShared = 16 * 1024
}

/// A request that a connection handed out.
struct RequestWork: Sendable {
    /// What a request is taken to need beside its bytes.
    static let overheadByteCount = 512

    var request: Request
    var stream: Int16
    var isTracing: Bool
    /// What it holds of the server's bounds, until it is answered.
    var charge: RequestBudget.Charge?
    /// How the answer is encoded.
    var encoder: EnvelopeEncoder
    var largestBodyByteCount: Int
    /// Version 5: what puts the answer into frames.
    var frameEncoder: FrameEncoder?

    /// The answer. Blocks while the engine works, compresses and computes checksums: never call it on an event loop.
    func answer(by executor: RequestExecutor) -> Answer {
        let envelope = envelope(by: executor)
        // Small ones share frames, so that is left to whoever sends them.
        guard let frameEncoder, envelope.count > Answer.largestShared else { return Answer(bytes: envelope) }
        return Answer(bytes: frameEncoder.frames([envelope]), isFramed: true)
    }

    private func envelope(by executor: RequestExecutor) -> [UInt8] {
        let envelope = encoder.envelope(executor.respond(to: self), stream: stream)
        guard envelope.count - EnvelopeHeader.byteCount > largestBodyByteCount else { return envelope }
        let message =
            "Response is too big: length \(envelope.count) exceeds maximum allowed length "
            + "\(largestBodyByteCount). Use paging or LIMIT."
        return encoder.envelope(Response(CQLError(.invalidRequest, message)), stream: stream)
    }
}
