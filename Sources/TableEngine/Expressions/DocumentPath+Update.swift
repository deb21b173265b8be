// DocumentPath+Update.swift — writing and removing the value at a path, in place.

extension Item {
    /// Sets the value at the path; everything that leads to it must exist.
    ///
    /// - Throws: `ValidationException` if the path leads through something absent or of another type.
    mutating func assign(_ value: AttributeValue, at path: DocumentPath) throws {
        guard path.elements.count > 1 else {
            self[path.root] = value
            return
        }
        let steps = path.elements.dropFirst()
        let isFound: Void? = try modify(path.root) { try $0.assign(value, at: steps) }
        guard isFound != nil else { throw TableError.invalidPath }
    }

    /// Removes the value at the path; that it is absent is no error, but what leads to it must exist.
    mutating func remove(at path: DocumentPath) throws {
        guard path.elements.count > 1 else {
            self[path.root] = nil
            return
        }
        let steps = path.elements.dropFirst()
        let isFound: Void? = try modify(path.root) { try $0.remove(at: steps) }
        guard isFound != nil else { throw TableError.invalidPath }
    }
}

extension AttributeValue {
    fileprivate typealias Steps = ArraySlice<DocumentPath.Element>

    fileprivate mutating func assign(_ value: AttributeValue, at steps: Steps) throws {
        try descend(
            steps,
            map: { map, name in map[name] = value },
            list: { list, index in if index < list.count { list[index] = value } else { list.append(value) } },
            deeper: { try $0.assign(value, at: $1) })
    }

    fileprivate mutating func remove(at steps: Steps) throws {
        try descend(
            steps,
            map: { map, name in map[name] = nil },
            list: { list, index in if index < list.count { list.remove(at: index) } },
            deeper: { try $0.remove(at: $1) })
    }

    /// Follows the first step and acts there: on the map or list itself if it is the last, deeper otherwise. The value
    /// is taken out while it changes, so that its storage is not copied.
    private mutating func descend(
        _ steps: Steps, map actOnMap: (inout Item, String) -> Void,
        list actOnList: (inout [AttributeValue], Int) -> Void,
        deeper: (inout AttributeValue, Steps) throws -> Void
    ) throws {
        let rest = steps.dropFirst()
        switch (steps.first, self) {
        case (.name(let name), .m(var map)):
            self = .null
            defer { self = .m(map) }
            guard !rest.isEmpty else { return actOnMap(&map, name) }
            let isFound: Void? = try map.modify(name) { try deeper(&$0, rest) }
            guard isFound != nil else { throw TableError.invalidPath }
        case (.index(let index), .l(var list)):
            self = .null
            defer { self = .l(list) }
            guard !rest.isEmpty else { return actOnList(&list, index) }
            guard index < list.count else { throw TableError.invalidPath }
            try deeper(&list[index], rest)
        default: throw TableError.invalidPath
        }
    }
}
