runBench(CommandLine.arguments)
