import RuleModel

/// Random conditions over one event with fields of every type: what columns compute for a whole
/// batch must be what the tree of the condition says about each event (T6, T7).
extension GeneratedRule {
    /// Declares the event that conditions look at.
    static let conditionSchema = """
        event e {
          n: number  v: number?  w: number?  u: text?  t: text?  kind: "red" | "green"
          ok: bool?  src: ip?  tags: [text]?  nums: [number]?  x.y: number?
        }
        list names = ["x", "Straße", "10"]
        list codes of number = [1, 2, 2.5]
        list nets of cidr = ["10.0.0.0/8", "192.168.1.0/24", "2001:db8::/32"]
        """
}

/// Makes conditions and events for them.
struct ConditionGenerator {
    var random: RandomSource

    mutating func condition(_ depth: Int) -> String {
        if depth > 0, random.chance(60) {
            let left = condition(depth - 1)
            switch random.number(0...4) {
            case 0: return "not (\(left))"
            case 1, 2: return "(\(left) and \(condition(depth - 1)))"
            default: return "(\(left) or \(condition(depth - 1)))"
            }
        }
        let number = self.number(1)
        let text = self.text()
        let comparison = random.pick(["==", "!=", "<", "<=", ">", ">="])
        let folded = random.chance(25) ? " ignoring case" : ""
        switch random.number(0...16) {
        case 0, 1, 2: return "\(number) \(comparison) \(self.number(1))"
        case 3: return "\(text) \(comparison) \(self.text())\(random.chance(30) ? folded : "")"
        case 4: return "\(field()) \(random.pick(["exists", "missing"]))"
        case 5: return "v \(random.pick(["in", "not in"])) [1, 2.5, 3]"
        case 6:
            return
                "\(random.pick(["u", "t"])) \(random.pick(["in", "not in"])) [\"x\", \"Y\", \"é\"]\(folded)"
        case 7: return "u \(random.pick(["in list", "not in list"])) names\(folded)"
        case 8: return "src \(random.pick(["in list", "not in list"])) nets"
        case 9:
            return
                "src \(random.pick(["in cidr", "not in cidr"])) \"\(random.pick(["10.1.0.0/16", "0.0.0.0/0", "2001:db8::/33"]))\""
        case 10:
            let test = random.pick(["contains", "starts with", "ends with"])
            return
                "\(random.pick(["u", "t"])) \(test) \"\(random.pick(["x", "X", "ß", "ab", ""]))\"\(folded)"
        case 11:
            return
                "u like \"\(random.pick(["x*", "*b?", "?", "*", "a\\\\*", "*Straße"]))\"\(folded)"
        case 12: return "t matches /\(random.pick(["^a", "b+$", "[xy]", "^$"]))/\(folded)"
        case 13:
            return random.pick([
                "any g in tags: g == \"x\"", "every g in tags: g != \"y\"", "tags contains \"x\"",
                "any m in nums: m > \(number)", "every m in nums: m >= 1", "length(tags) == 2",
                "v in nums", "u in tags", "u not in tags",
                "any g in [\"x\", \"B\"]: u contains g\(folded)",
                "every g in [\"x\", \"a\"]: any h in tags: h contains g",
            ])
        case 14:
            return random.pick(["ok", "not ok", "ok == true", "ok != true", "kind == \"red\""])
        case 15: return "v in list codes"
        default:
            return
                "src \(random.pick(["==", "!="])) \"\(random.pick(["10.0.0.1", "2001:db8::1"]))\""
        }
    }

    private mutating func number(_ depth: Int) -> String {
        if depth > 0, random.chance(45) {
            let left = number(depth - 1)
            switch random.number(0...6) {
            case 0: return "(\(left) + \(number(depth - 1)))"
            case 1: return "(\(left) - \(number(depth - 1)))"
            case 2: return "(\(left) * \(number(depth - 1)))"
            case 3: return "(\(left) / \(number(depth - 1)))"
            case 4: return "(v else \(random.number(0...2)))"
            case 5: return random.pick(["abs", "round", "floor", "ceil"]) + "(\(left))"
            default: return random.pick(["min", "max"]) + "(\(left), \(number(depth - 1)))"
            }
        }
        return random.pick([
            "v", "v", "w", "x.y", "0", "1", "2", "2.5", "length(u)", "9007199254740993",
        ])
    }

    private mutating func text() -> String {
        random.pick([
            "u", "u", "t", "lower(u)", "upper(t)", "\"x\"", "\"X\"", "\"\"", "\"abc\"", "\"é\"",
            "(t else \"x\")",
        ])
    }

    private mutating func field() -> String {
        random.pick(["v", "w", "u", "t", "ok", "src", "tags", "nums", "x.y"])
    }

    mutating func fields(_ number: Int) -> [String: Value] {
        var fields: [String: Value] = ["n": .int(Int64(number))]
        let numbers: [Value] = [
            .int(0), .int(1), .int(2), .int(-1), .float(2.5), .float(1), .float(-0.0), .float(2),
            .int(9_007_199_254_740_993), .int(9_007_199_254_740_992), .float(9_007_199_254_740_992),
            .int(.max), .int(.min), .float(1e300), .text("1"), .bool(true),
        ]
        let texts: [Value] = [
            .text("x"), .text("X"), .text("abc"), .text(""), .text("é"), .text("e\u{301}"),
            .text("Straße"), .text("STRASSE"), .text("STRAßE"), .text("ab"), .text("a*"),
            .text("10"),
            .int(10), .bool(false), .text("Y"), .text("ΑΒΓ"), .text("αβγ"),
        ]
        for name in ["v", "w", "x.y"] where random.chance(75) {
            fields[name] = random.pick(numbers)
        }
        for name in ["u", "t"] where random.chance(75) { fields[name] = random.pick(texts) }
        fields["kind"] = .text(random.pick(["red", "green"]))
        if random.chance(70) {
            fields["ok"] = random.pick([.bool(true), .bool(false), .text("true")])
        }
        if random.chance(70) {
            fields["src"] = .text(
                random.pick([
                    "10.0.0.1", "10.1.2.3", "192.168.1.7", "192.168.2.7", "2001:db8::1",
                    "::ffff:10.0.0.1", "2001:DB8:8000::1", "nonsense", "10.0.0.256",
                ]))
        }
        if random.chance(60) {
            fields["tags"] = .list(
                (0..<random.number(0...2)).map { _ in random.pick(texts.filter(isText)) })
        }
        if random.chance(60) {
            fields["nums"] = .list(
                (0..<random.number(0...3)).map { _ in
                    random.pick([.int(1), .int(2), .float(2.5), .int(0)])
                })
        }
        return fields
    }
}

private func isText(_ value: Value) -> Bool {
    if case .text = value { return true }
    return false
}
