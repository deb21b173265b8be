// KeyRestrictions.swift — what a WHERE clause says of key columns, as parts of stored keys.

/// The values a key column may have, or several of them together: one for `=`, several for IN.
enum KeyValues: Sendable {
    case terms([BoundTerm])
    /// `IN ?`: the marker holds the list of all values.
    case listMarker(BoundTerm, CQLType)
    /// `(a, b) IN (…)`: each tuple has a member for every column.
    case tuples([[BoundTerm]], columnCount: Int)
    /// `(a, b) IN ?`: the marker holds the list of all tuples.
    case tupleListMarker(BoundTerm, [CQLType])

    /// How many columns the values are for.
    var columnCount: Int {
        switch self {
        case .terms, .listMarker: 1
        case .tuples(_, let count): count
        case .tupleListMarker(_, let types): types.count
        }
    }

    /// The term, where there is just one, of one column.
    var single: BoundTerm? {
        if case .terms(let terms) = self, terms.count == 1 { return terms[0] }
        return nil
    }

    /// The values of several columns in their binary format, a tuple for each alternative.
    func evaluate(_ context: ExecutionContext, columns: [String]) throws -> [[[UInt8]]] {
        switch self {
        case .terms, .listMarker: return try evaluate(context, column: columns[0]).map { [$0] }
        case .tuples(let tuples, _):
            return try tuples.map { try zip($0, columns).map { try Self.required($0, context, $1) } }
        case .tupleListMarker(let marker, let types):
            try Self.checkList(marker, context, columns[0])
            let value = try marker.value(as: .list(.tuple(types)), context)
            guard case .list(let tuples) = value else {
                throw CQLError.invalid("Invalid null value for column \(columns[0])")
            }
            return try tuples.map { try Self.members($0, types, columns) }
        }
    }

    /// Refuses a list that is unset or has nulls in it, which no list but this may be given with.
    private static func checkList(_ marker: BoundTerm, _ context: ExecutionContext, _ column: String) throws {
        guard case .marker(let index, _) = marker else { return }
        switch context.values[index] {
        case .unset: throw CQLError.invalid("Invalid unset value for column \(column)")
        case .list(let values) where values.contains(where: \.isNull):
            throw CQLError.invalid("Invalid null value for column \(column)")
        default: return
        }
    }

    private static func members(
        _ tuple: CQLValue, _ types: [CQLType], _ columns: [String]
    ) throws -> [[UInt8]] {
        guard case .tuple(let members) = tuple else {
            throw CQLError.invalid("Invalid null value for column \(columns[0])")
        }
        return try columns.indices.map { index in
            guard index < members.count, !members[index].isNull else {
                throw CQLError.invalid("Invalid null value for column \(columns[index])")
            }
            return try members[index].serialized(as: types[index])
        }
    }

    /// The values of one column in their binary format.
    func evaluate(_ context: ExecutionContext, column: String) throws -> [[UInt8]] {
        switch self {
        case .tuples, .tupleListMarker: return try evaluate(context, columns: [column]).compactMap(\.first)
        case .terms(let terms): return try terms.map { try Self.required($0, context, column) }
        case .listMarker(let marker, let element):
            try Self.checkList(marker, context, column)
            let value = try marker.value(as: .list(element), context)
            guard case .list(let values) = value else {
                throw CQLError.invalid("Invalid null value for column \(column)")
            }
            return try values.map { try $0.serialized(as: element) }
        }
    }

    /// IN lists on several columns multiply; a statement must not ask for more keys than memory holds.
    static func checkProduct(_ left: Int, _ right: Int) throws {
        guard left <= maximumCombinations, right <= maximumCombinations, left * right <= maximumCombinations else {
            throw CQLError.invalid(
                "The query cannot be executed because it would generate more than \(maximumCombinations) keys")
        }
    }

    private static let maximumCombinations = 100_000

