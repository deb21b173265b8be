// SimulatedDisk.swift — the state behind SimulatedFileSystem's lock: the tree, the unsynced names, the faults to come.

internal import StorageTypes

struct SimulatedDisk {
    typealias Operation = SimulatedFileSystem.Operation

    let root: SimulatedNode
    var random: SeededRandom
    var nameChanges: [SimulatedNameChange] = []
    var capacity: Int64?
    var usedByteCount: Int64 = 0
    // Counters and faults.
    var operationCount = 0
    var operationCounts: [Operation: Int] = [:]
    var readCount = 0
    var faults: [SimulatedFault] = []
    var readFaults: [SimulatedFault] = []
    var powerCutOperation: Int?
    var isPowerOff = false
    /// What the power cut interrupted: it may have happened, in part.
    var inFlight: InFlight?

    enum InFlight {
        case content(SimulatedNode, SimulatedContent.Change)
        case names(SimulatedNameChange)
    }

    init(root: SimulatedNode = SimulatedNode(.directory), seed: UInt64) {
        self.root = root
        random = SeededRandom(seed: seed)
    }

    func checkPower(_ path: String) throws {
        guard isPowerOff else { return }
        throw StorageError(.ioFailure, "The simulated disk has lost its power.", file: path)
    }

    /// Counts a mutating step and returns its number, or throws because the power is cut or a fault is due.
    ///
    /// - Parameter interrupted: What the power cut finds in flight, given the step's number.
    mutating func begin(
        _ operation: Operation, _ path: String, interrupted: (Int) -> InFlight? = { _ in nil }
    ) throws -> Int {
        try checkPower(path)
        operationCount += 1
        operationCounts[operation, default: 0] += 1
        if let powerCutOperation, operationCount >= powerCutOperation {
            isPowerOff = true
            inFlight = interrupted(operationCount)
            try checkPower(path)
        }
        guard operation != .store else { return operationCount }
        for index in faults.indices where faults[index].applies(to: operation, path) {
            let number = faults[index].operation == nil ? operationCount : operationCounts[operation, default: 0]
            if faults[index].strikes(at: number) { throw faults[index].error(operation.rawValue, path) }
        }
        return operationCount
    }

    // MARK: Content

    mutating func write(_ bytes: [UInt8], at offset: Int, to node: SimulatedNode, path: String) throws {
        let action = SimulatedContent.Change.Action.write(offset: offset, bytes: bytes)
        let order: Int
        do {
            order = try begin(.write, path) { .content(node, SimulatedContent.Change(order: $0, action: action)) }
        } catch {
            if !isPowerOff { writeSomeSectors(of: action, to: node) }
            throw error
        }
        let room = max(node.content.current.count, node.allocatedByteCount) + Int(clamping: freeByteCount)
        guard offset + bytes.count > room else {
            return change(node) { $0.content.apply(action, order: order) }
        }
        // As on a real disk that fills up: what fits is written.
        let fitting = Array(bytes.prefix(max(0, room - offset)))
        if !fitting.isEmpty {
            change(node) { $0.content.apply(.write(offset: offset, bytes: fitting), order: order) }
        }
        throw StorageError(.diskFull, "The simulated disk is full.", file: path)
    }

    /// A store through a mapping: it fails only when the power does.
    mutating func store(_ bytes: [UInt8], at offset: Int, to node: SimulatedNode, path: String) throws {
        let action = SimulatedContent.Change.Action.write(offset: offset, bytes: bytes)
        let order = try begin(.store, path) { .content(node, SimulatedContent.Change(order: $0, action: action)) }
        change(node) { $0.content.apply(action, order: order) }
    }

    /// A failed write has written nobody knows what.
    private mutating func writeSomeSectors(of action: SimulatedContent.Change.Action, to node: SimulatedNode) {
        let sectorCount = Int.random(in: 0...action.sectors(fileByteCount: 0).count, using: &random)
        guard let torn = action.torn(afterSectors: sectorCount) else { return }
        let order = operationCount
        change(node) { $0.content.apply(torn, order: order) }
    }

