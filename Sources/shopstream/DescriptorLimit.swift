// DescriptorLimit.swift — how many files and connections the process may have open.

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

enum DescriptorLimit {
    /// What neither the storage nor connections take: standard streams, listeners, the event loop, whatever libraries open.
    static let otherCount = 64
    /// With fewer connections there is no server: each driver has some, one of them to follow the schema.
    static let leastConnectionCount = 16

    /// Raises the limit as far as the process may, and returns it.
    static func raise() -> Int {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = raised.rlim_max
        #if canImport(Darwin)
            // More is refused there, even where rlim_max knows no bound.
            raised.rlim_cur = min(raised.rlim_max, rlim_t(OPEN_MAX))
        #endif
        let count = unsafe setrlimit(resource, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur
        return Int(clamping: count)
    }

    /// How many of `connectionCount` connections there is room for, beside what a storage has open; `nil`: for too few.
    static func connectionCount(_ connectionCount: Int, limit: Int, storage: Int) -> Int? {
        guard limit >= leastLimit(connectionCount, storage: storage) else { return nil }
        return min(connectionCount, limit - storage - otherCount)
    }

    /// The least limit for a server that is to have `connectionCount` connections at most.
    static func leastLimit(_ connectionCount: Int, storage: Int) -> Int {
        storage + otherCount + min(connectionCount, leastConnectionCount)
    }
}
