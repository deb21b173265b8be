import StorageTypes
import Testing

@testable import CQLServer

@Suite("Passwords and users")
struct AuthenticationTests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("SHA-256 gives the digests of FIPS 180-4's examples")
    func sha256() {
        #expect(
            hexadecimal(SHA256.digest(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hexadecimal(SHA256.digest([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hexadecimal(SHA256.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        var hash = SHA256()
        for _ in 0..<1000 { hash.update([UInt8](repeating: 0x61, count: 10)) }
        #expect(
            hexadecimal(hash.finalize()) == "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711")
    }

    @Test("HMAC gives the codes of RFC 4231, for long keys too")
    func hmac() {
        #expect(
            hexadecimal(HMAC(key: Array("Jefe".utf8)).code(Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = HMAC(key: [UInt8](repeating: 0xAA, count: 131))
        #expect(
            hexadecimal(long.code(Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("the hash of a password is the first block of RFC 7914's example")
    func derivation() {
        let hash = PasswordHash(password: Array("passwd".utf8), salt: Array("salt".utf8), iterationCount: 1)
        #expect(
            hexadecimal(hash.hash) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
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
}
