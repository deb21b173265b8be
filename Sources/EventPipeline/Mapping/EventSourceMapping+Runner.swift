// EventSourceMapping+Runner.swift — a task that runs a mapping until it is stopped, and sleeps where there is nothing to do.

internal import Logging
internal import Synchronization
internal import TableEngine

extension EventSourceMapping {
    /// Starts delivering; does nothing if the mapping runs already.
    public func start() {
        run.withLock { run in
            guard run.runner == nil else { return }
            run.runner = Task.detached { [weak self] in
                while !Task.isCancelled {
                    guard let pause = await self?.runUntilIdle() else { return }
                    await pause()
                }
            }
        }
    }

    /// Stops delivering and waits for the invocation at hand. The mapping can be started again, and goes on in order.
    public func stop() async {
        let runner = run.withLock { $0.runner }
        runner?.cancel()
        await runner?.value
        run.withLock { $0.runner = nil }
    }

    /// Lets a waiting runner look at the state anew.
    func restartRunner() {
        let wasRunning = run.withLock { run in
            defer { run.runner = nil }
            run.runner?.cancel()
            return run.runner != nil
        }
        if wasRunning { start() }
    }

    /// Steps until there is nothing to do at once. Returns how to wait for more, without holding on to the mapping.
    private func runUntilIdle() async -> (@Sendable () async -> Void) {
        do {
            var next = MappingProgress.Next.ready
            while next == .ready, !Task.isCancelled { next = try await runOnce().next }
            return pause(before: next)
        } catch {
            if !(error is CancellationError) { logger.error("Delivery is interrupted: \(error)") }
            return Self.sleep(Self.pauseAfterError)
        }
    }

    private static var pauseAfterError: Duration { .seconds(1) }
    /// How soon a disabled mapping notices that it was enabled.
    private static var pauseWhileDisabled: Duration { .milliseconds(100) }

    private func pause(before next: MappingProgress.Next) -> (@Sendable () async -> Void) {
        let stream = stream
        let (position, isGathering) = run.withLock { ($0.state?.scanned, $0.state?.isGathering) }
        switch next {
        case .ready:
            return {}
        case .disabled:
            return Self.sleep(Self.pauseWhileDisabled)
        case .waiting(let instant):
            let rest = Self.sleep(max(storage.clock.now.duration(to: instant), .milliseconds(1)))
            return isGathering == true ? Self.first(of: rest, Self.records(of: stream, after: position)) : rest
        case .caughtUp:
            return Self.records(of: stream, after: position)
        }
    }

    private static func records(
        of stream: any StreamReading, after position: StreamSequenceNumber?
    ) -> (@Sendable () async -> Void) {
        {
            do {
                try await stream.waitForRecords(after: position)
            } catch is CancellationError {
                return
            } catch {
                // The next read tells what is wrong; it comes after a pause.
                await sleep(pauseAfterError)()
            }
        }
    }

    private static func sleep(_ duration: Duration) -> (@Sendable () async -> Void) {
        { try? await Task.sleep(for: duration) }
    }

    private static func first(
        of left: @escaping @Sendable () async -> Void, _ right: @escaping @Sendable () async -> Void
    ) -> (@Sendable () async -> Void) {
        {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await left() }
                group.addTask { await right() }
                await group.next()
                group.cancelAll()
            }
        }
    }
}
