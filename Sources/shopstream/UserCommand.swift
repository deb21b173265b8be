// UserCommand.swift — `shopstream user NAME`.
#if Servers

    internal import ArgumentParser
    internal import CQLServer

    struct UserCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "user",
            abstract: "Prints a user's line for the file that `shopstream serve --users` reads.",
            discussion: """
                Reads the password from the first line of the standard input, and prints a salted hash of it:
                    shopstream user ann >> users.txt
                """)

        @Argument(help: "The user's name.")
        var name: String

        @Option(help: "How many times the password is hashed: what each guess, and each new connection, costs.")
        var iterations = PasswordHash.standardIterationCount

        func validate() throws {
            guard (1...PasswordHash.largestIterationCount).contains(iterations) else {
                throw ValidationError("--iterations takes 1 to \(PasswordHash.largestIterationCount).")
            }
        }

        func run() throws {
            guard !name.isEmpty, !name.contains(where: \.isNewline), !name.hasPrefix("#") else {
                throw ValidationError("A user's name is not empty, has one line, and does not begin with #.")
            }
            guard let password = readLine(), !password.isEmpty else {
                throw ValidationError("The password is the first line of the standard input, and not empty.")
            }
            print("\(name):\(PasswordHash(password: password, iterationCount: iterations))")
        }
    }

#endif
