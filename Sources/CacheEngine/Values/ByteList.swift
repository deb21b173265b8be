// ByteList.swift — a list value: a ring of byte strings with cheap ends and direct access by position.

struct ByteList: Sendable {
    /// A ring whose size is a power of two; vacant places hold empty arrays, which own no memory.
    private var ring: [[UInt8]] = []
    private var head = 0
    private(set) var count = 0
    /// Estimated memory, bookkeeping included.
    private(set) var byteCount = 0

    private static let elementOverhead = 40

    var isEmpty: Bool { count == 0 }

    subscript(position: Int) -> [UInt8] {
        get { ring[place(position)] }
        set {
            byteCount += newValue.count - ring[place(position)].count
            ring[place(position)] = newValue
        }
    }

    mutating func prepend(_ element: [UInt8]) {
        reserveOne()
        head = (head - 1) & (ring.count - 1)
        ring[head] = element
        added(element)
    }

    mutating func append(_ element: [UInt8]) {
        reserveOne()
        ring[place(count)] = element
        added(element)
    }

    mutating func popFirst() -> [UInt8]? {
        guard count > 0 else { return nil }
        let element = vacate(head)
        head = (head + 1) & (ring.count - 1)
        return element
    }

    mutating func popLast() -> [UInt8]? {
        guard count > 0 else { return nil }
        return vacate(place(count - 1))
    }

    /// The elements of a range of valid positions.
    func elements(in range: Range<Int>) -> [[UInt8]] {
        range.map { self[$0] }
    }

    /// Keeps a range of valid positions and drops the rest.
    mutating func trim(to range: Range<Int>) {
        for _ in 0..<(count - range.upperBound) { _ = popLast() }
        for _ in 0..<range.lowerBound { _ = popFirst() }
    }

    private func place(_ position: Int) -> Int {
        (head + position) & (ring.count - 1)
    }

    private mutating func added(_ element: [UInt8]) {
        count += 1
        byteCount += element.count + Self.elementOverhead
    }

    private mutating func vacate(_ place: Int) -> [UInt8] {
        var element: [UInt8] = []
        swap(&element, &ring[place])
        count -= 1
        byteCount -= element.count + Self.elementOverhead
        return element
    }

    private mutating func reserveOne() {
        guard count == ring.count else { return }
        var larger = elements(in: 0..<count)
        larger.append(contentsOf: repeatElement([], count: max(4, ring.count * 2) - count))
        ring = larger
        head = 0
    }
}
