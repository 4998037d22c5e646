import RuleCompiler
import RuleSyntax

/// What the server asks of the world: it opens no file and runs no rule itself.
public struct ServerEnvironment: Sendable {
    /// The rule files of a folder and of all folders below it, as `martlet check FOLDER` reads them.
    /// The names are paths that begin with the folder's.
    public var filesBelow: @Sendable (_ folder: String) -> [SourceText]
    /// The rule files that lie in a folder itself.
    public var filesIn: @Sendable (_ folder: String) -> [SourceText]
    public var readFile: @Sendable (_ path: String) -> [UInt8]?
    public var isFolder: @Sendable (_ path: String) -> Bool
    /// What makes two paths the same file.
    public var identity: @Sendable (_ path: String) -> String
    public var zones: @Sendable () -> Set<String>?
    /// Runs tests of a rule set.
    public var runTests: @Sendable (_ compilation: Compilation, _ tests: [TestPlan]) -> TestReport
    /// The program's version, told to the client.
    public var version: String

    /// What running tests came to.
    public struct TestReport: Sendable {
        public var passed: Bool
        /// What to show; one line or more.
        public var text: String

        public init(passed: Bool, text: String) {
            self.passed = passed
            self.text = text
        }
    }

    public init(
        filesBelow: @escaping @Sendable (String) -> [SourceText],
        filesIn: @escaping @Sendable (String) -> [SourceText],
        readFile: @escaping @Sendable (String) -> [UInt8]?,
        isFolder: @escaping @Sendable (String) -> Bool,
        identity: @escaping @Sendable (String) -> String,
        zones: @escaping @Sendable () -> Set<String>?,
        runTests: @escaping @Sendable (Compilation, [TestPlan]) -> TestReport,
        version: String
    ) {
        self.filesBelow = filesBelow
        self.filesIn = filesIn
        self.readFile = readFile
        self.isFolder = isFolder
        self.identity = identity
        self.zones = zones
        self.runTests = runTests
        self.version = version
    }
}
