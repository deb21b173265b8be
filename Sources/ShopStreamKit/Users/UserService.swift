// UserService.swift — user profiles: flexible documents under a schema.

public import DocumentEngine

/// User profiles: any fields beside those that the schema asks for.
public protocol UserService: Sendable {
    /// Adds a profile.
    /// - Throws: `DocumentError` 121 with details if it lacks what the schema asks for; 11000 if its e-mail address is
    ///   verified and belongs to another verified profile.
    @discardableResult
    func create(_ profile: Document) async throws -> InsertOneResult
    /// The profile of a user.
    func profile(of userID: String) async throws -> Document?
    /// Changes a profile by MongoDB's update operators.
    @discardableResult
    func update(_ userID: String, _ update: Document) async throws -> UpdateResult
    /// Marks the e-mail address of a profile as verified.
    /// - Throws: `DocumentError` 11000 if it is verified elsewhere.
    func verifyEmail(of userID: String) async throws
    /// Profiles that match a filter, at most `limit`.
    func find(_ filter: Document, limit: Int) async throws -> [Document]
    /// The ids of a user's orders, oldest first.
    func orderHistory(of userID: String) async throws -> [String]
}
