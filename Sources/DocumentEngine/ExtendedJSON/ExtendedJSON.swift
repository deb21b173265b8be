// ExtendedJSON.swift — MongoDB Extended JSON v2, both forms, both ways.
//
// Source: the specification mongodb/specifications, source/extended-json/extended-json.md (the table of conversions).

/// Extended JSON v2: JSON that keeps BSON's types.
///
/// The canonical form keeps every type; the relaxed one writes numbers and dates of the years 1970–9999 the way people
/// read them. Reading accepts both.
public enum ExtendedJSON {
    /// The document written in either form.
    /// - Throws: ``DocumentError`` 9 (FailedToParse) with the position of what could not be read.
    public static func document(_ text: String) throws(DocumentError) -> Document {
        guard case .document(let document) = try value(text) else {
            throw .failedToParse("Expecting '{' at offset 0: a document is needed here")
        }
        return document
    }

    /// The value written in either form.
    public static func value(_ text: String) throws(DocumentError) -> BSONValue {
        var parser = ExtendedJSONParser(text)
        return try parser.parse()
    }

    public static func canonical(_ document: Document) -> String { canonical(.document(document)) }
    public static func relaxed(_ document: Document) -> String { relaxed(.document(document)) }

    public static func canonical(_ value: BSONValue) -> String {
        var writer = ExtendedJSONWriter(isRelaxed: false)
        writer.write(value)
        return writer.text
    }

    public static func relaxed(_ value: BSONValue) -> String {
        var writer = ExtendedJSONWriter(isRelaxed: true)
        writer.write(value)
        return writer.text
    }
}
