// A store that is open, with the folder of its files and the session of the thread that drives the line.

import BenchmarkKit

final class OpenedStore<Store: OrderedStore> {
    let directory: ScratchDirectory
    let store: Store
    private var kept: Store.Session?

    /// In a new folder below `parent`.
    convenience init(in parent: String, settings: StoreSettings = StoreSettings()) throws {
        let folder = Store.name.filter { $0.isLetter || $0.isNumber }
        try self.init(directory: try ScratchDirectory(in: parent, named: folder), settings: settings)
    }

    init(directory: ScratchDirectory, settings: StoreSettings = StoreSettings()) throws {
        self.directory = directory
        store = try Store(directory: directory.path, settings: settings)
        kept = try store.makeSession()
    }

    /// Nobody asks for it after closing.
    var session: Store.Session {
        guard let kept else { preconditionFailure("A closed store has no session.") }
        return kept
    }

    /// The files go with the last reference to the folder.
    func close() throws {
        kept = nil
        try store.close()
    }

    func space(liveEntries: Int) -> Timing.Space {
        .init(fileByteCount: directory.byteCount, liveByteCount: liveEntries * StoreSide<Store>.entryByteCount)
    }
}
