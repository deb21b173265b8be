// InternetAddress.swift — the text forms of `inet`: dotted IPv4 and RFC 4291 IPv6. As in Java an IPv4-mapped IPv6 address,
// `::ffff:1.2.3.4`, is the IPv4 address.

enum InternetAddress {
    /// The four or sixteen bytes that an address's text stands for.
    static func bytes(_ text: String) -> [UInt8]? {
        guard text.contains(":") else { return version4(text) }
        return version6(text).map { isMapped($0) ? Array($0.suffix(4)) : $0 }
    }

    static func text(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16, !isMapped(bytes) else {
            return bytes.dropFirst(isMapped(bytes) ? 12 : 0).map(String.init).joined(separator: ".")
        }
        return (0..<8)
            .map { String(UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]), radix: 16) }
            .joined(separator: ":")
    }

    /// Ten bytes 00 and two FF before the four of version 4.
    private static func isMapped(_ bytes: [UInt8]) -> Bool {
        bytes.count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    private static func version4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func version6(_ text: String) -> [UInt8]? {
        guard let gap = doubleColon(in: text) else {
            guard let all = groups(text), all.count == 16 else { return nil }
            return all
        }
        guard let head = groups(gap.head), let tail = groups(gap.tail), head.count + tail.count <= 14 else {
            return nil
        }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func doubleColon(in text: String) -> (head: String, tail: String)? {
        let characters = Array(text)
        guard
            let index = characters.indices.dropLast().first(where: {
                characters[$0] == ":" && characters[$0 + 1] == ":"
            })
        else { return nil }
        return (String(characters[..<index]), String(characters[(index + 2)...]))
    }

    /// Colon-separated groups of up to four hexadecimal digits; the last may be a dotted IPv4 address.
    private static func groups(_ text: String) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains("."), let tail = version4(String(part)) {
                bytes += tail
                continue
            }
            guard (1...4).contains(part.count), let group = UInt16(part, radix: 16) else { return nil }
            bytes.appendBigEndian(group)
        }
        return bytes.count <= 16 ? bytes : nil
    }
}