    static func required(_ term: BoundTerm, _ context: ExecutionContext, _ column: String) throws -> [UInt8] {
        switch try term.evaluate(context) {
        case .null: throw CQLError.invalid("Invalid null value for column \(column)")
        case .unset: throw CQLError.invalid("Invalid unset value for column \(column)")
        case .bytes(let bytes): return bytes
        }
    }
}

/// A bound of a slice over one or more clustering columns.
struct SliceBound: Sendable {
    var terms: [BoundTerm]
    var isInclusive: Bool

    /// The terms as one value of their columns.
    var values: KeyValues { terms.count == 1 ? .terms(terms) : .tuples([terms], columnCount: terms.count) }
}

/// `c > x AND c <= y` on the clustering columns from `firstColumn` on.
struct ClusteringSlice: Sendable {
    var firstColumn: Int
    var lower: SliceBound?
    var upper: SliceBound?
}

/// Restrictions on the clustering columns that become ranges of stored keys.
struct ClusteringRestriction: Sendable {
    var columns: [ColumnDefinition]
    /// For the first columns, without gaps.
    var values: [KeyValues] = []
    /// For the columns behind those with values.
    var slice: ClusteringSlice?

    var isUnrestricted: Bool { values.isEmpty && slice == nil }

    /// How many columns have values.
    var valueColumnCount: Int { values.reduce(0) { $0 + $1.columnCount } }

    /// Whether every clustering column has its values: each combination is one row.
    var isComplete: Bool { slice == nil && valueColumnCount == columns.count }

    /// The clustering part of every row that complete restrictions name, in stored order, without repetition.
    func rows(_ context: ExecutionContext) throws -> [[UInt8]] {
        try prefixes(context)
    }

    /// Ranges of clustering keys: ascending, disjoint. An upper bound of `nil` is the end of the partition.
    func ranges(_ context: ExecutionContext) throws -> [(lower: [UInt8], upper: [UInt8]?)] {
        let prefixes = try prefixes(context)
        guard let slice else { return prefixes.map { ($0, StorageKey.successor(ofPrefix: $0)) } }
        guard !hasMixedOrder(slice) else { return try prefixes.flatMap { try mixedRanges(slice, $0, context) } }
        return try prefixes.compactMap { try range(slice, $0, context) }
    }

    /// The one range of a slice over columns of one order; `nil` where it is empty.
    private func range(
        _ slice: ClusteringSlice, _ prefix: [UInt8], _ context: ExecutionContext
    ) throws -> (lower: [UInt8], upper: [UInt8]?)? {
        var lower = prefix
        var upper = StorageKey.successor(ofPrefix: prefix)
        // In a descending column the greater values come first.
        let isDescending = columns[slice.firstColumn].isDescending
        let (start, end) = isDescending ? (slice.upper, slice.lower) : (slice.lower, slice.upper)
        if let start {
            let key = prefix + (try encode(start.terms, from: slice.firstColumn, context))
            guard let bound = start.isInclusive ? key : StorageKey.successor(ofPrefix: key) else { return nil }
            lower = bound
        }
        if let end {
            let key = prefix + (try encode(end.terms, from: slice.firstColumn, context))
            upper = end.isInclusive ? StorageKey.successor(ofPrefix: key) : key
        }
        if let upper, !lower.lexicographicallyPrecedes(upper) { return nil }
        return (lower, upper)
    }

    private func prefixes(_ context: ExecutionContext) throws -> [[UInt8]] {
        if let single = try singlePrefix(context) { return [single] }
        return try leadingPrefixes(context)
    }

    /// The combinations of the first columns' values.
    private func leadingPrefixes(_ context: ExecutionContext) throws -> [[UInt8]] {
        var prefixes: [[UInt8]] = [[]]
        var next = 0
        for values in values {
            let columns = Array(columns[next..<next + values.columnCount])
            next += columns.count
            let alternatives = try values.evaluate(context, columns: columns.map(\.name)).map {
                try Self.encode($0, columns)
            }
            try KeyValues.checkProduct(prefixes.count, alternatives.count)
            prefixes = prefixes.flatMap { prefix in alternatives.map { prefix + $0 } }
        }
        return prefixes.count > 1 ? Self.sortedUnique(prefixes) : prefixes
    }

