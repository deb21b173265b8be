// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that linking the library never pulls in a benchmark's tools or peers. It sees only the
// public declarations of the package above it.

// The folder of an optimised RocksDB (lib and include), which `make bench-peers` builds and the Makefile names. Without
// it the lines run alone. By the environment, because the tool caches what a manifest says, not the files it looked at.
let rocksDB = Context.environment["SHOPSTREAM_ROCKSDB"] ?? ""
let hasRocksDB = !rocksDB.isEmpty

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]
let peerSettings: [SwiftSetting] =
    hasRocksDB ? [.define("PEER_ROCKSDB"), .unsafeFlags(["-Xcc", "-I\(rocksDB)/include"])] : []
let peerDependencies: [Target.Dependency] = hasRocksDB ? ["CRocksDB"] : []
let peerLibraries: [LinkerSetting] =
    hasRocksDB
    ? [
        .unsafeFlags(["-L\(rocksDB)/lib"]), .linkedLibrary("rocksdb"), .linkedLibrary("lz4"), .linkedLibrary("zstd"),
        .linkedLibrary("stdc++", .when(platforms: [.linux])), .linkedLibrary("c++", .when(platforms: [.macOS])),
    ] : []

func library(_ name: String) -> Target.Dependency { .product(name: name, package: "shopstream") }

let package = Package(
    name: "shopstream-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "shopstream", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        // Peers.
        .systemLibrary(
            name: "CSQLitePeer", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])])
    ] + (hasRocksDB ? [.systemLibrary(name: "CRocksDB")] : []) + [
        // What both programs share: clocks, histograms, keys and values, the report.
        .target(
            name: "BenchmarkKit",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings),
        // Side by side in one process, with ratios.
        .executableTarget(
            name: "storage-bench",
            dependencies: ["BenchmarkKit", library("StorageCore")] + peerDependencies,
            swiftSettings: settings + peerSettings,
            linkerSettings: peerLibraries),
        .executableTarget(
            name: "engine-bench",
            dependencies: [
                "BenchmarkKit", "CSQLitePeer", library("StorageCore"), library("DocumentEngine"),
                library("WideColumnEngine"), library("TableEngine"), library("GraphEngine"), library("CacheEngine"),
            ],
            swiftSettings: settings),
        // Micro-benchmarks of single calls; the plug-in wants the folder's name.
        .executableTarget(
            name: "StorageBenchmarks",
            dependencies: [.product(name: "Benchmark", package: "benchmark"), library("StorageCore")],
            path: "Benchmarks/StorageBenchmarks",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        .testTarget(name: "BenchmarkKitTests", dependencies: ["BenchmarkKit"], swiftSettings: settings),
        .testTarget(
            name: "LinesTests",
            dependencies: ["BenchmarkKit", "storage-bench", "engine-bench"] + peerDependencies,
            swiftSettings: settings + peerSettings,
            linkerSettings: peerLibraries),
    ],
    swiftLanguageModes: [.v6]
)
