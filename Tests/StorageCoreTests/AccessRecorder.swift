import Synchronization

@testable import StorageCore

/// Keeps what reads tell of what they touched.
final class AccessRecorder: AccessTraceSink {
    private let state = Mutex<[AccessEvent]>([])

    func record(_ event: AccessEvent) { state.withLock { $0.append(event) } }

    /// What was told since the last time.
    func take() -> [AccessEvent] {
        state.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// The tables that were looked into since the last time, in that order.
    func takeTables() -> [UInt64] {
        take().compactMap { event in
            switch event {
            case .tableSearched(let number, _), .tableEntered(let number): number
            default: nil
            }
        }
    }
}
