// EntryRewriter.swift — what a flush or a compaction keeps of the versions it reads.
//
// Snapshots cut the sequences into stripes: two versions of a key lie in the same stripe if every snapshot that sees the
// older one sees the newer one too. In each stripe only one version of a key is kept: the newest, with the operands below
// it folded in. Nothing crosses a stripe.
//
// A tombstone, an expired entry, or a version that the merge operator gives up goes for good only in the lowest stripe
// and only where no deeper level can hold an older version of the key: otherwise that one would come back.

/// Why and when versions may go.
struct RewriteRules {
    /// The sequences that snapshots read at, ascending; the last is the newest durable commit.
    var snapshots: [UInt64]
    /// Entries that expire by then are expired for every reader there is and will be.
    var purgeTime: StorageInstant
    /// The keyspaces that exist; entries of others are dropped.
    var keyspaces: [UInt32: Keyspace]

    /// That of all keyspaces; nil where they differ.
    var clusteringLayout: ClusteringLayout? {
        let layouts = Set(keyspaces.values.map(\.clusteringLayout))
        return layouts.count == 1 ? layouts.first ?? nil : nil
    }

    /// 0 is the lowest stripe.
    func stripe(of sequence: UInt64) -> Int {
        snapshots.firstIndex { $0 >= sequence } ?? snapshots.count
    }
}

@safe struct EntryRewriter {
    /// What is asked of the keyspace at hand for each entry.
    private struct KeyspaceTraits {
        var mergeOperator: (any MergeOperator)?
        var judgesExpiry = false
        /// Whether the operator's bounds tell when a value may go.
        var isBounded = false
        /// Whether a value may go at the bottom of its tree though nothing newer hides it.
        var purgesValues: Bool { mergeOperator != nil || isBounded }
    }

    private struct Operand {
        var sequence: UInt64
        var expiry: Int64
        var value: [UInt8]
    }

    private let rules: RewriteRules
    private let tombstones: RangeTombstoneSet
    private let isBottommost: (UnsafeRawBufferPointer) -> Bool
    private let emit: (UnsafeEntry) throws -> Void

    // The key at hand.
    private var key: [UInt8] = []
    private var keyspace: Keyspace?
    private var traits = KeyspaceTraits()
    private var covering: [UInt64] = []
    /// Looked up where it matters; nil while it did not.
    private var knownBottommost: Bool?
    private var stripe = -1
    private var isStripeClosed = false
    /// Operands of the stripe at hand, newest first.
    private var operands: [Operand] = []
    /// Room of an operand that was written, for the next one: most keys have a single one.
    private var spare: [UInt8] = []

    /// - Parameters:
    ///   - tombstones: The range deletes of all inputs.
    ///   - isBottommost: Whether no level below the output can hold the key.
    ///   - emit: Takes what is kept, in order.
    init(
        rules: RewriteRules, tombstones: RangeTombstoneSet, isBottommost: @escaping (UnsafeRawBufferPointer) -> Bool,
        emit: @escaping (UnsafeEntry) throws -> Void
    ) {
        self.rules = rules
        self.tombstones = tombstones
        unsafe self.isBottommost = isBottommost
        unsafe self.emit = emit
    }

    /// Rewrites everything that `input` holds.
    mutating func run(_ input: MergingCursor) throws {
        try input.seekToFirst()
        var hasKey = false
        while input.isValid {
            let entry = unsafe input.entry
            if unsafe !hasKey || compareBytes(key, entry.key) != 0 {
                if hasKey { try finishKey() }
                unsafe startKey(entry.key)
                hasKey = true
            }
            if keyspace != nil { unsafe try take(entry) }
            try input.next()
        }
        if hasKey { try finishKey() }
    }

