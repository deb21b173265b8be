// TableOptions+Compression.swift — what a compression clause may say ([CA] schema/CompressionParams.java, io/compress/*.java).

extension TableOptions {
    /// The compressors, each with the options that only it has.
    private static let compressors: [String: Set<String>] = [
        "LZ4Compressor": ["lz4_compressor_type", "lz4_high_compressor_level"], "SnappyCompressor": [],
        "DeflateCompressor": [], "ZstdCompressor": ["compression_level"], "NoopCompressor": [],
    ]
    private static let compressorPackage = "org.apache.cassandra.io.compress"

    static func checkCompression(_ given: [String: String]) throws {
        var options = given
        guard try removeEnabled(from: &options) else {
            guard options.isEmpty else {
                throw CQLError.configuration(
                    "If the 'enabled' option is set to false no other options must be specified")
            }
            return
        }
        let compressor = try removeCompressor(from: &options, isOptional: given.isEmpty)
        try checkChunks(&options)
        if let text = options.removeValue(forKey: "crc_check_chance") { try checkChance(text) }
        guard let compressor else {
            guard options.isEmpty else {
                throw CQLError.configuration(
                    "Unknown compression options ([\(options.keys.sorted().joined(separator: ", "))]) "
                        + "since no compression class found")
            }
            return
        }
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            guard compressors[compressor]?.contains(name) == true else {
                throw CQLError.configuration("Unknown compression options \(name)")
            }
            try check(name, value)
        }
    }

    private static func removeEnabled(from options: inout [String: String]) throws -> Bool {
        guard let text = options.removeValue(forKey: "enabled") else { return true }
        // As Java's `Boolean.parseBoolean`: anything else is false.
        return text.lowercased() == "true"
    }

    /// The compressor's short name; `nil` where nothing is compressed.
    private static func removeCompressor(
        from options: inout [String: String], isOptional: Bool
    ) throws -> String? {
        let (given, old) = (options.removeValue(forKey: "class"), options.removeValue(forKey: "sstable_compression"))
        guard given == nil || old == nil else {
            throw CQLError.configuration(
                "The 'sstable_compression' option must not be used if the compression algorithm is already specified "
                    + "by the 'class' option")
        }
        guard given?.isEmpty != true else {
            throw CQLError.configuration(
                "The 'class' option must not be empty. To disable compression use 'enabled' : false")
        }
        guard let name = given ?? old else {
            guard isOptional else {
                throw CQLError.configuration("Missing sub-option 'class' for the 'compression' option.")
            }
            return nil
        }
        guard !name.isEmpty else { return nil }
        let full = name.contains(".") ? name : "\(compressorPackage).\(name)"
        let short = String(full.split(separator: ".").last ?? "")
        guard full == "\(compressorPackage).\(short)", compressors[short] != nil else {
            throw CQLError.configuration("Could not create Compression for type \(full)")
        }
        return short
    }

    private static func checkChunks(_ options: inout [String: String]) throws {
        let (given, old) = (
            options.removeValue(forKey: "chunk_length_in_kb"), options.removeValue(forKey: "chunk_length_kb")
        )
        guard given == nil || old == nil else {
            throw CQLError.configuration(
                "The 'chunk_length_kb' option must not be used if the chunk length is already specified by the "
                    + "'chunk_length_in_kb' option")
        }
        let kibibytes = try (given ?? old).map(chunkLength) ?? 16
        guard let text = options.removeValue(forKey: "min_compress_ratio") else { return }
        guard let ratio = Double(text), !ratio.isNaN else {
            throw CQLError.configuration("Invalid value for min_compress_ratio")
        }
        guard ratio >= 0 else { throw CQLError.configuration("Invalid negative min_compress_ratio") }
        guard ratio == 0 || (Double(kibibytes) * 1024 / ratio).rounded(.up) <= Double(kibibytes) * 1024 else {
            throw CQLError.configuration("min_compress_ratio can either be 0 or greater than or equal to 1")
        }
    }

    private static func chunkLength(_ text: String) throws -> Int32 {
        guard let length = Int32(text) else { throw CQLError.configuration("Invalid value for chunk_length_in_kb") }
        guard length <= Int32.max / 1024 else {
            throw CQLError.configuration("Value of chunk_length_in_kb is too large (\(length))")
        }
        guard length > 0 else { throw CQLError.configuration("Invalid negative or null chunk_length_in_kb") }
        guard length & (length - 1) == 0 else {
            throw CQLError.configuration("chunk_length_in_kb must be a power of 2")
        }
        return length
    }

    private static func checkChance(_ text: String) throws {
        guard let chance = Double(text), (0...1).contains(chance) else {
            throw CQLError.configuration("crc_check_chance should be between 0.0 and 1.0")
        }
    }

    /// An option of one compressor.
    private static func check(_ name: String, _ value: String) throws {
        switch name {
        case "compression_level":
            // From Zstandard's fastest level to its best.
            guard let level = Int32(value), (-131_072...22).contains(level) else {
                throw CQLError.configuration("compression_level=\(value) is invalid")
            }
        case "lz4_compressor_type":
            guard ["fast", "high"].contains(value) else {
                throw CQLError.configuration(
                    "Invalid compressor type '\(value)' specified for LZ4 parameter 'lz4_compressor_type'. "
                        + "Valid options are [fast, high].")
            }
        default:
            guard let level = Int32(value), (1...17).contains(level) else {
                throw CQLError.configuration(
                    "Invalid value [\(value)] for parameter '\(name)'. Value must be between 1 and 17.")
            }
        }
    }
}
