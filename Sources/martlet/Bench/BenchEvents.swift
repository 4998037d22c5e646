import StreamRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// What the events of a benchmark are about.
enum BenchStream: String, Sendable {
    /// Logins, web requests and payments of a shop.
    case shop
    /// Processes that begin on Windows machines, as monitoring tools report them.
    case processes
    /// Small events of thirteen kinds, for sequences of many steps.
    case steps
    /// One login of each user, for many keys that are live at once.
    case users
}

/// Makes up events from a seed, one millisecond apart: the same bytes on every machine.
struct BenchEvents {
    private let stream: BenchStream
    /// How many users there are; only of `users`.
    private let users: Int
    private var random = BenchRandom(seed: 42)
    private var index = 0

    init(_ stream: BenchStream, users: Int = 1_000_000) {
        self.stream = stream
        self.users = users
    }

    /// Writes `count` events to a file and returns its size.
    ///
    /// - Throws: when the file cannot be written.
    mutating func write(_ count: Int, to path: String) throws(Failure) -> Int {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Failure(.failed, "cannot write `\(path)`: \(systemError())")
        }
        defer { close(file) }
        var size = 0
        var left = count
        while left > 0 {
            let lines = next(min(left, 4096))
            left -= min(left, 4096)
            size += lines.count
            guard writeAll(file, lines) else {
                throw Failure(.failed, "cannot write `\(path)`: \(systemError())")
            }
        }
        return size
    }

    /// The next events as lines of JSON.
    mutating func next(_ count: Int) -> [UInt8] {
        var line = LineWriter()
        line.bytes.reserveCapacity(count * 320)
        for _ in 0..<count {
            line.text("{\"time\":\"")
            line.time(milliseconds: index)
            switch stream {
            case .shop: appendShop(&line)
            case .processes: appendProcess(&line)
            case .steps: appendStep(&line)
            case .users: appendUser(&line)
            }
            line.text("}\n")
            index += 1
        }
        return line.bytes
    }

    // MARK: - The shop

    private mutating func appendShop(_ line: inout LineWriter) {
        let kind = random.below(10)
        if kind < 4 {
            appendLogin(&line)
        } else if kind < 8 {
            appendRequest(&line)
        } else {
            appendPayment(&line)
        }
    }

    /// One login of a hundred fails; one of two hundred comes from twenty attackers who try ten users.
    private mutating func appendLogin(_ line: inout LineWriter) {
        let isAttack = random.below(200) == 0
        let hasFailed = isAttack ? random.below(10) > 0 : random.below(100) == 0
        line.text("\",\"type\":\"auth\",\"host\":\"")
        appendHost(&line)
        line.text("\",\"user\":\"u-")
        line.number(isAttack ? random.below(10) : random.below(50_000))
        line.text("\",\"src_ip\":\"")
        let address = isAttack ? random.below(20) : random.below(20_000) + 256
        line.text("10.")
        line.number(address >> 16)
        line.text(".")
        line.number(address >> 8 & 255)
        line.text(".")
        line.number(address & 255)
        line.text(hasFailed ? "\",\"outcome\":\"failure\"" : "\",\"outcome\":\"success\"")
        line.text(",\"method\":\"password\",\"port\":")
        line.number(1024 + random.below(60_000))
        line.text(",\"geo\":{\"country\":\"")
        line.choice(countries, &random)
        line.text("\",\"asn\":")
        line.number(random.below(65_000))
        line.text("},\"agent\":\"")
        line.choice(agents, &random)
        line.text("\",\"session\":\"")
        line.hexadecimal(random.next())
        line.text("\"")
    }

    /// One request of a hundred is answered with 500 or more.
    private mutating func appendRequest(_ line: inout LineWriter) {
        line.text("\",\"type\":\"web\",\"host\":\"")
        appendHost(&line)
        line.text("\",\"service\":\"")
        line.choice(services, &random)
        line.text("\",\"method\":\"GET\",\"path\":\"/api/v1/items/")
        line.number(random.below(100_000))
        let status = random.below(100)
        line.text("\",\"status\":")
        line.number(status == 0 ? 500 + random.below(4) : status < 5 ? 400 + random.below(5) : 200)
        // Most requests are fast; the sum of two draws squared has a long tail.
        let draw = random.below(100) + random.below(100)
        line.text(",\"latency_ms\":")
        line.number(1 + draw * draw / 40)
        line.text(".")
        line.number(random.below(10))
        line.text(",\"bytes\":")
        line.number(random.below(100_000))
        line.text(",\"client\":\"10.")
        line.number(random.below(256))
        line.text(".")
        line.number(random.below(256))
        line.text(".7\",\"agent\":\"")
        line.choice(agents, &random)
        line.text("\",\"trace\":\"")
        line.hexadecimal(random.next())
        line.text("\"")
    }

    private mutating func appendPayment(_ line: inout LineWriter) {
        line.text("\",\"type\":\"payment\",\"host\":\"")
        appendHost(&line)
        line.text("\",\"user\":\"u-")
        line.number(random.below(100_000))
        line.text("\",\"amount\":")
        line.number(1 + random.below(2_000))
        line.text(".")
        line.number(10 + random.below(90))
        line.text(",\"currency\":\"EUR\",\"method\":\"card\",\"merchant\":\"m-")
        line.number(random.below(5_000))
        line.text("\",\"country\":\"")
        line.choice(countries, &random)
        line.text("\",\"items\":")
        line.number(1 + random.below(9))
        line.text(",\"terminal\":\"t-")
        line.number(random.below(100_000))
        line.text("\",\"agent\":\"")
        line.choice(agents, &random)
        line.text("\",\"reference\":\"")
        line.hexadecimal(random.next())
        line.text("\"")
    }

    private mutating func appendHost(_ line: inout LineWriter) {
        line.text("web-")
        line.number(random.below(100))
        line.text(".example.internal")
    }

    // MARK: - Processes, steps, users

    private mutating func appendProcess(_ line: inout LineWriter) {
        line.text("\",\"type\":\"process\",\"computer\":\"ws-")
        line.number(random.below(500))
        line.text(".corp.example\",\"user\":\"CORP\\\\user")
        line.number(random.below(2_000))
        let program = programs[random.below(programs.count)]
        line.text("\",\"image\":\"")
        line.text(program.path)
        line.text("\",\"original_name\":\"")
        line.text(program.name)
        line.text("\",\"command_line\":\"")
        line.text(program.path)
        line.text(program.arguments)
        line.text(" --id ")
        line.number(random.below(1_000_000))
        line.text(" --session {")
        line.hexadecimal(random.next())
        line.text("}\",\"parent_image\":\"")
        let parent = programs[random.below(programs.count)]
        line.text(parent.path)
        line.text("\",\"parent_command_line\":\"")
        line.text(parent.path)
        line.text(parent.arguments)
        line.text("\",\"pid\":")
        line.number(random.below(65_536))
        line.text(",\"integrity\":\"Medium\",\"logon\":\"0x")
        line.hexadecimal(random.next())
        line.text("\"")
    }

    /// Twelve kinds as often as each other, and one of ten thousand of a thirteenth.
    private mutating func appendStep(_ line: inout LineWriter) {
        line.text("\",\"type\":\"step\",\"kind\":\"")
        if random.below(10_000) == 0 {
            line.text("last")
        } else {
            line.text("k")
            line.number(random.below(12))
        }
        line.text("\",\"value\":")
        line.number(random.below(1_000))
        line.text(",\"sensor\":\"s-")
        line.number(random.below(100))
        line.text("\",\"note\":\"")
        line.hexadecimal(random.next())
        line.hexadecimal(random.next())
        line.text("\"")
    }

    private mutating func appendUser(_ line: inout LineWriter) {
        line.text("\",\"type\":\"login\",\"user\":\"u-")
        line.number(index % users)
        line.text("\",\"host\":\"")
        appendHost(&line)
        line.text("\",\"session\":\"")
        line.hexadecimal(random.next())
        line.text("\"")
    }
}

