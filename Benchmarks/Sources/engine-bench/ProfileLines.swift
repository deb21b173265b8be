// Profiles: documents validated against a schema and kept in two unique indexes, one of them partial.

import BenchmarkKit
import DocumentEngine
import StorageCore

struct ProfileLines {
    let context: EngineContext
    private static let names = [
        "document insert, validated, two indexes", "document insert, the same in bulks of 1,000",
        "find by unique index",
    ]
    private static let bulkSize = 1_000
    private var sizes: EngineSizes { context.sizes }

    func run() async throws {
        guard context.includesAny(of: Self.names) else { return }
        context.report.heading("Profiles: \(sizes.profiles) documents, schema, two unique indexes, buffered")
        let documents = (0..<sizes.profiles).map(context.workload.profile)
        let texts = (0..<sizes.profiles).map(context.workload.profileText)
        try await context.report.line(
            Self.names[0], ours: { try await insertEach(documents) }, peerName: SQLiteDatabase.name,
            peer: { try await peerInsertEach(texts) })
        try await context.report.line(
            Self.names[1], ours: { try await insertInBulk(documents) }, peerName: SQLiteDatabase.name,
            peer: { try await peerInsertInBulk(texts) })
        try await runFinds(documents, texts)
    }

    private func runFinds(_ documents: [Document], _ texts: [String]) async throws {
        try await withUsers { users in
            try users.insertMany(documents)
            try await withScratchDirectory(in: context.directory) { directory in
                let peer = try SQLiteProfiles(directory: directory)
                try peer.insert(texts[...])
                try await context.report.line(
                    Self.names[2], ours: { try find(in: users) }, peerName: SQLiteDatabase.name,
                    peer: { try find(in: peer) })
            }
        }
    }

    // MARK: Ours

    private func insertEach(_ documents: [Document]) async throws -> Timing {
        try await withUsers { users in
            try measure { meter in
                for document in documents {
                    try users.insertOne(document)
                    meter.lap()
                }
                return UInt64(documents.count)
            }
        }
    }

    private func insertInBulk(_ documents: [Document]) async throws -> Timing {
        try await withUsers { users in
            try measure { meter in
                for start in stride(from: 0, to: documents.count, by: Self.bulkSize) {
                    let bulk = documents[start..<min(start + Self.bulkSize, documents.count)]
                    try users.insertMany(Array(bulk))
                    meter.lap(operations: bulk.count)
                }
                return UInt64(documents.count)
            }
        }
    }

    private func find(in users: DocumentCollection) throws -> Timing {
        try measure { meter in
            var found: UInt64 = 0
            for step in 0..<sizes.profileReads {
                found += try users.findOne(["userId": .string(user(ofRead: step))]) == nil ? 0 : 1
                meter.lap()
            }
            return found
        }
    }

    private func withUsers<Result>(_ body: (DocumentCollection) async throws -> Result) async throws -> Result {
        try await withFreshStorage(in: context.directory) { storage, _ in
            let database = try DocumentStore(storage: storage).database("shopstream")
            let users = try database.createCollection("users", options: CollectionOptions(validator: Self.validator))
            try users.createIndex(
                ["email": 1],
                options: IndexOptions(
                    unique: true, partialFilterExpression: ["emailVerified": true], name: "unique_verified_email"))
            try users.createIndex(["userId": 1], options: IndexOptions(unique: true, name: "unique_user"))
            return try await body(users)
        }
    }

    private static let validator: Document = [
        "$jsonSchema": [
            "bsonType": "object", "required": ["userId", "email", "createdAt"],
            "properties": [
                "userId": ["bsonType": "string"],
                "email": ["bsonType": "string", "pattern": "^.+@.+\\..+$"],
                "createdAt": ["bsonType": "date"],
            ],
        ]
    ]

    private func user(ofRead step: Int) -> String {
        context.workload.userIdentifier(randomIndex(step: step, seed: context.workload.seed, count: sizes.profiles))
    }

    // MARK: The peer

    private func peerInsertEach(_ texts: [String]) async throws -> Timing {
        try await withScratchDirectory(in: context.directory) { directory in
            let profiles = try SQLiteProfiles(directory: directory)
            return try measure { meter in
                for text in texts {
                    try profiles.insert(text)
                    meter.lap()
                }
                return UInt64(texts.count)
            }
        }
    }

    private func peerInsertInBulk(_ texts: [String]) async throws -> Timing {
        try await withScratchDirectory(in: context.directory) { directory in
            let profiles = try SQLiteProfiles(directory: directory)
            return try measure { meter in
                for start in stride(from: 0, to: texts.count, by: Self.bulkSize) {
                    let bulk = texts[start..<min(start + Self.bulkSize, texts.count)]
                    try profiles.insert(bulk)
                    meter.lap(operations: bulk.count)
                }
                return UInt64(texts.count)
            }
        }
    }

    private func find(in profiles: SQLiteProfiles) throws -> Timing {
        try measure { meter in
            var found: UInt64 = 0
            for step in 0..<sizes.profileReads {
                found += try profiles.findIsPresent(user: user(ofRead: step)) ? 1 : 0
                meter.lap()
            }
            return found
        }
    }
}

extension ShopWorkload {
    fileprivate func profile(_ index: Int) -> Document {
        [
            "userId": .string(userIdentifier(index)), "email": .string(email(index)), "emailVerified": true,
            "createdAt": .date(StorageInstant(milliseconds: Self.firstInstant + Int64(index))),
            "streamingQuality": "1080p",
            "paymentMethods": [["type": "card", "last4": "4242", "default": true]],
            "addressBook": [["label": "home", "city": .string(city(index)), "postcode": "EC1A"]],
            "preferences": ["language": "en", "notifications": ["email": true, "push": false]],
        ]
    }

    /// The same profile as JSON text, its date as a number.
    fileprivate func profileText(_ index: Int) -> String {
        """
        {"userId":"\(userIdentifier(index))","email":"\(email(index))","emailVerified":true,\
        "createdAt":\(Self.firstInstant + Int64(index)),"streamingQuality":"1080p",\
        "paymentMethods":[{"type":"card","last4":"4242","default":true}],\
        "addressBook":[{"label":"home","city":"\(city(index))","postcode":"EC1A"}],\
        "preferences":{"language":"en","notifications":{"email":true,"push":false}}}
        """
    }
}
