// UnsafeTrieBranch.swift — the inner nodes of the trie, in four sizes, after Leis et al., "The Adaptive Radix Tree" (2013).
//
// A branch tells keys apart by their byte at `depth`; the symbol of a key that ends there is -1, below all bytes. In the
// arena, aligned to a cache line:
//   0  u32 depth     4  u32 size (0…3)     8  u32 number of children but the one of symbol -1
//  12  4 B the symbols of a branch of four, in order of insertion; of a branch of 256 u32 the one that came last
//  16  link of symbol -1
//  size 0:  24  4 links
//  size 1:  24  16 symbols, in order of insertion    40  16 links
//  size 2:  24  256 bytes, one more than the place of each symbol's link, or 0    280  48 links
//  size 3:  24  256 links
//
// A child is published by one store with release order: of the count (sizes 0 and 1), of the place (2), of the link (3).
// Children are never taken away, and a link is only replaced by one that leads to the same keys and more.

internal import CStorage

@unsafe struct UnsafeTrieBranch {
    static let alignment: UInt = 64
    static let byteCounts = [56, 168, 664, 2072]
    static let capacities = [4, 16, 48, 256]

    let address: UnsafeMutableRawPointer

    static let endSymbol = -1
    private static let endOffset = 16
    private static let smallSymbolsOffset = 12
    private static let latestSymbolOffset = 12
    private static let symbolsOffset = 24
    private static let linkOffsets = (24, 40, 280, 24)

    @inline(__always)
    var depth: Int { unsafe Int(address.load(as: UInt32.self)) }

    @inline(__always)
    var size: UInt32 { unsafe address.load(fromByteOffset: 4, as: UInt32.self) }

    @inline(__always)
    var count: Int { unsafe Int(cstorage_load_acquire_32(address + 8)) }

    /// What tells `key` apart at this branch.
    @inline(__always)
    func symbol(of key: UnsafeRawBufferPointer) -> Int { unsafe Self.symbol(of: key, at: depth) }

    @inline(__always)
    static func symbol(of key: UnsafeRawBufferPointer, at depth: Int) -> Int {
        unsafe depth < key.count ? Int(key[depth]) : endSymbol
    }

    // MARK: One child

    /// Where the link of a symbol is; nil if there is no child of it.
    @inline(__always)
    func slot(of symbol: Int) -> UnsafeMutableRawPointer? {
        if unsafe symbol == Self.endSymbol { return unsafe address + Self.endOffset }
        switch unsafe size {
        case 0:
            let count = unsafe self.count
            let symbols = unsafe UInt64(cstorage_load_relaxed_32(address + Self.smallSymbolsOffset))
            let position = unsafe Self.position(of: symbol, in: symbols)
            return unsafe position < count ? address + Self.linkOffsets.0 + position * 8 : nil
        case 1:
            let count = unsafe self.count
            var position = unsafe Self.position(
                of: symbol, in: cstorage_load_relaxed_64(address + Self.symbolsOffset))
            if position == 8 {
                position += unsafe Self.position(
                    of: symbol, in: cstorage_load_relaxed_64(address + Self.symbolsOffset + 8))
            }
            return unsafe position < count ? address + Self.linkOffsets.1 + position * 8 : nil
        case 2:
            let place = unsafe Int(cstorage_load_acquire_8(address + Self.symbolsOffset + symbol))
            return unsafe place > 0 ? address + Self.linkOffsets.2 + (place - 1) * 8 : nil
        default:
            return unsafe address + Self.linkOffsets.3 + symbol * 8
        }
    }

    @inline(__always)
    private static func position(of symbol: Int, in symbols: UInt64) -> Int {
        firstPosition(of: UInt8(truncatingIfNeeded: symbol), in: symbols)
    }

    @inline(__always)
    func child(_ symbol: Int) -> UnsafeTrieLink {
        guard let slot = unsafe slot(of: symbol) else { return unsafe .none }
        return unsafe .load(slot)
    }

    // MARK: In order

    /// The child of the smallest symbol from `symbol` on.
    func firstChild(from symbol: Int) -> (symbol: Int, link: UnsafeTrieLink)? {
        if unsafe symbol <= Self.endSymbol {
            let end = unsafe child(Self.endSymbol)
            if unsafe !end.isNone { return unsafe (Self.endSymbol, end) }
        }
        guard symbol <= 255 else { return nil }
        let first = max(symbol, 0)
        switch unsafe size {
        case 0, 1:
            var best = 256
            unsafe forEachSmallSymbol { if $0 >= first, $0 < best { best = $0 } }
            return unsafe best < 256 ? (best, child(best)) : nil
        case 2:
            for candidate in first...255
            where unsafe cstorage_load_acquire_8(address + Self.symbolsOffset + candidate) > 0 {
                return unsafe (candidate, child(candidate))
            }
        default:
            for candidate in first...255 {
                let link = unsafe UnsafeTrieLink.load(address + Self.linkOffsets.3 + candidate * 8)
                if unsafe !link.isNone { return unsafe (candidate, link) }
            }
        }
        return nil
    }

