// How much each engine line does.

import BenchmarkKit

struct EngineSizes {
    var burstEvents = 1_000_000
    var sustainedEvents = 10_000_000
    var queries = 20_000
    var purchases = 200_000
    var syncedBuyers = 256
    var syncedPurchasesPerBuyer = 100
    var mixedPurchases = 20_000
    var itemReads = 1_000_000
    var profiles = 200_000
    var profileReads = 500_000
    var graphPurchases = 200_000
    var recommendations = 2_000
    var cacheKeys = 1_000_000

    static let full = EngineSizes()
    static let quick = EngineSizes(
        burstEvents: 100_000, sustainedEvents: 300_000, queries: 2_000, purchases: 20_000, syncedPurchasesPerBuyer: 10,
        mixedPurchases: 3_000, itemReads: 100_000, profiles: 20_000, profileReads: 50_000, graphPurchases: 20_000,
        recommendations: 200,
        cacheKeys: 200_000)
    /// For tests: that every line runs, not how fast.
    static let smoke = EngineSizes(
        burstEvents: 700, sustainedEvents: 500, queries: 10, purchases: 50, syncedBuyers: 8, syncedPurchasesPerBuyer: 2,
        mixedPurchases: 5, itemReads: 50, profiles: 50, profileReads: 50, graphPurchases: 200, recommendations: 10,
        cacheKeys: 200)
}

/// What every group of engine lines works with.
struct EngineContext {
    let report: Report
    let directory: String
    let workload: ShopWorkload
    let sizes: EngineSizes

    func runLines() async throws {
        try await EventLines(context: self).run()
        try await ProfileLines(context: self).run()
        try await OrderLines(context: self).run()
        try await MixedLines(context: self).run()
        try await RecommendationLines(context: self).run()
        try await CacheLines(context: self).run()
    }

    /// True if one of the lines is to run, so that its data is worth making.
    func includesAny(of names: [String]) -> Bool {
        names.contains(where: report.includes)
    }
}
