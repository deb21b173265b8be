// FilePathText.swift — the little that is needed to know about paths: where the parent ends and the name begins.

/// Paths as text, in POSIX form.
enum FilePathText {
    static func withoutTrailingSlashes(_ path: String) -> String {
        let end = path.utf8.lastIndex { $0 != UInt8(ascii: "/") }
        guard let end else { return path.isEmpty ? "." : "/" }
        return String(path[...end])
    }

    /// The directory that holds the last component: `/a` for `/a/b`, `/` for `/a`, `.` for `a`.
    static func parent(of path: String) -> String {
        let path = withoutTrailingSlashes(path)
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
    }

    /// The last component: `b` for `/a/b`.
    static func name(of path: String) -> String {
        let path = withoutTrailingSlashes(path)
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
