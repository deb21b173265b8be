// Document.swift — a BSON document as its bytes.
//
// Invariant: the bytes of a Document are well-formed BSON, at most 100 levels deep and 16 MiB long where they came from
// outside (`init(bytes:)`); built ones are well-formed by construction and their size is checked where they are stored.

/// A BSON document, kept as its bytes: reading a field walks them, nothing else is decoded.
///
/// Fields keep their order. Equality is by bytes, so by order and type as well. A dictionary literal makes one:
/// `["email": "a@example.com", "tags": ["x", "y"], "address": ["city": "London"]]`.
public struct Document: Sendable, Hashable {
    public let bytes: [UInt8]

    /// The document with these bytes, checked: lengths, types, UTF-8, depth, size.
    /// - Throws: ``DocumentError`` 22 (InvalidBSON) or 10334 (BSONObjectTooLarge).
    public init(bytes: [UInt8]) throws(DocumentError) {
        try BSONValidation.validate(bytes.rawSpan)
        self.bytes = bytes
    }

    /// Bytes that this engine made or has checked before.
    init(trusted bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init() {
        bytes = [5, 0, 0, 0, 0]
    }

    public init(_ fields: [(String, BSONValue)]) {
        var writer = BSONWriter()
        for (name, value) in fields { writer.append(name, value) }
        bytes = writer.finish()
    }

    /// The largest document that can be stored: 16 MiB.
    public static let maximumByteCount = 16 * 1024 * 1024
    public static let maximumDepth = 100

    public var isEmpty: Bool { bytes.count <= 5 }

    /// How many fields the document has at its top level.
    public var count: Int { view.elementCount }
}

extension Document: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, BSONValue)...) {
        self.init(elements)
    }
}

extension Document {
    var view: BSONView {
        @_lifetime(borrow self)
        get { BSONView(document: bytes.rawSpan) }
    }

    /// The value of a top-level field, `nil` if there is none. Setting replaces it in its place or adds it at the end;
    /// `nil` removes it (`.null` stores a null).
    public subscript(name: String) -> BSONValue? {
        get {
            let name = Array(name.utf8)
            guard let value = view.field(name.rawSpan) else { return nil }
            return BSONValue(value)
        }
        set { self = replacing(name, with: newValue) }
    }

    /// The value at a dotted path, through nested documents and, by number, array elements.
    public func value(at path: String) -> BSONValue? {
        guard let first = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).first else {
            return nil
        }
        guard let value = self[String(first)] else { return nil }
        guard first.utf8.count < path.utf8.count else { return value }
        let rest = String(path.utf8.dropFirst(first.utf8.count + 1)) ?? ""
        switch value {
        case .document(let document): return document.value(at: rest)
        case .array(let elements):
            return Document(elements.enumerated().map { (String($0.offset), $0.element) }).value(at: rest)
        default: return nil
        }
    }

    private func replacing(_ name: String, with value: BSONValue?) -> Document {
        var fields = self.fields
        let index = fields.firstIndex { $0.0 == name }
        switch (index, value) {
        case (let index?, let value?): fields[index].1 = value
        case (let index?, nil): fields.remove(at: index)
        case (nil, let value?): fields.append((name, value))
        case (nil, nil): return self
        }
        return Document(fields)
    }

    /// The top-level fields in their order.
    public var fields: [(name: String, value: BSONValue)] {
        var fields: [(name: String, value: BSONValue)] = []
        var elements = view.elements
        while let element = elements.next() {
            fields.append((String(utf8: element.name), BSONValue(element.value)))
        }
        return fields
    }

    public var fieldNames: [String] {
        var names: [String] = []
        var elements = view.elements
        while let element = elements.next() { names.append(String(utf8: element.name)) }
        return names
    }
}

extension Document {
    /// Refuses what is nested so deeply that walking it could exhaust the stack: documents from bytes never are, built
    /// ones may be. Queries may go twice as deep as what they are about.
    func checkNesting() throws(DocumentError) {
        guard view.isNested(atMost: 2 * Self.maximumDepth + 50) else {
            throw DocumentError(
                DocumentErrorCode(rawValue: 15), "Document exceeds the maximum nesting depth of \(Self.maximumDepth)")
        }
    }
}

extension Document: CustomStringConvertible {
    /// Relaxed Extended JSON.
    public var description: String { ExtendedJSON.relaxed(.document(self)) }
}

extension String {
    /// The text of UTF-8 bytes, invalid sequences replaced.
    init(utf8 bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
