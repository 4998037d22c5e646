// martlet-bench [scan [EVENTS [ROUNDS]] | check [RULES] | kinds [EVENTS] | snapshot]: figures of this machine, each beside a reference
// taken in the same run. Without a word: all of them. `martlet bench` measures the rest.

let words = Array(CommandLine.arguments.dropFirst())
let numbers = words.dropFirst().compactMap { Int($0) }
if words.isEmpty || words[0] == "scan" {
    runScanBench(
        events: numbers.first ?? 200_000, rounds: numbers.count > 1 ? max(1, numbers[1]) : 7)
}
if words.isEmpty || words[0] == "check" { runCheckBench(rules: numbers.first ?? 1000) }
if words.isEmpty || words[0] == "kinds" { runKindBench(events: numbers.first ?? 500_000) }
if words.isEmpty || words[0] == "snapshot" { runSnapshotBench() }
