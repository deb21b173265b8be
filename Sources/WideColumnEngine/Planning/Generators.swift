// Generators.swift — the identifiers that `uuid()` and `now()` give out.

internal import Synchronization

/// Random and time-based identifiers of a store.
final class Generators: Sendable {
    let timeUUIDs: TimeUUIDGenerator
    private let random: Mutex<any RandomNumberGenerator & Sendable>

    init(_ random: any RandomNumberGenerator & Sendable) {
        var random = random
        timeUUIDs = TimeUUIDGenerator(using: &random)
        self.random = Mutex(random)
    }

    func randomUUID() -> CQLUUID {
        random.withLock { CQLUUID.random(using: &$0) }
    }
}
