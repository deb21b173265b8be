// CalendarText.swift — timestamps, dates and times as CQL writes them, on the proleptic Gregorian calendar.

/// Text forms of `timestamp`, `date` and `time` ([CA] doc cql/types.adoc, "Working with timestamps", "Date and time").
///
/// A timestamp without a zone is UTC.
enum CalendarText {
    static let millisecondsPerDay: Int64 = 86_400_000
    static let nanosecondsPerDay: Int64 = 86_400_000_000_000

    // MARK: Writing

    /// `2025-03-10 14:00:00.000+0000`, as cqlsh shows it.
    static func timestamp(milliseconds: Int64) -> String {
        let days = floorDivide(milliseconds, millisecondsPerDay)
        // The start of the first day of all lies before the first millisecond: that product wraps, and back again.
        let rest = milliseconds &- days &* millisecondsPerDay
        return "\(date(days: days)) \(clock(seconds: rest / 1000)).\(padded(rest % 1000, 3))+0000"
    }

    /// `2025-03-10 14:00:00.000Z`, as JSON shows it.
    static func jsonTimestamp(milliseconds: Int64) -> String {
        String(timestamp(milliseconds: milliseconds).dropLast(5)) + "Z"
    }

    static func date(days: Int64) -> String {
        let (year, month, day) = civil(days: days)
        // Five digits and more have a sign, as Java writes them (`DateTimeFormatter.ISO_LOCAL_DATE`).
        let sign = year < 0 ? "-" : year > 9999 ? "+" : ""
        return "\(sign)\(padded(abs(year), 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    static func time(nanoseconds: Int64) -> String {
        "\(clock(seconds: nanoseconds / 1_000_000_000)).\(padded(nanoseconds % 1_000_000_000, 9))"
    }

    private static func clock(seconds: Int64) -> String {
        "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: Reading

    /// Milliseconds since 1970 of `yyyy-mm-dd[( |T)HH:MM[:SS[.fff]]][zone]`, or of a bare number of milliseconds; `nil` also
    /// where they are beyond 64 bits.
    static func milliseconds(_ text: String) -> Int64? {
        if let number = Int64(text) { return number }
        var scanner = DigitScanner(text)
        guard let days = scanner.date() else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if scanner.takesClock() {
            guard let hours = scanner.number(digits: 1...2, below: 24), scanner.take(":"),
                let minutes = scanner.number(digits: 1...2, below: 60)
            else { return nil }
            seconds = hours * 3600 + minutes * 60
            if scanner.take(":") {
                guard let second = scanner.number(digits: 1...2, below: 60) else { return nil }
                seconds += second
                if scanner.take(".") {
                    // Digits beyond milliseconds are cut off.
                    guard let value = scanner.fraction(digits: 9) else { return nil }
                    fraction = value / 1_000_000
                }
            }
        }
        guard let zone = scanner.zone(), scanner.isAtEnd else { return nil }
        // The first day of all begins before the first millisecond.
        return Int64(exactly: Int128(days) * Int128(millisecondsPerDay) + Int128((seconds - zone) * 1000 + fraction))
    }

    /// Days since 1970 of `yyyy-mm-dd`.
    static func days(_ text: String) -> Int32? {
        var scanner = DigitScanner(text)
        guard let days = scanner.date(), scanner.isAtEnd else { return nil }
        return Int32(exactly: days)
    }

    /// Nanoseconds since midnight of `HH:MM:SS[.fffffffff]`, or of a bare number.
    static func nanoseconds(_ text: String) -> Int64? {
        if let number = Int64(text) { return (0..<nanosecondsPerDay).contains(number) ? number : nil }
        var scanner = DigitScanner(text)
        guard let hours = scanner.number(digits: 1...2, below: 24), scanner.take(":"),
            let minutes = scanner.number(digits: 1...2, below: 60), scanner.take(":"),
            let seconds = scanner.number(digits: 1...2, below: 60)
        else { return nil }
        var fraction: Int64 = 0
        if scanner.take(".") {
            guard let value = scanner.fraction(digits: 9) else { return nil }
            fraction = value
        }
        guard scanner.isAtEnd else { return nil }
        return (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000 + fraction
    }

    // MARK: The calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms")

    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// A day moved by months; one that the month reached does not have becomes its last.
    static func addingMonths(_ months: Int64, toDay day: Int64) -> Int64 {
        guard months != 0 else { return day }
        let (year, month, dayOfMonth) = civil(days: day)
        let total = year &* 12 &+ (month - 1) &+ months
        let (newYear, newMonth) = (floorDivide(total, 12), total &- floorDivide(total, 12) &* 12 + 1)
        let first = days(year: newYear, month: newMonth, day: 1)
        let next =
            newMonth == 12
            ? days(year: newYear + 1, month: 1, day: 1) : days(year: newYear, month: newMonth + 1, day: 1)
        return first + min(dayOfMonth, next - first) - 1
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// Reads the parts of a date or time from left to right.
private struct DigitScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func digits(atMost limit: Int) -> [Int64] {
        var digits: [Int64] = []
        while digits.count < limit, let byte = rest.first, (48...57).contains(byte) {
            digits.append(Int64(byte) - 48)
            rest.removeFirst()
        }
        return digits
    }

    mutating func number(digits range: ClosedRange<Int>, below limit: Int64) -> Int64? {
        let digits = digits(atMost: range.upperBound)
        guard digits.count >= range.lowerBound else { return nil }
        let value = digits.reduce(0) { $0 * 10 + $1 }
        return value < limit ? value : nil
    }

    /// Digits after a decimal point, scaled to `count` places.
    mutating func fraction(digits count: Int) -> Int64? {
        let digits = digits(atMost: count)
        guard !digits.isEmpty else { return nil }
        return (0..<count).reduce(0) { $0 * 10 + ($1 < digits.count ? digits[$1] : 0) }
    }

    /// Years have a sign where they are negative, or of more than four digits.
    mutating func date() -> Int64? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard let year = number(digits: 4...9, below: 1_000_000_000), take("-"),
            let month = number(digits: 1...2, below: 13), month >= 1, take("-"),
            let day = number(digits: 1...2, below: 32), day >= 1
        else { return nil }
        let signedYear = isNegative ? -year : year
        let days = CalendarText.days(year: signedYear, month: month, day: day)
        let nextMonth =
            month == 12
            ? CalendarText.days(year: signedYear + 1, month: 1, day: 1)
            : CalendarText.days(year: signedYear, month: month + 1, day: 1)
        return days < nextMonth ? days : nil
    }

    /// What separates a date from the time of day, if there is one: after a space there may also be a zone.
    mutating func takesClock() -> Bool {
        if take("T") { return true }
        guard rest.first == UInt8(ascii: " "), let next = rest.dropFirst().first, (48...57).contains(next) else {
            return false
        }
        return take(" ")
    }

    /// Seconds east of Greenwich; nothing, `Z`, `UTC` and `GMT` are zero.
    mutating func zone() -> Int64? {
        if isAtEnd { return 0 }
        _ = take(" ")
        if take("Z") { return 0 }
        let name = String(decoding: rest, as: UTF8.self)
        if name == "UTC" || name == "GMT" {
            rest = Substring().utf8
            return 0
        }
        let isEast = take("+")
        guard isEast || take("-"), let hours = number(digits: 2...2, below: 24) else { return nil }
        _ = take(":")
        let minutes = isAtEnd ? 0 : number(digits: 2...2, below: 60)
        guard let minutes else { return nil }
        return (hours * 3600 + minutes * 60) * (isEast ? 1 : -1)
    }
}
