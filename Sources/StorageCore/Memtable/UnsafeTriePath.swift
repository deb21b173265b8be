// UnsafeTriePath.swift — a place in the trie, and the way there, from which the neighbours are found.
//
// Entries lie in the order in which they came, so each step of a walk leads where the processor has not been lately. A walk
// forwards therefore looks up one child more than it needs, and asks for its lines before it is come to.

internal import CStorage

/// A place in a trie that moves both ways. The trie is kept alive by its owner.
@safe struct UnsafeTriePath: ~Copyable {
    @unsafe private struct Step {
        var branch: UnsafeTrieBranch
        /// Of the child that the way goes on to.
        var symbol: Int
        /// Of the child behind that one, ``noSymbol`` if there is none; nil where nobody has looked. Only the symbol: what
        /// the child is may have changed by the time the walk gets there.
        var following: Int?
    }

    private static let noSymbol = 256

    /// Where a key lies.
    @unsafe private enum Landing {
        case nowhere
        case exactly(UnsafeTrieLink)
        /// Before or after all that lies behind the last step.
        case before(UnsafeTrieLink)
        case after(UnsafeTrieLink)
        /// Where the last step's branch has no child.
        case gap
    }

    private let trie: UnsafeTrie
    private var steps: [Step] = unsafe []
    /// Leads to an entry or a version; none where the path leads past the ends.
    private(set) var link: UnsafeTrieLink

    init(_ trie: UnsafeTrie) {
        unsafe self.trie = trie
        unsafe link = .none
    }

    // MARK: Seeking

    mutating func seekToFirst() {
        start()
        unsafe descendToFirst(.load(trie.root))
    }

    mutating func seekToLast() {
        start()
        unsafe descendToLast(.load(trie.root))
    }

    /// To the first entry at or after (key, sequence).
    mutating func seek(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) {
        switch unsafe land(key) {
        case .nowhere: unsafe link = .none
        case .exactly(let newest):
            unsafe link = newest.newest(atMost: sequence)
            if unsafe link.isNone { advance() }
        case .before(let below): unsafe descendToFirst(below)
        case .after, .gap: advance()
        }
    }

    /// To the last entry at or before (key, sequence).
    mutating func seekBackward(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) {
        switch unsafe land(key) {
        case .nowhere: unsafe link = .none
        case .exactly(let newest):
            // The oldest one that is not older than `sequence`.
            let older = unsafe sequence == 0 ? .none : newest.newest(atMost: sequence - 1)
            unsafe link = older.isNone ? newest.oldest : (older.word == newest.word ? .none : older.newer)
            if unsafe link.isNone { retreat() }
        case .after(let below): unsafe descendToLast(below)
        case .before, .gap: retreat()
        }
    }

    private mutating func start() {
        unsafe steps.removeAll(keepingCapacity: true)
        unsafe link = .none
    }

    private mutating func land(_ key: UnsafeRawBufferPointer) -> Landing {
        start()
        var next = unsafe UnsafeTrieLink.load(trie.root)
        if unsafe next.isNone { return unsafe .nowhere }
        while unsafe next.isBranch {
            let branch = unsafe next.branch
            let symbol = unsafe branch.symbol(of: key)
            let child = unsafe branch.depth <= key.count ? branch.child(symbol) : .none
            guard unsafe child.isNone else {
                unsafe steps.append(Step(branch: branch, symbol: symbol))
                unsafe next = child
                continue
            }
            let other = unsafe UnsafeTrie.anyEntry(next).key
            if let parting = unsafe UnsafeTrie.parting(key, other), unsafe parting < branch.depth {
                return unsafe landBeside(next, key, other, parting)
            }
            unsafe steps.append(Step(branch: branch, symbol: symbol))
            return unsafe .gap
        }
        let other = unsafe next.key
        guard let parting = unsafe UnsafeTrie.parting(key, other) else { return unsafe .exactly(next) }
        return unsafe landBeside(next, key, other, parting)
    }

