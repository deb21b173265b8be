// AtomicLazyReference.swift — an object that is there once somebody has made it.
//
// It takes the place of the type of the same name in Synchronization, whose `load` is a call that is not specialised and
// looks its metadata up each time: a twelfth of an insert's time, at several loads for each commit.
//
// Invariant: the word is 0 or the address of an object that this holds a reference to; it changes once at most.

internal import Synchronization

@safe struct AtomicLazyReference<Object: AnyObject>: ~Copyable, @unchecked Sendable {  // the word is atomic
    private let word = Atomic<UInt>(0)

    deinit {
        if let address = unsafe UnsafeRawPointer(bitPattern: word.load(ordering: .acquiring)) {
            unsafe Unmanaged<Object>.fromOpaque(address).release()
        }
    }

    /// The object, if it is there.
    @inline(__always)
    func load() -> Object? { Self.object(at: word.load(ordering: .acquiring)) }

    /// Calls `body` with the object, if it is there, without counting a reference to it.
    @inline(__always)
    func withObject<R>(_ body: (Object) throws -> R) rethrows -> R? {
        guard let address = unsafe UnsafeRawPointer(bitPattern: word.load(ordering: .acquiring)) else { return nil }
        return unsafe try Unmanaged<Object>.fromOpaque(address)._withUnsafeGuaranteedRef { try body($0) }
    }

    /// Keeps an object unless one is there; the one that is there then.
    func storeIfNil(_ object: Object) -> Object {
        let new = unsafe Unmanaged.passRetained(object)
        let (isStored, original) = unsafe word.compareExchange(
            expected: 0, desired: UInt(bitPattern: new.toOpaque()), successOrdering: .acquiringAndReleasing,
            failureOrdering: .acquiring)
        if isStored { return object }
        unsafe new.release()
        return Self.object(at: original) ?? object
    }

    @inline(__always)
    private static func object(at address: UInt) -> Object? {
        unsafe UnsafeRawPointer(bitPattern: address).map {
            unsafe Unmanaged<Object>.fromOpaque($0).takeUnretainedValue()
        }
    }
}