private let countries: [StaticString] = ["DE", "FR", "US", "BR", "JP", "IN", "GB", "NL"]
private let services: [StaticString] = ["checkout", "catalogue", "search", "account"]
private let agents: [StaticString] = [
    "Mozilla/5.0 (X11; Linux; rv:128.0) Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/126.0",
    "shop-app/4.12 (Android 14; Pixel 8)", "python-requests/2.32.3",
]

/// Programs that run everywhere, as JSON text.
private let programs: [(path: StaticString, name: StaticString, arguments: StaticString)] = [
    (#"C:\\Windows\\System32\\svchost.exe"#, "svchost.exe", " -k netsvcs -p -s Schedule"),
    (#"C:\\Windows\\System32\\cmd.exe"#, "Cmd.Exe", #" /d /c \"echo ready > C:\\Temp\\out.txt\""#),
    (
        #"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"#, "PowerShell.EXE",
        #" -NoProfile -ExecutionPolicy Bypass -File C:\\Scripts\\inventory.ps1"#
    ),
    (
        #"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"#, "chrome.exe",
        " --type=renderer --lang=en-US --enable-features=Site"
    ),
    (#"C:\\Windows\\System32\\conhost.exe"#, "CONHOST.EXE", " 0xffffffff -ForceV1"),
    (
        #"C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"#, "WinWord.exe",
        #" /n \"C:\\Users\\ann\\Documents\\report.docx\" /o"#
    ),
    (#"C:\\Windows\\explorer.exe"#, "EXPLORER.EXE", " /factory,{75dff2b7-6936-4c06} -Embedding"),
    (#"C:\\Windows\\System32\\taskhostw.exe"#, "taskhostw.exe", " Install $(Arg0)"),
]

/// Random numbers from a seed. S. Vigna, "SplitMix64", 2015.
struct BenchRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}

/// Bytes of JSON, written without making strings.
private struct LineWriter {
    var bytes: [UInt8] = []

    mutating func text(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func choice(_ texts: [StaticString], _ random: inout BenchRandom) {
        text(texts[random.below(texts.count)])
    }

    mutating func number(_ number: Int) {
        if number >= 10 { self.number(number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    mutating func hexadecimal(_ word: UInt64) {
        for shift in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(word >> shift & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// `2026-01-01T00:00:00.000Z` and so many milliseconds later; days run on to the end of January.
    mutating func time(milliseconds: Int) {
        text("2026-01-")
        padded(1 + milliseconds / 86_400_000 % 31, 2)
        text("T")
        padded(milliseconds / 3_600_000 % 24, 2)
        text(":")
        padded(milliseconds / 60_000 % 60, 2)
        text(":")
        padded(milliseconds / 1000 % 60, 2)
        text(".")
        padded(milliseconds % 1000, 3)
        text("Z")
    }

    private mutating func padded(_ number: Int, _ width: Int) {
        if width > 2 { bytes.append(UInt8(ascii: "0") + UInt8(number / 100)) }
        bytes.append(UInt8(ascii: "0") + UInt8(number / 10 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
