// StorageError.swift — what a failure of the environment looks like: a code, a sentence, a cause, a place.

/// A failure of the environment: the disk, the files, the process, or a use of the storage that can't be honoured.
///
/// Errors of a data model (a duplicate key, a failed condition) are that model's own types, never this one.
public struct StorageError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// An operating system call failed.
        case ioFailure
        /// Bytes on disk are not what was written. The location names file and offset.
        case corruption
        /// No space left. Nothing was written; the storage accepts writes again once there is space.
        case diskFull
        /// Another process, or another instance in this one, has the directory open.
        case locked
        /// The storage was closed.
        case closed
        /// An earlier append or sync failed: writes are refused until the storage is reopened, reads go on.
        case poisoned
        /// The sync of this commit failed: it may or may not survive.
        case commitOutcomeUnknown
        case batchTooLarge
        case keyTooLarge
        case valueTooLarge
        /// The files were written by a newer version, or need a feature that this version lacks.
        case unsupportedFormat
        case notFound
        case alreadyExists
        case invalidArgument
        /// The storage was opened read-only.
        case readOnly
    }

    /// Where on disk the failure was met.
    public struct Location: Sendable, Hashable, CustomStringConvertible {
        public var file: String
        /// Bytes from the start of the file, if known.
        public var offset: Int64?

        public init(file: String, offset: Int64? = nil) {
            self.file = file
            self.offset = offset
        }

        public var description: String {
            guard let offset else { return file }
            return "\(file) at offset \(offset)"
        }
    }

    public let code: Code
    /// A sentence that tells the reader what happened and, where something can be done, what.
    public let message: String
    public let cause: (any Error)?
    public let location: Location?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, location: Location? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        self.location = location
    }

    public init(_ code: Code, _ message: String, file: String, offset: Int64? = nil, cause: (any Error)? = nil) {
        self.init(code, message, cause: cause, location: Location(file: file, offset: offset))
    }

    public static func corruption(_ message: String, file: String? = nil, offset: Int64? = nil) -> StorageError {
        StorageError(.corruption, message, location: file.map { Location(file: $0, offset: offset) })
    }

    public static func invalidArgument(_ message: String) -> StorageError {
        StorageError(.invalidArgument, message)
    }

    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if let location { text += " (\(location))" }
        if let cause { text += "; cause: \(cause)" }
        return text
    }
}
