// The lines in which what is deleted lies before what is read.

import BenchmarkKit

extension StoreSide {
    func openWithTombstones(entries: Int, deletes: Int) throws {
        let opened = try OpenedStore<Store>(in: parent)
        self.opened = opened
        let session = opened.session
        var (key, value) = Self.emptyEntry
        for index in 0..<entries {
            SequentialKey.write(index, into: &key)
            values.write(index, into: &value)
            try session.stagePut(key, value)
            if index % 100 == 99 { try session.commitStaged() }
        }
        try session.commitStaged()
        try opened.store.compact()
        for index in 0..<deletes {
            SequentialKey.write(index, into: &key)
            try session.stageDelete(key)
            if index % 100 == 99 { try session.commitStaged() }
        }
        try session.commitStaged()
    }

    func queue(operations: Int, backlog: Int) throws -> Timing {
        let opened = try OpenedStore<Store>(in: parent)
        let timing = try queue(operations: operations, backlog: backlog, in: opened.session)
        try opened.close()
        return timing
    }

    private func queue(operations: Int, backlog: Int, in session: Store.Session) throws -> Timing {
        var (key, value) = Self.emptyEntry
        func append(_ index: Int) throws {
            SequentialKey.write(index, into: &key)
            values.write(index, into: &value)
            try session.put(key, value)
        }
        for index in 0..<backlog { try append(index) }
        return try measure { meter in
            var digest: UInt64 = 0
            for step in 0..<operations {
                try append(backlog + step)
                let first = try session.firstKey() ?? []
                digest &+= first.rawSpanDigest
                try session.delete(first)
                meter.lap()
            }
            return digest
        }
    }
}

/// Keys that sort as their indices do.
enum SequentialKey {
    /// Over the first 48 bytes of `key`.
    static func write(_ index: Int, into key: inout [UInt8]) {
        for position in 0..<KeyGenerator.byteCount {
            let shift = 60 - 4 * position
            let nibble = shift >= 0 ? UInt8(truncatingIfNeeded: index >> shift) & 15 : 0
            key[position] = nibble < 10 ? 48 + nibble : 87 + nibble
        }
    }
}

extension [UInt8] {
    fileprivate var rawSpanDigest: UInt64 { withUnsafeBytes { digestOfBytes($0.baseAddress, $0.count) } }
}
