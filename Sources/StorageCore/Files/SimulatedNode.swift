// SimulatedNode.swift — files and directories of the simulated disk, apart from their names.

/// A file or a directory.
///
/// `@unchecked Sendable`: every access happens inside the lock of the file system it belongs to.
final class SimulatedNode: @unchecked Sendable {
    enum Kind {
        case file
        case directory
    }

    let kind: Kind
    // Files.
    var content = SimulatedContent()
    /// Space reserved from the start of the file.
    var allocatedByteCount = 0
    /// Names and handles: the space is free once both are gone.
    var nameCount = 0
    var handleCount = 0
    var isLocked = false
    // Directories: the names programs see, and those a power cut leaves.
    var names: [String: SimulatedNode] = [:]
    var durableNames: [String: SimulatedNode] = [:]

    init(_ kind: Kind) {
        self.kind = kind
    }

    /// The space the file takes.
    var footprint: Int64 {
        nameCount + handleCount == 0 ? 0 : Int64(max(content.current.count, allocatedByteCount))
    }
}

/// A name given or taken, not yet synced. A rename is one change: it survives as a whole or not at all.
struct SimulatedNameChange {
    struct Place {
        var directory: SimulatedNode
        var name: String
    }

    var order: Int
    var removed: Place?
    var added: (place: Place, node: SimulatedNode)?
    /// A directory sync that should have made it durable failed.
    var isLost = false

    func touches(_ directory: SimulatedNode) -> Bool {
        removed?.directory === directory || added?.place.directory === directory
    }

    func applyToDurableNames() {
        if let removed { removed.directory.durableNames[removed.name] = nil }
        if let added { added.place.directory.durableNames[added.place.name] = added.node }
    }

    func applyToNames() {
        if let removed, let node = removed.directory.names.removeValue(forKey: removed.name) {
            node.nameCount -= 1
        }
        if let added {
            let replaced = added.place.directory.names.updateValue(added.node, forKey: added.place.name)
            replaced?.nameCount -= 1
            added.node.nameCount += 1
        }
    }
}
