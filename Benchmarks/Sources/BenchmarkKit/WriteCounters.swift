// How many bytes the process has written so far, as the kernel counts them for the whole process.

import Foundation

public struct WriteCounters: Sendable {
    /// Bytes handed to write calls.
    public var written: Int
    /// Bytes of pages made dirty, on their way to the device; whole pages, and memory mappings count too.
    public var dirtied: Int

    /// Zero for both where the system doesn't tell (anything but Linux).
    public static var now: WriteCounters {
        var counters = WriteCounters(written: 0, dirtied: 0)
        guard let text = try? String(contentsOfFile: "/proc/self/io", encoding: .utf8) else { return counters }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let value = Int(parts[1]) else { continue }
            switch parts[0] {
            case "wchar:": counters.written = value
            case "write_bytes:": counters.dirtied = value
            default: continue
            }
        }
        return counters
    }

    public static func - (now: WriteCounters, then: WriteCounters) -> WriteCounters {
        WriteCounters(written: now.written - then.written, dirtied: now.dirtied - then.dirtied)
    }
}
