// StateDriver.swift — a connection without sockets: the state and the engine, with answers given when the test says so.

import StorageCore
import StorageTypes

@testable import CQLServer
@testable import WideColumnEngine

/// Carries out a state's actions.
struct StateDriver {
    var state: ConnectionState
    var sent: [UInt8] = []
    var sizesOfSends: [Int] = []
    var waiting: [RequestWork] = []
    var isReading = true
    var isClosed = false
    /// What the peer takes before its side is full; `nil`: everything.
    var room: Int?
    var proceedsAtOnce = true
    var isYielding = false
    var users: CQLUsers?
    /// Else they stay in line.
    var checksPasswords = true
    /// The streams of requests that were handed out.
    var startedStreams: [Int] = []
    var budget = RequestBudget(largestByteCount: 1 << 30, connectionCount: 1)
    private var id: RequestBudget.ConnectionID
    let executor: RequestExecutor
    let store: WideColumnStore

    init(limits: ConnectionLimits = ConnectionLimits(), users: CQLUsers? = nil) throws {
        store = try WideColumnStore(storage: .inMemory())
        executor = try RequestExecutor(store, PreparedStatements(), durability: .buffered)
        state = ConnectionState(limits: limits, requiresAuthentication: users != nil)
        self.users = users
        id = budget.add(address: "127.0.0.1")
    }

    /// Before anything is received.
    mutating func setBudget(_ budget: RequestBudget) {
        self.budget = budget
        id = self.budget.add(address: "127.0.0.1")
    }

    mutating func receive(_ bytes: [UInt8]) {
        state.receive(bytes)
        act()
    }

    mutating func act() {
        while let action = state.next() {
            switch action {
            case .send(let bytes):
                sent += bytes
                sizesOfSends.append(bytes.count)
                if let room { state.setWritable(sent.count < room) }
            case .reserve(let byteCount):
                do {
                    let charge =
                        try state.throwsOnOverload
                        ? budget.reserveAtOnce(byteCount, for: id) : budget.reserve(byteCount, for: id)
                    if let charge { state.admit(charge) }
                } catch { state.refuse(error) }
            case .release(let charge): release(charge)
            case .perform(let work):
                waiting.append(work)
                startedStreams.append(Int(work.envelope.header.stream))
            case .authenticate(let response, let stream):
                guard checksPasswords else { continue }
                do {
                    _ = try users?.authenticate(response)
                    state.finishAuthentication(nil, stream: stream)
                } catch { state.finishAuthentication(error, stream: stream) }
            case .pauseReading: isReading = false
            case .resumeReading: isReading = true
            case .yield:
                isYielding = !proceedsAtOnce
                if proceedsAtOnce { state.proceed() }
            case .close: isClosed = true
            }
        }
    }

    /// Answers one of the requests that wait.
    mutating func answer(_ index: Int = 0) {
        let work = waiting.remove(at: index)
        state.finish(work.answer(by: executor))
        act()
        if let charge = work.charge { release(charge) }
    }

    /// Gives room back, which the connection may have waited for.
    mutating func release(_ charge: RequestBudget.Charge) {
        for granted in budget.release([charge]) where granted.connection == id { state.admit(granted) }
        act()
    }

    mutating func answerAll() {
        while !waiting.isEmpty { answer() }
    }

    /// Whether the connection has given back what it held of the budget, of what is shared and of its own.
    mutating func holdsNothing() -> Bool {
        guard budget.byteCount == 0, budget.waitingCount == 0 else { return false }
        guard let charge = budget.reserve(budget.freeByteCount, for: id) else { return false }
        defer { _ = budget.release([charge]) }
        return charge.isFree
    }

    /// What was sent since the last call, without frames.
    mutating func responses() -> [ResponseBytes] {
        defer { sent = [] }
        return ResponseBytes.all(sent)
    }

    /// The same in plain frames.
    mutating func framedResponses() -> [ResponseBytes] {
        defer { sent = [] }
        return ResponseBytes.all(ClientFrames.payloads(sent).payload)
    }

    /// The same in compressed frames.
    mutating func compressedResponses() throws -> [ResponseBytes] {
        defer { sent = [] }
        return ResponseBytes.all(try ClientFrames.compressedPayloads(sent))
    }

    /// A query's answer, in version 4.
    mutating func query(_ text: String, flags: UInt8 = 0) -> ResponseBytes? {
        receive(RequestBytes.query(text, flags: flags))
        answerAll()
        return responses().last
    }
}
