// `sequence by KEYS within D POLICIES { steps }`

extension Parser {
    mutating func sequence() -> SequenceSyntax {
        var sequence = SequenceSyntax(keys: nil, within: nil, policies: [], elements: [])
        if at(.by) { sequence.keys = keys() }
        while isContinued, !at(.leftBrace), !isPanicking {
            if take(.within) != nil {
                sequence.within = duration()
            } else if let policy = policy() {
                sequence.policies.append(policy)
            }
        }
        var elements: [SequenceElement] = []
        block("this sequence", oneLine: 1, endsEarly: { $0.isAtActionOfRule }) { parser in
            if let element = parser.element() { elements.append(element) }
            parser.endElement()
        }
        sequence.elements = elements
        return sequence
    }

    private mutating func policy() -> SequencePolicy? {
        let start = current.range
        let kind: SequencePolicy.Kind
        switch current.keyword {
        case .overlap:
            advance()
            switch current.keyword {
            case .nothingOverlaps: kind = .overlapNone
            case .each: kind = .overlapEach
            case .latest: kind = .overlapLatest
            case .all:
                expect(.all, .limit)
                guard let limit = integer("how many matches at most") else { return nil }
                return SequencePolicy(.overlapAll(limit: limit), range(from: start))
            default:
                expected(oneOf: .nothingOverlaps, .each, .latest, .all)
                return nil
            }
            advance()
        case .restart:
            expect(.restart, .on, .repeat)
            kind = .restartOnRepeat
        case .unbounded:
            expect(.unbounded, .limit)
            guard let limit = integer("how many runs at most") else { return nil }
            expect(.runs)
            kind = .unbounded(limit: limit)
        case .report:
            expect(.report, .partial)
            kind = .reportPartial
        case .after:
            expect(.after, .match, .resume, .at)
            kind = .afterMatchResume(at: name("the name of a step"))
        case .assume:
            expect(.assume, .absent, .at, .start)
            kind = .assumeAbsentAtStart
        default:
            expected("`within`, a policy such as `overlap each`, or `{`")
            return nil
        }
        return SequencePolicy(kind, range(from: start))
    }

    /// Comes to the end of a step. Steps may share a line when the next begins with its word.
    private mutating func endElement() {
        if !isPanicking, at(.comma) {
            let comma = advance()
            report(.commaBetweenSteps(at: comma.range))
            if current.startsLine || current.isName { return }
        }
        if !isPanicking, current.isName, !current.startsLine, isElementWord {
            return
        }
        endClause()
    }

    /// Whether the cursor stands at a word that only begins a step.
    private var isElementWord: Bool {
        switch current.keyword {
        case .then, .until, .without: peek().kind != .colon
        default: isOldThen
        }
    }
}

// MARK: - Elements

extension Parser {
    private mutating func element() -> SequenceElement? {
        let start = current.range
        var then = false
        var immediately: SourceRange?
        if at(.then), peek().kind != .colon {
            advance()
            then = true
        } else if isOldThen {
            oldThen()
            then = true
        }
        if then, at(.immediately), peek().kind != .colon { immediately = advance().range }
        guard let kind = elementKind() else { return nil }
        return SequenceElement(
            kind, then: then, immediately: immediately, range: range(from: start))
    }

    /// `followed by`, `followedBy` and `->`, which other systems write for `then`.
    private var isOldThen: Bool {
        switch current.kind {
        case .foreignOperator: return text(current) == "->"
        case .name where peek().kind != .colon:
            let word = text(current)
            return word == "followedBy" || word == "followed_by"
                || (word == "followed" && peek().keyword == .by)
        default: return false
        }
    }

    private mutating func oldThen() {
        let start = advance()
        if text(start) == "followed" { advance() }
        let range = range(from: start.range)
        report(.oldSpelling(source.text(range), "then", at: range))
    }

