import RuleModel

/// The built-in shop of `martlet run --demo`: logins, orders, payments, requests and heartbeats,
/// and a handful of attacks in every minute (`rules/shop/README.md` lists them).
///
/// Events come when they are due on the clock that the owner passes in, so a fast clock plays a
/// fast shop. The same seed and start give the same lines.
public final class ShopSource: ByteSource {
    private let now: () -> Timestamp
    private let end: Timestamp?
    private let sleep: (_ milliseconds: Int) -> Void
    private var random: UInt64
    private let start: Timestamp
    /// The next tick to be written; a tick is a twentieth of a second.
    private var tick: Int64 = 0
    /// Lines that are due later: payments, steps of attacks.
    private var pending: [(due: Int64, serial: Int, line: String)] = []
    private var serial = 0
    private var orders = 0

    private static let ticksPerSecond: Int64 = 20

    /// - Parameters:
    ///   - start: The time of the first event.
    ///   - end: Ends the stream when the clock gets there; nil: never.
    ///   - now: The clock.
    ///   - sleep: Waits; a fast clock waits less.
    public init(
        seed: UInt64, start: Timestamp, end: Timestamp?, now: @escaping () -> Timestamp,
        sleep: @escaping (_ milliseconds: Int) -> Void
    ) {
        random = seed
        self.start = start
        self.end = end
        self.now = now
        self.sleep = sleep
    }

    public func next(
        into chunk: inout LineChunk, waitingAtMost waitMilliseconds: Int, report: inout InputReport
    ) -> SourceStep {
        if let end, time(of: tick) >= end { return .end }
        if time(of: tick) > now() { sleep(min(waitMilliseconds, 50)) }
        var text = ""
        while time(of: tick) <= now(), text.utf8.count < 200_000 {
            if let end, time(of: tick) >= end { break }
            if tick % (60 * ShopSource.ticksPerSecond) == 0 { scheduleAttacks() }
            scheduleTraffic()
            pending.sort { ($0.due, $0.serial) < ($1.due, $1.serial) }
            let due = pending.prefix { $0.due <= tick }
            for entry in due { text += entry.line }
            pending.removeFirst(due.count)
            tick += 1
        }
        if text.isEmpty { return .idle }
        chunk = LineChunk(Array(text.utf8), name: "shop")
        return .lines
    }

    private func time(of tick: Int64) -> Timestamp {
        start + TimeSpan(nanoseconds: tick * (1_000_000_000 / ShopSource.ticksPerSecond))
    }

    // MARK: - Traffic

    private func scheduleTraffic() {
        if chance(4) { login(user: customer(), country: "DE", result: chance(0.4) ? "fail" : "ok") }
        if chance(0.05) {
            write("payout_changed", "\"user\":\"\(customer())\",\"account\":\"DE\(below(10_000))\"")
        }
        if chance(2) { order(isPaid: true) }
        if chance(20) {
            let service = ["catalog", "search", "payments", "mail"][below(4)]
            request(service, status: chance(0.2) ? 500 : 200)
        }
        let second = tick / ShopSource.ticksPerSecond % 60
        if tick % (2 * ShopSource.ticksPerSecond) == 0 {
            for service in ["catalog", "search", "payments", "mail"] {
                if service == "search", second >= 25, second < 50 { continue }
                write("heartbeat", "\"service\":\"\(service)\"")
            }
        }
    }

    private func order(isPaid: Bool) {
        orders += 1
        let id = "o-\(orders)"
        let user = customer()
        let total = "\(10 + below(90)).\(10 + below(90))"
        write("order", "\"order_id\":\"\(id)\",\"user\":\"\(user)\",\"total\":\(total)")
        guard isPaid else { return }
        let status = chance(0.5) ? "declined" : "approved"
        write(
            "payment", payment(id, user, card: "c-\(below(5_000))", amount: total, status: status),
            after: 1 + Double(below(30)) / 10)
    }

    private func payment(
        _ order: String, _ user: String, card: String, amount: String, status: String
    ) -> String {
        "\"order_id\":\"\(order)\",\"user\":\"\(user)\",\"card_id\":\"\(card)\",\"amount\":\(amount),"
            + "\"status\":\"\(status)\",\"country\":\"DE\""
    }

    private func login(
        user: String, country: String, result: String, address: String? = nil,
        after seconds: Double = 0
    ) {
        let address = address ?? "192.0.2.\(below(250))"
        write(
            "login",
            "\"user\":\"\(user)\",\"src_ip\":\"\(address)\",\"country\":\"\(country)\",\"result\":\"\(result)\"",
            after: seconds)
    }

    private func request(_ service: String, status: Int, after seconds: Double = 0) {
        write(
            "request",
            "\"service\":\"\(service)\",\"path\":\"/\(service)\",\"status\":\(status),"
                + "\"duration_ms\":\(5 + below(80))", after: seconds)
    }

    // MARK: - Attacks

    private func scheduleAttacks() {
        let minute = tick / (60 * ShopSource.ticksPerSecond)
        // Takeover of an account.
        let victim = "u-\(4711 + minute)"
        let attacker = "203.0.113.\(7 + minute % 200)"
        for step in 0..<5 {
            login(
                user: victim, country: "DE", result: "fail", address: attacker,
                after: 2 + Double(step))
        }
        login(user: victim, country: "BR", result: "ok", address: attacker, after: 7)
        write(
            "payout_changed", "\"user\":\"\(victim)\",\"account\":\"BR\(below(10_000))\"", after: 8)
        // Card testing.
        let card = "c-9\(900 + minute)"
        for step in 0..<4 {
            let small = payment(
                "t-\(minute)-\(step)", "u-\(below(50))", card: card, amount: "\(1 + step).49",
                status: "approved")
            write("payment", small, after: 10 + Double(step) * 2)
        }
        let large = payment(
            "t-\(minute)-9", "u-9", card: card, amount: "480.00", status: "approved")
        write("payment", large, after: 22)
        // An order that nobody pays.
        write(
            "order", "\"order_id\":\"lost-\(minute)\",\"user\":\"\(customer())\",\"total\":59.90",
            after: 15)
        // Failing payments.
        for step in 0..<150 {
            request("payments", status: step % 2 == 0 ? 500 : 200, after: 30 + Double(step) / 10)
        }
        // Password spraying.
        for step in 0..<12 {
            login(
                user: "u-\(100 + step)", country: "NL", result: "fail",
                address: "198.51.100.\(7 + minute % 200)", after: 45 + Double(step) * 0.4)
        }
    }

    // MARK: -

    private func write(_ type: String, _ fields: String, after seconds: Double = 0) {
        let due = tick + Int64(seconds * Double(ShopSource.ticksPerSecond))
        serial += 1
        let line = "{\"type\":\"shop.\(type)\",\"time\":\"\(time(of: due))\",\(fields)}\n"
        pending.append((due, serial, line))
    }

    private func customer() -> String { "u-\(below(2_000))" }

    /// Whether something happens in this tick that happens `perSecond` times a second.
    private func chance(_ perSecond: Double) -> Bool {
        Double(below(1_000_000)) < perSecond / Double(ShopSource.ticksPerSecond) * 1_000_000
    }

    private func below(_ bound: Int) -> Int { Int(nextRandom() % UInt64(bound)) }

    /// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    private func nextRandom() -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
