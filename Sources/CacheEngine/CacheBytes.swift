// CacheBytes.swift — what may be given as a key or a value: text or bytes, without a copy.

/// Text or bytes given as a key, a field, a member or a value. Text stands for its UTF-8 bytes.
public protocol CacheBytes {
    /// Calls `body` with the bytes, which are valid during the call only.
    func withBytes<R, Failure: Error>(_ body: (RawSpan) throws(Failure) -> R) throws(Failure) -> R
}

extension CacheBytes {
    /// A copy of the bytes.
    @inlinable
    public var byteArray: [UInt8] { withBytes { $0.array() } }
}

extension Array: CacheBytes where Element == UInt8 {
    @inlinable
    public func withBytes<R, Failure: Error>(_ body: (RawSpan) throws(Failure) -> R) throws(Failure) -> R {
        try body(rawSpan)
    }
}

extension String: CacheBytes {
    @inlinable
    public func withBytes<R, Failure: Error>(_ body: (RawSpan) throws(Failure) -> R) throws(Failure) -> R {
        // `withUTF8` rethrows untyped errors, so the outcome travels as a value.
        var text = self
        let outcome: Result<R, Failure> = text.withUTF8 { utf8 in
            do throws(Failure) {
                return .success(try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(utf8))))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

extension Substring: CacheBytes {
    @inlinable
    public func withBytes<R, Failure: Error>(_ body: (RawSpan) throws(Failure) -> R) throws(Failure) -> R {
        try String(self).withBytes(body)
    }
}