    mutating func truncate(_ node: SimulatedNode, to byteCount: Int, path: String) throws {
        let action = SimulatedContent.Change.Action.truncate(byteCount: byteCount)
        let order = try begin(.truncate, path) {
            .content(node, SimulatedContent.Change(order: $0, action: action))
        }
        change(node) {
            $0.content.apply(action, order: order)
            $0.allocatedByteCount = min($0.allocatedByteCount, byteCount)
        }
    }

    mutating func allocate(_ node: SimulatedNode, byteCount: Int, path: String) throws {
        _ = try begin(.allocate, path)
        let missing = Int64(byteCount) - node.footprint
        guard missing <= freeByteCount else {
            throw StorageError(.diskFull, "The simulated disk is full.", file: path)
        }
        change(node) { $0.allocatedByteCount = max($0.allocatedByteCount, byteCount) }
    }

    mutating func sync(_ node: SimulatedNode, path: String) throws {
        do {
            _ = try begin(.sync, path)
        } catch {
            if !isPowerOff { node.content.failSync() }
            throw error
        }
        node.content.sync()
    }

    var freeByteCount: Int64 {
        guard let capacity else { return 1 << 40 }
        return max(0, capacity - usedByteCount)
    }

    /// Changes a file and keeps the account of used space.
    mutating func change(_ node: SimulatedNode, _ body: (SimulatedNode) -> Void) {
        usedByteCount -= node.footprint
        body(node)
        usedByteCount += node.footprint
    }

    // MARK: Names

    /// Counts one step and changes names as one unit.
    mutating func changeNames(
        _ operation: Operation, _ path: String,
        removed: SimulatedNameChange.Place? = nil, added: (SimulatedNameChange.Place, SimulatedNode)? = nil
    ) throws {
        func change(_ order: Int) -> SimulatedNameChange {
            SimulatedNameChange(order: order, removed: removed, added: added.map { (place: $0.0, node: $0.1) })
        }
        let order = try begin(operation, path) { .names(change($0)) }
        let affected = [
            removed.flatMap { $0.directory.names[$0.name] }, added.flatMap { $0.0.directory.names[$0.0.name] },
            added?.1,
        ]
        let distinct = Dictionary(affected.compactMap(\.self).map { (ObjectIdentifier($0), $0) }) { first, _ in first }
        for node in distinct.values { usedByteCount -= node.footprint }
        change(order).applyToNames()
        for node in distinct.values { usedByteCount += node.footprint }
        nameChanges.append(change(order))
    }

    mutating func syncDirectory(_ directory: SimulatedNode, path: String) throws {
        do {
            _ = try begin(.syncDirectory, path)
        } catch {
            if !isPowerOff {
                for index in nameChanges.indices where nameChanges[index].touches(directory) {
                    nameChanges[index].isLost = true
                }
            }
            throw error
        }
        let dirty = nameChanges.filter { $0.touches(directory) && !$0.isLost }
        for change in dirty { change.applyToDurableNames() }
        // What was lost before can't come back over a newer name.
        let newest = dirty.last?.order ?? 0
        nameChanges.removeAll { $0.touches(directory) && (!$0.isLost || $0.order < newest) }
    }
}

/// An operation that is to fail.
struct SimulatedFault {
    /// Any operation if nil.
    var operation: SimulatedFileSystem.Operation?
    var pathSuffix: String?
    var number: Int
    var once: Bool
    var code: StorageError.Code
    private var isSpent = false

    init(
        operation: SimulatedFileSystem.Operation?, pathSuffix: String?, number: Int, once: Bool, code: StorageError.Code
    ) {
        self.operation = operation
        self.pathSuffix = pathSuffix
        self.number = number
        self.once = once
        self.code = code
    }

    func applies(to operation: SimulatedFileSystem.Operation, _ path: String) -> Bool {
        (self.operation == nil || self.operation == operation) && applies(to: path)
    }

    func applies(to path: String) -> Bool {
        pathSuffix.map { path.hasSuffix($0) } ?? true
    }

    /// Whether it happens at the operation of this number; a fault that happens once is spent then.
    mutating func strikes(at number: Int) -> Bool {
        guard !isSpent, number >= self.number else { return false }
        isSpent = once
        return true
    }

    func error(_ call: String, _ path: String) -> StorageError {
        StorageError(code, "Simulated failure of \(call).", file: path)
    }
}