    private mutating func elementKind() -> SequenceElement.Kind? {
        // A step may be called `no` or `until`: then a colon follows.
        let isWord = peek().kind != .colon
        switch current.keyword {
        case .all where peek().keyword == .of: return group("all of").map { .allOf($0) }
        case .any where peek().keyword == .of: return group("any of").map { .anyOf($0) }
        case .no where isWord:
            advance()
            return absence()
        case .without where isWord:
            advance()
            return step(limits: false).map { .without($0) }
        case .until where isWord:
            advance()
            return step(limits: false).map { .until($0) }
        default:
            let start = current.range
            let quantity = isWord ? quantity() : nil
            return step(quantity, quantity == nil ? nil : range(from: start)).map { .step($0) }
        }
    }

    /// `all of { ... }` and `any of { ... }`
    private mutating func group(_ title: String) -> [SequenceElement]? {
        advance()
        advance()
        guard nesting < Self.nestingMax else {
            fail(.nestedTooDeeply(max: Self.nestingMax, at: current.range))
            return nil
        }
        nesting += 1
        defer { nesting -= 1 }
        var elements: [SequenceElement] = []
        block("this `\(title)`", endsEarly: { $0.isAtActionOfRule }) { parser in
            if let element = parser.element() { elements.append(element) }
            parser.endElement()
        }
        return elements
    }

    /// `no NAME: source within D` and `no NAME: source for D`; `no` has been read.
    private mutating func absence() -> SequenceElement.Kind? {
        guard let step = step(limits: false) else { return nil }
        if take(.within) != nil { return .absence(step, span: duration(), spelledFor: false) }
        if take(.for) != nil { return .absence(step, span: duration(), spelledFor: true) }
        return .absence(step, span: nil, spelledFor: false)
    }

    private mutating func quantity() -> StepSyntax.Quantity? {
        switch current.keyword {
        case .at where peek().keyword == .least:
            expect(.at, .least)
            return integer("how many events").map { .atLeast($0.value) }
        case .exactly:
            advance()
            return integer("how many events").map { .exactly($0.value) }
        case .any where peek().keyword == .number:
            expect(.any, .number, .of)
            return .anyNumber
        case .optional:
            advance()
            return .optional
        default:
            guard at(.integer), let least = integer("how many events") else { return nil }
            expect(.to)
            return integer("how many events at most").map { .between(least.value, $0.value) }
        }
    }

    /// `NAME: source by aliases within D as few as possible`
    ///
    /// - Parameter limits: Whether `within` and `as few as possible` belong to the step.
    private mutating func step(
        _ quantity: StepSyntax.Quantity? = nil, _ quantityRange: SourceRange? = nil,
        limits: Bool = true
    ) -> StepSyntax? {
        let name = stepName()
        guard !isPanicking else { return nil }
        let source = sourceSyntax()
        var step = StepSyntax(
            quantity: quantity, quantityRange: quantityRange, name: name, source: source,
            aliases: [],
            within: nil, isReluctant: false)
        while !isPanicking {
            if at(.by), isContinued {
                step.aliases = aliases()
            } else if limits, take(.within) != nil {
                step.within = duration()
            } else if limits, at(.as), isContinued {
                expect(.as, .few, .as, .possible)
                step.isReluctant = true
            } else {
                break
            }
        }
        return step
    }

    /// Whether an event type stands where a step's name should, and a step goes on behind it.
    private var isUnnamedStep: Bool {
        guard current.isName, isSameLine(current) else { return false }
        var offset = 1
        while peek(offset).kind == .dot, peek(offset + 1).isName { offset += 2 }
        let next = peek(offset)
        switch next.keyword {
        case .where, .within, .by, .for, .as: return true
        default: return next.startsLine || next.kind == .rightBrace || next.kind == .endOfFile
        }
    }

    /// The name and the colon of a step, with a hint where an event type stands in its place.
    private mutating func stepName() -> Name {
        guard current.isName, peek().kind == .colon else {
            if isUnnamedStep {
                let place = current.range
                let insertion = SourceRange(source: source.id, start: place.start, end: place.start)
                report(.unnamedStep(at: place, insert: insertion))
                return Name("", insertion)
            }
            let place = endOfPrevious
            expected("a step, such as `first: ssh.login`")
            return Name("", place)
        }
        let name = name("a name for the step")
        advance()
        return name
    }
}
