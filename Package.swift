// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    targets: [
        // The waist: plain data that both towers agree on.
        .target(name: "RuleModel"),

        // The language tower: text → plan → program.
        // Without Foundation, rounding a number needs the C mathematics library by name.
        .target(name: "RuleSyntax", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "RuleCompiler", dependencies: ["RuleModel", "RuleSyntax", "TextPatterns"]),
        .target(
            name: "LanguageServer", dependencies: ["RuleModel", "RuleSyntax", "RuleCompiler"]),

        // Rules of other languages as text of ours.
        .target(name: "RuleImport", dependencies: ["RuleSyntax", "RuleCompiler", "CYaml"]),

        // The runtime tower: events → alerts.
        .target(name: "MatchEngine", dependencies: ["RuleModel", "TextPatterns", "CPrefetch"]),
        .systemLibrary(name: "CPrefetch"),
        .target(
            name: "StreamRuntime",
            dependencies: [
                "RuleModel", "MatchEngine", "CSystem", "CZlib", "CZstd", "CCurl", "CCrypto",
                "CSQLite",
            ]),
        .systemLibrary(name: "CSystem"),

        // Regular expressions in linear time, one library for both towers, so that what `check`
        // accepts is what runs.
        .target(name: "TextPatterns", dependencies: ["CTextPatterns"]),
        .target(name: "CTextPatterns", linkerSettings: [.linkedLibrary("re2")]),

        // Debian's packages.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // The only place that sees both towers.
        .executableTarget(
            name: "martlet",
            dependencies: [
                "RuleModel", "RuleSyntax", "RuleCompiler", "LanguageServer", "RuleImport",
                "MatchEngine",
                "StreamRuntime", "CBench",
            ]),
        // What `martlet bench` asks of the C library.
        .target(name: "CBench"),

        // Tests. One target per library, and the kit they share.
        .target(
            name: "TestKit",
            dependencies: ["RuleModel", "RuleSyntax", "RuleCompiler", "MatchEngine"],
            path: "Tests/TestKit"),
        .testTarget(name: "RuleSyntaxTests", dependencies: ["RuleSyntax", "TestKit"]),
        .testTarget(
            name: "RuleCompilerTests",
            dependencies: ["RuleCompiler", "RuleSyntax", "RuleModel", "TestKit"]),
        .testTarget(
            name: "LanguageServerTests",
            dependencies: ["LanguageServer", "RuleCompiler", "RuleSyntax"]),
        .testTarget(
            name: "RuleImportTests", dependencies: ["RuleImport", "RuleCompiler", "TestKit"]),
        .testTarget(
            name: "MatchEngineTests",
            dependencies: ["MatchEngine", "RuleCompiler", "RuleModel", "TestKit"]),
        .testTarget(
            name: "StreamRuntimeTests",
            dependencies: [
                "StreamRuntime", "MatchEngine", "RuleCompiler", "RuleModel", "TestKit", "CSimdjson",
                "CZlib",
                "CZstd",
            ]),
        // simdjson as the judge of our own JSON scanner.
        .target(
            name: "CSimdjson", path: "Tests/CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "StreamRuntime", "MatchEngine", "RuleCompiler", "RuleSyntax", "RuleModel",
                "CSimdjson",
            ],
            path: "Tests/Bench",
            exclude: [
                "FlinkStatements.java", "peer_duckdb.py", "peer_flink.py", "peer_kit.py",
                "peers.py",
            ]),
        .testTarget(name: "SpecTests", dependencies: ["RuleCompiler", "MatchEngine", "TestKit"]),
        // The durable pipeline on simulated disks, clocks, sources and sinks.
        .testTarget(
            name: "SimulationTests",
            dependencies: ["StreamRuntime", "MatchEngine", "RuleModel", "TestKit"]),
        // The program as a user runs it.
        .testTarget(name: "CommandTests", dependencies: ["martlet"]),
        .testTarget(name: "TidyTests", dependencies: ["RuleSyntax"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
