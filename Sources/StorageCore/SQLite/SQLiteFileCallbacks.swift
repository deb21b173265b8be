// SQLiteFileCallbacks.swift — what SQLite does with an open file.

internal import CSQLite

enum SQLiteFileCallbacks {
    typealias File = UnsafeMutablePointer<sqlite3_file>?

    /// One table of functions for every file of every storage; SQLite keeps pointers to it.
    nonisolated(unsafe) static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        unsafe methods.initialize(to: table())
        return unsafe methods
    }()

    private static func table() -> sqlite3_io_methods {
        var table = sqlite3_io_methods()
        // Version 3 would add memory maps, which the storage's files don't have.
        table.iVersion = 2
        unsafe table.xClose = { unsafe SQLiteFileCallbacks.close($0) }
        unsafe table.xRead = { unsafe SQLiteFileCallbacks.read($0, $1, $2, $3) }
        unsafe table.xWrite = { unsafe SQLiteFileCallbacks.write($0, $1, $2, $3) }
        unsafe table.xTruncate = { file, count in
            unsafe SQLiteFileCallbacks.call(file, SQLiteFailure.truncate) {
                try $0.files.writableFile($0.node).truncate(to: count)
            }
        }
        unsafe table.xSync = { file, _ in
            unsafe SQLiteFileCallbacks.call(file, SQLiteFailure.sync) { try $0.files.sync($0.node) }
        }
        unsafe table.xFileSize = { file, result in
            unsafe SQLiteFileCallbacks.call(file, SQLiteFailure.size) {
                unsafe result?.pointee = try $0.node.file?.byteCount() ?? 0
            }
        }
        unsafe table.xLock = { unsafe SQLiteFileCallbacks.lock($0, $1) }
        unsafe table.xUnlock = { unsafe SQLiteFileCallbacks.unlock($0, $1) }
        unsafe table.xCheckReservedLock = { file, result in
            unsafe SQLiteFileCallbacks.call(file, SQLiteFailure.checkReservedLock) {
                unsafe result?.pointee = $0.node.isReserved ? 1 : 0
            }
        }
        unsafe table.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        unsafe table.xSectorSize = { _ in 4096 }
        // A write that is cut short damages no byte outside its range.
        unsafe table.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
        unsafe table.xShmMap = { unsafe SQLiteFileCallbacks.mapIndex($0, $1, $2, $3, $4) }
        unsafe table.xShmLock = { unsafe SQLiteFileCallbacks.lockIndex($0, $1, $2, $3) }
        unsafe table.xShmBarrier = { unsafe SQLiteFileCallbacks.object($0)?.node.indexBarrier() }
        unsafe table.xShmUnmap = { file, _ in
            unsafe SQLiteFileCallbacks.object(file)?.leaveIndex()
            return SQLITE_OK
        }
        return table
    }

    private static func object(_ file: File) -> SQLiteOpenFile? {
        guard let file = unsafe file else { return nil }
        let object = unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: csqlite_file.self).pointee.object
        return unsafe object.map { unsafe Unmanaged<SQLiteOpenFile>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func call(_ file: File, _ failure: Int32, _ body: (SQLiteOpenFile) throws -> Void) -> Int32 {
        guard let object = unsafe object(file) else { return failure }
        do {
            try body(object)
            return SQLITE_OK
        } catch {
            return object.files.note(error, failure)
        }
    }

    // MARK: Bytes

    private static func close(_ file: File) -> Int32 {
        guard let file = unsafe file, let object = unsafe object(file) else { return SQLITE_OK }
        object.leaveIndex()
        if object.level > .none { object.node.lower(from: object.level, to: .none) }
        let handle = unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: csqlite_file.self)
        if let held = unsafe handle.pointee.object { unsafe Unmanaged<SQLiteOpenFile>.fromOpaque(held).release() }
        unsafe handle.pointee.object = nil
        do {
            try object.files.closeNode(object.node)
            return SQLITE_OK
        } catch {
            return object.files.note(error, SQLiteFailure.close)
        }
    }

    private static func read(_ file: File, _ bytes: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64) -> Int32
    {
        guard let object = unsafe object(file), let bytes = unsafe bytes else { return SQLiteFailure.read }
        do {
            let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
            let found = unsafe try object.node.file?.read(into: buffer, at: offset) ?? 0
            guard found < buffer.count else { return SQLITE_OK }
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[found...])
                .initializeMemory(as: UInt8.self, repeating: 0)
            return SQLiteFailure.shortRead
        } catch {
            return object.files.note(error, SQLiteFailure.read)
        }
    }

    private static func write(_ file: File, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        unsafe call(file, SQLiteFailure.write) { object in
            let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
            unsafe try object.files.writableFile(object.node).write(buffer, at: offset)
            object.node.noteWrite(end: offset + Int64(count))
        }
    }

    // MARK: Locks

    private static func lock(_ file: File, _ number: Int32) -> Int32 {
        guard let object = unsafe object(file), let wanted = SQLiteNode.Level(rawValue: number) else {
            return SQLiteFailure.lock
        }
        guard object.level < wanted else { return SQLITE_OK }
        guard object.node.raise(from: object.level, to: wanted) else { return SQLITE_BUSY }
        object.level = wanted
        return SQLITE_OK
    }

    private static func unlock(_ file: File, _ number: Int32) -> Int32 {
        guard let object = unsafe object(file), let wanted = SQLiteNode.Level(rawValue: number) else {
            return SQLiteFailure.unlock
        }
        guard object.level > wanted else { return SQLITE_OK }
        object.node.lower(from: object.level, to: wanted)
        object.level = wanted
        return SQLITE_OK
    }

    private static func mapIndex(
        _ file: File, _ region: Int32, _ byteCount: Int32, _ extends: Int32,
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 {
        guard let object = unsafe object(file) else { return SQLiteFailure.indexMap }
        if !object.usesIndex {
            object.usesIndex = true
            object.files.joinIndex(object.node)
        }
        unsafe result?.pointee = object.node.indexRegion(
            Int(region), byteCount: Int(byteCount), extends: extends != 0)
        return SQLITE_OK
    }

    private static func lockIndex(_ file: File, _ first: Int32, _ count: Int32, _ flags: Int32) -> Int32 {
        guard let object = unsafe object(file) else { return SQLiteFailure.indexLock }
        let slots = Int(first)..<Int(first + count)
        if flags & SQLITE_SHM_UNLOCK != 0 {
            object.node.unlockIndex(slots, &object.indexLocks)
            return SQLITE_OK
        }
        let isExclusive = flags & SQLITE_SHM_EXCLUSIVE != 0
        return object.node.lockIndex(slots, exclusive: isExclusive, &object.indexLocks) ? SQLITE_OK : SQLITE_BUSY
    }
}
