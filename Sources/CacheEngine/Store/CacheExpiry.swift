// CacheExpiry.swift — the arguments that say how long an entry lives and under which condition it is written.

/// How long an entry lives once it is written.
public enum CacheExpiry: Sendable, Hashable {
    /// Until it is deleted.
    case never
    /// For a time from now (EX, PX).
    case after(Duration)
    /// Until an instant (EXAT, PXAT).
    case at(StorageInstant)
    /// As long as the entry that was there (KEEPTTL).
    case keep
}

/// Writes only if the key is absent (NX) or present (XX).
public enum CacheWriteCondition: Sendable, Hashable {
    case ifAbsent, ifPresent
}

/// Changes an expiry only under a condition. An entry without expiry counts as living for ever.
public enum CacheExpiryCondition: Sendable, Hashable {
    /// NX, XX: the entry has no expiry, or has one.
    case ifPersistent, ifVolatile
    /// GT, LT: the new expiry is later, or earlier, than the current one.
    case ifLater, ifEarlier
}

/// What `timeToLive(of:)` tells of a key: Redis' `PTTL`, where absent is −2 and persistent −1.
public enum CacheTimeToLive: Sendable, Hashable {
    case absent
    case persistent
    case remaining(Duration)

    /// The integer that `PTTL` answers.
    public var milliseconds: Int64 {
        switch self {
        case .absent: -2
        case .persistent: -1
        case .remaining(let duration): StorageInstant(microseconds: 0).advanced(by: duration).milliseconds
        }
    }

    /// The integer that `TTL` answers: seconds, rounded to the nearest.
    public var seconds: Int64 {
        switch self {
        case .absent: -2
        case .persistent: -1
        case .remaining: (milliseconds + 500) / 1000
        }
    }
}

extension CacheExpiry {
    /// Milliseconds since 1970, 0 for none, `nil` to keep what is there. A time to live that is not positive is refused
    /// with the text of `command`; an instant in the past is taken as it is: the entry expires at once.
    func milliseconds(now: StorageInstant, command: String) throws(CacheError) -> Int64? {
        switch self {
        case .keep:
            return nil
        case .never:
            return 0
        case .after(let duration):
            guard duration > .zero else { throw .invalidExpiry(in: command) }
            return now.advanced(by: duration).roundedUpMilliseconds
        case .at(let instant):
            guard instant.microseconds > 0 else { throw .invalidExpiry(in: command) }
            return instant.roundedUpMilliseconds
        }
    }
}

extension StorageInstant {
    /// Entries live at least as long as they were told to.
    var roundedUpMilliseconds: Int64 {
        max(1, milliseconds + (microseconds % 1000 == 0 ? 0 : 1))
    }
}
