// StreamName.swift — how a stream and its shard are called.

internal import StorageTypes

/// The names of a stream: its label is the time at which it was enabled, so each stream of a table has another.
struct StreamName: Hashable, Sendable {
    let table: String
    let label: String
    private let creation: StorageInstant

    init(table: String, stream: StreamDefinition) {
        self.table = table
        creation = stream.creation
        label = stream.creation.timestampText
    }

    var arn: String { "arn:aws:dynamodb:local:000000000000:table/\(table)/stream/\(label)" }

    /// A stream has one shard, from its enabling to its disabling.
    var shardID: String {
        let digits = String(max(0, creation.milliseconds))
        let hash = String(ItemKey.hash(of: Array(arn.utf8)) >> 32, radix: 16)
        return "shardId-" + String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + "-"
            + String(repeating: "0", count: 8 - hash.utf8.count) + hash
    }

    /// 32 hexadecimal digits that a record of the stream always has.
    func eventID(of position: StreamSequenceNumber) -> String {
        let name = Array("\(arn)/\(position)".utf8)
        let halves = [ItemKey.hash(of: name), ItemKey.hash(of: name.reversed())]
        return halves.map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}

extension StorageInstant {
    /// `2024-11-18T14:36:44.149`, in UTC.
    var timestampText: String {
        let (day, month, year) = Self.civil(fromDays: seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0))
        let second = (seconds % 86_400 + 86_400) % 86_400
        let millisecond = (milliseconds % 1000 + 1000) % 1000
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
        let time = [second / 3600, second / 60 % 60, second % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        return "\(date)T\(time).\(Self.padded(millisecond, 3))"
    }

    /// The Gregorian date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date
    /// algorithms").
    private static func civil(fromDays days: Int64) -> (day: Int64, month: Int64, year: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, month, yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
