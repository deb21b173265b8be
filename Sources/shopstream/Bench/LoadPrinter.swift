// LoadPrinter.swift — what a load prints: a line about every second, then the whole.

enum LoadPrinter {
    static func interval(_ outcome: OfferedLoad.Outcome) {
        print("  \(outcome.operationsPerSecond)/s  \(outcome.latencies.summary)")
    }

    static func total(_ outcome: OfferedLoad.Outcome, of name: String) {
        print(
            """
            \(name): \(outcome.operations) operations, \(outcome.operationsPerSecond)/s, \
            \(outcome.averageInFlight) in flight on average
              latency from when due  \(outcome.latencies.summary)
              time in the call       \(outcome.serviceTimes.summary)
            """)
    }
}
