// E02: structure. W0609 stands here too, since the parser gives it.

extension DiagnosticCode {
    static let structural: [DiagnosticCode] = [
        unclosedBlock, unclosedBracket, unexpectedBrace, expected, unknownClause, duplicateClause,
        foreignOperator, chainedComparison, commaBetweenSteps, sql, missingClause, nestedTooDeeply,
        foreignType, unexpected, oldSpelling,
    ]

    static let unclosedBlock = DiagnosticCode(
        "E0201", "unclosed-block",
        explanation: """
            A block begins with `{` and its `}` is missing. Declarations do not stand inside one \
            another, so the next `rule`, `event`, `test` and so on at the start of a line shows \
            that the block should have ended; reading goes on from there, and the rules behind \
            it are checked as usual.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"

            rule admin_login {
              sequence by user { hit: login where user == "admin" }
              alert "admin is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }

            rule admin_login {
              sequence by user { hit: login where user == "admin" }
              alert "admin is here"
            }
            """)

    static let unclosedBracket = DiagnosticCode(
        "E0202", "unclosed-bracket",
        explanation: """
            A round or square bracket is opened and the clause ends before it is closed.
            """,
        wrong: """
            event login { user: text }

            rule known_account {
              sequence by user { hit: login where user in ["root", "admin" }
              alert "{user} is here"
            }
            """,
        right: """
            event login { user: text }

            rule known_account {
              sequence by user { hit: login where user in ["root", "admin"] }
              alert "{user} is here"
            }
            """)

    static let unexpectedBrace = DiagnosticCode(
        "E0203", "unexpected-brace",
        explanation: """
            A `}` closes nothing: every block before it is closed already. Either there is one \
            too many, or one further up closes a block earlier than was meant.
            """,
        wrong: """
            event login { user: text }
            }
            """,
        right: """
            event login { user: text }
            """)

