// PasswordHash.swift — a password as it is kept: PBKDF2 with HMAC-SHA-256 (RFC 8018, §5.2), one block.
//
//   pbkdf2-sha256$iterations$salt$hash         salt and hash in hexadecimal

internal import Crypto
internal import StorageTypes

/// A salted hash of a password.
public struct PasswordHash: Hashable, Sendable, CustomStringConvertible {
    private static let scheme = "pbkdf2-sha256"
    /// A tenth of a second or so for each guess; every new connection pays it once.
    public static let standardIterationCount = 100_000
    public static let largestIterationCount = 10_000_000

    let iterationCount: Int
    let salt: [UInt8]
    let hash: [UInt8]

    /// Hashes a password with a new salt.
    ///
    /// - Parameter iterationCount: 1 to ``largestIterationCount``; what a guess costs grows with it.
    public init(password: String, iterationCount: Int = PasswordHash.standardIterationCount) {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        self.init(password: Array(password.utf8), salt: salt, iterationCount: iterationCount)
    }

    init(password: [UInt8], salt: [UInt8], iterationCount: Int) {
        precondition(
            (1...Self.largestIterationCount).contains(iterationCount), "A password is hashed 1 to 10,000,000 times.")
        self.iterationCount = iterationCount
        self.salt = salt
        hash = Self.derive(password, salt, iterationCount)
    }

    /// The hash that a text stands for; `nil` if it has another form.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == Self.scheme, let count = Int(parts[1]),
            (1...Self.largestIterationCount).contains(count), let salt = Hexadecimal.bytes(parts[2]), !salt.isEmpty,
            let hash = Hexadecimal.bytes(parts[3]), hash.count == SHA256.byteCount
        else { return nil }
        iterationCount = count
        self.salt = salt
        self.hash = hash
    }

    public var description: String {
        "\(Self.scheme)$\(iterationCount)$\(Hexadecimal.text(salt))$\(Hexadecimal.text(hash))"
    }

    /// Whether this is the hash of the password. The time it takes depends on neither's bytes.
    func matches(_ password: [UInt8]) -> Bool {
        let candidate = Self.derive(password, salt, iterationCount)
        var difference: UInt8 = 0
        for (left, right) in zip(candidate, hash) { difference |= left ^ right }
        return difference == 0
    }

    private static func derive(_ password: [UInt8], _ salt: [UInt8], _ iterationCount: Int) -> [UInt8] {
        // The state behind the key is copied, so that an iteration hashes no key.
        let keyed = HMAC<SHA256>(key: SymmetricKey(data: password))
        func code(_ message: [UInt8]) -> [UInt8] {
            var hmac = keyed
            hmac.update(data: message)
            return Array(hmac.finalize())
        }
        var last = code(salt + [0, 0, 0, 1])
        var derived = last
        for _ in 1..<iterationCount {
            last = code(last)
            for index in derived.indices { derived[index] ^= last[index] }
        }
        return derived
    }
}
