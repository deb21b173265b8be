// UnsafeReferences.swift — objects that are looked at often, without counting references.

/// Objects side by side. They live as long as this does.
@safe
struct UnsafeReferences<Object: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    // Guarded by immutability.
    private let places: UnsafeMutablePointer<Unmanaged<Object>>
    let objects: [Object]
    let count: Int

    init(_ objects: [Object]) {
        self.objects = objects
        count = objects.count
        unsafe places = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (places + index).initialize(to: .passUnretained(objects[index])) }
    }

    deinit {
        unsafe places.deallocate()
    }

    /// - Parameter index: Below `count`.
    subscript(index: Int) -> Unmanaged<Object> {
        @inline(__always)
        get {
            assert(0..<count ~= index)
            return unsafe places[index]
        }
    }
}
