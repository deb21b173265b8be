// HookedFileSystem.swift — a simulated disk that calls somebody in the middle of an operation.

import StorageCore
import Synchronization

struct HookedFileSystem: ForwardingFileSystem {
    private final class Hooks: Sendable {
        let willRename = Mutex<(@Sendable () -> Void)?>(nil)
        let willMake = Mutex<(@Sendable (String) -> Void)?>(nil)
    }

    let disk: SimulatedFileSystem
    private let hooks = Hooks()

    init(_ disk: SimulatedFileSystem) {
        self.disk = disk
    }

    /// Called when a file is to get its name, but not while it runs.
    var willRename: (@Sendable () -> Void)? {
        get { hooks.willRename.withLock { $0 } }
        nonmutating set { hooks.willRename.withLock { $0 = newValue } }
    }

    /// Called with the path of a file that is to be made, or emptied, but not while it runs.
    var willMake: (@Sendable (String) -> Void)? {
        get { hooks.willMake.withLock { $0 } }
        nonmutating set { hooks.willMake.withLock { $0 = newValue } }
    }

    func rename(_ from: String, to: String) throws {
        if let body = willRename {
            willRename = nil
            body()
            willRename = body
        }
        try disk.rename(from, to: to)
    }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        if mode == .create || mode == .createOrTruncate, let body = willMake {
            willMake = nil
            body(path)
            willMake = body
        }
        return try disk.open(path, mode)
    }
}
