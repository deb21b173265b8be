// CacheError.swift — the errors a Redis user knows, with their exact texts.

/// A command that the cache refused: nothing was changed.
///
/// The texts are those of Redis 7.2 (`src/shared.c`, `src/t_string.c`, `src/t_hash.c`, `src/expire.c`).
public struct CacheError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first word of the text: `WRONGTYPE`, `ERR` or `OOM`.
    public let code: String
    /// The whole text, code included, as a Redis server would send it.
    public let message: String

    public init(message: String) {
        self.message = message
        self.code = String(message.prefix { $0 != " " })
    }

    public var description: String { message }

    public static let wrongType = CacheError(
        message: "WRONGTYPE Operation against a key holding the wrong kind of value")
    public static let notAnInteger = CacheError(message: "ERR value is not an integer or out of range")
    public static let notAFloat = CacheError(message: "ERR value is not a valid float")
    public static let overflow = CacheError(message: "ERR increment or decrement would overflow")
    public static let floatOverflow = CacheError(message: "ERR increment would produce NaN or Infinity")
    public static let hashValueNotAnInteger = CacheError(message: "ERR hash value is not an integer")
    public static let hashValueNotAFloat = CacheError(message: "ERR hash value is not a float")
    public static let outOfRange = CacheError(message: "ERR value is out of range, must be positive")
    public static let noSuchKey = CacheError(message: "ERR no such key")
    public static let indexOutOfRange = CacheError(message: "ERR index out of range")
    public static let stringTooLong = CacheError(
        message: "ERR string exceeds maximum allowed size (proto-max-bulk-len)")
    public static let outOfMemory = CacheError(
        message: "OOM command not allowed when used memory > 'maxmemory'.")
    /// This cache's own limit: a key has at most 65,535 bytes (Redis: 512 MB).
    public static let keyTooLong = CacheError(message: "ERR key exceeds maximum allowed size (65535 bytes)")

    /// A time to live that is not positive where the command needs one.
    public static func invalidExpiry(in command: String) -> CacheError {
        CacheError(message: "ERR invalid expire time in '\(command)' command")
    }
}
