import RuleSyntax
import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// The two streams of a command: results on standard output, messages on standard error.
struct Console {
    /// Whether colours may be used, by `--color`, NO_COLOR and what the stream is.
    enum ColourChoice: String { case auto, always, never }

    var colour: ColourChoice
    var isQuiet: Bool

    init(_ arguments: ParsedArguments) {
        colour = arguments.value("color").flatMap(ColourChoice.init(rawValue:)) ?? .auto
        isQuiet = arguments.has("quiet")
    }

    static let outputIsTerminal = isatty(1) == 1
    static let errorIsTerminal = isatty(2) == 1

    var coloursOutput: Bool { colours(Console.outputIsTerminal) }
    var coloursErrors: Bool { colours(Console.errorIsTerminal) }

    private func colours(_ isTerminal: Bool) -> Bool {
        switch colour {
        case .always: true
        case .never: false
        case .auto: isTerminal && environmentVariable("NO_COLOR") == nil
        }
    }

    /// A result.
    func print(_ text: String) { writeAll(1, Array((text + "\n").utf8)) }

    /// A message that `--quiet` leaves out.
    func note(_ text: String) {
        if !isQuiet { writeAll(2, Array((text + "\n").utf8)) }
    }

    /// A message that is always shown.
    func warn(_ text: String) { writeAll(2, Array((text + "\n").utf8)) }

    /// Shows what is wrong with rules, on the stream of errors.
    func warn(_ diagnostics: [Diagnostic], of sources: [SourceText]) {
        let text = render(diagnostics, sources: sources, format: .text, colour: coloursErrors)
        writeAll(2, Array(text.utf8))
    }
}

func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// Seconds on a clock that never jumps.
func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
