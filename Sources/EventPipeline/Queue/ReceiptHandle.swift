// ReceiptHandle.swift — what a consumer holds of a message in flight: its sequence number and the nonce of this receive.

struct ReceiptHandle: Sendable, Hashable, CustomStringConvertible {
    var sequence: UInt64
    var nonce: UInt64

    var description: String {
        Self.hex(sequence) + Self.hex(nonce)
    }

    init(sequence: UInt64, nonce: UInt64) {
        self.sequence = sequence
        self.nonce = nonce
    }

    init(_ text: String) throws(QueueError) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let sequence = UInt64(text.prefix(16), radix: 16), let nonce = UInt64(text.suffix(16), radix: 16)
        else { throw .malformedHandle(text) }
        self.init(sequence: sequence, nonce: nonce)
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