    /// - Parameters:
    ///   - below: Where the way ended that `key` has in common with `other`, at first sight.
    ///   - parting: Where the two really part.
    private mutating func landBeside(
        _ below: UnsafeTrieLink, _ key: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ parting: Int
    ) -> Landing {
        var below = unsafe below
        while let step = unsafe steps.last, unsafe step.branch.depth > parting {
            unsafe below = UnsafeTrieLink(step.branch.address, tag: 0)
            unsafe steps.removeLast()
        }
        let symbol = unsafe UnsafeTrieBranch.symbol(of: key, at: parting)
        let isBefore = unsafe symbol < UnsafeTrieBranch.symbol(of: other, at: parting)
        return unsafe isBefore ? .before(below) : .after(below)
    }

    // MARK: Moving

    mutating func next() {
        let older = unsafe link.older
        if unsafe older.isNone { advance() } else { unsafe link = older }
    }

    mutating func previous() {
        let newer = unsafe link.newer
        if unsafe newer.isNone { retreat() } else { unsafe link = newer }
    }

    /// To the newest version of the next key.
    mutating func nextKey() { advance() }

    /// To the oldest version of the previous key.
    mutating func previousKey() { retreat() }

    /// To the newest version of the same key that is not newer than `sequence`; false, and to another version, if there
    /// is none.
    mutating func moveToVersion(atMost sequence: UInt64) -> Bool {
        let newest = unsafe steps.last.map { unsafe $0.branch.child($0.symbol) } ?? .load(trie.root)
        let wanted = unsafe newest.newest(atMost: sequence)
        unsafe link = wanted.isNone ? newest : wanted
        return unsafe !wanted.isNone
    }

    /// To the newest version of the next key.
    private mutating func advance() {
        while let step = unsafe steps.last {
            let symbol = unsafe step.following ?? Self.firstSymbol(of: step.branch, behind: step.symbol)
            guard symbol != Self.noSymbol else {
                unsafe steps.removeLast()
                continue
            }
            let following = unsafe Self.firstSymbol(of: step.branch, behind: symbol)
            unsafe steps[steps.count - 1] = Step(branch: step.branch, symbol: symbol, following: following)
            return unsafe descendToFirst(step.branch.child(symbol))
        }
        unsafe link = .none
    }

    /// Looks for the next child of a branch, and asks for its lines.
    @inline(__always)
    private static func firstSymbol(of branch: UnsafeTrieBranch, behind symbol: Int) -> Int {
        guard let (symbol, link) = unsafe branch.firstChild(from: symbol + 1) else { return noSymbol }
        unsafe prefetch(link)
        return symbol
    }

    /// Asks for a small branch, or for the head, the key and the beginning of the value of an entry.
    @inline(__always)
    private static func prefetch(_ link: UnsafeTrieLink) {
        let address = unsafe UnsafeRawPointer(link.address)
        for line in 0..<(unsafe link.isBranch ? 3 : 5) { unsafe cstorage_prefetch(address + line &* 64) }
    }

    /// To the oldest version of the previous key.
    private mutating func retreat() {
        while let step = unsafe steps.popLast() {
            guard let (symbol, below) = unsafe step.branch.lastChild(through: step.symbol - 1) else { continue }
            unsafe steps.append(Step(branch: step.branch, symbol: symbol))
            return unsafe descendToLast(below)
        }
        unsafe link = .none
    }

    private mutating func descendToFirst(_ start: UnsafeTrieLink) {
        unsafe link = start
        while unsafe link.isBranch {
            let branch = unsafe link.branch
            guard let (symbol, below) = unsafe branch.firstChild(from: UnsafeTrieBranch.endSymbol) else { return }
            unsafe steps.append(Step(branch: branch, symbol: symbol))
            unsafe link = below
        }
    }

    private mutating func descendToLast(_ start: UnsafeTrieLink) {
        unsafe link = start
        while unsafe link.isBranch {
            let branch = unsafe link.branch
            guard let (symbol, below) = unsafe branch.lastChild(through: 255) else { return }
            unsafe steps.append(Step(branch: branch, symbol: symbol))
            unsafe link = below
        }
        unsafe link = link.oldest
    }
}