    /// The child of the largest symbol up to `symbol`.
    func lastChild(through symbol: Int) -> (symbol: Int, link: UnsafeTrieLink)? {
        if symbol >= 0 {
            if unsafe size <= 1 {
                var best = -1
                unsafe forEachSmallSymbol { if $0 <= symbol, $0 > best { best = $0 } }
                if best >= 0 { return unsafe (best, child(best)) }
            } else {
                for candidate in stride(from: symbol, through: 0, by: -1) {
                    let link = unsafe child(candidate)
                    if unsafe !link.isNone { return unsafe (candidate, link) }
                }
            }
        }
        guard unsafe symbol >= Self.endSymbol else { return nil }
        let end = unsafe child(Self.endSymbol)
        return unsafe end.isNone ? nil : (Self.endSymbol, end)
    }

    /// The child that was added last: of all of them the likeliest to be in the processor's caches.
    var latestChild: UnsafeTrieLink {
        let last = unsafe count - 1
        return switch unsafe size {
        case 0: unsafe .load(address + Self.linkOffsets.0 + last * 8)
        case 1: unsafe .load(address + Self.linkOffsets.1 + last * 8)
        case 2: unsafe .load(address + Self.linkOffsets.2 + last * 8)
        default:
            unsafe .load(
                address + Self.linkOffsets.3 + Int(cstorage_load_acquire_32(address + Self.latestSymbolOffset)) * 8)
        }
    }

    @inline(__always)
    private func forEachSmallSymbol(_ body: (Int) -> Void) {
        let count = unsafe self.count
        var words =
            unsafe size == 0
            ? (UInt64(cstorage_load_relaxed_32(address + Self.smallSymbolsOffset)), 0)
            : (
                cstorage_load_relaxed_64(address + Self.symbolsOffset),
                cstorage_load_relaxed_64(address + Self.symbolsOffset + 8)
            )
        for position in 0..<count {
            if position == 8 { words.0 = words.1 }
            body(Int(words.0 & 0xFF))
            words.0 >>= 8
        }
    }
}

// MARK: - Changing, by the one writer

extension UnsafeTrieBranch {
    /// A branch without children in fresh memory.
    init(at memory: UnsafeMutableRawPointer, size: Int, depth: Int) {
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCounts[size])
        unsafe memory.storeBytes(of: UInt32(truncatingIfNeeded: depth), as: UInt32.self)
        unsafe memory.storeBytes(of: UInt32(truncatingIfNeeded: size), toByteOffset: 4, as: UInt32.self)
        unsafe address = memory
    }

    var isFull: Bool { unsafe size < 3 && count == Self.capacities[Int(size)] }

    /// Publishes a child of a symbol that has none. There is room for it.
    func add(_ symbol: Int, _ link: UnsafeTrieLink) {
        if unsafe symbol == Self.endSymbol { return unsafe link.store(at: address + Self.endOffset) }
        let count = unsafe self.count
        switch unsafe size {
        case 0:
            unsafe link.store(at: address + Self.linkOffsets.0 + count * 8)
            let symbols = unsafe cstorage_load_relaxed_32(address + Self.smallSymbolsOffset)
            unsafe cstorage_store_relaxed_32(
                address + Self.smallSymbolsOffset, symbols | UInt32(symbol) << UInt32(count * 8))
        case 1:
            unsafe link.store(at: address + Self.linkOffsets.1 + count * 8)
            let word = unsafe address + Self.symbolsOffset + (count & 8)
            unsafe cstorage_store_relaxed_64(
                word, cstorage_load_relaxed_64(word) | UInt64(symbol) << UInt64((count & 7) * 8))
        case 2:
            unsafe link.store(at: address + Self.linkOffsets.2 + count * 8)
            unsafe cstorage_store_release_8(address + Self.symbolsOffset + symbol, UInt8(truncatingIfNeeded: count + 1))
        default:
            unsafe link.store(at: address + Self.linkOffsets.3 + symbol * 8)
            unsafe cstorage_store_release_32(
                address + Self.latestSymbolOffset, UInt32(truncatingIfNeeded: symbol))
        }
        unsafe cstorage_store_release_32(address + 8, UInt32(truncatingIfNeeded: count + 1))
    }

    /// Adds all children to a branch of the next size that nobody else sees yet.
    func copyChildren(to larger: UnsafeTrieBranch) {
        unsafe child(Self.endSymbol).store(at: larger.address + Self.endOffset)
        var next = unsafe firstChild(from: 0)
        while let (symbol, link) = unsafe next {
            unsafe larger.add(symbol, link)
            unsafe next = firstChild(from: symbol + 1)
        }
    }
}
