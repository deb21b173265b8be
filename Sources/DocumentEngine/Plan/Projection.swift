// Projection.swift — which fields of a document a query gives back, copied from its bytes.

/// A compiled projection: inclusion or exclusion.
struct Projection: Sendable {
    /// A field of the projection: whole, or with some of its parts.
    private indirect enum Node: Sendable {
        case whole
        case parts([String: Node])
    }

    private var root: [String: Node] = [:]
    private var includes = false
    /// `_id` is given back unless it is excluded by name.
    private var hasIdentity = true

    /// `nil` for an empty projection: the whole document.
    /// - Throws: 31253 and 31254 for a mixture of inclusion and exclusion, 31249 and 31250 for colliding paths.
    init?(_ specification: Document) throws(DocumentError) {
        guard !specification.isEmpty else { return nil }
        var isInclusion: Bool?
        for (name, value) in specification.fields where name != "_id" {
            try add(name, value, &isInclusion)
        }
        if let identity = specification["_id"] {
            hasIdentity = identity.isTruthy
            if isInclusion == nil { isInclusion = hasIdentity }
        }
        includes = isInclusion ?? false
        if includes, hasIdentity { root["_id"] = .whole }
        if !includes, !hasIdentity { root["_id"] = .whole }
    }

    private mutating func add(_ path: String, _ value: BSONValue, _ isInclusion: inout Bool?) throws(DocumentError) {
        switch value {
        case .document(let nested):
            if let name = nested.fieldNames.first, name.hasPrefix("$") {
                throw DocumentError(.unknownProjectionExpression, "Unknown expression \(name)")
            }
            for (name, value) in nested.fields { try add("\(path).\(name)", value, &isInclusion) }
        case .bool, .int32, .int64, .double, .decimal128:
            let included = value.isTruthy
            if let isInclusion, isInclusion != included {
                throw included
                    ? DocumentError(
                        .inclusionInExclusion, "Cannot do inclusion on field \(path) in exclusion projection")
                    : DocumentError(
                        .exclusionInInclusion, "Cannot do exclusion on field \(path) in inclusion projection")
            }
            isInclusion = included
            try Self.insert(FieldPath(path).components[...], into: &root, path)
        default:
            throw .badValue("Projection of field \(path) to a value of type \(value.type.alias) is not supported")
        }
    }

    private static func insert(
        _ components: ArraySlice<FieldPath.Component>, into nodes: inout [String: Node], _ path: String
    ) throws(DocumentError) {
        guard let first = components.first else { return }
        guard !first.name.isEmpty else {
            throw DocumentError(DocumentErrorCode(rawValue: 15998), "FieldPath field names may not be empty strings.")
        }
        let rest = components.dropFirst()
        switch nodes[first.name] {
        case .whole:
            let remaining = rest.map(\.name).joined(separator: ".")
            throw DocumentError(.projectionCollision, "Path collision at \(path) remaining portion \(remaining)")
        case .parts(var parts):
            guard !rest.isEmpty else { throw DocumentError(.projectionCollisionBelow, "Path collision at \(path)") }
            try insert(rest, into: &parts, path)
            nodes[first.name] = .parts(parts)
        case nil:
            guard !rest.isEmpty else {
                nodes[first.name] = .whole
                return
            }
            var parts: [String: Node] = [:]
            try insert(rest, into: &parts, path)
            nodes[first.name] = .parts(parts)
        }
    }

    func apply(to document: BSONView) -> Document {
        var writer = BSONWriter(capacity: document.bytes.byteCount)
        write(document, root, into: &writer)
        return Document(trusted: writer.finish())
    }

    private func write(_ document: BSONView, _ nodes: [String: Node], into writer: inout BSONWriter) {
        var elements = document.elements
        while let element = elements.next() {
            let name = String(utf8: element.name)
            switch nodes[name] {
            case nil: if !includes { writer.append(element.name, element.value) }
            case .whole: if includes { writer.append(element.name, element.value) }
            case .parts(let parts): writeParts(name, element.value, parts, into: &writer)
            }
        }
    }

    /// Documents are projected, arrays through their documents; a scalar has none of the parts.
    private func writeParts(_ name: String, _ value: BSONView, _ parts: [String: Node], into writer: inout BSONWriter) {
        switch value.type {
        case .document:
            writer.open(.document, name)
            write(value, parts, into: &writer)
            writer.close()
        case .array:
            writer.open(.array, name)
            var index = 0
            var elements = value.elements
            while let element = elements.next() {
                guard element.value.isDocument || element.value.isArray || !includes else { continue }
                writeParts(String(index), element.value, parts, into: &writer)
                index += 1
            }
            writer.close()
        default: if !includes { writer.append(name, value) }
        }
    }
}
