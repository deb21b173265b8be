// WireWriter.swift — the native protocol's notations, into the bytes of a message's body (v4 specification, §3).

/// Appends to a message's body.
struct WireWriter {
    var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func short(_ value: UInt16) { bigEndian(value) }
    mutating func int(_ value: Int32) { bigEndian(value) }
    mutating func long(_ value: Int64) { bigEndian(value) }

    /// A number of things as an [int]; the limits of messages keep it far below 2^31.
    mutating func count(_ value: Int) { int(Int32(clamping: value)) }

    private mutating func bigEndian(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }

    /// A [string]: what does not fit into 65,535 bytes is cut, at a character's end. Only messages to people are that long.
    mutating func string(_ text: String) {
        let utf8 = Array(text.utf8)
        var end = min(utf8.count, Int(UInt16.max))
        while end < utf8.count, end > 0, utf8[end] & 0xC0 == 0x80 { end -= 1 }
        short(UInt16(end))
        bytes.append(contentsOf: utf8[..<end])
    }

    mutating func longString(_ text: String) {
        let utf8 = Array(text.utf8)
        count(utf8.count)
        bytes.append(contentsOf: utf8)
    }

    /// At most 65,535 bytes.
    mutating func shortBytes(_ value: [UInt8]) {
        assert(value.count <= Int(UInt16.max))
        short(UInt16(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    mutating func optionalBytes(_ value: [UInt8]?) {
        guard let value else { return int(-1) }
        count(value.count)
        bytes.append(contentsOf: value)
    }

    mutating func stringList(_ list: [String]) {
        short(UInt16(clamping: list.count))
        for text in list.prefix(Int(UInt16.max)) { string(text) }
    }

    mutating func stringMultimap(_ map: [(key: String, values: [String])]) {
        short(UInt16(clamping: map.count))
        for (key, values) in map {
            string(key)
            stringList(values)
        }
    }
}
