// ModelOperators.swift — merge operators whose result shows a lost, doubled or misplaced operand.

import StorageCore

/// Appends operands to one another.
struct ModelAppend: MergeOperator {
    var name: String { "model.append" }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) {
        result += older.array()
        result += newer.array()
    }
}

/// A set of small numbers, each with an expiry of its own; of two entries for one number the newer wins.
///
/// Bytes: for each element, ascending, the element and its expiry in eight bytes (`Int64.max`: it stays).
struct ModelTimedSet: MergeOperator {
    var name: String { "model.timedSet" }

    static func decode(_ bytes: [UInt8]) throws -> [UInt8: Int64] {
        guard bytes.count % 9 == 0 else { throw StorageError.corruption("A timed set has \(bytes.count) bytes.") }
        var elements: [UInt8: Int64] = [:]
        for start in stride(from: 0, to: bytes.count, by: 9) {
            elements[bytes[start]] = bytes[start + 1..<start + 9].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        }
        return elements
    }

    static func encode(_ elements: [UInt8: Int64]) -> [UInt8] {
        elements.sorted { $0.key < $1.key }.flatMap { element, expiry in
            [element] + (0..<8).map { UInt8(truncatingIfNeeded: expiry >> (56 - 8 * $0)) }
        }
    }

    /// From when on nothing in the set lives; nil if something stays.
    static func bound(_ elements: [UInt8: Int64]) -> StorageInstant? {
        let latest = elements.values.max() ?? 0
        return latest == .max ? nil : StorageInstant(microseconds: latest)
    }

    static func merge(older: [UInt8], newer: [UInt8]) throws -> [UInt8] {
        encode(try decode(older).merging(try decode(newer)) { $1 })
    }

    /// What a reader at `now` makes of a value; nil if nothing lives.
    static func live(_ bytes: [UInt8], at now: StorageInstant) throws -> [UInt8]? {
        let elements = try decode(bytes).filter { $0.value > now.microseconds }
        return elements.isEmpty ? nil : encode(elements)
    }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
        result += try Self.merge(older: older.array(), newer: newer.array())
    }

    func droppableAfter(merged: RawSpan, older: StorageInstant?, newer: StorageInstant?) -> StorageInstant? {
        (try? Self.decode(merged.array())).flatMap(Self.bound)
    }

    func purge(key: RawSpan, value: RawSpan, now: StorageInstant) -> PurgeDecision {
        let before = value.array()
        guard let live = try? Self.live(before, at: now) else { return .drop }
        return live == before ? .keep : .replace(live)
    }
}