    static let expected = DiagnosticCode(
        "E0204", "expected",
        explanation: """
            Something is needed at this place and something else, or nothing, stands there. A \
            clause ends at the end of its line, unless a bracket is open, the line ends in an \
            operator or a comma, or the next line begins with `and`, `or`, `where`, `within` or \
            `for`.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let unknownClause = DiagnosticCode(
        "E0205", "unknown-clause",
        explanation: """
            A line begins with a word that means nothing in this block. If it resembles a word \
            that does, the line is read as that, so that one slip of the pen gives one message.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              severty high
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              severity high
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let duplicateClause = DiagnosticCode(
        "E0206", "duplicate-clause",
        explanation: """
            A clause of which there can be one is given twice. If the later one silently won, a \
            reader of the first would believe something that is not so.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              severity high
              severity low
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              severity high
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let foreignOperator = DiagnosticCode(
        "E0208", "foreign-operator",
        explanation: """
            An operator of another language stands for one that is spelled otherwise here: `==` \
            compares, and conditions are joined by the words `and`, `or` and `not`. Unequal is \
            `!=`, and a pattern is tried with `matches`.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule root_login {
              sequence by user { hit: login where user = "root" && ok }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule root_login {
              sequence by user { hit: login where user == "root" and ok }
              alert "root is here"
            }
            """)

    static let chainedComparison = DiagnosticCode(
        "E0209", "chained-comparison",
        explanation: """
            Comparisons do not chain. In some languages `a < b < c` compares the truth value of \
            `a < b` with `c`, in others it means what it says; here it is written in two \
            comparisons.
            """,
        wrong: """
            event payment { card: text, amount: number }

            rule odd_amount {
              sequence by card { hit: payment where 10 < amount < 20 }
              alert "an odd amount: {hit.amount}"
            }
            """,
        right: """
            event payment { card: text, amount: number }

            rule odd_amount {
              sequence by card { hit: payment where 10 < amount and amount < 20 }
              alert "an odd amount: {hit.amount}"
            }
            """)

    static let commaBetweenSteps = DiagnosticCode(
        "E0210", "comma-between-steps",
        explanation: """
            The steps of a sequence stand on lines of their own, without commas.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok,
                then hit: login where ok
              }
              alert "{user} got in after {fail.time}, at {hit.time}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user} got in after {fail.time}, at {hit.time}"
            }
            """)

    static let sql = DiagnosticCode(
        "E0211", "sql",
        explanation: """
            Rules are not SQL. What a query selects from is a step's event type, its `WHERE` is \
            the step's `where`, `PARTITION BY` and `GROUP BY` are `by`, and `WITHIN INTERVAL '5' \
            MINUTE` is `within 5m`. `select NAME = EVENT where CONDITION` names a stream that \
            several rules use.
            """,
        wrong: """
            event login { user: text }

            SELECT user FROM login WHERE user = 'root'
            """,
        right: """
            event login { user: text }

            select root_login = login where user == "root"
            """)

    static let missingClause = DiagnosticCode(
        "E0212", "missing-clause",
        explanation: """
            A block lacks the clause without which it says nothing: a rule its pattern, a \
            threshold its events (`over`) or its condition (`when`), an anomaly cluster its \
            baseline.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              severity high
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              severity high
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let nestedTooDeeply = DiagnosticCode(
        "E0213", "nested-too-deeply",
        explanation: """
            An expression, or a block, is nested more than 256 deep, or an expression has more \
            than 256 operators in a row. No person wrote it. A long row of comparisons with one \
            field is shorter as `field in ["a", "b"]`, or as a list in a file: `field in list \
            NAME`.
            """,
        wrong: "let limit = " + String(repeating: "(", count: 300) + "5"
            + String(repeating: ")", count: 300)
            + "\n",
        right: "let limit = ((5))\n")

    static let foreignType = DiagnosticCode(
        "E0214", "foreign-type",
        explanation: """
            A type has its name from another language. Fields here are `text`, `number`, `bool`, \
            `time`, `duration`, `ip` and `cidr`; a set of texts, `"success" | "failure"`; or a \
            list, `[text]`. There is one `number` for whole and decimal ones.
            """,
        wrong: """
            event login { user: string }
            """,
        right: """
            event login { user: text }
            """)

    static let unexpected = DiagnosticCode(
        "E0215", "unexpected",
        explanation: """
            A clause is complete, and more stands on its line. Each clause has a line of its \
            own.
            """,
        wrong: """
            event login { user: text }

            rule root_login {
              severity high very
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """,
        right: """
            event login { user: text }

            rule root_login {
              severity high
              sequence by user { hit: login where user == "root" }
              alert "root is here"
            }
            """)

    static let oldSpelling = DiagnosticCode(
        "W0609", "old-spelling",
        explanation: """
            A word of another rule language, or of an earlier version of this one, is understood \
            but no longer the spelling. It goes on to mean the same until version 2.
            """,
        wrong: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                followed by hit: login where ok
              }
              alert "{user} got in after {fail.time}, at {hit.time}"
            }
            """,
        right: """
            event login { user: text, ok: bool }

