// ConnectionHandler.swift — a connection's place in SwiftNIO: it carries bytes to the state, and the state's actions out.
//
// All of it runs on the connection's event loop but for the blocks that are handed to the threads, which touch nothing of
// it. Their answers are gathered, so that the loop is woken once for all that are ready.
#if Servers

    internal import NIOCore
    internal import NIOPosix
    internal import NIOSSL
    internal import Synchronization
    internal import WideColumnEngine

    /// What the connections of a server share.
    final class ServerContext: Sendable {
        let options: CQLListenerOptions
        let store: WideColumnStore
        let prepared = PreparedStatements()
        let threads: NIOThreadPool
        /// Hashes of passwords take long on purpose: they must not keep requests waiting.
        let passwordThreads = NIOThreadPool(numberOfThreads: 2)
        /// Touched on the event loop only.
        let shared: NIOLoopBound<LoopState>

        /// Call it on the event loop.
        init(_ store: WideColumnStore, _ options: CQLListenerOptions, _ loop: any EventLoop) {
            self.store = store
            self.options = options
            shared = NIOLoopBound(LoopState(options), eventLoop: loop)
            threads = NIOThreadPool(numberOfThreads: options.threadCount)
        }
    }

    /// Answers that wait for the event loop.
    private final class FinishedRequests: Sendable {
        private let answers = Mutex<[(Answer, RequestBudget.Charge?)]>([])
        private let cancellation: StatementCancellation

        /// - Parameter cancellation: what stops the connection's statements.
        init(_ cancellation: StatementCancellation) {
            self.cancellation = cancellation
        }

        /// Whether nobody is left to answer. Requests that were not begun need not be carried out.
        var isAbandoned: Bool { cancellation.isCancelled }

        func abandon() { cancellation.cancel() }

        /// Whether the loop has to be woken: it is not yet for another one.
        func add(_ answer: Answer, _ charge: RequestBudget.Charge?) -> Bool {
            answers.withLock { answers in
                answers.append((answer, charge))
                return answers.count == 1
            }
        }

        func take() -> [(Answer, RequestBudget.Charge?)] {
            answers.withLock { answers in
                defer { answers = [] }
                return answers
            }
        }
    }

    /// One connection.
    final class ConnectionHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let server: ServerContext
        private let executor: RequestExecutor
        /// What system tables show of the connection.
        let record: ClientRecord
        private var state: ConnectionState
        private var recordedPhase: ConnectionState.Phase?
        private var isHandshakeRecorded = false
        private var userName: String?
        private let finished: FinishedRequests
        private var context: ChannelHandlerContext?
        private var lastWrite: EventLoopFuture<Void>?
        private var handshake: Scheduled<Void>?
        private var isActing = false
        private var isInputClosed = false
        private var isOutputClosed = false

        private var writes = WriteProgress()
        private var heldRoom = HeldRoom()
        private let shared: LoopState
        private var id: RequestBudget.ConnectionID?
        /// When the request that is coming was admitted.
        private var admissionTime = NIODeadline.uptimeNanoseconds(0)
        /// Handed to the channel, and not with the system yet.
        private(set) var unsentByteCount = 0
        /// Handed to the channel so far.
        private var sentByteCount = 0
        private var isClosingAtOnce = false
        /// Of events since the peer last took what there was.
        private var unreadEventByteCount = 0

        /// How long a peer that has been told the end may go on sending.
        private static let longestLinger = TimeAmount.seconds(1)
        /// Of a request that is coming, and of answers that requests with room wait behind, on average.
        private static let leastBytesPerSecond = 64 * 1024

        init(_ server: ServerContext) throws {
            self.server = server
            shared = server.shared.value
            executor = try RequestExecutor(
                server.store, server.prepared, durability: server.options.durability,
                readTimeout: server.options.readTimeout)
            finished = FinishedRequests(executor.cancellation)
            record = ClientRecord(executor)
            var limits = ConnectionLimits()
            limits.requestBodyByteCount = server.options.largestRequestByteCount
            limits.answerBodyByteCount = server.options.largestAnswerByteCount
            limits.requestCount = server.options.requestCountPerConnection
            state = ConnectionState(limits: limits, requiresAuthentication: server.options.users != nil)
        }

        // MARK: Events

        func handlerAdded(context: ChannelHandlerContext) {
            self.context = context
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            let timeout = TimeAmount(server.options.handshakeTimeout)
            handshake = context.eventLoop.scheduleTask(in: timeout) { this.value.handshakeTimedOut() }
        }

        /// The time until the connection had to be ready is over. Call it on the event loop.
        func handshakeTimedOut() {
            state.handshakeTimedOut()
            act()
        }

        func channelActive(context: ChannelHandlerContext) {
            let address = context.channel.remoteAddress?.ipAddress
            if let address { executor.setClientAddress(address) }
            id = shared.add(self, address: address ?? "")
            note(context)
            context.fireChannelActive()
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            handshake?.cancel()
            finished.abandon()
            self.context = nil
            forgetUnsent()
            let charge = state.abandon()
            if let id { shared.remove(id) }
            shared.release(charge.map { [$0] } ?? [])
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            state.receive(unwrapInboundIn(data).readableBytesView)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            act()
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            let isWritable = context.channel.isWritable
            if isWritable { unreadEventByteCount = 0 }
            state.setWritable(isWritable)
            if let id { shared.hold(id, !isWritable || isClosingAtOnce) }
            act()
            context.fireChannelWritabilityChanged()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            switch event {
            case is IdleStateHandler.IdleStateEvent: state.idle()
            case ChannelEvent.inputClosed: inputClosed(context)
            default: return context.fireUserInboundEventTriggered(event)
            }
            act()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            // A reset by the peer, or TLS that failed: there is nobody left to tell.
            closeAtOnce()
        }

        /// The schema changed. Call it on the event loop.
        func schemaChanged(_ change: SchemaChange) {
            let byteCount = state.schemaChanged(change)
            // Events are not asked for one by one, so they would pile up for a peer that does not read.
            unreadEventByteCount = isWritable ? 0 : unreadEventByteCount + byteCount
            if unreadEventByteCount > server.options.unreadEventByteCount { return closeAtOnce() }
            act()
        }

        /// Finish what is under way, then close. Call it on the event loop.
        func drain() {
            state.drain()
            act()
        }

        /// There is room for the request that begins.
        func admit(_ charge: RequestBudget.Charge) {
            admissionTime = .now()
            state.admit(charge)
            act()
        }

        /// Closes without waiting for the peer, not for its end of TLS either. Nothing more is read or begun.
        func closeAtOnce() {
            forgetUnsent()
            state.drain()
            guard let context else { return }
            if let id { shared.hold(id, true) }
            let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
            // From there on it does not pass the handler of TLS.
            (tls ?? context).close(promise: nil)
        }

        var isWritable: Bool { context?.channel.isWritable == true }

        // MARK: Actions

        /// Carries out what the state says until there is nothing left.
        private func act() {
            // An action may cause an event at once; the loop that runs sees it.
            guard let context, !isActing else { return }
            isActing = true
            defer { isActing = false }
            while !isClosingAtOnce, let action = state.next() {
                note(context)
                switch action {
                case .send(let bytes):
                    send(bytes, context)
                case .reserve(let byteCount): reserve(byteCount)
                case .release(let charge): shared.release([charge])
                case .perform(let work): if let id { shared.enqueue(work, of: id) }
                case .authenticate(let response, let stream): authenticate(response, stream, context.eventLoop)
                case .pauseReading: setReading(false, context)
                case .resumeReading: setReading(true, context)
                case .yield: proceedLater(context.eventLoop)
                case .close: close(context)
                }
            }
        }

        private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            let byteCount = bytes.count
            unsentByteCount += byteCount
            sentByteCount += byteCount
            let write = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)))
            lastWrite = write
            state.setWritable(context.channel.isWritable)
            shared.countUnsent(byteCount)
            write.assumeIsolated().whenComplete { _ in
                self.writes.finish()
                guard !self.isClosingAtOnce else { return }
                self.unsentByteCount -= byteCount
                self.shared.countUnsent(-byteCount)
            }
        }

        /// What is unsent will not be sent.
        private func forgetUnsent() {
            guard !isClosingAtOnce else { return }
            isClosingAtOnce = true
            shared.countUnsent(-unsentByteCount)
            unsentByteCount = 0
        }

        private func reserve(_ byteCount: Int) {
            guard let id else { return }
            do {
                let charge =
                    try state.throwsOnOverload
                    ? shared.reserveAtOnce(byteCount, for: id) : shared.reserve(byteCount, for: id)
                guard let charge else { return }
                admissionTime = .now()
                state.admit(charge)
            } catch { state.refuse(error) }
        }

        private func proceedLater(_ loop: any EventLoop) {
            let this = NIOLoopBound(self, eventLoop: loop)
            loop.execute {
                this.value.state.proceed()
                this.value.act()
            }
        }

        /// Keeps the record up to date. A request finds itself counted.
        private func note(_ context: ChannelHandlerContext) {
            record.note(requestCount: state.requestCount)
            // What TLS agreed on is known when something came through it.
            guard state.phase != recordedPhase || !isHandshakeRecorded && state.requestCount > 0 else { return }
            recordedPhase = state.phase
            isHandshakeRecorded = state.requestCount > 0
            record.note(state, userName: userName, context)
        }

        private func inputClosed(_ context: ChannelHandlerContext) {
            isInputClosed = true
            state.drain()
            if isOutputClosed { context.close(promise: nil) }
        }

        /// Closes the connection if the peer took nothing for a long time, though there is something for it, or if others make
        /// room for its requests and it sends or takes too slowly. Call it on the event loop, now and then.
        func checkProgress(at now: NIODeadline) {
            guard let context else { return }
            let unsent = Int((try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
            let stalled = writes.stalledTime(at: now, unsentByteCount: unsent)
            let isStalled = stalled >= TimeAmount(server.options.writeStallTimeout)
            if isStalled || isReceivingTooSlowly(at: now) || isTakingTooSlowly(at: now, unsent) { closeAtOnce() }
        }

        private func isTakingTooSlowly(at now: NIODeadline, _ bufferedByteCount: Int) -> Bool {
            guard let id else { return false }
            return heldRoom.isTooSlow(
                at: now, isHeld: !isWritable && shared.holdsRoom(id), takenByteCount: sentByteCount - bufferedByteCount,
                leastBytesPerSecond: Self.leastBytesPerSecond, grace: TimeAmount(server.options.receiveGrace))
        }

        private func isReceivingTooSlowly(at now: NIODeadline) -> Bool {
            guard let charge = state.incompleteCharge, !charge.isFree else { return false }
            let time = now - admissionTime
            guard time >= TimeAmount(server.options.receiveGrace) else { return false }
            let expected = Double(time.nanoseconds) / 1e9 * Double(Self.leastBytesPerSecond)
            return Double(state.bufferedByteCount) < expected
        }

        /// Closes once the last answer is with the system: closing drops what is not. A peer that does not take it within
        /// `closeTimeout` goes without.
        ///
        /// What the peer still sends is read and dropped until it has seen the end: closing over unread bytes resets the
        /// connection, and the peer may lose answers by it.
        private func close(_ context: ChannelHandlerContext) {
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: TimeAmount(server.options.closeTimeout)) { this.value.closeAtOnce() }
            guard let lastWrite else { return closeOutput(context) }
            lastWrite.hop(to: context.eventLoop).whenComplete { _ in
                guard let context = this.value.context else { return }
                this.value.closeOutput(context)
            }
        }

        private func closeOutput(_ context: ChannelHandlerContext) {
            guard !isInputClosed else { return context.close(promise: nil) }
            isOutputClosed = true
            let this = NIOLoopBound(self, eventLoop: context.eventLoop)
            context.channel.close(mode: .output).whenFailure { _ in this.value.closeAtOnce() }
            context.eventLoop.scheduleTask(in: Self.longestLinger) { this.value.closeAtOnce() }
        }

        private func setReading(_ isOn: Bool, _ context: ChannelHandlerContext) {
            // Fails only where the channel is closed, and then nothing is read anyway.
            context.channel.setOption(.autoRead, value: isOn).whenFailure { _ in }
        }

        /// Gives a request to the threads.
        func start(_ work: RequestWork) {
            guard let loop = context?.eventLoop else { return }
            let (finished, executor) = (finished, executor)
            let this = NIOLoopBound(self, eventLoop: loop)
            server.threads.submit { threadState in
                // A pool that is shutting down takes no more work; the connection closes with it.
                let isWanted = threadState == .active && !finished.isAbandoned
                let answer = isWanted ? work.answer(by: executor) : Answer(bytes: [])
                if finished.add(answer, work.charge) { loop.execute { this.value.takeFinished() } }
            }
        }

        private func takeFinished() {
            let finished = finished.take()
            for (answer, _) in finished { state.finish(answer) }
            act()
            // The answers are with the channel, or there is nobody to answer.
            shared.release(finished.compactMap(\.1))
            if let id { shared.finish(finished.count, of: id) }
        }

        /// Nothing of the connection is read meanwhile, so each is in line once at most.
        private func authenticate(_ response: [UInt8], _ stream: Int16, _ loop: any EventLoop) {
            guard let users = server.options.users else { return }
            let (finished, executor) = (finished, executor)
            let this = NIOLoopBound(self, eventLoop: loop)
            server.passwordThreads.submit { threadState in
                // Whose time was over while it was in line is gone, and costs no hash.
                guard threadState == .active, !finished.isAbandoned else { return }
                var failure: (any Error)?
                var name: String?
                do {
                    let user = try users.authenticate(response)
                    // Before any request is carried out: those follow the answer to this one.
                    if users.isMasked(user) { executor.maskColumns(for: user) }
                    name = user
                } catch { failure = error }
                loop.execute { [failure, name] in
                    this.value.userName = name
                    this.value.state.finishAuthentication(failure, stream: stream)
                    this.value.act()
                }
            }
        }
    }

#endif
