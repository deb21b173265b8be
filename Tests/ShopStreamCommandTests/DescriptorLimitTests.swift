import Testing

@testable import shopstream

@Suite("The limit on open files")
struct DescriptorLimitTests {
    @Test(
        "connections have what the storage and 64 others leave, and where that is less than 16 there is no server",
        arguments: [
            (0, nil), (577, nil), (591, nil), (592, 16), (600, 24), (1024, 448), (1600, 1024), (1 << 20, 1024),
            (Int.max, 1024),
        ] as [(Int, Int?)])
    func connections(limit: Int, expected: Int?) {
        #expect(DescriptorLimit.connectionCount(1024, limit: limit, storage: 512) == expected)
    }

    @Test("who asks for few connections needs no more, and the limit is raised to something")
    func few() {
        #expect(DescriptorLimit.connectionCount(2, limit: 578, storage: 512) == 2)
        #expect(DescriptorLimit.connectionCount(2, limit: 577, storage: 512) == nil)
        #expect(DescriptorLimit.raise() > 0)
    }
}