    private mutating func startKey(_ newKey: UnsafeRawBufferPointer) {
        // A key without a whole prefix is nobody's: only a file that was tampered with has one.
        let isWhole = newKey.count >= Keyspace.prefixByteCount
        let samePrefix = unsafe isWhole && key.count >= Keyspace.prefixByteCount && hasPrefix(newKey)
        key.removeAll(keepingCapacity: true)
        unsafe key.append(contentsOf: newKey)
        if !samePrefix { enter(isWhole ? rules.keyspaces[Keyspace.id(ofTreeKey: key)] : nil) }
        unsafe covering = tombstones.isEmpty ? [] : tombstones.sequences(covering: newKey)
        knownBottommost = nil
        stripe = -1
        isStripeClosed = false
        operands.removeAll(keepingCapacity: true)
    }

    private mutating func enter(_ next: Keyspace?) {
        keyspace = next
        traits = KeyspaceTraits(
            mergeOperator: next?.options.mergeOperator, judgesExpiry: next?.judgesExpiry == true,
            isBounded: next?.options.expiry == .operator)
    }

    /// Whether the key before was of the same keyspace.
    private func hasPrefix(_ newKey: UnsafeRawBufferPointer) -> Bool {
        unsafe key.withUnsafeBytes { key in
            unsafe key.loadUnaligned(as: UInt32.self) == newKey.loadUnaligned(as: UInt32.self)
        }
    }

    /// Whether nothing older than what is rewritten can hold the key.
    private mutating func isKeyBottommost() -> Bool {
        if let known = knownBottommost { return known }
        let known = unsafe key.withUnsafeBytes { unsafe isBottommost($0) }
        knownBottommost = known
        return known
    }

    private mutating func finishKey() throws {
        guard keyspace != nil, !operands.isEmpty else { return }
        try closeStripe(base: isKeyBottommost() ? .absent : .unknown)
    }

    /// Takes the next older version of the key.
    private mutating func take(_ entry: UnsafeEntry) throws {
        let entryStripe = unsafe rules.stripe(of: entry.sequence)
        if entryStripe != stripe {
            if stripe >= 0 { try closeStripe(base: .unknown) }
            stripe = entryStripe
            isStripeClosed = false
        }
        guard !isStripeClosed else { return }
        let isCovered = covering.contains { unsafe $0 > entry.sequence && rules.stripe(of: $0) == stripe }
        if isCovered {
            try closeStripe(base: .absent)
        } else if unsafe entry.kind == .delete || isExpired(entry) {
            unsafe try takeDelete(entry.sequence)
        } else if unsafe entry.kind == .merge {
            unsafe operands.append(Operand(sequence: entry.sequence, expiry: entry.expiry, value: copy(entry.value)))
        } else {
            unsafe try takePut(entry)
        }
    }

    private mutating func copy(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var room: [UInt8] = []
        swap(&room, &spare)
        room.removeAll(keepingCapacity: true)
        unsafe room.append(contentsOf: value)
        return room
    }

    private func isExpired(_ entry: UnsafeEntry) -> Bool {
        unsafe traits.judgesExpiry && entry.expiry <= rules.purgeTime.microseconds
    }

    private mutating func takeDelete(_ sequence: UInt64) throws {
        if operands.isEmpty {
            isStripeClosed = true
            if !(stripe == 0 && isKeyBottommost()) {
                unsafe try output(.delete, sequence, UnsafeEntry.noExpiry, [])
            }
        } else if traits.mergeOperator != nil {
            try closeStripe(base: .absent)
        } else {
            try closeStripe(base: .unknown)
            unsafe try output(.delete, sequence, UnsafeEntry.noExpiry, [])
        }
    }

    private mutating func takePut(_ entry: UnsafeEntry) throws {
        if operands.isEmpty {
            isStripeClosed = true
            unsafe try outputValue(entry)
        } else if traits.mergeOperator != nil {
            let base = unsafe Operand(sequence: entry.sequence, expiry: entry.expiry, value: Array(entry.value))
            try closeStripe(base: .value(base))
        } else {
            try closeStripe(base: .unknown)
            unsafe try emit(entry)
        }
    }

    /// What lies below the operands of a stripe.
    private enum Base {
        case unknown
        case absent
        case value(Operand)
    }

