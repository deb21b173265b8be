// ScalarFunction+Floor.swift — floor(time, duration[, start]): the beginning of the interval of that length that a time is in
// ([CA] cql3/functions/TimeFcts.java, cql3/Duration.java).

extension ScalarFunction {
    /// A `time` has no start.
    static let floors: [ScalarFunction] =
        [
            floor(.timestamp, start: nil), floor(.timestamp, start: .timestamp), floor(.timeuuid, start: nil),
            floor(.timeuuid, start: .timestamp), floor(.date, start: nil), floor(.date, start: .date),
            floor(.time, start: nil),
        ]

    private static func floor(_ type: CQLType, start: CQLType?) -> ScalarFunction {
        let types = [type, .duration] + [start].compactMap(\.self)
        return ScalarFunction("floor", types, type == .timeuuid ? .timestamp : type) { values, _ in
            guard case .duration(let duration) = values[1] else { return .null }
            return try TimeFloor(duration, start: values.count == 3 ? values[2] : nil).floor(values[0])
        }
    }
}

/// The interval of a duration's length that a time is in (`floorTimestamp`, `floorTime`).
private struct TimeFloor {
    let duration: CQLDuration
    let start: CQLValue?

    init(_ duration: CQLDuration, start: CQLValue?) {
        self.duration = duration
        self.start = start
    }

    func floor(_ time: CQLValue) throws -> CQLValue {
        switch time {
        case .timestamp(let value): return .timestamp(try milliseconds(value))
        case .uuid(let uuid):
            guard let value = uuid.unixMilliseconds else { return .null }
            return .timestamp(try milliseconds(value))
        case .date(let day):
            guard duration.nanoseconds == 0 else {
                throw CQLError.invalid(
                    "The floor on date values cannot be computed for the \(duration) duration as precision is below 1 day"
                )
            }
            let value = try milliseconds(Int64(day) * CalendarText.millisecondsPerDay)
            return .date(Int32(clamping: value / CalendarText.millisecondsPerDay))
        case .time(let value):
            try checkIsNotNegative()
            guard duration.months == 0, duration.days == 0,
                duration.nanoseconds <= CalendarText.nanosecondsPerDay
            else {
                throw CQLError.invalid(
                    "For time values, the floor can only be computed for durations smaller that a day")
            }
            return duration.nanoseconds == 0 ? time : .time(value - value % duration.nanoseconds)
        default: return .null
        }
    }

    private var origin: Int64 {
        switch start {
        case .timestamp(let value): value
        case .date(let day): Int64(day) * CalendarText.millisecondsPerDay
        default: 0
        }
    }

    private func checkIsNotNegative() throws {
        guard duration.months >= 0, duration.days >= 0, duration.nanoseconds >= 0 else {
            throw CQLError.invalid("Negative durations are not supported by the floor function")
        }
    }

    private func milliseconds(_ time: Int64) throws -> Int64 {
        guard time >= origin else {
            throw CQLError.invalid("The floor function starting time is greater than the provided time")
        }
        try checkIsNotNegative()
        if duration.months == 0 {
            let step = Int64(duration.days) * CalendarText.millisecondsPerDay + duration.nanoseconds / 1_000_000
            guard step > 0 else { return time }
            // From the least timestamp to the greatest it is more than an Int64 holds.
            let distance = UInt64(bitPattern: time &- origin)
            return time - Int64(truncatingIfNeeded: distance % UInt64(step))
        }
        // Months have no fixed length: search for the last step that is not after the time. No month has less than 28 days.
        let day = CalendarText.floorDivide(time, CalendarText.millisecondsPerDay)
        let originDay = CalendarText.floorDivide(origin, CalendarText.millisecondsPerDay)
        var (low, high) = (Int64(0), (day - originDay) / 28 / Int64(duration.months) + 2)
        var floor = origin
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if let position = position(middle), position <= time {
                (low, floor) = (middle, position)
            } else {
                high = middle
            }
        }
        return floor
    }

    /// The start of the interval with this number; `nil` where it is no timestamp, being too late.
    private func position(_ count: Int64) -> Int64? {
        let day = CalendarText.floorDivide(origin, CalendarText.millisecondsPerDay)
        let rest = origin &- day &* CalendarText.millisecondsPerDay
        var position = CalendarText.addingMonths(Int64(duration.months) * count, toDay: day)
        for (amount, unit) in [
            (Int64(duration.days), CalendarText.millisecondsPerDay), (duration.nanoseconds / 1_000_000, 1),
        ] {
            let (distance, overflow) = amount.multipliedReportingOverflow(by: count)
            let (sum, isTooLate) = position.addingReportingOverflow(distance)
            let (scaled, isTooLong) = sum.multipliedReportingOverflow(by: unit)
            guard !overflow, !isTooLate, !isTooLong else { return nil }
            position = scaled
        }
        let (sum, isTooLate) = position.addingReportingOverflow(rest)
        return isTooLate ? nil : sum
    }
}
