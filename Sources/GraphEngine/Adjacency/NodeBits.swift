// NodeBits.swift — a set of nodes as bits, cheap to copy: a change after a copy duplicates one page.

struct NodeBits: Sendable {
    private static let wordCount = 512
    private static let nodeCount = wordCount * 64

    private var pages: [[UInt64]] = []
    private(set) var count = 0

    @inline(__always)
    func contains(_ node: UInt32) -> Bool {
        let page = Int(node) / Self.nodeCount
        guard page < pages.count else { return false }
        let word = Int(node) % Self.nodeCount / 64
        guard word < pages[page].count else { return false }
        return pages[page][word] >> UInt64(node % 64) & 1 == 1
    }

    mutating func set(_ node: UInt32, _ isMember: Bool) {
        guard contains(node) != isMember else { return }
        let page = Int(node) / Self.nodeCount
        let word = Int(node) % Self.nodeCount / 64
        while pages.count <= page { pages.append([]) }
        if pages[page].isEmpty { pages[page] = [UInt64](repeating: 0, count: Self.wordCount) }
        pages[page][word] ^= 1 << UInt64(node % 64)
        count += isMember ? 1 : -1
    }
}
