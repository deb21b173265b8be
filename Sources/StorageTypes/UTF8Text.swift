// UTF8Text.swift — texts of bytes from disk and network.

extension String {
    /// The text that the bytes are; nil where they are not valid UTF-8.
    ///
    /// `String(validating:as:)` gives the same, and takes three times as long: it is generic inside the standard library and
    /// looks up types at each call.
    public init?(validUTF8 bytes: RawSpan) {
        let text = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        // What is not valid was replaced.
        let isUnchanged = unsafe text.utf8.withContiguousStorageIfAvailable {
            unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0)).equals(bytes)
        }
        guard isUnchanged == true else { return nil }
        self = text
    }
}
