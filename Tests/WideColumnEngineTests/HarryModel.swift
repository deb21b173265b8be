// HarryModel.swift — the simplest store that could be right: it keeps every change, and each read goes through all of
// them by the rules of Cassandra's documentation (db/rows/Cells.java, db/LivenessInfo.java, dml.adoc). It shares no code
// with the engine.

@testable import WideColumnEngine

struct HarryColumn {
    enum Kind { case partition, clustering, `static`, regular }
    enum Shape {
        case scalar
        /// Elements by key.
        case map(HarryType)
        case set
        /// Elements by the order in which they were added: those put in front count down from -1.
        case list
        /// Fields `a int, b text` of the type `u`, not frozen.
        case user
    }

    var name: String
    var kind: Kind
    /// Of a map its values, of a set its elements.
    var type: HarryType
    var shape = Shape.scalar
    var isDescending = false
    /// Its cells count for nothing any more, at no time.
    var isDropped = false

    var definition: String { "\(name) \(typeName)\(kind == .static ? " STATIC" : "")" }

    var isScalar: Bool { if case .scalar = shape { true } else { false } }

    var typeName: String {
        switch shape {
        case .scalar: type.name
        case .map(let key): "map<\(key.name), \(type.name)>"
        case .set: "set<\(type.name)>"
        case .list: "list<\(type.name)>"
        case .user: "u"
        }
    }

    /// The bytes of a cell's value.
    func bytes(path: Int?, _ value: Int) -> [UInt8] {
        switch shape {
        case .set: []
        case .user: (path == 0 ? HarryType.int : .text).values[value].bytes
        default: type.values[value].bytes
        }
    }
}

/// A row by the indices of its key's values; without a clustering key the partition's static row.
struct HarryRow: Hashable {
    var partition: [Int]
    var clustering: [Int]?
}

/// What one write says of one place.
struct HarryVersion {
    var timestamp: Int64
    /// The index of the value; nil deletes.
    var value: Int?
    var timeToLive: Int64 = 0
    /// When it expires; of a deletion when it was made.
    var seconds: Int64 = .max

    func isLive(_ now: Int64) -> Bool { value != nil && now < seconds }

    /// "(1) higher ts wins; (2) expiring-or-tombstone beats plain live; (3) tombstone beats expiring; (4) both expiring /
    /// both tombstone: higher localDeletionTime wins; (5) larger value bytes win."
    func wins(over other: HarryVersion, _ bytes: (Int) -> [UInt8]) -> Bool {
        if timestamp != other.timestamp { return timestamp > other.timestamp }
        let isSpecial = value == nil || timeToLive > 0
        let otherIsSpecial = other.value == nil || other.timeToLive > 0
        if isSpecial != otherIsSpecial { return isSpecial }
        if (value == nil) != (other.value == nil) { return value == nil }
        if isSpecial, seconds != other.seconds { return seconds > other.seconds }
        guard let value, let otherValue = other.value else { return true }
        return otherValue == value
            ? timeToLive < other.timeToLive
            : bytes(otherValue).lexicographicallyPrecedes(bytes(value))
    }
}

struct HarryChange {
    enum Effect {
        case cell(HarryRow, column: Int, path: Int?, HarryVersion)
        /// The row marker of INSERT; its value means nothing.
        case marker(HarryRow, HarryVersion)
        case deleteElements(HarryRow, column: Int, timestamp: Int64)
        case deleteRows(partition: [Int], timestamp: Int64, where: ([Int]) -> Bool)
        case deletePartition([Int], timestamp: Int64)
        case truncate
    }

    var effect: Effect
    /// The commit that it is of.
    var sequence: UInt64 = 0
}

/// A live row as a reader sees it.
struct HarryContent {
    var clustering: [Int]?
    /// By column: the live cells, in the order of their paths.
    var cells: [Int: [(path: Int?, version: HarryVersion)]] = [:]

    func cell(_ column: Int) -> HarryVersion? { cells[column]?.first?.version }
}

struct HarryPartition {
    var key: [Int]
    var staticRow: HarryContent?
    var rows: [HarryContent]
}

struct HarryModel {
    var columns: [HarryColumn]
    var changes: [HarryChange] = []

