// RequestConstraint.swift — limits on the shape of requests, in the words of the service's request validation.

enum RequestConstraint {
    /// - Throws: `ValidationException` if a list has fewer or more members than allowed.
    static func checkCount(_ count: Int, _ allowed: ClosedRange<Int>, at parameter: String) throws {
        if count < allowed.lowerBound {
            throw violation("[]", parameter, "Member must have length greater than or equal to \(allowed.lowerBound)")
        }
        if count > allowed.upperBound {
            throw violation(
                "[\(count) members]", parameter, "Member must have length less than or equal to \(allowed.upperBound)")
        }
    }

    static func checkLength(of text: String, _ allowed: ClosedRange<Int>, at parameter: String) throws {
        if text.utf8.count < allowed.lowerBound {
            throw violation(text, parameter, "Member must have length greater than or equal to \(allowed.lowerBound)")
        }
        if text.utf8.count > allowed.upperBound {
            throw violation(text, parameter, "Member must have length less than or equal to \(allowed.upperBound)")
        }
    }

    /// The limit of a page, if one is given, is at least 1.
    static func checkLimit(_ limit: Int?) throws {
        guard let limit, limit < 1 else { return }
        throw violation("\(limit)", "limit", "Member must have value greater than or equal to 1")
    }

    private static func violation(_ value: String, _ parameter: String, _ constraint: String) -> TableError {
        .validation(
            "1 validation error detected: Value '\(value)' at '\(parameter)' failed to satisfy constraint: \(constraint)"
        )
    }
}
