// What is said about rule sets (E08).

extension Diagnostic {
    /// - Parameter path: The file that was looked for.
    public static func missingImport(_ path: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .missingImport, "cannot read the imported file `\(path)`", at: range,
            label: "no such file",
            notes: ["paths are relative to the importing file"])
    }

    /// A rule names a sink, and no file declares any.
    public static func noSinks(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .noSinks, "sink `\(name)` is not declared, and neither is any other", at: range,
            label: "declared in a deployment file?",
            notes: [
                "alerts go to standard output; add the file that declares the sinks to check the name"
            ])
    }

    /// A word in a deployment block that does not exist.
    public static func unknownSetting(
        _ name: String, of block: String, at range: SourceRange, similarTo candidates: [String]
    ) -> Diagnostic {
        Diagnostic(
            .unknownSetting, "`\(block)` has no setting `\(name)`", at: range,
            label: "unknown setting",
            help: suggestionHelp(for: name, at: range, kind: "setting", among: candidates))
    }

    /// A setting has a value it does not take.
    public static func badSetting(
        _ name: String, wanted: String, at range: SourceRange, similarTo candidates: [String] = [],
        found: String? = nil
    ) -> Diagnostic {
        Diagnostic(
            .badSetting, "`\(name)` takes \(wanted)", at: range, label: "not understood",
            help: found.map { suggestionHelp(for: $0, at: range, kind: "value", among: candidates) }
                ?? [])
    }

    /// A secret stands in the file itself.
    public static func plainSecret(_ key: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .plainSecret, "a secret stands here in plain text", at: range,
            label: "readable by everyone",
            help: [Help("write `\(key) secret file \"...\"` or `\(key) secret env \"NAME\"`")])
    }

    /// A block names no place.
    public static func noConnector(
        _ block: String, _ name: String, example: String, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .connectorCount,
            "\(block) `\(name)` does not say where \(block == "source" ? "events come from" : "alerts go")",
            at: range, label: "nothing named", help: [Help("add a line such as `\(example)`")])
    }

    /// A block names two places.
    public static func severalConnectors(
        _ block: String, at range: SourceRange, first: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .connectorCount, "a \(block) has one place, and this is the second", at: range,
            label: "the second", secondary: [Label(first, "the first")],
            help: [Help("write a \(block) block for each")])
    }

    /// A source that this version checks and does not open.
    public static func sourceNotRun(_ kind: String, source: String, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .sourceNotRun,
            "source `\(source)` reads from `\(kind)`, which this version does not open", at: range,
            label: "checked, not opened")
    }

    /// A form of events that this version checks and does not read.
    public static func decoderNotRun(_ decoder: String, source: String, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .sourceNotRun,
            "source `\(source)` decodes `\(decoder)`, which this version does not read", at: range,
            label: "`run` refuses the source",
            help: [Help("turn the events into JSON lines first, and write `decode json`")])
    }

    /// `allow` names something other than a warning.
    public static func badAllow(_ number: String, isKnown: Bool, at range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .badAllow,
            isKnown
                ? "`\(number)` is not a warning and cannot be allowed"
                : "there is no warning `\(number)`",
            at: range, label: "not a warning")
    }

    /// A declaration of an event that the engine itself makes.
    public static func reservedEvent(_ name: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .reservedEvent, "events named `\(name)` are made by the engine", at: range,
            label: "cannot be declared",
            notes: ["`alert`, `metric.NAME` and `risk.NAME` are there without a declaration"],
            help: [Help("give your own events another name")])
    }

    /// Rules wait for each other's alerts; the first name is repeated at the end.
    public static func ruleCycle(_ rules: [String], at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .ruleCycle, "these rules wait for each other's alerts", at: range,
            label: "closes the circle",
            notes: [rules.map { "`\($0)`" }.joined(separator: " -> ")])
    }
}