    /// The partitions with anything live as of a number of changes and a time.
    func partitions(_ changeCount: Int? = nil, at now: Int64) -> [HarryPartition] {
        var changes = Array(changes.prefix(changeCount ?? self.changes.count))
        let truncation = changes.lastIndex { if case .truncate = $0.effect { true } else { false } }
        if let truncation { changes.removeFirst(truncation + 1) }
        let rows = Set(changes.compactMap { $0.row })
        return Set(rows.map(\.partition)).sorted { $0.lexicographicallyPrecedes($1) }.compactMap { key in
            let mine = changes.filter { $0.concerns(key) }
            let keys = rows.filter { $0.partition == key }.compactMap(\.clustering).sorted { precedes($0, $1) }
            let content = HarryPartition(
                key: key, staticRow: row(HarryRow(partition: key), mine, now),
                rows: keys.compactMap { row(HarryRow(partition: key, clustering: $0), mine, now) })
            return content.staticRow == nil && content.rows.isEmpty ? nil : content
        }
    }

    /// The order of rows in a partition.
    func precedes(_ left: [Int], _ right: [Int]) -> Bool {
        Self.precedes(left, right, columns.filter { $0.kind == .clustering })
    }

    static func precedes(_ left: [Int], _ right: [Int], _ order: [HarryColumn]) -> Bool {
        for (index, column) in order.enumerated() where left[index] != right[index] {
            return (left[index] < right[index]) != column.isDescending
        }
        return false
    }

    private func row(_ row: HarryRow, _ changes: [HarryChange], _ now: Int64) -> HarryContent? {
        let deletion = changes.compactMap { $0.deletion(of: row) }.max() ?? .min
        var content = HarryContent(clustering: row.clustering)
        var isLive = changes.contains { change in
            guard case .marker(row, let marker) = change.effect, marker.timestamp > deletion else { return false }
            return isWinner(marker, of: row, changes) && marker.isLive(now)
        }
        for (index, column) in columns.enumerated() where !column.isDropped {
            let collectionDeletion =
                changes.compactMap { change -> Int64? in
                    guard case .deleteElements(row, index, let timestamp) = change.effect else { return nil }
                    return timestamp
                }.max() ?? .min
            var winners: [Int?: HarryVersion] = [:]
            for change in changes {
                guard case .cell(row, index, let path, let version) = change.effect else { continue }
                guard version.timestamp > max(deletion, collectionDeletion) else { continue }
                if let known = winners[path], !version.wins(over: known, { column.bytes(path: path, $0) }) { continue }
                winners[path] = version
            }
            let live = winners.filter { $0.value.isLive(now) }.sorted { $0.key ?? 0 < $1.key ?? 0 }
            guard !live.isEmpty else { continue }
            content.cells[index] = live.map { ($0.key, $0.value) }
            isLive = true
        }
        return isLive ? content : nil
    }

    /// "Row-marker ties: higher ts; then expiring beats non-expiring; then later expiry."
    private func isWinner(_ marker: HarryVersion, of row: HarryRow, _ changes: [HarryChange]) -> Bool {
        !changes.contains { change in
            guard case .marker(row, let other) = change.effect else { return false }
            if other.timestamp != marker.timestamp { return other.timestamp > marker.timestamp }
            if (other.timeToLive > 0) != (marker.timeToLive > 0) { return other.timeToLive > 0 }
            return other.seconds > marker.seconds
        }
    }
}

extension HarryChange {
    fileprivate var row: HarryRow? {
        switch effect {
        case .cell(let row, _, _, _), .marker(let row, _): row
        default: nil
        }
    }

    fileprivate func concerns(_ partition: [Int]) -> Bool {
        switch effect {
        case .cell(let row, _, _, _), .marker(let row, _), .deleteElements(let row, _, _): row.partition == partition
        case .deleteRows(let key, _, _), .deletePartition(let key, _): key == partition
        case .truncate: true
        }
    }

    /// The timestamp of a deletion that covers the row.
    fileprivate func deletion(of row: HarryRow) -> Int64? {
        switch effect {
        case .deletePartition(row.partition, let timestamp): timestamp
        case .deleteRows(row.partition, let timestamp, let matches):
            row.clustering.map(matches) == true ? timestamp : nil
        default: nil
        }
    }
}
