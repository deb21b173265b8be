// QueryPlanner.swift — which index answers a query.
//
// Invariant: an index is used only if every document that matches the query has a key inside the scanned ranges. The
// whole filter is applied to what the scan finds, so ranges may be too wide, never too narrow. Anything unproven means
// the index is not used.

/// How the documents of a query are found.
enum QueryPlan: Sendable {
    case collectionScan
    case indexScan(IndexScan)
}

struct IndexScan: Sendable {
    let index: Index
    let ranges: [KeyRange]
    /// All components are points: each range is one whole key.
    let isExact: Bool
}

struct QueryPlanner {
    let indexes: [Index]
    let view: ReadView

    /// The best index by the number of components it pins down, a unique one pinned down whole before all others; the
    /// collection if there is none.
    func plan(_ filter: MatchExpression) -> QueryPlan {
        let conjuncts = filter.conjuncts.flatMap { $0.indexableClauses }
        var best: (scan: IndexScan, score: Int)?
        for index in indexes where index.isReadable(at: view) {
            guard let candidate = scan(index, filter, conjuncts) else { continue }
            if best.map({ candidate.score > $0.score }) ?? true { best = candidate }
        }
        return best.map { .indexScan($0.scan) } ?? .collectionScan
    }

    /// The plan that uses the hinted index, over all its keys if the filter bounds none.
    /// - Throws: 2 (BadValue) if there is no such index.
    func plan(_ filter: MatchExpression, hint: IndexHint) throws(DocumentError) -> QueryPlan {
        guard let index = indexes.first(where: { $0.isReadable(at: view) && hint.names($0.specification) }) else {
            throw .badValue(
                "error processing query: planner returned error :: caused by :: hint provided does not "
                    + "correspond to an existing index")
        }
        if let candidate = scan(index, filter, filter.conjuncts.flatMap { $0.indexableClauses }) {
            return .indexScan(candidate.scan)
        }
        let specification = index.specification
        guard specification.partialExpression == nil, !specification.isSparse else { return .collectionScan }
        return .indexScan(IndexScan(index: index, ranges: [.all], isExact: false))
    }

    private func scan(
        _ index: Index, _ filter: MatchExpression, _ conjuncts: [MatchExpression]
    ) -> (scan: IndexScan, score: Int)? {
        let specification = index.specification
        if let partial = specification.partialExpression {
            guard PartialFilter.contains(partial, everyMatchOf: filter) else { return nil }
        }
        let isMultikey = index.isMultikey
        var prefixes: [[UInt8]] = [[]]
        var bounded: Set<String> = []
        var pointCount = 0
        for key in specification.keys {
            // A number in the path may be an index or a field's name: keys and matching would differ.
            guard !key.path.components.contains(where: { $0.arrayIndex != nil }) else { break }
            let root = key.path.components[0].name
            // Two components below one array may be met by different elements of it.
            if isMultikey, bounded.contains(root) { break }
            guard
                let bounds = ComponentBounds(
                    conjuncts, on: key.path, isMultikey: isMultikey, isSparse: specification.isSparse)
            else { break }
            bounded.insert(root)
            guard case .points(let points) = bounds,
                prefixes.count * points.count <= ComponentBounds.maximumPointCount
            else {
                if case .points = bounds { break }
                let ranges = bounds.ranges(below: prefixes, isDescending: key.isDescending)
                return (IndexScan(index: index, ranges: ranges, isExact: false), pointCount * 4 + 3)
            }
            prefixes = bounds.extended(prefixes, isDescending: key.isDescending)
            pointCount += 1
        }
        guard pointCount > 0 else { return nil }
        let isExact = pointCount == specification.keys.count
        let ranges = prefixes.map { KeyRange.prefix($0) }
        let score = pointCount * 4 + (isExact ? 1 : 0) + (isExact && specification.isUnique ? 1000 : 0)
        return (IndexScan(index: index, ranges: ranges, isExact: isExact), score)
    }
}

extension MatchExpression {
    /// The clauses of a conjunct that an index may answer: `$all` gives each of its values.
    fileprivate var indexableClauses: [MatchExpression] {
        if case .all(_, let clauses, _) = self { return clauses }
        return [self]
    }
}

/// The index that a caller wants used.
public enum IndexHint: Sendable, Hashable {
    case name(String)
    case keys(Document)

    func names(_ specification: IndexSpecification) -> Bool {
        switch self {
        case .name(let name): specification.name == name
        case .keys(let keys): specification.keyPattern == keys
        }
    }
}
