// DocumentCollection+Find.swift — the reads: find, findOne, countDocuments, distinct, explain.
//
// Each public read has three forms: over a fresh snapshot, over a given one, and inside an open transaction.

extension DocumentCollection {
    /// The documents that match, in the order of `sort`, or as they are found.
    /// - Throws: ``DocumentError`` 2 for a bad filter, 292 if a sort needs more than 100 MiB.
    public func find(_ filter: Document = [:], options: FindOptions = FindOptions()) throws -> [Document] {
        guard let (reader, snapshot) = reader() else { return try emptyAnswer(filter, options) }
        defer { _ = snapshot }
        return try find(filter, options, reader)
    }

    /// As ``find(_:options:)``, as of a snapshot of the storage.
    public func find(
        _ filter: Document = [:], options: FindOptions = FindOptions(), in snapshot: Snapshot
    ) throws -> [Document] {
        guard let state = store.state(namespace) else { return try emptyAnswer(filter, options) }
        return try find(filter, options, CollectionReader(state: state, view: snapshot.view))
    }

    /// As ``find(_:options:)``, inside an open transaction, with its own writes.
    public func find(
        _ filter: Document = [:], options: FindOptions = FindOptions(), in transaction: WriteTransaction
    ) throws -> [Document] {
        guard let state = store.state(namespace) else { return try emptyAnswer(filter, options) }
        return try find(filter, options, CollectionReader(state: state, view: transaction.view))
    }

    /// The first document that matches, `nil` if there is none.
    public func findOne(_ filter: Document = [:], options: FindOptions = FindOptions()) throws -> Document? {
        try find(filter, options: options.limitedToOne).first
    }

    public func findOne(
        _ filter: Document = [:], options: FindOptions = FindOptions(), in snapshot: Snapshot
    ) throws -> Document? {
        try find(filter, options: options.limitedToOne, in: snapshot).first
    }

    public func findOne(
        _ filter: Document = [:], options: FindOptions = FindOptions(), in transaction: WriteTransaction
    ) throws -> Document? {
        try find(filter, options: options.limitedToOne, in: transaction).first
    }

    /// Calls `body` with each document that matches, one at a time and as of one moment, until it answers false.
    public func forEach(_ filter: Document = [:], hint: IndexHint? = nil, _ body: (Document) throws -> Bool) throws {
        let expression = try FilterParser.parse(filter)
        guard let (reader, snapshot) = reader() else { return }
        defer { _ = snapshot }
        try reader.forEachMatch(of: expression, hint: hint) { _, document in
            try body(Document(trusted: document.bytes.array()))
        }
    }

    /// How many documents match.
    public func countDocuments(_ filter: Document = [:], hint: IndexHint? = nil) throws -> Int {
        let expression = try FilterParser.parse(filter)
        guard let (reader, snapshot) = reader() else { return 0 }
        defer { _ = snapshot }
        return try count(expression, hint, reader)
    }

    public func countDocuments(
        _ filter: Document = [:], hint: IndexHint? = nil, in transaction: WriteTransaction
    ) throws -> Int {
        let expression = try FilterParser.parse(filter)
        guard let state = store.state(namespace) else { return 0 }
        return try count(expression, hint, CollectionReader(state: state, view: transaction.view))
    }

    private func count(_ filter: MatchExpression, _ hint: IndexHint?, _ reader: CollectionReader) throws -> Int {
        var count = 0
        try reader.forEachMatch(of: filter, hint: hint) { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// The different values of a field among the documents that match, elements of arrays one by one.
    public func distinct(_ field: String, _ filter: Document = [:]) throws -> [BSONValue] {
        let expression = try FilterParser.parse(filter)
        guard let (reader, snapshot) = reader() else { return [] }
        defer { _ = snapshot }
        let path = FieldPath(field)
        var seen = Set<[UInt8]>()
        var values: [BSONValue] = []
        func add(_ value: BSONView) {
            if seen.insert(IndexKeyEncoder.bytes(of: value)).inserted { values.append(BSONValue(value)) }
        }
        try reader.forEachMatch(of: expression) { _, document in
            _ = document.anyValue(at: path, expandingLeaf: false) { value in
                guard let value else { return false }
                if !value.isArray { add(value) }
                var elements =
                    value.isArray ? value.elements : BSONView(document: value.bytes.extracting(first: 0)).elements
                while let element = elements.next() { add(element.value) }
                return false
            }
            return true
        }
        return values
    }

    /// How `find` would answer a filter: `queryPlanner.winningPlan` with `COLLSCAN`, or `FETCH` over `IXSCAN`.
    public func explain(_ filter: Document = [:], hint: IndexHint? = nil) throws -> Document {
        let expression = try FilterParser.parse(filter)
        var winningPlan: Document = ["stage": "EOF"]
        if let (reader, snapshot) = reader() {
            winningPlan = try reader.plan(expression, hint: hint).explanation(filter)
            withExtendedLifetime(snapshot) {}
        }
        let planner: Document = [
            "namespace": .string(namespace.description), "parsedQuery": .document(filter),
            "winningPlan": .document(winningPlan), "rejectedPlans": .array([]),
        ]
        return ["explainVersion": "1", "queryPlanner": .document(planner), "ok": 1.0]
    }
}

extension DocumentCollection {
    private func find(_ filter: Document, _ options: FindOptions, _ reader: CollectionReader) throws -> [Document] {
        let expression = try FilterParser.parse(filter)
        let query = try FindQuery(expression, options)
        return try query.run(reader)
    }

    /// Nothing, but only for a query that is well-formed.
    private func emptyAnswer(_ filter: Document, _ options: FindOptions) throws -> [Document] {
        _ = try FindQuery(FilterParser.parse(filter), options)
        return []
    }
}

extension FindOptions {
    fileprivate var limitedToOne: FindOptions {
        var options = self
        options.limit = 1
        return options
    }
}

extension QueryPlan {
    fileprivate func explanation(_ filter: Document) -> Document {
        guard case .indexScan(let scan) = self else {
            return ["stage": "COLLSCAN", "filter": .document(filter), "direction": "forward"]
        }
        let specification = scan.index.specification
        let input: Document = [
            "stage": "IXSCAN", "keyPattern": .document(specification.keyPattern), "indexName": .string(scan.index.name),
            "isMultiKey": .bool(scan.index.isMultikey), "isUnique": .bool(specification.isUnique),
            "isSparse": .bool(specification.isSparse), "isPartial": .bool(specification.partialFilter != nil),
            "indexVersion": 2, "direction": "forward",
        ]
        return ["stage": "FETCH", "filter": .document(filter), "inputStage": .document(input)]
    }
}
