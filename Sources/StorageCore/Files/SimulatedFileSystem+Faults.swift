// SimulatedFileSystem+Faults.swift — what tests arrange to go wrong, and how they look behind the scenes.

public import StorageTypes
internal import Synchronization

extension SimulatedFileSystem {
    /// How many mutating operations were begun, those that failed included; none is counted once the power is off.
    public var operationCount: Int { disk.withLock { $0.operationCount } }

    /// How many operations of one kind were begun.
    public func operationCount(of operation: Operation) -> Int {
        disk.withLock { $0.operationCounts[operation, default: 0] }
    }

    /// How many reads of file content were begun.
    public var readCount: Int { disk.withLock { $0.readCount } }

    /// Whether the power is off: every call but `close()` and `release()` throws `.ioFailure` then.
    public var isPowerOff: Bool { disk.withLock { $0.isPowerOff } }

    /// Cuts the power at the operation of this number, counted from 1 since the disk was made: it and everything after it
    /// throws and changes nothing. `crash(_:)` may find a part of that one operation done.
    public func cutPower(atOperation number: Int) {
        disk.withLock { $0.powerCutOperation = number }
    }

    /// Cuts the power now.
    public func cutPower() {
        disk.withLock { $0.isPowerOff = true }
    }

    /// Lets an operation fail.
    ///
    /// A write that fails leaves a random part of its sectors written. After a sync that fails the bytes stay readable, but
    /// no later sync makes them durable unless they are written again, as on Linux.
    ///
    /// - Parameters:
    ///   - number: The operation's number, counted from 1 since the disk was made; counted among the operations of `kind`
    ///     if one is given.
    ///   - once: Whether only the first such operation from that number on fails, or all of them.
    ///   - code: The code of the error.
    ///   - kind: Only operations of this kind fail.
    ///   - pathSuffix: Only operations on paths that end so fail.
    public func failOperation(
        number: Int, once: Bool = true, with code: StorageError.Code = .ioFailure, kind: Operation? = nil,
        pathSuffix: String? = nil
    ) {
        let fault = SimulatedFault(operation: kind, pathSuffix: pathSuffix, number: number, once: once, code: code)
        disk.withLock { $0.faults.append(fault) }
    }

    /// Lets a read of file content fail: the read of this number, counted from 1 since the disk was made, or all from it on.
    public func failReads(
        number: Int, once: Bool = true, with code: StorageError.Code = .ioFailure, pathSuffix: String? = nil
    ) {
        let fault = SimulatedFault(operation: nil, pathSuffix: pathSuffix, number: number, once: once, code: code)
        disk.withLock { $0.readFaults.append(fault) }
    }

    /// Forgets all faults arranged so far; the power stays as it is.
    public func clearFaults() {
        disk.withLock { disk in
            disk.faults.removeAll()
            disk.readFaults.removeAll()
        }
    }

    /// The size of the disk in bytes, unlimited if nil. Files take their length or what they allocated, whichever is more;
    /// what doesn't fit fails with `.diskFull`, a write after as much of it as fits.
    public var capacity: Int64? {
        get { disk.withLock { $0.capacity } }
        set { disk.withLock { $0.capacity = newValue } }
    }

    /// The space that files take.
    public var usedByteCount: Int64 { disk.withLock { $0.usedByteCount } }

    /// Damages one bit of a file, on the disk and in what programs read. Works without power and is no operation.
    ///
    /// - Parameter bitOffset: Bits from the start of the file, the lowest bit of a byte first.
    public func flipBit(path: String, bitOffset: Int) throws {
        try disk.withLock { disk in
            let node = try disk.file(path)
            guard bitOffset >= 0, bitOffset / 8 < node.content.current.count else {
                throw StorageError(.invalidArgument, "The bit lies outside of the file.", file: path)
            }
            node.content.flipBit(bitOffset)
        }
    }

    /// The content of a file as programs see it. Works without power and is no read.
    public func readFile(_ path: String) throws -> [UInt8] {
        try disk.withLock { try $0.file(path).content.current }
    }

    /// Puts a durable file with this content onto the disk, replacing one of this name. Works without power and is no
    /// operation.
    public func writeFile(_ path: String, _ bytes: [UInt8]) throws {
        try disk.withLock { try $0.place(bytes, at: path) }
    }
}

extension SimulatedDisk {
    mutating func beginRead(_ path: String) throws {
        try checkPower(path)
        readCount += 1
        for index in readFaults.indices where readFaults[index].applies(to: path) {
            if readFaults[index].strikes(at: readCount) { throw readFaults[index].error("read", path) }
        }
    }

    mutating func place(_ bytes: [UInt8], at path: String) throws {
        var directory = root
        let components = Self.components(of: path)
        for name in components.dropLast() {
            let child = directory.names[name] ?? SimulatedNode(.directory)
            directory.names[name] = child
            directory.durableNames[name] = child
            directory = child
        }
        let place = try place(path)
        let node = try place.directory.names[place.name] == nil ? SimulatedNode(.file) : file(path)
        if place.directory.names.updateValue(node, forKey: place.name) == nil { node.nameCount += 1 }
        place.directory.durableNames[place.name] = node
        change(node) { $0.content = SimulatedContent(durable: bytes) }
    }
}
