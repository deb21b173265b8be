// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]
// Tests may use pointers and spans without marking every expression.
let testSettings: [SwiftSetting] = Array(settings.dropLast(2))

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

// What only the front ends need, and only with their trait.
let servers = TargetDependencyCondition.when(traits: ["Servers"])
let network: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio", condition: servers),
    .product(name: "NIOPosix", package: "swift-nio", condition: servers),
    .product(name: "NIOSSL", package: "swift-nio-ssl", condition: servers),
]

func engine(_ name: String, dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: ["StorageCore", "StorageTypes", .product(name: "Logging", package: "swift-log")] + dependencies,
        swiftSettings: settings)
}

func tests(_ name: String, dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: ["StorageCore", "StorageTypes"].filter { $0 != name }.map { .target(name: $0) }
            + [.target(name: name)] + dependencies,
        exclude: exclude, swiftSettings: testSettings)
}

let package = Package(
    name: "shopstream",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "StorageCore", targets: ["StorageCore"]),
        .library(name: "DocumentEngine", targets: ["DocumentEngine"]),
        .library(name: "WideColumnEngine", targets: ["WideColumnEngine"]),
        .library(name: "TableEngine", targets: ["TableEngine"]),
        .library(name: "GraphEngine", targets: ["GraphEngine"]),
        .library(name: "CacheEngine", targets: ["CacheEngine"]),
        .library(name: "EventPipeline", targets: ["EventPipeline"]),
        .library(name: "ShopStreamKit", targets: ["ShopStreamKit"]),
        .library(name: "CQLServer", targets: ["CQLServer"]),
        .executable(name: "shopstream", targets: ["shopstream"]),
    ],
    traits: [
        .trait(name: "Servers", description: "The network front ends, on SwiftNIO."),
        .default(enabledTraits: ["Servers"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // System libraries and C shims.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "CStorage", linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),

        // Storage.
        .target(name: "StorageTypes", dependencies: ["CStorage"], swiftSettings: settings),
        .target(
            name: "StorageCore",
            dependencies: [
                "StorageTypes", "CStorage", "CLZ4", "CZstd", "CSQLite",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),

        // Engines; they never import one another.
        engine("DocumentEngine"),
        engine("WideColumnEngine", dependencies: [crypto]),
        engine("TableEngine"),
        engine("GraphEngine", dependencies: ["CStorage"]),
        engine("CacheEngine"),

        // Composition.
        engine("EventPipeline", dependencies: ["TableEngine", crypto]),
        engine(
            "ShopStreamKit",
            dependencies: [
                "DocumentEngine", "WideColumnEngine", "TableEngine", "GraphEngine", "CacheEngine", "EventPipeline",
            ]),

        // Network front ends. Without the trait what needs no network is left: codecs and connection states.
        .target(
            name: "CQLServer",
            dependencies: ["WideColumnEngine", "StorageTypes", "CLZ4", crypto] + network,
            swiftSettings: settings),

        .executableTarget(
            name: "shopstream",
            dependencies: [
                "ShopStreamKit", "CStorage", "CZstd", .target(name: "CQLServer", condition: servers),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings),

        tests("StorageTypes"),
        tests("StorageCore", exclude: ["Golden"]),
        tests("DocumentEngine"),
        tests("WideColumnEngine"),
        tests("TableEngine"),
        tests("GraphEngine"),
        tests("CacheEngine"),
        tests("EventPipeline", dependencies: ["TableEngine"]),
        tests("ShopStreamKit"),
        .testTarget(name: "ShopStreamCommandTests", dependencies: ["shopstream"], swiftSettings: testSettings),
        tests("CQLServer", dependencies: ["WideColumnEngine"] + network),
    ],
    swiftLanguageModes: [.v6]
)
