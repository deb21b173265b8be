// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that linking the library never pulls in a benchmark's tools or peers. It sees only the
// public declarations of the package above it.

// Which peers are there, in words: the Makefile looks, and names them in the environment. By the environment, because
// the tool caches what a manifest says, not the files it looked at. A peer that is not named is left out of the build.
let peerNames = Set((Context.environment["SHOPSTREAM_PEERS"] ?? "").split(separator: " ").map(String.init))
// The folder of an optimised RocksDB (lib and include), which `make bench-peers` builds; it goes before a packaged one.
let rocksDB = Context.environment["SHOPSTREAM_ROCKSDB"] ?? ""

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]
/// An engine that storage-bench can be linked with.
struct Peer {
    var target: Target
    var settings: [SwiftSetting]
    var libraries: [LinkerSetting] = []
}

func peer(_ name: String, _ target: Target) -> Peer? {
    peerNames.contains(name.lowercased()) ? Peer(target: target, settings: [.define("PEER_\(name.uppercased())")]) : nil
}

var rocksDBPeer: Peer? {
    guard !rocksDB.isEmpty || peerNames.contains("rocksdb") else { return nil }
    var peer = Peer(target: .systemLibrary(name: "CRocksDB"), settings: [.define("PEER_ROCKSDB")])
    if rocksDB.isEmpty {
        peer.settings.append(.define("PEER_ROCKSDB_PACKAGED"))
    } else {
        peer.settings.append(.unsafeFlags(["-Xcc", "-I\(rocksDB)/include"]))
        peer.libraries.append(.unsafeFlags(["-L\(rocksDB)/lib"]))
    }
    peer.libraries += [
        .linkedLibrary("rocksdb"), .linkedLibrary("lz4"), .linkedLibrary("zstd"),
        .linkedLibrary("stdc++", .when(platforms: [.linux])), .linkedLibrary("c++", .when(platforms: [.macOS])),
    ]
    return peer
}

let peers = [
    rocksDBPeer,
    peer("LevelDB", .systemLibrary(name: "CLevelDB", providers: [.apt(["libleveldb-dev"]), .brew(["leveldb"])])),
    peer(
        "LMDB",
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])])),
    peer(
        "WiredTiger",
        .systemLibrary(
            name: "CWiredTiger", pkgConfig: "wiredtiger",
            providers: [.apt(["libwiredtiger-dev"]), .brew(["wiredtiger"])])),
].compactMap { $0 }
// Engines run beside SQLite, and the events beside RocksDB.
let engineDependencies = rocksDBPeer.map { _ in [Target.Dependency.target(name: "CRocksDB")] } ?? []
let peerTargets = peers.map(\.target)
let peerDependencies = peerTargets.map { Target.Dependency.target(name: $0.name) } + ["CSQLitePeer"]
let peerSettings = peers.flatMap(\.settings) + [.define("PEER_SQLITE")]
let peerLibraries = peers.flatMap(\.libraries)

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
    ] + peerTargets + [
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
            ] + engineDependencies,
            swiftSettings: settings + (rocksDBPeer?.settings ?? []),
            linkerSettings: rocksDBPeer?.libraries ?? []),
        // What reads allocate, counted by a malloc of its own.
        .target(name: "CAllocations"),
        .executableTarget(
            name: "allocation-count", dependencies: ["CAllocations", library("StorageCore")], swiftSettings: settings),
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
