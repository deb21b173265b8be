// SimulatedContent+Survivors.swift — what a power cut leaves of a file.

internal import StorageTypes

extension SimulatedContent {
    /// The changes up to an operation survive; that operation itself is torn at a sector boundary.
    func survivorsOfPrefix(
        before order: Int, inFlight: Change?, using random: inout SeededRandom
    ) -> [UInt8] {
        var content = durable
        for change in changes + [inFlight].compactMap(\.self) where change.order <= order {
            if change.order < order {
                change.action.apply(to: &content)
            } else {
                let sectorCount = change.action.sectors(fileByteCount: content.count).count
                change.action.torn(afterSectors: Int.random(in: 0...sectorCount, using: &random))?.apply(to: &content)
            }
        }
        return content
    }

    /// Every sector, and the length, is left at some moment since the last sync, independently of all others: the newest
    /// one with the given probability, any earlier one otherwise.
    func survivorsReordered(
        inFlight: Change?, newestProbability: Double, using random: inout SeededRandom
    ) -> [UInt8] {
        let changes = changes + [inFlight].compactMap(\.self)
        guard !changes.isEmpty else { return durable }
        let history = SectorHistory(durable: durable, changes: changes)
        func moment(of count: Int) -> Int {
            if count == 0 || Double.random(in: 0..<1, using: &random) < newestProbability { return count }
            return Int.random(in: 0..<count, using: &random)
        }
        let byteCount = history.byteCounts[moment(of: history.byteCounts.count - 1)]
        var content = durable
        for sector in history.touching.keys.sorted() {
            let touching = history.touching[sector, default: []]
            for index in touching.prefix(moment(of: touching.count)) {
                changes[index].action.apply(to: &content, inSector: sector)
            }
        }
        Change.Action.truncate(byteCount: byteCount).apply(to: &content)
        return content
    }

    /// Which changes touched which sector, and the lengths the file had.
    private struct SectorHistory {
        /// Indices of changes by sector, in order.
        var touching: [Int: [Int]] = [:]
        /// The durable length, then each later one.
        var byteCounts: [Int]

        init(durable: [UInt8], changes: [Change]) {
            byteCounts = [durable.count]
            var byteCount = durable.count
            var largest = durable.count
            for (index, change) in changes.enumerated() {
                for sector in change.action.sectors(fileByteCount: largest) {
                    touching[sector, default: []].append(index)
                }
                switch change.action {
                case .truncate(let newCount): byteCount = newCount
                case .write(let offset, let bytes):
                    byteCount = bytes.isEmpty ? byteCount : max(byteCount, offset + bytes.count)
                }
                largest = max(largest, byteCount)
                if byteCount != byteCounts.last { byteCounts.append(byteCount) }
            }
        }
    }
}

extension SimulatedContent.Change.Action {
    /// What the action does to one sector; the content grows as needed.
    fileprivate func apply(to content: inout [UInt8], inSector sector: Int) {
        let range = SimulatedContent.range(of: sector)
        if content.count < range.upperBound {
            Self.truncate(byteCount: range.upperBound).apply(to: &content)
        }
        switch self {
        case .truncate(let byteCount):
            for index in range where index >= byteCount { content[index] = 0 }
        case .write(let offset, let bytes):
            let part = range.clamped(to: offset..<offset + bytes.count)
            content.replaceSubrange(part, with: bytes[part.lowerBound - offset..<part.upperBound - offset])
        }
    }
}
