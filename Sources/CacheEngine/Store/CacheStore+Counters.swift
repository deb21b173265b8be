// CacheStore+Counters.swift — INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT.

extension CacheStore {
    /// Adds to the integer that a string spells; an absent key counts as 0 (INCRBY). The expiry stays.
    ///
    /// Returns the new value. A string that is not an integer of 64 bits, and a sum that is none, are refused.
    @discardableResult
    public func increment(_ key: some CacheBytes, by amount: Int64 = 1) throws(CacheError) -> Int64 {
        let result = try withShardForWriting(of: key) { state, key throws(CacheError) -> Int64 in
            let current = try state.withString(key) { value throws(CacheError) -> Int64 in
                guard let integer = IntegerText.parse(value) else { throw .notAnInteger }
                return integer
            }
            let (sum, overflow) = (current ?? 0).addingReportingOverflow(amount)
            guard !overflow else { throw .overflow }
            try state.setString(key, IntegerText.bytes(sum).rawSpan, expiry: nil)
            return sum
        }
        try writeThrough()
        return result
    }

    /// Subtracts (DECRBY).
    @discardableResult
    public func decrement(_ key: some CacheBytes, by amount: Int64 = 1) throws(CacheError) -> Int64 {
        guard amount != .min else { throw CacheError(message: "ERR decrement would overflow") }
        return try increment(key, by: -amount)
    }

    /// Adds to the decimal number that a string spells; an absent key counts as 0 (INCRBYFLOAT). The expiry stays.
    ///
    /// `amount` is given as text, so that it is exact; the result is the text that was stored.
    @discardableResult
    public func incrementFloat(_ key: some CacheBytes, by amount: some CacheBytes) throws(CacheError) -> String {
        let result = try withShardForWriting(of: key) { state, key throws(CacheError) -> [UInt8] in
            let current = try state.withString(key) { value throws(CacheError) in value.array() } ?? Array("0".utf8)
            let sum = try amount.withBytes { amount throws(CacheError) in
                try DecimalText.sum(current.rawSpan, amount, notANumber: .notAFloat)
            }
            try state.setString(key, sum.rawSpan, expiry: nil)
            return sum
        }
        try writeThrough()
        return String(decoding: result, as: UTF8.self)
    }
}
