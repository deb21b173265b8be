// EventFilter.swift — which records of a stream a mapping handles; the others only advance its checkpoint.

public import TableEngine

/// Decides which records a mapping handles. Combine filters with `and(_:)`; give a mapping several to handle what any of
/// them matches, as Lambda does.
public struct EventFilter: Sendable {
    public let matches: @Sendable (StreamRecord) -> Bool

    public init(_ matches: @escaping @Sendable (StreamRecord) -> Bool) {
        self.matches = matches
    }

    /// Records of one of these kinds.
    public static func eventName(_ names: StreamRecord.EventName...) -> EventFilter {
        EventFilter { names.contains($0.eventName) }
    }

    /// Records whose key attribute is a string that starts with a prefix.
    public static func key(_ attribute: String, hasPrefix prefix: String) -> EventFilter {
        EventFilter { $0.keys[attribute]?.string?.utf8.starts(with: prefix.utf8) ?? false }
    }

    /// Records whose key attribute has one of these values.
    public static func key(_ attribute: String, in values: AttributeValue...) -> EventFilter {
        EventFilter { record in record.keys[attribute].map { values.contains($0) } ?? false }
    }

    /// Records whose new image has an attribute with one of these values.
    public static func newImage(_ attribute: String, in values: AttributeValue...) -> EventFilter {
        EventFilter { record in record.newImage?[attribute].map { values.contains($0) } ?? false }
    }

    public func and(_ other: EventFilter) -> EventFilter {
        EventFilter { matches($0) && other.matches($0) }
    }
}
