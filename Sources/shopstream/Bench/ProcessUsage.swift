// ProcessUsage.swift — what the process has used, its standard error, and the page cache: the calls that differ by system.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Time on processors and memory of this process so far.
struct ProcessUsage {
    /// User and system time of all threads.
    let processorSeconds: Double
    /// The most memory that it had resident.
    let peakByteCount: Double

    static var current: ProcessUsage {
        var usage = rusage()
        #if canImport(Glibc)
            let process = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
            let process = RUSAGE_SELF
        #endif
        _ = unsafe getrusage(process, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        #if canImport(Darwin)
            let unit = 1.0
        #else
            let unit = 1024.0
        #endif
        return ProcessUsage(
            processorSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            peakByteCount: Double(usage.ru_maxrss) * unit)
    }
}

enum StandardError {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// What can't be written is lost: nothing depends on it.
    static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            #if canImport(Darwin)
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe Darwin.write(STDERR_FILENO, $0.baseAddress, $0.count)
                }
            #elseif canImport(Musl)
                let count = unsafe bytes.withUnsafeBytes { unsafe Musl.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            #else
                let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            #endif
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

enum PageCache {
    /// Whether ``drop(_:)`` does anything on this system.
    static var canDrop: Bool {
        #if canImport(Darwin)
            false
        #else
            true
        #endif
    }

    /// Asks the system to forget what it has cached of a file: reads then go to the device.
    static func drop(_ path: String) {
        #if !canImport(Darwin)
            let descriptor = unsafe open(path, O_RDONLY)
            guard descriptor >= 0 else { return }
            _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
            _ = close(descriptor)
        #endif
    }
}
