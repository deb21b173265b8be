// VocabularyTests.swift — errors, sequence numbers, reproducible randomness.

import StorageTypes
import Testing

@Suite("Storage vocabulary")
struct VocabularyTests {
    @Test("an error's description has code, sentence, place and cause")
    func errorDescription() {
        let cause = StorageError(.ioFailure, "The device reports an error.")
        let error = StorageError(.corruption, "A checksum is wrong.", file: "/d/1.log", offset: 4096, cause: cause)
        #expect(
            error.description
                == "corruption: A checksum is wrong. (/d/1.log at offset 4096); cause: ioFailure: The device reports an error."
        )
        #expect(StorageError.invalidArgument("No.").description == "invalidArgument: No.")
        #expect(StorageError.corruption("Bad.", file: "f").location == StorageError.Location(file: "f"))
        #expect(StorageError.corruption("Bad.").location == nil)
    }

    @Test("sequence numbers count up in 56 bits")
    func sequenceNumbers() {
        #expect(SequenceNumber.zero.next == SequenceNumber(1))
        #expect(SequenceNumber(1) < SequenceNumber(2))
        #expect(SequenceNumber.max.rawValue == 0x00FF_FFFF_FFFF_FFFF)
        #expect("\(SequenceNumber(42))" == "42")
    }

    @Test("the same seed gives the same numbers: those of the SplitMix64 reference")
    func random() {
        var random = SeededRandom(seed: 1_234_567)
        let numbers = (0..<5).map { _ in random.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ])
    }
}
