import StorageTypes
import Testing
import WideColumnEngine

@testable import CQLServer

@Suite("Passwords and users")
struct AuthenticationTests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(
        "the hash of a password is the first block of RFC 7914's examples",
        arguments: [
            ("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
            ("Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"),
        ])
    func derivation(password: String, salt: String, iterationCount: Int, expected: String) {
        let hash = PasswordHash(
            password: Array(password.utf8), salt: Array(salt.utf8), iterationCount: iterationCount)
        #expect(hexadecimal(hash.hash) == expected)
    }

    @Test("a hash survives its text, and matches its password only")
    func matching() throws {
        let hash = PasswordHash(password: "päss", iterationCount: 3)
        let read = try #require(PasswordHash(hash.description))
        #expect(read == hash)
        #expect(read.matches(Array("päss".utf8)))
        #expect(!read.matches(Array("pass".utf8)) && !read.matches([]))
        #expect(PasswordHash(password: "päss", iterationCount: 3) != hash)
        for text in [
            "", "x", "pbkdf2-sha256$0$00$00", "pbkdf2-sha256$1$0$" + String(repeating: "0", count: 64),
            "pbkdf2-sha256$1$00$0g" + String(repeating: "0", count: 62),
            "md5$1$00$" + String(repeating: "0", count: 64),
            "pbkdf2-sha256$99999999999$00$" + String(repeating: "0", count: 64),
        ] {
            #expect(PasswordHash(text) == nil, "\(text)")
        }
    }

    @Test("a file of users has comments and empty lines; another line is named")
    func file() throws {
        let line = "ann:\(PasswordHash(password: "x", iterationCount: 1))"
        let users = try CQLUsers(
            fileContents: "# who\n\n\(line)\na:b:\(PasswordHash(password: "y", iterationCount: 1))\r\n")
        #expect(try users.authenticate(Array("\0ann\0x".utf8)) == "ann")
        #expect(try users.authenticate(Array("admin\0a:b\0y".utf8)) == "a:b")
        let error = #expect(throws: StorageError.self) { try CQLUsers(fileContents: "\(line)\nbob:secret") }
        #expect(error?.message.hasPrefix("Line 2") == true)
        #expect(throws: StorageError.self) { try CQLUsers(fileContents: "\(line)\n\(line)") }
    }

    @Test(
        "a response of another form is refused with Cassandra's texts",
        arguments: [
            ("", "Password must not be null"), ("ann", "Password must not be null"),
            ("\0ann\0", "Password must not be null"), ("\0", "Password must not be null"),
            ("\0\0x", "Authentication ID must not be null"), ("ann\0x", "Authentication ID must not be null"),
            (
                "\0ann\0x\0",
                "Credential format error: username or password is empty or contains NUL(\\0) character"
            ),
            ("\0bob\0x", "Provided username bob and/or password are incorrect"),
        ])
    func malformed(response: String, message: String) {
        let users = CQLUsers(["ann": PasswordHash(password: "x", iterationCount: 1)])
        let error = #expect(throws: CQLError.self) { try users.authenticate(Array(response.utf8)) }
        #expect(error?.code == .badCredentials && error?.message == message)
    }

    @Test("a line of a file of users may end in masked")
    func maskedUsers() throws {
        let hash = PasswordHash(password: "x", iterationCount: 1)
        let users = try CQLUsers(fileContents: "ann:\(hash)\nbob:\(hash) masked\r\n")
        #expect(try users.authenticate(Array("\0bob\0x".utf8)) == "bob")
        #expect(users.isMasked("bob") && !users.isMasked("ann"))
        for line in ["bob:\(hash) masks", "bob:\(hash)masked", "bob: masked", " masked"] {
            #expect(throws: StorageError.self) { try CQLUsers(fileContents: line) }
        }
    }
}
