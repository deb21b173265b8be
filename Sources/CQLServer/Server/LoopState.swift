// LoopState.swift — what the connections share on the event loop that all of them are on; nothing else touches it.
#if Servers

    internal import NIOCore

    /// The server's bounds over all connections, and which handler has which number.
    final class LoopState {
        private var budget: RequestBudget
        private var queue: RequestQueue<RequestWork>
        /// With the threads.
        private(set) var startedCount = 0
        private let largestStartedCount: Int
        private var handlers: [RequestBudget.ConnectionID: ConnectionHandler] = [:]
        /// Handed to channels, and not with the system yet.
        private(set) var unsentByteCount = 0
        private let largestUnsentByteCount: Int

        init(_ options: CQLListenerOptions) {
            budget = RequestBudget(
                largestByteCount: options.requestByteCount, connectionCount: options.connectionCount)
            // One more for each thread, so that none waits for the event loop.
            largestStartedCount = 2 * options.threadCount
            // One thread is left for others, whatever takes long. Where there is no other this one has the next in line.
            queue = RequestQueue(largestStartedCount: options.threadCount > 1 ? options.threadCount - 1 : 2)
            largestUnsentByteCount = options.answerByteCount
        }

        func add(_ handler: ConnectionHandler, address: String) -> RequestBudget.ConnectionID {
            let id = budget.add(address: address)
            handlers[id] = handler
            return id
        }

        func remove(_ id: RequestBudget.ConnectionID) {
            handlers[id] = nil
            release(queue.remove(id).compactMap(\.charge))
            resume(budget.remove(id))
        }

        // MARK: Requests

        /// Connections that wait for room.
        var waitingCount: Int { budget.waitingCount }

        /// `nil`: the connection waits; its handler is told when it has room.
        func reserve(_ byteCount: Int, for id: RequestBudget.ConnectionID) -> RequestBudget.Charge? {
            budget.reserve(byteCount, for: id)
        }

        /// - Throws: `ErrorMessage` (0x1001) where it would have to wait.
        func reserveAtOnce(_ byteCount: Int, for id: RequestBudget.ConnectionID) throws -> RequestBudget.Charge? {
            try budget.reserveAtOnce(byteCount, for: id)
        }

        func release(_ charges: [RequestBudget.Charge]) {
            if !charges.isEmpty { resume(budget.release(charges)) }
        }

        private func resume(_ granted: [RequestBudget.Charge]) {
            for charge in granted {
                // One that has gone in the meantime did not take what it was given.
                guard let handler = handlers[charge.connection] else {
                    release([charge])
                    continue
                }
                handler.admit(charge)
            }
        }

        /// The request is carried out when it is its connection's turn.
        func enqueue(_ work: RequestWork, of id: RequestBudget.ConnectionID) {
            queue.append(work, of: id)
            start()
        }

        /// Whether requests of a connection are not to be begun, as its peer does not take the answers.
        func hold(_ id: RequestBudget.ConnectionID, _ isHeld: Bool) {
            queue.hold(id, isHeld)
            start()
        }

        /// Whether requests of a connection were not begun and hold room that others miss.
        func holdsRoom(_ id: RequestBudget.ConnectionID) -> Bool {
            queue.contains(of: id) { $0.charge?.isFree == false }
        }

        /// Requests of a connection were carried out.
        func finish(_ count: Int, of id: RequestBudget.ConnectionID) {
            startedCount -= count
            queue.finish(count, of: id)
            start()
        }

        private func start() {
            while startedCount < largestStartedCount, let (id, work) = queue.next() {
                guard let handler = handlers[id] else { continue }
                startedCount += 1
                handler.start(work)
            }
        }

        // MARK: Answers

        /// Counts bytes that were handed to a channel, or were taken from it. Beyond the bound the connections whose peers
        /// leave most of their answers lie are closed: neither threads nor other connections ever wait for a peer.
        func countUnsent(_ byteCount: Int) {
            unsentByteCount += byteCount
            while unsentByteCount > largestUnsentByteCount {
                let stalled = handlers.values.filter { $0.unsentByteCount > 0 && !$0.isWritable }
                guard let worst = stalled.max(by: { $0.unsentByteCount < $1.unsentByteCount }) else { return }
                worst.closeAtOnce()
            }
        }
    }

#endif
