// The order-preserving key codec on a key as the events table has it: text, instant, identifier.

import Benchmark
import StorageCore

func addKeyCodec() {
    Benchmark("key codec: encode text, instant, 16 bytes") { benchmark in
        let identifier = [UInt8](0..<16)
        var encoder = KeyEncoder()
        for step in benchmark.scaledIterations {
            encoder.reset()
            encoder.append(string: "sess_live_882")
            encoder.append(int64: Int64(step), descending: true)
            encoder.append(raw: identifier.rawSpan)
            blackHole(encoder.bytes.count)
        }
    }

    Benchmark("key codec: decode text, instant, 16 bytes") { benchmark in
        var encoder = KeyEncoder()
        encoder.append(string: "sess_live_882")
        encoder.append(int64: 1_741_615_200_000, descending: true)
        encoder.append(raw: [UInt8](0..<16).rawSpan)
        let key = encoder.bytes
        for _ in benchmark.scaledIterations {
            var decoder = KeyDecoder(key.rawSpan)
            blackHole(try decoder.string())
            blackHole(try decoder.int64(descending: true))
            blackHole(decoder.remaining.byteCount)
        }
    }
}
