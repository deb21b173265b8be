// CQLUsers.swift — who may connect.

internal import StorageTypes
internal import WideColumnEngine

/// The users of a server, each with the hash of a password. Whoever is in it may do everything, since there are no
/// roles, but for those who lack Cassandra's UNMASK permission: they see masks in the place of masked columns, may not
/// restrict these in a SELECT, and may not change the schema.
public struct CQLUsers: Sendable {
    private var hashes: [String: PasswordHash] = [:]
    /// Those who lack Cassandra's UNMASK permission.
    private let maskedNames: Set<String>
    /// Compared with where there is no such user, so that the time of an answer does not tell.
    private let stranger: PasswordHash

    /// - Parameter maskedNames: the users for whom columns are masked.
    public init(_ hashes: [String: PasswordHash], maskedNames: Set<String> = []) {
        self.hashes = hashes
        self.maskedNames = maskedNames
        stranger = PasswordHash(
            password: [], salt: [0], iterationCount: hashes.values.first?.iterationCount ?? 1)
    }

    /// The users of a file's text: a line `name:hash` for each, as `shopstream user` prints it, or `name:hash masked` for one
    /// who sees masks. Empty lines and those that begin with `#` are passed over.
    ///
    /// - Throws: `StorageError` (`invalidArgument`) that names the line which has another form.
    public init(fileContents: String) throws {
        var hashes: [String: PasswordHash] = [:]
        var maskedNames: Set<String> = []
        let lines = fileContents.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, written) in lines.enumerated() where !written.isEmpty && !written.hasPrefix("#") {
            let isMasked = written.hasSuffix(Self.maskedSuffix)
            let line = isMasked ? written.dropLast(Self.maskedSuffix.count) : written
            guard let colon = line.lastIndex(of: ":"), colon > line.startIndex,
                let hash = PasswordHash(line[line.index(after: colon)...])
            else {
                throw StorageError.invalidArgument(
                    "Line \(index + 1) of the users' file is not NAME:HASH; `shopstream user NAME` prints such a line")
            }
            let name = String(line[..<colon])
            guard hashes.updateValue(hash, forKey: name) == nil else {
                throw StorageError.invalidArgument("Line \(index + 1) of the users' file names '\(name)' again")
            }
            if isMasked { maskedNames.insert(name) }
        }
        self.init(hashes, maskedNames: maskedNames)
    }

    private static let maskedSuffix = " masked"

    public var isEmpty: Bool { hashes.isEmpty }

    /// Whether the user sees masks in the place of masked columns.
    func isMasked(_ name: String) -> Bool { maskedNames.contains(name) }

    /// Checks a response of SASL's PLAIN (RFC 4616): `authorization NUL name NUL password`.
    ///
    /// - Returns: the name.
    /// - Throws: `CQLError` (0x0100) with Cassandra's text ([CA] auth/PasswordAuthenticator.java).
    func authenticate(_ response: [UInt8]) throws -> String {
        let (name, password) = try Self.credentials(response)
        let hash = hashes[name]
        let isRight = (hash ?? stranger).matches(password)
        guard hash != nil, isRight else {
            throw CQLError(.badCredentials, "Provided username \(name) and/or password are incorrect")
        }
        return name
    }

    /// Reads a response as Cassandra does, from the end: the identity in front may be anything. What is malformed costs no
    /// hash.
    private static func credentials(_ response: [UInt8]) throws -> (name: String, password: [UInt8]) {
        let parts = response.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count <= 3 else {
            throw CQLError(
                .badCredentials,
                "Credential format error: username or password is empty or contains NUL(\\0) character")
        }
        guard parts.count >= 2, let password = parts.last, !password.isEmpty else {
            throw CQLError(.badCredentials, "Password must not be null")
        }
        guard parts.count == 3, !parts[1].isEmpty else {
            throw CQLError(.badCredentials, "Authentication ID must not be null")
        }
        return (String(decoding: parts[1], as: UTF8.self), Array(password))
    }
}
