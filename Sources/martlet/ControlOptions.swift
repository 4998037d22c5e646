import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// How one talks to a running engine.
let controlOptions: [OptionSpec] = [
    OptionSpec(
        "control", value: "PATH",
        "the socket for `martlet reload`, `status` and `explain --engine` (default: control.sock in the data folder, or PID.sock in $XDG_RUNTIME_DIR/martlet)"
    ),
    OptionSpec("no-watch", "do not read rule files again when they change"),
]

/// Which engine a command is for.
let clientOptions: [OptionSpec] = [
    OptionSpec(
        "control", value: "PATH", "the socket of the engine, where more than one is running"),
    OptionSpec("data", value: "DIR", "the data folder of the engine"),
]

/// Where a run listens, and whether it looks at its rule files.
struct ControlOptions {
    private let path: String?
    private let dataFolder: String?
    private let looks: Bool

    init(_ arguments: ParsedArguments, dataFolder: String?) {
        path = arguments.value("control")
        self.dataFolder = dataFolder
        looks = !arguments.has("no-watch")
    }

    /// Listens on the socket and looks at the files.
    func begin(
        _ reloader: Reloader, _ requests: PipelineRequests, _ guarantees: [Guarantee],
        _ console: Console
    ) throws(Failure) -> ControlSocket? {
        let started = monotonicSeconds()
        reloader.watch(looks: looks)
        if path == nil, dataFolder == nil { try checkOwner(controlFolder()) }
        let path =
            path ?? dataFolder.map(controlPath(inData:)) ?? "\(controlFolder())/\(getpid()).sock"
        do throws(ControlSocket.Failure) {
            return try ControlSocket(path: path) { line in
                do throws(Failure) {
                    let request = try ControlRequest(line: line)
                    switch request.verb {
                    case .reload:
                        return reloader.reload(
                            Reloader.Wanted(
                                trigger: "martlet reload", isDryRun: request.isDryRun,
                                waits: request.waits, isJSON: request.isJSON)
                        ).line
                    case .status:
                        return statusAnswer(
                            requests, reloader.counts, guarantees, isJSON: request.isJSON,
                            started: started
                        ).line
                    case .explain:
                        return try explainAnswer(request, reloader.plans, requests).line
                    }
                } catch {
                    return ControlAnswer(error).line
                }
            }
        } catch {
            // Who names a socket needs it; without one the engine does its work all the same.
            if self.path != nil { throw Failure(.badUsage, "\(error)") }
            console.warn(
                "martlet: \(error); `martlet reload` and `status` cannot reach this engine")
            return nil
        }
    }
}

/// Where an engine with a data folder has its socket.
func controlPath(inData folder: String) -> String { folder + "/control.sock" }