    private static func encode(_ members: [[UInt8]], _ columns: [ColumnDefinition]) throws -> [UInt8] {
        var key: [UInt8] = []
        for (value, column) in zip(members, columns) {
            try OrderedComponent.append(value.rawSpan, column.type, descending: column.isDescending, to: &key)
        }
        return key
    }

    /// The one prefix there is where every column has one value, as in any INSERT.
    private func singlePrefix(_ context: ExecutionContext) throws -> [UInt8]? {
        var key: [UInt8] = []
        for (column, values) in zip(columns, values) {
            guard let term = values.single else { return nil }
            let value = try KeyValues.required(term, context, column.name)
            try OrderedComponent.append(value.rawSpan, column.type, descending: column.isDescending, to: &key)
        }
        return key
    }

    func encode(_ terms: [BoundTerm], from first: Int, _ context: ExecutionContext) throws -> [UInt8] {
        var key: [UInt8] = []
        for (term, column) in zip(terms, columns[first...]) {
            let value = try KeyValues.required(term, context, column.name)
            try OrderedComponent.append(value.rawSpan, column.type, descending: column.isDescending, to: &key)
        }
        return key
    }

    static func sortedUnique(_ keys: [[UInt8]]) -> [[UInt8]] {
        let sorted = keys.sorted { $0.lexicographicallyPrecedes($1) }
        return sorted.indices.filter { $0 == 0 || sorted[$0] != sorted[$0 - 1] }.map { sorted[$0] }
    }
}

/// Restrictions that name whole partition keys.
struct PartitionRestriction: Sendable {
    var columns: [ColumnDefinition]
    var values: [KeyValues]
    /// The part of the ring that counts.
    var tokens: TokenRestriction?

    /// The storage prefixes of the partitions, in ring order, without repetition.
    func prefixes(_ context: ExecutionContext) throws -> [[UInt8]] {
        let prefixes = try named(context)
        guard let range = try tokens?.range(context) else { return prefixes }
        return prefixes.filter { prefix in
            if let lower = range.lower, prefix.lexicographicallyPrecedes(lower) { return false }
            if let upper = range.upper, !prefix.lexicographicallyPrecedes(upper) { return false }
            return true
        }
    }

    private func named(_ context: ExecutionContext) throws -> [[UInt8]] {
        if columns.count == 1, let term = values.first?.single {
            let partitionKey = try KeyValues.required(term, context, columns[0].name)
            var prefix: [UInt8] = []
            try StorageKey.appendPartition(partitionKey.rawSpan, to: &prefix)
            return [prefix]
        }
        var combinations: [[[UInt8]]] = [[]]
        for (column, values) in zip(columns, values) {
            let alternatives = try values.evaluate(context, column: column.name)
            try KeyValues.checkProduct(combinations.count, alternatives.count)
            combinations = combinations.flatMap { head in alternatives.map { head + [$0] } }
        }
        let prefixes = try combinations.map { components in
            for component in components where columns.count > 1 && component.count > Int(UInt16.max) {
                throw CQLError.invalid(
                    "Key length of \(component.count) is longer than maximum of \(StorageKey.maximumPartitionKeyByteCount)"
                )
            }
            var partitionKey: [UInt8] = []
            PartitionKeyCodec.append(components, to: &partitionKey)
            var prefix: [UInt8] = []
            try StorageKey.appendPartition(partitionKey.rawSpan, to: &prefix)
            return prefix
        }
        return prefixes.count > 1 ? ClusteringRestriction.sortedUnique(prefixes) : prefixes
    }
}