            rule guessed {
              sequence by user within 5m {
                fail: login where not ok
                then hit: login where ok
              }
              alert "{user} got in after {fail.time}, at {hit.time}"
            }
            """)
}

// MARK: - Blocks

extension Diagnostic {
    /// What showed that a block is not closed.
    enum BlockInterruption {
        case endOfFile
        /// The first word of what came instead of the brace.
        case clause(SourceRange, String)
    }

    /// - Parameters:
    ///   - title: For example "rule `a`".
    ///   - open: The opening brace.
    ///   - end: The place behind the last thing that belongs to the block.
    ///   - resumed: The declaration that begins instead, if one does.
    ///   - count: How many braces are missing.
    ///   - line: The line to put them on, from 1.
    static func unclosedBlock(
        _ title: String, open: SourceRange, after end: SourceRange, next: BlockInterruption,
        resumedWith resumed: String?, count: Int, line: Int
    ) -> Diagnostic {
        let braces = String(repeating: "}", count: count)
        var secondary = [Label(open, "this block is still open …")]
        var notes: [String] = []
        switch next {
        case .endOfFile:
            break
        case .clause(let range, let word) where resumed != nil:
            secondary.append(Label(range, "… when the next \(word) begins"))
        case .clause(let range, let word):
            secondary.append(Label(range, "… when `\(word)` begins, which belongs to the rule"))
        }
        if let resumed {
            notes.append("checking went on with `\(resumed)`; nothing else was skipped")
        }
        return Diagnostic(
            .unclosedBlock, "\(title) is not closed", at: end,
            label: "expected `\(braces)` after this line", secondary: secondary, notes: notes,
            help: [Help("add `\(braces)` on line \(line)", fix: .replace(end, with: "\n" + braces))]
        )
    }

    static func unclosedBracket(_ bracket: String, at range: SourceRange, before end: SourceRange)
        -> Diagnostic
    {
        let close = bracket == "[" ? "]" : bracket == "{" ? "}" : ")"
        return Diagnostic(
            .unclosedBracket, "this `\(bracket)` is not closed", at: range, label: "opened here",
            secondary: [Label(end, "expected `\(close)`")],
            help: [Help("close it with `\(close)`", fix: .replace(end, with: close))])
    }

    static func unexpectedBrace(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unexpectedBrace, "this `}` closes nothing", at: range, label: "no block is open here",
            help: [Help("remove it, or look for a `}` above that closes a block too early")])
    }

    static func nestedTooDeeply(max: Int, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .nestedTooDeeply, "this is nested more than \(max) deep", at: range,
            label: "too deep here",
            help: [Help("a long row of comparisons with one field is shorter as `field in [...]`")])
    }
}

// MARK: - Clauses

extension Diagnostic {
    /// - Parameter isEnd: Whether the clause or the file ends where more was expected.
    static func expected(
        _ what: String, found: String, isEnd: Bool, at range: SourceRange, help: Help?
    ) -> Diagnostic {
        Diagnostic(
            .expected, "expected \(what), found \(found)", at: range,
            label: isEnd ? "something is missing here" : "not expected here",
            help: help.map { [$0] } ?? [])
    }

    static func unexpected(_ found: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .unexpected, "expected the end of the line, found \(found)", at: range,
            label: "the clause is complete before this")
    }

    static func twoClausesOnOneLine(_ found: String, at range: SourceRange, gap: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .unexpected, "\(found) begins a clause in the middle of a line", at: range,
            label: "belongs on a line of its own",
            help: [Help("put it on the next line", fix: .replace(gap, with: "\n", .always))])
    }

    static func unknownDeclaration(
        _ found: String, suggestion: String?, at range: SourceRange
    ) -> Diagnostic {
        Diagnostic(
            .unknownClause, "\(found) does not begin a declaration", at: range,
            label: "unknown here",
            help: suggestion.map {
                [Help("there is a similar word: `\($0)`", fix: .replace(range, with: $0))]
            }
                ?? [
                    Help(
                        "a file holds `import`, `event`, `select`, `list`, `schedule`, `let`, `define`, "
                            + "`rule`, `metric`, `test`, `source`, `sink` and `engine`")
                ])
    }

    static func unknownClause(
        _ found: String, in block: String, words: [String], suggestion: String? = nil,
        at range: SourceRange
    ) -> Diagnostic {
        let list = words.map { "`\($0)`" }.joined(separator: ", ")
        return Diagnostic(
            .unknownClause, "\(found) does not begin a line of a \(block)", at: range,
            label: "unknown here",
            help: [
                suggestion.map { Help("there is a similar word: `\($0)`") }
                    ?? Help("a \(block) has the lines \(list)")
            ])
    }

    static func misspelledClause(
        _ word: String, _ meant: String, isSimilar: Bool, in block: String, at range: SourceRange
    ) -> Diagnostic {
        let help =
            isSimilar ? "there is a similar word: `\(meant)`" : "here it is called `\(meant)`"
        return Diagnostic(
            .unknownClause, "`\(word)` does not begin a line of a \(block)", at: range,
            label: "unknown here",
            help: [Help(help, fix: .replace(range, with: meant))])
    }

    static func duplicateClause(_ sentence: String, at range: SourceRange, first: SourceRange)
        -> Diagnostic
    {
        Diagnostic(
            .duplicateClause, "\(sentence), and this is the second", at: range,
            label: "given again here",
            secondary: [Label(first, "first given here")], help: [Help("remove one of them")])
    }

    static func missingClause(
        _ message: String, _ label: String, at range: SourceRange, help: String
    ) -> Diagnostic {
        Diagnostic(.missingClause, message, at: range, label: label, help: [Help(help)])
    }

    static func commaBetweenSteps(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .commaBetweenSteps, "steps are not separated by commas", at: range, label: "needless",
            help: [
                Help(
                    "remove the comma; each step has a line of its own",
                    fix: .replace(range, with: "", .always))
            ])
    }

    static func unnamedStep(at range: SourceRange, insert: SourceRange) -> Diagnostic {
        Diagnostic(
            .expected, "expected a name for this step, found an event type", at: range,
            label: "a step is `name: event`",
            help: [
                Help(
                    "give the step a name", fix: .replace(insert, with: "name: ", .hasPlaceholders))
            ])
    }
}

// MARK: - Habits of other languages

extension Diagnostic {
    static func foreignOperator(_ found: String, _ ours: String, at range: SourceRange)
        -> Diagnostic
    {
        let (sentence, label) =
            switch found {
            case "=": ("`=` does not compare", "gives a value to a name")
            case "&&", "||", "!": ("`\(found)` is spelled `\(ours)`", "spelled as in C")
            case "<>": ("`<>` is not an operator", "spelled as in SQL")
            default: ("`\(found)` is not an operator", "spelled as in Perl")
            }
        return Diagnostic(
            .foreignOperator, sentence, at: range, label: label,
            help: [
                Help(
                    "write `\(ours)`",
                    fix: .replace(range, with: found == "!" ? "not " : ours, .always))
            ])
    }

    static func misplacedNot(
        before left: SourceRange, at range: SourceRange, operator word: SourceRange
    ) -> Diagnostic {
        let start = SourceRange(source: left.source, start: left.start, end: left.start)
        let gap = SourceRange(source: range.source, start: range.start, end: word.start)
        return Diagnostic(
            .foreignOperator, "`not` stands in front of the comparison", at: range,
            label: "not here",
            secondary: [Label(start, "but here")],
            help: [
                Help(
                    "move it to the front",
                    fix: FixIt(
                        [SourceEdit(range: start, text: "not "), SourceEdit(range: gap, text: "")],
                        .always))
            ])
    }

    /// - Parameter insert: Where to put what between the two comparisons; nil if that is not known.
    static func chainedComparison(
        at range: SourceRange, first: SourceRange, insert: (SourceRange, String)?
    ) -> Diagnostic {
        Diagnostic(
            .chainedComparison, "comparisons do not chain", at: range,
            label: "a second comparison …",
            secondary: [Label(first, "… of the result of this one")],
            help: [
                Help(
                    "write two comparisons, joined by `and`",
                    fix: insert.map { .replace($0.0, with: $0.1, .always) })
            ])
    }

    static func sql(_ word: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .sql, "`\(word)` begins a query, and rules are not SQL", at: range,
            label: "not a declaration",
            help: [
                Help(
                    "a rule reads `rule NAME { sequence by KEY within 5m { first: EVENT where CONDITION } }`"
                )
            ])
    }

    static func foreignType(_ found: String, _ ours: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .foreignType, "the type `\(found)` is called `\(ours)` here", at: range,
            label: "a name of other languages",
            help: [Help("write `\(ours)`", fix: .replace(range, with: ours, .always))])
    }

    static func oldSpelling(_ old: String, _ new: String, at range: SourceRange) -> Diagnostic {
        Diagnostic(
            .oldSpelling, "`\(old)` is now spelled `\(new)`", at: range,
            label: "old spelling, an error from version 2 on",
            help: [Help("write `\(new)`", fix: .replace(range, with: new, .always))])
    }
}

extension [Diagnostic] {
    /// By file and position; of two at one place the first reported comes first.
    public func inOrderOfPosition() -> [Diagnostic] {
        enumerated().sorted { left, right in
            let (a, b) = (left.element.primary.range, right.element.primary.range)
            return (a.source.rawValue, a.start, left.offset) < (
                b.source.rawValue, b.start, right.offset
            )
        }.map(\.element)
    }
}
