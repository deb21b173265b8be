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

    var envelope: Envelope
    var compression: BodyCompression
    /// What it holds of the server's bounds, until it is answered.
    var charge: RequestBudget.Charge?
    /// How the answer is encoded.
    var encoder: EnvelopeEncoder
    var largestBodyByteCount: Int
    /// Version 5: what puts the answer into frames.
    var frameEncoder: FrameEncoder?

    /// The answer. Blocks while it reads the request, the engine works, and it compresses and computes checksums: never call
    /// it on an event loop.
    func answer(by executor: RequestExecutor) -> Answer {
        let envelope = answerEnvelope(by: executor)
        // Small ones share frames, so that is left to whoever sends them.
        guard let frameEncoder, envelope.count > Answer.largestShared else { return Answer(bytes: envelope) }
        return Answer(bytes: frameEncoder.frames([envelope]), isFramed: true)
    }

    private func answerEnvelope(by executor: RequestExecutor) -> [UInt8] {
        let stream = envelope.header.stream
        let response = response(by: executor)
        let answer = encoder.envelope(response, stream: stream)
        let byteCount = answer.count - EnvelopeHeader.byteCount
        guard byteCount > largestBodyByteCount else { return answer }
        var refusal = Response(CQLError.responseTooBig(byteCount: byteCount, maximum: largestBodyByteCount))
        refusal.tracingID = response.tracingID
        return encoder.envelope(refusal, stream: stream)
    }

    private func response(by executor: RequestExecutor) -> Response {
        do {
            let request = try Request(envelope, compression: compression)
            return executor.respond(
                to: RequestExecutor.Call(
                    request: request, isTracing: envelope.header.flags.contains(.tracing),
                    maximumResultByteCount: largestBodyByteCount))
        } catch { return Response(error) }
    }
}
