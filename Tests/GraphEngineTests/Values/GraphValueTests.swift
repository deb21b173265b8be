import GraphEngine
import Testing

@Suite("Graph values")
struct GraphValueTests {
    @Test("null makes equality unknown unless something else decides it")
    func equalityWithNull() {
        #expect(GraphValue.null.isEqual(to: .null) == nil)
        #expect(GraphValue.null.isEqual(to: 1) == nil)
        #expect(([1, nil] as GraphValue).isEqual(to: [1, 2]) == nil)
        #expect(([1, nil] as GraphValue).isEqual(to: [2, nil]) == false)
        #expect(([1, nil] as GraphValue).isEqual(to: [1]) == false)
        #expect((["a": nil] as GraphValue).isEqual(to: ["a": 1]) == nil)
        #expect((["a": nil] as GraphValue).isEqual(to: ["b": 1]) == false)
    }

    @Test("values of different types differ, integers and floats do not")
    func equalityOfTypes() {
        #expect((1 as GraphValue).isEqual(to: 1.0) == true)
        #expect((1 as GraphValue).isEqual(to: "1") == false)
        #expect((true as GraphValue).isEqual(to: 1) == false)
        #expect(GraphValue(Double.nan).isEqual(to: .float(.nan)) == false)
    }

    @Test("integers and floats compare exactly beyond the precision of a float")
    func exactNumbers() {
        let big = GraphValue.integer(9_007_199_254_740_993)
        #expect(big.isEqual(to: .float(9_007_199_254_740_992)) == false)
        #expect(big.order(against: .float(9_007_199_254_740_992)) > 0)
        #expect(GraphValue.integer(.max).order(against: .float(0x1p63)) < 0)
        #expect(GraphValue.integer(.min).isEqual(to: .float(-0x1p63)) == true)
    }

    @Test("ORDER BY has a place for every type")
    func orderability() {
        let ascending: [GraphValue] = [
            ["a": 1], ["a": 2], ["b": 0], [1, 2], [1, 3], "", "a", "b", false, true, -1.5, 0, 1, .float(.infinity),
            .float(.nan), .null,
        ]
        for (index, value) in ascending.enumerated() {
            for (other, second) in ascending.enumerated() {
                let order = value.order(against: second)
                #expect(order.signum() == (index - other).signum(), "\(value) against \(second)")
            }
        }
    }

    @Test("DISTINCT sees null and NaN as equal to themselves, and 1 as equal to 1.0")
    func equivalence() {
        let values: Set<GraphValue> = [nil, nil, .float(.nan), .float(.nan), 1, 1.0, [1, nil], [1.0, nil], 0.0, -0.0]
        #expect(values.count == 5)
    }

    @Test("texts are compared by code point, without normalisation")
    func text() {
        #expect(GraphValue("\u{E9}").isEqual(to: .string("e\u{301}")) == false)
        #expect(GraphValue("\u{E9}") != .string("e\u{301}"))
        #expect(GraphValue("Z").order(against: "a") < 0)
        #expect(GraphValue("\u{FFFD}").order(against: "\u{1F600}") < 0)
    }

    @Test("values print as Cypher literals")
    func description() {
        #expect("\(["b": [1, 2.5, nil], "a": "it's"] as GraphValue)" == "{a: 'it\\'s', b: [1, 2.5, null]}")
        #expect("\(GraphValue(1e300))" == "1.0E300")
        #expect("\(GraphValue(100.0))" == "100.0")
    }
}
