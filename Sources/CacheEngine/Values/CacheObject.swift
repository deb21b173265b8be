// CacheObject.swift — values that do not fit into an entry's block, and the pool that holds them.

/// The type of a value, by the name that Redis' `TYPE` gives it.
public enum CacheValueType: String, Sendable, Hashable {
    case string, hash, list, set
}

enum CacheObject: Sendable {
    case string([UInt8])
    case hash(ByteMap)
    case list(ByteList)
    case set(ByteMap)

    var type: CacheValueType {
        switch self {
        case .string: .string
        case .hash: .hash
        case .list: .list
        case .set: .set
        }
    }

    /// Estimated memory.
    var byteCount: Int {
        switch self {
        case .string(let bytes): bytes.count + 32
        case .hash(let map), .set(let map): map.byteCount + 32
        case .list(let list): list.byteCount + 32
        }
    }

    var isEmptyCollection: Bool {
        switch self {
        case .string: false
        case .hash(let map), .set(let map): map.isEmpty
        case .list(let list): list.isEmpty
        }
    }
}

/// Objects by index; a freed index is used again.
struct ObjectPool: Sendable {
    private var objects: [CacheObject?] = []
    private var vacant: [UInt32] = []
    private(set) var byteCount = 0

    subscript(index: UInt32) -> CacheObject? { objects[Int(index)] }

    mutating func insert(_ object: CacheObject) -> UInt32 {
        byteCount += object.byteCount
        if let index = vacant.popLast() {
            objects[Int(index)] = object
            return index
        }
        objects.append(object)
        return UInt32(objects.count - 1)
    }

    /// Takes an object out to be changed in place; `putBack` has to follow.
    mutating func take(_ index: UInt32) -> CacheObject? {
        var object: CacheObject?
        swap(&object, &objects[Int(index)])
        byteCount -= object?.byteCount ?? 0
        return object
    }

    mutating func putBack(_ object: CacheObject, at index: UInt32) {
        byteCount += object.byteCount
        objects[Int(index)] = object
    }

    mutating func remove(_ index: UInt32) {
        _ = take(index)
        vacant.append(index)
    }
}