    /// Writes what the stripe's operands come to. Older versions in the stripe are hidden from now on.
    private mutating func closeStripe(base: Base) throws {
        isStripeClosed = true
        guard let newest = operands.first else { return }
        defer { operands.removeAll(keepingCapacity: true) }
        if case .unknown = base, operands.count == 1 {
            try output(.merge, newest.sequence, newest.expiry, newest.value)
            spare = operands.removeLast().value
            return
        }
        guard let mergeOperator = traits.mergeOperator else {
            // Nobody has told how to merge yet: the operands stay as they are.
            for operand in operands { try output(.merge, operand.sequence, operand.expiry, operand.value) }
            return
        }
        if case .value(let value) = base { operands.append(value) }
        guard let result = try operands.reversed().balancedFold({ try merged($0, $1, mergeOperator) }) else { return }
        if case .unknown = base {
            try output(.merge, newest.sequence, result.expiry, result.value)
        } else {
            try unsafe result.value.withUnsafeBytes { value in
                try unsafe key.withUnsafeBytes { key in
                    try unsafe outputValue(
                        UnsafeEntry(
                            key: key, sequence: newest.sequence, kind: .put, expiry: result.expiry, value: value))
                }
            }
        }
    }

    private func merged(_ older: Operand, _ newer: Operand, _ mergeOperator: any MergeOperator) throws -> Operand {
        var value: [UInt8] = []
        try mergeOperator.merge(
            key: key.rawSpan.extracting(Keyspace.prefixByteCount...), older: older.value.rawSpan,
            newer: newer.value.rawSpan, into: &value)
        let bound = mergeOperator.droppableAfter(
            merged: value.rawSpan, older: StorageInstant(entryExpiry: older.expiry),
            newer: StorageInstant(entryExpiry: newer.expiry))
        return unsafe Operand(
            sequence: newer.sequence, expiry: bound?.microseconds ?? UnsafeEntry.noExpiry, value: value)
    }

    /// Writes a full value, unless it may go.
    private mutating func outputValue(_ entry: UnsafeEntry) throws {
        guard stripe == 0, traits.purgesValues, isKeyBottommost() else {
            return unsafe try emit(entry)
        }
        if traits.isBounded, unsafe entry.expiry <= rules.purgeTime.microseconds { return }
        guard let mergeOperator = traits.mergeOperator else { return unsafe try emit(entry) }
        let userKey = unsafe UnsafeRawBufferPointer(rebasing: entry.key.dropFirst(Keyspace.prefixByteCount))
        switch mergeOperator.purge(
            key: unsafe RawSpan(_unsafeBytes: userKey), value: unsafe RawSpan(_unsafeBytes: entry.value),
            now: rules.purgeTime)
        {
        case .keep: unsafe try emit(entry)
        case .drop: break
        case .replace(let value): unsafe try output(.put, entry.sequence, entry.expiry, value)
        }
    }

    private func output(_ kind: EntryKind, _ sequence: UInt64, _ expiry: Int64, _ value: [UInt8]) throws {
        try unsafe key.withUnsafeBytes { key in
            try unsafe value.withUnsafeBytes { value in
                try unsafe emit(UnsafeEntry(key: key, sequence: sequence, kind: kind, expiry: expiry, value: value))
            }
        }
    }
}

extension RangeTombstoneSet {
    /// The tombstones that an output keeps: in each stripe the newest of each fragment, none in the lowest stripe where
    /// nothing deeper is left to hide.
    func kept(_ rules: RewriteRules, isBottommost: (_ lower: [UInt8], _ upper: [UInt8]) -> Bool) -> [RangeTombstone] {
        fragments.flatMap { fragment -> [RangeTombstone] in
            // A range delete stays inside its keyspace.
            guard rules.keyspaces[Keyspace.id(ofTreeKey: fragment.lower)] != nil else { return [] }
            var lastStripe = -1
            return fragment.sequences.compactMap { sequence in
                let stripe = rules.stripe(of: sequence)
                guard stripe != lastStripe else { return nil }
                lastStripe = stripe
                if stripe == 0, isBottommost(fragment.lower, fragment.upper) { return nil }
                return RangeTombstone(lower: fragment.lower, upper: fragment.upper, sequence: sequence)
            }
        }
    }
}
