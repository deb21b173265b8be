// ScenarioRunner.swift — plays one scenario of the kit against a graph.

import GraphEngine

enum Outcome: Equatable {
    case passed
    case failed(String)
    /// The scenario needs something that the runner does not offer, such as a procedure.
    case skipped(String)
}

struct ScenarioRunner {
    private struct Unsupported: Error {
        var what: String
    }

    private struct Mismatch: Error {
        var what: String
    }

    /// What the kit calls the observable state of a graph.
    private struct State {
        var nodes: Set<NodeID> = []
        var relationships: Set<RelationshipID> = []
        var properties: Set<String> = []
        var labels: Set<String> = []
    }

    let graph: GraphStore
    let graphsDirectory: String
    private var parameters: [String: GraphValue] = [:]
    private var result: GraphResult?
    private var error: CypherError?
    /// nil where the query has no word that could change anything: then no commit may have happened.
    private var before: State?
    private var sequenceBefore = SequenceNumber.zero

    init(graph: GraphStore, graphsDirectory: String) {
        self.graph = graph
        self.graphsDirectory = graphsDirectory
    }

    static func run(_ scenario: Scenario, on graph: GraphStore, graphsDirectory: String) -> Outcome {
        var runner = ScenarioRunner(graph: graph, graphsDirectory: graphsDirectory)
        do {
            for step in scenario.steps { try runner.play(step) }
            if let error = runner.error { return .failed("unexpected \(error)") }
            return .passed
        } catch let unsupported as Unsupported {
            return .skipped(unsupported.what)
        } catch let mismatch as Mismatch {
            return .failed(mismatch.what)
        } catch {
            return .failed("\(error)")
        }
    }

    private mutating func play(_ step: Step) throws {
        switch step.text {
        case "an empty graph", "any graph": try clear()
        case "the binary-tree-1 graph", "the binary-tree-2 graph":
            try clear()
            let name = step.text.split(separator: " ")[1]
            try graph.execute(try readText("\(graphsDirectory)/\(name)/\(name).cypher"))
        case "having executed:": try graph.execute(step.document ?? "")
        case "parameters are:":
            for row in step.table {
                parameters[row[0]] = try graph.execute("RETURN \(row[1]) AS value").rows[0]["value"]
            }
        case "executing query:", "executing control query:": try execute(step)
        case "the result should be empty":
            try expectNoError()
            guard result?.rows.isEmpty == true else { throw Mismatch(what: "got \(result?.rows.count ?? 0) rows") }
        case "no side effects": try expectSideEffects([])
        case "the side effects should be:": try expectSideEffects(step.table)
        default: try playOther(step)
        }
    }

    private mutating func playOther(_ step: Step) throws {
        if step.text.hasPrefix("the result should be") {
            try expectNoError()
            try expectRows(
                step.table, inOrder: step.text.contains("in order"),
                ignoringListOrder: step.text.contains("ignoring element order"))
        } else if step.text.contains("should be raised at") {
            try expectError(step.text)
        } else {
            throw Unsupported(what: step.text)
        }
    }

    private func clear() throws {
        guard graph.storage.visibleSequence > .zero else { return }
        try graph.execute("MATCH (n) DETACH DELETE n")
    }

    private mutating func execute(_ step: Step) throws {
        let isControl = step.text.contains("control")
        if isControl { try expectNoError() }
        let words = ["CREATE", "MERGE", "SET", "DELETE", "REMOVE"]
        let text = (step.document ?? "").uppercased()
        before = words.contains(where: text.contains) ? try state() : nil
        sequenceBefore = graph.storage.visibleSequence
        do {
            result = try graph.execute(step.document ?? "", parameters: parameters)
        } catch let failure as CypherError {
            error = failure
        }
    }

    // MARK: - Expectations

    private func expectNoError() throws {
        if let error { throw Mismatch(what: "unexpected \(error)") }
    }

    private mutating func expectError(_ text: String) throws {
        guard let error else { throw Mismatch(what: "expected an error: \(text)") }
        let words = text.split(separator: " ")
        let (kind, detail) = (words[1], words[words.count - 1])
        guard error.kind.rawValue == kind, detail == "*" || error.detail == detail else {
            throw Mismatch(
                what: "expected \(kind) \(detail), got \(error.kind.rawValue) \(error.detail): \(error.message)")
        }
        self.error = nil
    }

    private func expectRows(_ table: [[String]], inOrder: Bool, ignoringListOrder: Bool) throws {
        guard let result, let header = table.first else { throw Mismatch(what: "no result") }
        guard result.columns == header else { throw Mismatch(what: "columns \(result.columns), expected \(header)") }
        var actual = result.rows.map { row in
            row.values.map { $0.canonical(sortingLists: ignoringListOrder) }.joined(separator: " | ")
        }
        var expected = table.dropFirst().map { row in
            row.map { ExpectedValue.canonical($0, sortingLists: ignoringListOrder) }.joined(separator: " | ")
        }
        if !inOrder {
            actual.sort()
            expected.sort()
        }
        guard actual == expected else { throw Mismatch(what: "got \(actual), expected \(expected)") }
    }

    private func expectSideEffects(_ table: [[String]]) throws {
        guard let before else {
            guard table.isEmpty, graph.storage.visibleSequence == sequenceBefore else {
                throw Mismatch(what: "a reading statement changed the graph")
            }
            return
        }
        let after = try state()
        var expected: [String: Int] = [:]
        for row in table { expected[row[0]] = Int(row[1]) }
        var actual: [String: Int] = [:]
        func compare<Element>(_ what: String, _ part: KeyPath<State, Set<Element>>) {
            actual["+\(what)"] = after[keyPath: part].subtracting(before[keyPath: part]).count
            actual["-\(what)"] = before[keyPath: part].subtracting(after[keyPath: part]).count
        }
        compare("nodes", \.nodes)
        compare("relationships", \.relationships)
        compare("properties", \.properties)
        compare("labels", \.labels)
        for (effect, count) in actual where count != expected[effect] ?? 0 {
            throw Mismatch(what: "\(effect) \(count), expected \(expected[effect] ?? 0)")
        }
    }

    private func state() throws -> State {
        var state = State()
        for row in try graph.execute("MATCH (n) RETURN n").rows {
            guard let node = row[0].node else { continue }
            state.nodes.insert(node.id)
            state.labels.formUnion(node.labels)
            for (key, value) in node.properties { state.properties.insert("n\(node.id) \(key) \(value)") }
        }
        for row in try graph.execute("MATCH ()-[r]->() RETURN r").rows {
            guard let relationship = row[0].relationship else { continue }
            state.relationships.insert(relationship.id)
            for (key, value) in relationship.properties {
                state.properties.insert("r\(relationship.id) \(key) \(value)")
            }
        }
        return state
    }
}
