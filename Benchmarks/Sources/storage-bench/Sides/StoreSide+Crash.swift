// The line that opens what a crash of the process left.

import BenchmarkKit

extension StoreSide {
    /// The files are copied while the store is open and idle: what the operating system holds then is what it would hold
    /// had the process been killed.
    func prepareCrash(entries: Int) throws -> Int? {
        guard entries <= Store.largestLog else { return nil }
        let opened = try OpenedStore<Store>(in: parent, settings: .unflushed)
        var meter = Meter()
        try putInBatches(0..<entries, batchSize: 100, into: opened.session, meter: &meter)
        let copy = try opened.directory.copy(named: "crash")
        crashed = copy
        try opened.close()
        return copy.byteCount
    }

    func openAfterCrash(entries: Int) throws -> Timing? {
        guard let crashed else { return nil }
        let directory = try crashed.copy(named: "reopened")
        var reopened: OpenedStore<Store>?
        let timing = try measure { meter in
            let opened = try OpenedStore<Store>(directory: directory)
            reopened = opened
            var digest: UInt64 = 0
            for step in 0..<10 {
                let key = keys.key(randomIndex(step: step, seed: seed, count: entries))
                digest &+= try opened.session.digest(of: key) ?? 1
            }
            meter.lap()
            return digest
        }
        let (found, _) = try reopened?.session.digestOfAll() ?? (0, 0)
        try reopened?.close()
        guard found == entries else {
            throw PeerError(description: "\(name) has \(found) of \(entries) entries after a crash.")
        }
        return timing
    }

    func removeCrash() { crashed = nil }
}
