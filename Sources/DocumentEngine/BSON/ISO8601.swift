// ISO8601.swift — dates as text, by the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
// algorithms").

enum ISO8601 {
    /// `2025-03-10T14:00:00.123Z`, without the fraction if it is zero; `nil` outside the years 0000–9999.
    static func text(milliseconds: Int64) -> String? {
        let day = Self.floorDivide(milliseconds, 86_400_000)
        // The start of the first day of all lies before the first millisecond: that product wraps, and back again.
        let time = milliseconds &- day &* 86_400_000
        let (year, month, dayOfMonth) = civil(day: day)
        guard (0...9999).contains(year) else { return nil }
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        let seconds = time / 1000
        let clock = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        let fraction = time % 1000 == 0 ? "" : ".\(padded(time % 1000, 3))"
        return "\(date)T\(clock)\(fraction)Z"
    }

    /// The milliseconds of a date as written by `text`, also without seconds' fraction or with an offset such as
    /// `+01:00`.
    static func milliseconds(_ text: String) -> Int64? {
        var scanner = Scanner(text: Array(text.utf8))
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        guard scanner.skip("T"), let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2),
            scanner.skip(":"), let second = scanner.number(2), hour < 24, minute < 60, second < 61
        else { return nil }
        guard let fraction = scanner.fraction(), let offset = scanner.zone(), scanner.isAtEnd else { return nil }
        let seconds = daysFromCivil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        return seconds * 1000 + fraction
    }

    private struct Scanner {
        let text: [UInt8]
        var offset = 0

        var isAtEnd: Bool { offset == text.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard offset < text.count, UInt32(text[offset]) == character.value else { return false }
            offset += 1
            return true
        }

        mutating func number(_ digitCount: Int) -> Int64? {
            guard offset + digitCount <= text.count else { return nil }
            var value: Int64 = 0
            for _ in 0..<digitCount {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }

        mutating func fraction() -> Int64? {
            guard skip(".") else { return 0 }
            var (value, weight): (Int64, Int64) = (0, 100)
            guard let first = digit() else { return nil }
            value = first * weight
            while let digit = digit() {
                weight /= 10
                value += digit * weight
            }
            return value
        }

        /// Seconds east of UTC.
        mutating func zone() -> Int64? {
            if skip("Z") { return 0 }
            let sign: Int64 = skip("+") ? 1 : -1
            guard sign == 1 || skip("-"), let hours = number(2) else { return nil }
            _ = skip(":")
            guard let minutes = number(2) else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }

        private mutating func digit() -> Int64? {
            guard offset < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[offset]) else {
                return nil
            }
            offset += 1
            return Int64(text[offset - 1] - UInt8(ascii: "0"))
        }
    }

    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
