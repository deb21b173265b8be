// What every benchmark program takes on its command line.

public import ArgumentParser
import Foundation

public struct RunOptions: ParsableArguments {
    @Flag(help: "Small data: every line within a few minutes.")
    public var quick = false

    @Option(help: "Run only lines whose name contains this (may be repeated).")
    public var filter: [String] = []

    @Option(help: "Rounds of each side; the median counts.")
    public var rounds: Int = 3

    @Option(help: "The folder whose disk is measured. Default: the temporary folder.")
    public var directory: String = NSTemporaryDirectory()

    @Option(help: "Where the lines go as JSON. Default: results/<program>.json in the folder Benchmarks.")
    public var output: String?

    @Option(help: "Seed of keys, values and the order of reads.")
    public var seed: UInt64 = 42

    public init() {}

    public func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds must be at least 1.") }
    }

    public func outputPath(defaultName: String, sourceFile: String = #filePath) -> String {
        if let output { return output }
        let benchmarks = URL(fileURLWithPath: sourceFile)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return benchmarks.appendingPathComponent("results/\(defaultName).json").path
    }

    /// What the figures depend on, in one line.
    public var machine: String {
        let info = ProcessInfo.processInfo
        let memory = info.physicalMemory >> 30
        return "\(info.activeProcessorCount) processors, \(memory) GiB, \(info.operatingSystemVersionString), "
            + "seed \(seed), \(Date().ISO8601Format())"
    }
}
