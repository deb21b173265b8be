// SpaceReserve.swift — space set aside while there is some, for the write that a full disk must still take.

internal import Synchronization

/// A file that only takes space. Letting go of it lets a full disk finish a manifest edit: dropping a keyspace, or
/// listing what a compaction has made smaller, is how space comes back.
///
/// All calls are best effort: where space can't be reserved, a full disk refuses the edit, and nothing is lost.
final class SpaceReserve: Sendable {
    static let name = "RESERVE"

    private let path: String
    private let byteCount: Int64
    private let fileSystem: any FileSystem
    private let isHeld = Atomic<Bool>(false)

    init(directory: String, byteCount: Int64, fileSystem: any FileSystem) {
        path = "\(directory)/\(Self.name)"
        self.byteCount = byteCount
        self.fileSystem = fileSystem
        restore()
    }

    /// Sets the space aside if it is not, and if there is room.
    func restore() {
        guard byteCount > 0, !isHeld.load(ordering: .relaxed) else { return }
        do {
            let file = try fileSystem.open(path, .createOrTruncate)
            do {
                try file.allocate(byteCount: byteCount)
                isHeld.store(true, ordering: .relaxed)
            } catch {
                try fileSystem.remove(path)
            }
            try file.close()
        } catch {
            // Another edit will try again.
        }
    }

    /// Gives the space back; false if there was none.
    func release() -> Bool {
        guard isHeld.exchange(false, ordering: .relaxed) else { return false }
        return (try? fileSystem.remove(path)) != nil
    }
}
