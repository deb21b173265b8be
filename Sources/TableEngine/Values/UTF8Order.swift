// UTF8Order.swift — strings as DynamoDB sees them: sequences of UTF-8 bytes.
//
// Swift compares strings by canonical equivalence ("é" composed equals "é" decomposed); the service compares bytes.
// Every comparison of names and S values in this module goes through here.

internal import StorageTypes

extension String {
    /// The order of the UTF-8 bytes, as `memcmp` has it: negative, zero or positive.
    func compareUTF8(_ other: String) -> Int {
        let order = unsafe utf8.withContiguousStorageIfAvailable { left in
            unsafe other.utf8.withContiguousStorageIfAvailable { right in
                unsafe RawSpan(_unsafeElements: left).compare(RawSpan(_unsafeElements: right))
            }
        }
        if case .some(.some(let order)) = order { return order }
        return Array(utf8).rawSpan.compare(Array(other.utf8).rawSpan)
    }

    /// Whether both are the same bytes.
    func equalsUTF8(_ other: String) -> Bool {
        utf8.count == other.utf8.count && compareUTF8(other) == 0
    }

    func startsUTF8(with prefix: String) -> Bool {
        utf8.count >= prefix.utf8.count && utf8.starts(with: prefix.utf8)
    }

    func containsUTF8(_ part: String) -> Bool {
        Array(utf8).containsRun(Array(part.utf8))
    }
}

extension Array where Element == UInt8 {
    /// Whether `run` occurs somewhere in the bytes; the empty run occurs everywhere.
    func containsRun(_ run: [UInt8]) -> Bool {
        guard !run.isEmpty else { return true }
        guard run.count <= count else { return false }
        return (0...(count - run.count)).contains { self[$0..<($0 + run.count)].elementsEqual(run) }
    }
}
