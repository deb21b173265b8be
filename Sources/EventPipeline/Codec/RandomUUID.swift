// RandomUUID.swift — random identifiers in the form of a UUID (RFC 9562, version 4).

enum RandomUUID {
    static func text(_ high: UInt64, _ low: UInt64) -> String {
        let versioned = high & ~0xF000 | 0x4000
        let varianted = low & ~(0b11 << 62) | 0b10 << 62
        var rest = (hex(versioned) + hex(varianted))[...]
        let parts = [8, 4, 4, 4, 12].map { count in
            defer { rest = rest.dropFirst(count) }
            return String(rest.prefix(count))
        }
        return parts.joined(separator: "-")
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
