// Aggregator.swift — the running state of one aggregating function over one group. Nulls take no part.

struct Aggregator {
    private let call: AggregateCall
    private var seen: Set<GraphValue> = []
    private var state: State
    private var percentile: Double?

    private enum State {
        case count(Int64)
        case collect([GraphValue])
        case sum(GraphValue)
        case average(sum: Double, count: Int64)
        case extreme(GraphValue?)
        case deviation(count: Int64, mean: Double, squares: Double)
        case percentile([Double])
    }

    init(_ call: AggregateCall) {
        self.call = call
        switch call.function {
        case .count: state = .count(0)
        case .collect: state = .collect([])
        case .sum: state = .sum(.integer(0))
        case .avg: state = .average(sum: 0, count: 0)
        case .min, .max: state = .extreme(nil)
        case .stDev, .stDevP: state = .deviation(count: 0, mean: 0, squares: 0)
        case .percentileCont, .percentileDisc: state = .percentile([])
        }
    }

    /// `count(*)`: a row counts whatever it holds.
    mutating func addRow() {
        if case .count(let count) = state { state = .count(count + 1) }
    }

    mutating func add(_ value: GraphValue, second: GraphValue?) throws {
        if let second { try setPercentile(second) }
        guard !value.isNull else { return }
        if call.isDistinct, !seen.insert(value).inserted { return }
        switch state {
        case .count(let count): state = .count(count + 1)
        case .collect(var values):
            // Emptied first, so that appending does not copy.
            state = .collect([])
            values.append(value)
            state = .collect(values)
        case .sum(let sum):
            _ = try number(value)
            state = .sum(try sum.adding(value))
        case .average(let sum, let count): state = .average(sum: sum + (try number(value)), count: count + 1)
        case .extreme(let extreme): state = .extreme(better(value, extreme))
        case .deviation(let count, let mean, let squares):
            let number = try number(value)
            let delta = number - mean
            let newMean = mean + delta / Double(count + 1)
            state = .deviation(count: count + 1, mean: newMean, squares: squares + delta * (number - newMean))
        case .percentile(var values):
            let number = try number(value)
            state = .percentile([])
            values.append(number)
            state = .percentile(values)
        }
    }

    private func number(_ value: GraphValue) throws -> Double {
        guard let number = value.number else {
            throw CypherError.type(
                "InvalidArgumentValue",
                "\(call.function.rawValue)() can only handle numerical values, got: \(value.typeName)")
        }
        return number
    }

    private func better(_ value: GraphValue, _ extreme: GraphValue?) -> GraphValue {
        guard let extreme else { return value }
        let order = value.order(against: extreme)
        return (call.function == .min ? order < 0 : order > 0) ? value : extreme
    }

    private mutating func setPercentile(_ value: GraphValue) throws {
        guard let number = value.number, number >= 0, number <= 1 else {
            throw CypherError.argument(
                "NumberOutOfRange",
                "Invalid input '\(value)' is not a valid argument, must be a number in the range 0.0 to 1.0")
        }
        percentile = number
    }

    var result: GraphValue {
        switch state {
        case .count(let count): .integer(count)
        case .collect(let values): .list(values)
        case .sum(let sum): sum
        case .average(let sum, let count): count == 0 ? .null : .float(sum / Double(count))
        case .extreme(let value): value ?? .null
        case .deviation(let count, _, let squares): .float(deviation(count, squares))
        case .percentile(let values): percentile(of: values.sorted())
        }
    }

    private func deviation(_ count: Int64, _ squares: Double) -> Double {
        let divisor = call.function == .stDev ? count - 1 : count
        return divisor > 0 ? (squares / Double(divisor)).squareRoot() : 0
    }

    private func percentile(of values: [Double]) -> GraphValue {
        guard let percentile, !values.isEmpty else { return .null }
        if call.function == .percentileDisc {
            let rank = Int((percentile * Double(values.count)).rounded(.up))
            return .float(values[max(0, min(values.count, rank) - 1)])
        }
        let place = percentile * Double(values.count - 1)
        let lower = Int(place.rounded(.down))
        let upper = min(lower + 1, values.count - 1)
        return .float(values[lower] + (values[upper] - values[lower]) * (place - Double(lower)))
    }
}
