// Platform.swift — the one file that knows which C library it was built for.
//
// CStorage makes the calls; this file names the error numbers, which differ between systems.

internal import StorageTypes

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The environment of the process.
enum SystemEnvironment {
    static func value(of name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}

/// An error number of the operating system.
struct SystemErrorNumber: Hashable, Sendable {
    let rawValue: Int32

    static let noSuchFile = SystemErrorNumber(rawValue: ENOENT)
    static let fileExists = SystemErrorNumber(rawValue: EEXIST)
    static let wouldBlock = SystemErrorNumber(rawValue: EWOULDBLOCK)
    static let accessDenied = SystemErrorNumber(rawValue: EACCES)
    static let invalidArgument = SystemErrorNumber(rawValue: EINVAL)

    /// Reasons why two names can't share a file although a copy would be possible: another device, a file system
    /// without hard links or with a limit on them, a file of another owner.
    var forbidsHardLink: Bool {
        [EXDEV, EPERM, EMLINK, EOPNOTSUPP, ENOTSUP, ENOSYS].contains(rawValue)
    }

    /// The system's own words, as `strerror` has them.
    var systemText: String {
        var buffer = [CChar](repeating: 0, count: 256)
        _ = unsafe strerror_r(rawValue, &buffer, buffer.count)
        let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return text.isEmpty ? "error \(rawValue)" : String(decoding: text, as: UTF8.self)
    }

    /// The storage error this number means, and what its reader can do about it.
    var meaning: (code: StorageError.Code, advice: String) {
        switch rawValue {
        case ENOSPC:
            (.diskFull, "The disk is full: free some space, then writing goes on.")
        case EDQUOT:
            (.diskFull, "The disk quota is used up: free some space or raise the quota, then writing goes on.")
        case ENOENT:
            (.notFound, "There is no such file or directory.")
        case EEXIST:
            (.alreadyExists, "A file or directory of this name exists already.")
        case EROFS:
            (.ioFailure, "The file system is mounted read-only: mount it for writing or open the storage read-only.")
        case EACCES, EPERM:
            (
                .ioFailure,
                "The process may not do this: check the owner and the permissions of the file and its directory."
            )
        case EMFILE:
            (.ioFailure, "The process has too many files open: raise its limit (ulimit -n).")
        case ENFILE:
            (.ioFailure, "The system has too many files open: close some or raise its limit.")
        case EIO:
            (
                .ioFailure,
                "The device reports an error: check the disk and the system log; restore from a backup if it fails."
            )
        case EFBIG:
            (.ioFailure, "The file would be larger than the file system or the process's limit (ulimit -f) allows.")
        case ENOTDIR:
            (.ioFailure, "A part of the path is not a directory.")
        case EISDIR:
            (.ioFailure, "The path names a directory, a file is needed.")
        case ENOTEMPTY:
            (.ioFailure, "The directory is not empty.")
        case ENAMETOOLONG:
            (.ioFailure, "The path is too long: use a shorter directory name.")
        case EXDEV:
            (.ioFailure, "The two paths lie on different devices.")
        case ENOLCK:
            (.ioFailure, "The file system offers no locks: put the storage on a local disk.")
        case ENOMEM:
            (.ioFailure, "The system is out of memory.")
        default:
            (.ioFailure, "The operating system refused the call.")
        }
    }
}

extension StorageError {
    /// The failure of one system call on one path.
    static func systemCall(
        _ call: String, _ number: SystemErrorNumber, path: String, offset: Int64? = nil, cause: (any Error)? = nil
    ) -> StorageError {
        let (code, advice) = number.meaning
        return StorageError(
            code, "\(call) failed (\(number.systemText)). \(advice)", file: path, offset: offset,
            cause: cause)
    }
}
