import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Murmur3")
struct Murmur3Tests {
    /// The vectors of the Python driver (tests/unit/test_metadata.py, `test_murmur3_c`).
    static let vectors: [([UInt8], Int64)] = [
        (Array("123".utf8), -7_468_325_962_851_647_638),
        (Array(repeatElement([0x00, 0xFF, 0x10, 0xFA, 0x99], count: 10).joined()), 5_837_342_703_291_459_765),
        ([UInt8](repeating: 0xFE, count: 8), -8_927_430_733_708_461_935),
        ([UInt8](repeating: 0x10, count: 8), 1_446_172_840_243_228_796),
        (Array("9223372036854775807".utf8), 7_162_290_910_810_015_547),
    ]

    @Test("tokens are those that drivers compute", arguments: vectors)
    func tokens(key: [UInt8], token: Int64) {
        #expect(WideColumnEngineTests.token(key) == token)
    }

    @Test("stored keys come apart into what they were made of")
    func parts() throws {
        for partitionKey in [[1], [0], [0, 0xFF, 0], Array("sess_live_882".utf8)] as [[UInt8]] {
            var key: [UInt8] = []
            try appendPartition(partitionKey, to: &key)
            let prefix = key.count
            key.append(RecordKind.row.rawValue)
            key += [9, 9]
            let parts = try StorageKey.Parts(key.rawSpan)
            #expect(parts.partitionKey == partitionKey && parts.kind == .row && parts.prefixByteCount == prefix)
            #expect(parts.token == token(partitionKey))
        }
    }

    @Test("empty and oversized partition keys are refused with Cassandra's words")
    func limits() {
        var key: [UInt8] = []
        #expect(throws: CQLError(.invalidRequest, "Key may not be empty")) {
            try appendPartition([], to: &key)
        }
        #expect(throws: CQLError(.invalidRequest, "Key length of 65536 is longer than maximum of 65535")) {
            let long = [UInt8](repeating: 1, count: 65536)
            try appendPartition(long, to: &key)
        }
    }
}
