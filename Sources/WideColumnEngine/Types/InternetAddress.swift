// InternetAddress.swift — the text forms of `inet`: dotted IPv4 and RFC 4291 IPv6.

enum InternetAddress {
    /// The four or sixteen bytes that an address's text stands for.
    static func bytes(_ text: String) -> [UInt8]? {
        text.contains(":") ? version6(text) : version4(text)
    }

    static func text(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return (0..<8)
            .map { String(UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]), radix: 16) }
            .joined(separator: ":")
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
