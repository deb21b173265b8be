// UnsafeRows.swift — the memory of a result: the bytes of all its values, and for every row where its values lie in them.
//
// Invariants: the first `byteCount` bytes of `memory` and the first `count * width` slots are initialised; a slot's range
// lies inside of the first `byteCount` bytes, or is null. Nothing keeps a pointer into the memory across a change.

/// A value's place in the bytes of a result; a negative count is null.
struct CellRange: Sendable {
    var offset: Int32
    var byteCount: Int32

    static let null = CellRange(offset: 0, byteCount: -1)

    @inline(__always)
    var isNull: Bool { byteCount < 0 }

    @inline(__always)
    var range: Range<Int> {
        assert(!isNull)
        return unsafe Range(uncheckedBounds: (Int(offset), Int(offset) + Int(byteCount)))
    }
}

/// Rows of `width` values each, to which bytes and rows are appended.
// Sendable: it alone owns its memory, and there are no copies of it.
@safe struct UnsafeRows: ~Copyable, @unchecked Sendable {
    let width: Int
    private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var byteCount = 0
    private var slots = unsafe UnsafeMutableBufferPointer<CellRange>(start: nil, count: 0)
    private(set) var count = 0
    /// How many rows there may be at most. Memory for all of them is no loss, since what is not written to is not there.
    private let maximumCount: Int
    /// How large the result may be with a length of four bytes in front of each value.
    private let maximumByteCount: Int
    /// Whether something was refused because of that.
    private(set) var isTooLarge = false

    init(width: Int, maximumCount: Int = .max, maximumByteCount: Int? = nil) {
        self.width = width
        self.maximumCount = maximumCount
        self.maximumByteCount = maximumByteCount ?? .max
    }

    deinit {
        unsafe UnsafeResultMemory.deallocate(memory)
        unsafe UnsafeResultMemory.deallocate(UnsafeMutableRawBufferPointer(slots))
    }

    // MARK: Reading

    func cell(row: Int, column: Int) -> CellRange {
        precondition(
            row >= 0 && row < count && column >= 0 && column < width, "Row \(row) has no column \(column) of \(width).")
        return unsafe slots[row &* width &+ column]
    }

