// CQLType+ClassName.swift — what Cassandra's classes of the native types are called ([CA] db/marshal, TypeParser.java).

extension CQLType {
    private static let classNames: [CQLType: String] = [
        .ascii: "AsciiType", .bigint: "LongType", .blob: "BytesType", .boolean: "BooleanType",
        .counter: "CounterColumnType", .date: "SimpleDateType", .decimal: "DecimalType", .double: "DoubleType",
        .duration: "DurationType", .float: "FloatType", .inet: "InetAddressType", .int: "Int32Type",
        .smallint: "ShortType", .text: "UTF8Type", .time: "TimeType", .timestamp: "TimestampType",
        .timeuuid: "TimeUUIDType", .tinyint: "ByteType", .uuid: "UUIDType", .varint: "IntegerType",
    ]
    private static let classes = Dictionary(classNames.map { ($1, $0) }) { first, _ in first }
    private static let classPackage = "org.apache.cassandra.db.marshal."

    /// The native type of a class, with or without its package; `nil` where the class is not that of one.
    init?(className: String) {
        let isWhole = className.hasPrefix(Self.classPackage)
        guard let type = Self.classes[isWhole ? String(className.dropFirst(Self.classPackage.count)) : className] else {
            return nil
        }
        self = type
    }

    /// The name of a native type's class, without its package; `nil` of all others.
    package var nativeClassName: String? { Self.classNames[self] }
}
