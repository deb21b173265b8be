// Request+Trace.swift — what a request's trace says of it, in `system_traces.sessions`, beside the CQL.

internal import WideColumnEngine

extension Request {
    /// What its trace says that it asks for; `nil` where it has none.
    var traced: StatementTrace.Request? {
        switch self {
        case .query: .query
        case .prepare: .preparation
        case .execute: .preparedQuery
        case .batch: .batch
        case .startup, .options, .authResponse, .register: nil
        }
    }

    /// What its trace has in `parameters` ([CA] transport/messages/QueryMessage.java, ExecuteMessage.java, BatchMessage.java,
    /// `traceQuery`): of EXECUTE the bound values too. They are decoded once more for it, so only ask for a trace.
    ///
    /// - Parameter statement: that of EXECUTE.
    func traceParameters(_ statement: PreparedStatement?) -> [String: String] {
        guard let parameters else { return [:] }
        var texts = [
            "consistency_level": parameters.consistency.name, "serial_consistency_level": serialConsistency.name,
        ]
        if let pageSize = parameters.pageSize { texts["page_size"] = "\(pageSize)" }
        guard case .execute = self, let markers = statement?.markers else { return texts }
        // Where there are fewer or more than markers the request is refused.
        for (index, (value, marker)) in zip(parameters.values.ordered(by: markers), markers).enumerated() {
            texts["bound_var_\(index)_\(marker.name)"] = value.traceText(as: marker.type)
        }
        return texts
    }
}

extension WireValue {
    /// Of a literal, in characters as Java counts them.
    private static let longestTraceText = 1000

    /// The literal in CQL, cut where it is long. A quote ends it then whatever it is of, as in Cassandra.
    fileprivate func traceText(as type: CQLType) -> String {
        let text = literal(as: type)
        guard text.utf16.count > Self.longestTraceText else { return text }
        return String(decoding: text.utf16.prefix(Self.longestTraceText), as: UTF16.self) + "...'"
    }

    /// An unset value is no bytes to Cassandra, which are a literal only of a type that has an empty value of its own
    /// ([CA] serializers/TypeSerializer.java, `toCQLLiteral`). Bytes that are none of the type are shown as they are.
    private func literal(as type: CQLType) -> String {
        let bytes: [UInt8]
        switch self {
        case .null: return "null"
        case .unset: bytes = []
        case .bytes(let given): bytes = given
        }
        let value = try? CQLValue(wire: bytes, type: type)
        if bytes.isEmpty, value == nil || value == .empty { return "null" }
        return "\(value ?? .blob(bytes))"
    }
}
