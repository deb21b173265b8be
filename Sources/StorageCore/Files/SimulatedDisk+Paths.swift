// SimulatedDisk+Paths.swift — the file system calls that work on paths.

internal import StorageTypes

extension SimulatedDisk {
    // MARK: Finding

    func find(_ path: String) -> SimulatedNode? {
        Self.components(of: path).reduce(root) { $0?.names[$1] }
    }

    func file(_ path: String) throws -> SimulatedNode {
        guard let node = find(path) else { throw Self.notFound(path) }
        guard node.kind == .file else {
            throw StorageError(.ioFailure, "The path names a directory, a file is needed.", file: path)
        }
        return node
    }

    func directory(_ path: String) throws -> SimulatedNode {
        guard let node = find(path) else { throw Self.notFound(path) }
        guard node.kind == .directory else {
            throw StorageError(.ioFailure, "The path names a file, a directory is needed.", file: path)
        }
        return node
    }

    /// The directory and the name a path ends with; the name need not exist.
    func place(_ path: String) throws -> SimulatedNameChange.Place {
        guard let name = Self.components(of: path).last else {
            throw StorageError(.invalidArgument, "The root directory can't be used here.", file: path)
        }
        return SimulatedNameChange.Place(directory: try directory(FilePathText.parent(of: path)), name: name)
    }

    static func components(of path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }

    static func notFound(_ path: String) -> StorageError {
        StorageError(.notFound, "There is no such file or directory.", file: path)
    }

    static func alreadyExists(_ path: String) -> StorageError {
        StorageError(.alreadyExists, "A file or directory of this name exists already.", file: path)
    }

    // MARK: Calls

    mutating func open(_ path: String, _ mode: FileMode) throws -> SimulatedNode {
        try checkPower(path)
        let node: SimulatedNode
        switch mode {
        case .read, .readWrite:
            node = try file(path)
        case .create:
            guard find(path) == nil else { throw Self.alreadyExists(path) }
            node = try create(path)
        case .createOrTruncate:
            if find(path) == nil {
                node = try create(path)
            } else {
                node = try file(path)
                try truncate(node, to: 0, path: path)
            }
        }
        node.handleCount += 1
        return node
    }

    mutating func create(_ path: String) throws -> SimulatedNode {
        let node = SimulatedNode(.file)
        try changeNames(.create, path, added: (place(path), node))
        return node
    }

    mutating func lock(_ path: String) throws -> SimulatedNode {
        try checkPower(path)
        let node = find(path) == nil ? try create(path) : try file(path)
        guard !node.isLocked else {
            throw StorageError(.locked, "Someone has the storage open already: close it there first.", file: path)
        }
        node.isLocked = true
        return node
    }

    mutating func createDirectory(_ path: String) throws {
        try checkPower(path)
        var parent = root
        var parentPath = path.hasPrefix("/") ? "/" : "."
        for name in Self.components(of: path) {
            let childPath = parentPath == "/" ? "/\(name)" : "\(parentPath)/\(name)"
            if parent.names[name] == nil {
                let place = SimulatedNameChange.Place(directory: parent, name: name)
                try changeNames(.createDirectory, childPath, added: (place, SimulatedNode(.directory)))
                try syncDirectory(parent, path: parentPath)
            }
            parent = try directory(childPath)
            parentPath = childPath
        }
    }

    mutating func remove(_ path: String) throws {
        try checkPower(path)
        _ = try file(path)
        try changeNames(.remove, path, removed: place(path))
    }

    mutating func removeDirectory(_ path: String) throws {
        try checkPower(path)
        guard try directory(path).names.isEmpty else {
            throw StorageError(.ioFailure, "The directory is not empty.", file: path)
        }
        try changeNames(.removeDirectory, path, removed: place(path))
    }

    mutating func rename(_ from: String, to: String) throws {
        try checkPower(from)
        guard let node = find(from) else { throw Self.notFound(from) }
        let (source, target) = try (place(from), place(to))
        guard Self.components(of: from) != Self.components(of: to) else { return }
        if let replaced = target.directory.names[target.name] {
            guard replaced !== node else { return }
            guard replaced.kind == node.kind, replaced.names.isEmpty else {
                throw StorageError(.ioFailure, "Only files replace files, and directories empty ones.", file: to)
            }
        }
        guard node.kind == .file || !Self.components(of: to).starts(with: Self.components(of: from)) else {
            throw StorageError(.invalidArgument, "A directory can't be moved into itself.", file: from)
        }
        try changeNames(.rename, from, removed: source, added: (target, node))
    }

    mutating func link(_ from: String, to: String) throws {
        try checkPower(from)
        let node = try file(from)
        guard find(to) == nil else { throw Self.alreadyExists(to) }
        try changeNames(.link, to, added: (place(to), node))
    }
}
