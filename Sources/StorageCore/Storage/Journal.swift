// Journal.swift — where a storage writes down what changes: the log and the manifest.
//
// Invariant: both are absent or both are there, the log last. They come with the opening or, where the disk was full then,
// once there is room; they never go.

final class Journal: Sendable {
    let log = AtomicLazyReference<LogWriter>()
    let manifest = AtomicLazyReference<ManifestWriter>()

    /// From here on the storage can be written to.
    func begin(_ log: LogWriter, _ manifest: ManifestWriter) {
        _ = self.manifest.storeIfNil(manifest)
        _ = self.log.storeIfNil(log)
    }
}
