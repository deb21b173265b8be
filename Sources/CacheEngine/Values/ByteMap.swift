// ByteMap.swift — a hash's fields, or a set's members: insertion order while small, indexed when large.

/// A map from bytes to bytes. Up to 32 entries are searched one by one, as Redis does in a listpack; above that a
/// dictionary finds them. Removal from a large map moves the last entry into the gap.
struct ByteMap: Sendable, Equatable {
    private(set) var keys: [[UInt8]] = []
    private(set) var values: [[UInt8]] = []
    private var positions: [[UInt8]: Int]?
    /// Estimated memory, bookkeeping included.
    private(set) var byteCount = 0

    private static let indexThreshold = 32
    /// Two array headers and their references; a dictionary entry is counted in as well.
    private static let entryOverhead = 96

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }

    subscript(key: RawSpan) -> [UInt8]? {
        position(of: key).map { values[$0] }
    }

    func contains(_ key: RawSpan) -> Bool {
        position(of: key) != nil
    }

    /// Returns whether the key is new.
    @discardableResult
    mutating func set(_ key: RawSpan, _ value: [UInt8]) -> Bool {
        if let position = position(of: key) {
            byteCount += value.count - values[position].count
            values[position] = value
            return false
        }
        append(key.array(), value)
        return true
    }

    /// Returns whether the key was there.
    mutating func remove(_ key: RawSpan) -> Bool {
        guard let position = position(of: key) else { return false }
        byteCount -= keys[position].count + values[position].count + Self.entryOverhead
        if positions == nil {
            keys.remove(at: position)
            values.remove(at: position)
        } else {
            positions?[keys[position]] = nil
            fillGap(at: position)
        }
        return true
    }

    private mutating func append(_ key: [UInt8], _ value: [UInt8]) {
        keys.append(key)
        values.append(value)
        byteCount += key.count + value.count + Self.entryOverhead
        if positions != nil {
            positions?[key] = keys.count - 1
        } else if keys.count > Self.indexThreshold {
            positions = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
        }
    }

    private mutating func fillGap(at position: Int) {
        let lastKey = keys.removeLast()
        let lastValue = values.removeLast()
        guard position < keys.count else { return }
        keys[position] = lastKey
        values[position] = lastValue
        positions?[lastKey] = position
    }

    private func position(of key: RawSpan) -> Int? {
        if let positions { return positions[key.array()] }
        return keys.firstIndex { candidate in candidate.rawSpan.equals(key) }
    }

    static func == (left: ByteMap, right: ByteMap) -> Bool {
        left.keys == right.keys && left.values == right.values
    }
}
