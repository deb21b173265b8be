// How much each engine line does.

import BenchmarkKit

struct EngineSizes {
    let burstEvents: Int
    let sustainedEvents: Int
    let queries: Int
    let purchases: Int
    let syncedBuyers = 256
    let syncedPurchasesPerBuyer: Int
    let itemReads: Int
    let profiles: Int
    let profileReads: Int
    let graphPurchases: Int
    let recommendations: Int
    let cacheKeys: Int

    init(isQuick: Bool) {
        burstEvents = isQuick ? 100_000 : 1_000_000
        sustainedEvents = isQuick ? 300_000 : 10_000_000
        queries = isQuick ? 2_000 : 20_000
        purchases = isQuick ? 20_000 : 200_000
        syncedPurchasesPerBuyer = isQuick ? 10 : 100
        itemReads = isQuick ? 100_000 : 1_000_000
        profiles = isQuick ? 20_000 : 200_000
        profileReads = isQuick ? 50_000 : 500_000
        graphPurchases = isQuick ? 20_000 : 200_000
        recommendations = isQuick ? 200 : 2_000
        cacheKeys = isQuick ? 200_000 : 1_000_000
    }
}

/// What every group of engine lines works with.
struct EngineContext {
    let report: Report
    let directory: String
    let workload: ShopWorkload
    let sizes: EngineSizes

    /// True if one of the lines is to run, so that its data is worth making.
    func includesAny(of names: [String]) -> Bool {
        names.contains(where: report.includes)
    }
}
