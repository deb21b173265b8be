// Micro-benchmarks of single storage calls, for finding out what a change did: `make bench-micro`. Comparisons with
// peers are in storage-bench.
//
// The closure below also runs to list the benchmarks, so each fixture is made in a setup.

import Benchmark
import StorageCore

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput], warmupIterations: 3, scalingFactor: .kilo,
        maxDuration: .seconds(1))
    addKeyCodec()
    addWrites()
    addReads()
}

private func addWrites() {
    Benchmark("write batch: 100 puts") { benchmark, fixture in
        for step in benchmark.scaledIterations where step.isMultiple(of: 100) {
            var batch = WriteBatch()
            for offset in 0..<100 {
                try batch.put(fixture.keyspace, fixture.presentKey(step + offset).rawSpan, fixture.value.rawSpan)
            }
            blackHole(batch.byteCount)
        }
    } setup: {
        try Fixture()
    }

    Benchmark("transaction: one put, buffered") { benchmark, fixture in
        for step in benchmark.scaledIterations {
            try fixture.storage.write {
                try $0.put(fixture.keyspace, fixture.presentKey(step).rawSpan, fixture.value.rawSpan)
            }
        }
    } setup: {
        try Fixture()
    }

    Benchmark("transaction: empty") { benchmark, fixture in
        for _ in benchmark.scaledIterations {
            blackHole(try fixture.storage.write { $0.commitTime })
        }
    } setup: {
        try Fixture()
    }
}

private func addReads() {
    Benchmark("snapshot: taken and released") { benchmark, fixture in
        for _ in benchmark.scaledIterations {
            blackHole(fixture.storage.snapshot().sequence)
        }
    } setup: {
        try Fixture()
    }

    Benchmark("point read: hit") { benchmark, fixture in
        let view = fixture.storage.snapshot().view
        for step in benchmark.scaledIterations {
            blackHole(try view.withValue(fixture.keyspace, fixture.presentKey(step).rawSpan) { $0.byteCount })
        }
    } setup: {
        try Fixture()
    }

    Benchmark("point read: miss") { benchmark, fixture in
        let view = fixture.storage.snapshot().view
        for step in benchmark.scaledIterations {
            blackHole(try view.contains(fixture.keyspace, fixture.absentKey(step).rawSpan))
        }
    } setup: {
        try Fixture()
    }

    Benchmark("cursor: next") { benchmark, fixture in
        var cursor = try fixture.storage.snapshot().view.cursor(fixture.keyspace)
        try cursor.seekToFirst()
        for _ in benchmark.scaledIterations {
            if !cursor.isValid { try cursor.seekToFirst() }
            blackHole(cursor.value.byteCount)
            try cursor.next()
        }
    } setup: {
        try Fixture()
    }
}