    /// Calls `body` with the bytes of a value.
    @inline(__always)
    func withBytes<R>(of cell: CellRange, _ body: (RawSpan) throws -> R) rethrows -> R {
        try body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[cell.range])))
    }

    // MARK: Bytes

    /// Makes room.
    ///
    /// - Throws: `CQLError` where the result would grow out of the reach of its ranges, or beyond what it may have.
    @inline(__always)
    mutating func reserve(_ additionalByteCount: Int) throws {
        if unsafe additionalByteCount > memory.count - byteCount { try grow(by: additionalByteCount) }
    }

    @inline(never)
    private mutating func grow(by additionalByteCount: Int) throws {
        let (needed, overflow) = byteCount.addingReportingOverflow(additionalByteCount)
        guard !overflow, needed <= Int(Int32.max) else {
            throw CQLError.invalid("The result is larger than 2 GiB; use paging or LIMIT")
        }
        try checkByteCount(needed)
        let larger = unsafe UnsafeResultMemory.allocate(capacity(after: memory.count, used: byteCount, needed: needed))
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<byteCount]))
        unsafe UnsafeResultMemory.deallocate(memory)
        unsafe memory = larger
    }

    @inline(__always)
    private mutating func checkByteCount(_ byteCount: Int) throws {
        let wireByteCount = byteCount &+ 4 &* width &* count
        if wireByteCount > maximumByteCount { throw tooLarge(wireByteCount) }
    }

    @inline(never)
    private mutating func tooLarge(_ byteCount: Int) -> CQLError {
        isTooLarge = true
        return .responseTooBig(byteCount: byteCount, maximum: maximumByteCount)
    }

    private static let maximumExpectedByteCount = 1 << 23

    /// How much memory comes after so much.
    private func capacity(after byteCount: Int, used usedByteCount: Int, needed: Int) -> Int {
        guard byteCount >= UnsafeResultMemory.largeByteCount else {
            var capacity = max(UnsafeResultMemory.initialByteCount, byteCount * 4)
            while capacity < min(needed, UnsafeResultMemory.largeByteCount) { capacity *= 4 }
            return max(capacity, needed)
        }
        // As the rows so far, and an eighth more.
        let (expected, overflow) = (usedByteCount / max(1, count)).multipliedReportingOverflow(by: maximumCount)
        let all = overflow ? 0 : min(expected, Self.maximumExpectedByteCount)
        return min(max(needed, byteCount * 2, all + all / 8), max(needed, min(Int(Int32.max), maximumByteCount)))
    }

    /// The end of the bytes, moved on; room was made.
    @inline(__always)
    private mutating func extend(by additionalByteCount: Int) -> UnsafeMutableRawPointer {
        precondition(unsafe additionalByteCount <= memory.count - byteCount, "Room is made before bytes are appended.")
        defer { byteCount &+= additionalByteCount }
        // Room was made, so there is an address.
        return unsafe memory.baseAddress.unsafelyUnwrapped + byteCount
    }

    /// Appends bytes that room was made for.
    @inline(__always)
    @discardableResult
    mutating func append(_ bytes: RawSpan) -> CellRange {
        let start = byteCount
        let count = bytes.byteCount
        guard count > 0 else { return cell(from: start) }
        let target = unsafe extend(by: count)
        unsafe bytes.withUnsafeBytes { source in
            unsafe target.copyMemory(from: source.baseAddress.unsafelyUnwrapped, byteCount: count)
        }
        return cell(from: start)
    }

    /// Appends bytes, each of them inverted, that room was made for.
    mutating func appendInverted(_ bytes: RawSpan) -> CellRange {
        let start = byteCount
        let target = unsafe extend(by: bytes.byteCount)
        for offset in 0..<bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            unsafe target.storeBytes(of: ~byte, toByteOffset: offset, as: UInt8.self)
        }
        return cell(from: start)
    }

    /// Appends a number that room was made for.
    @inline(__always)
    @discardableResult
    mutating func appendBigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) -> CellRange {
        let start = byteCount
        unsafe extend(by: MemoryLayout<Integer>.size).storeBytes(of: value.bigEndian, as: Integer.self)
        return cell(from: start)
    }

    /// What was appended since there were `start` bytes.
    @inline(__always)
    func cell(from start: Int) -> CellRange {
        CellRange(offset: Int32(truncatingIfNeeded: start), byteCount: Int32(truncatingIfNeeded: byteCount &- start))
    }

    /// Forgets what was appended since there were `start` bytes.
    mutating func removeBytes(from start: Int) {
        precondition(start >= 0 && start <= byteCount, "Only what was appended is removed.")
        byteCount = start
    }

    // MARK: Rows

    /// Makes the place of the row behind the last one, of nulls; it counts once it is ended.
    ///
    /// - Throws: `CQLError` where the result is larger than it may be.
    mutating func beginRow() throws {
        try checkByteCount(byteCount)
        placeRow()
    }

    private mutating func placeRow() {
        if unsafe (count &+ 1) &* width > slots.count { growSlots() }
        for column in 0..<width { unsafe slots[count &* width &+ column] = .null }
    }

    /// As above, of the values of `template`.
    @inline(__always)
    mutating func beginRow(_ template: [CellRange]) throws {
        try checkByteCount(byteCount)
        precondition(template.count == width, "A template has a value for each column.")
        if unsafe (count &+ 1) &* width > slots.count { growSlots() }
        for column in 0..<width { unsafe slots[count &* width &+ column] = template[column] }
    }

    @inline(never)
    private mutating func growSlots() {
        let used = count * width
        let stride = MemoryLayout<CellRange>.stride
        let capacity = unsafe capacity(
            after: slots.count * stride, used: used * stride, needed: (used + width) * stride)
        let larger = unsafe UnsafeResultMemory.allocate(capacity).bindMemory(to: CellRange.self)
        for index in 0..<used { unsafe larger.initializeElement(at: index, to: slots[index]) }
        unsafe UnsafeResultMemory.deallocate(UnsafeMutableRawBufferPointer(slots))
        unsafe slots = larger
    }

    /// A value of the row that was begun.
    @inline(__always)
    subscript(column: Int) -> CellRange {
        get {
            precondition(column >= 0 && column < width, "A row has no values but those of its columns.")
            return unsafe slots[count &* width &+ column]
        }
        set {
            precondition(column >= 0 && column < width, "A row has no values but those of its columns.")
            unsafe slots[count &* width &+ column] = newValue
        }
    }

    @inline(__always)
    mutating func endRow() {
        count &+= 1
    }

    /// The size of the last row with a length of four bytes in front of each value.
    var lastRowByteCount: Int {
        guard count > 0 else { return 0 }
        var byteCount = 4 &* width
        for column in 0..<width {
            byteCount &+= Int(max(0, unsafe slots[(count &- 1) &* width &+ column].byteCount))
        }
        return byteCount
    }

    /// Where rows end, and their bytes.
    struct Mark {
        fileprivate(set) var count: Int
        fileprivate var byteCount: Int
    }

    @inline(__always)
    var mark: Mark { Mark(count: count, byteCount: byteCount) }

    /// Forgets the rows, be they whole or not, that were appended since.
    mutating func removeRows(from mark: Mark) {
        precondition(mark.count <= count, "Only what was appended is removed.")
        removeBytes(from: mark.byteCount)
        count = mark.count
    }

    /// The rows in the order of `permutation`, which may leave some out.
    mutating func reorder(_ permutation: [Int]) {
        var ordered = UnsafeRows(width: width)
        for row in permutation {
            ordered.placeRow()
            for column in 0..<width { ordered[column] = cell(row: row, column: column) }
            ordered.endRow()
        }
        unsafe swap(&slots, &ordered.slots)
        count = ordered.count
    }
}
