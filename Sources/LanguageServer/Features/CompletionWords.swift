/// The words of the language by the place where they can stand, for completion.
///
/// Each entry is a word or a phrase, what it is for, and perhaps a whole form to be filled in.
enum CompletionWords {
    struct Word: Sendable {
        var label: String
        var documentation: String
        /// A snippet of the protocol; nil: the label and a space.
        var snippet: String?

        init(_ label: String, _ documentation: String, _ snippet: String? = nil) {
            self.label = label
            self.documentation = documentation
            self.snippet = snippet
        }
    }

    static let declarations: [Word] = [
        Word(
            "rule", "A pattern and what to do when it is found.",
            "rule ${1:name} {\n  severity ${2:medium}\n\n  $0\n\n  alert \"${3:message}\"\n}"),
        Word(
            "event", "The fields of an event type.", "event ${1:type} {\n  ${2:field}: ${3:text}\n}"
        ),
        Word("select", "A named stream.", "select ${1:name} = ${2:event} where $0"),
        Word(
            "list", "Values from a file, or written out.", "list ${1:name} of ${2:text} from \"$3\""
        ),
        Word(
            "schedule", "Recurring hours of the week.",
            "schedule ${1:name} = \"${2:Mon-Fri 08:00-18:00}\" in \"${3:Europe/Berlin}\""),
        Word("let", "A constant.", "let ${1:name} = $0"),
        Word("define", "An expression with parameters.", "define ${1:name}(${2:a}) = $0"),
        Word(
            "metric", "Measures over windows, as events.",
            "metric ${1:name} {\n  over ${2:event}\n  window ${3:1m} tumbling\n  measure ${4:total} = $0\n}"
        ),
        Word(
            "test", "Events given, and alerts expected.",
            "test \"${1:title}\" for ${2:rule} {\n  at 0s $0\n  expect alert at 0s\n}"),
        Word("import", "Adds another file.", "import \"$0\""),
        Word("source", "Where events come from.", "source ${1:name} {\n  $0\n}"),
        Word("sink", "Where alerts go.", "sink ${1:name} {\n  $0\n}"),
        Word("engine", "Limits of the engine.", "engine {\n  $0\n}"),
    ]

    static let rule: [Word] = [
        Word(
            "sequence", "Events in an order.",
            "sequence by ${1:key} within ${2:5m} {\n  ${3:first}: $0\n}"),
        Word(
            "threshold", "A condition on measures over a window.",
            "threshold by ${1:key} {\n  over ${2:event}\n  window ${3:5m} sliding\n  measure ${4:n} = count\n  when $0\n}"
        ),
        Word(
            "correlation", "Several things at about the same time.",
            "correlation by ${1:key} within ${2:5m} {\n  $0\n}"),
        Word("anomaly_cluster", "Several series that are unusual together."),
        Word("title", "One line for people.", "title \"$0\""),
        Word("severity", "info, low, medium, warning, high or critical."),
        Word("tags", "Words to find the rule by.", "tags [$0]"),
        Word("attack", "Techniques of MITRE ATT&CK.", "attack [$0]"),
        Word("owner", "Who looks after the rule.", "owner \"$0\""),
        Word("runbook", "What to do on an alert.", "runbook \"$0\""),
        Word("references", "Where to read more.", "references [\"$0\"]"),
        Word("falsepositives", "What else looks like this.", "falsepositives [\"$0\"]"),
        Word("enabled", "Whether the rule runs."),
        Word("active during", "Alerts only while a schedule holds."),
        Word("active outside", "Alerts only while a schedule does not hold."),
        Word("unless", "Silent where this holds."),
        Word("confidence", "How often an alert is right.", "confidence ${1:90}%"),
        Word("early", "Whether alerts may come before the watermark."),
        Word("allow", "Leaves out a warning, with the reason.", "allow ${1:W0601} \"$0\""),
        Word("alert", "The message.", "alert \"$0\""),
        Word("suppress by", "Silence after an alert.", "suppress by ${1:key} for ${2:1h}"),
        Word("group by", "Several alerts as one.", "group by ${1:key} for ${2:5m}"),
        Word("send to", "Where alerts go."),
        Word("mask", "Values that are not shown."),
        Word("attach", "Values that go with the alert."),
        Word("risk", "A score for something.", "risk ${1:10} on $0"),
    ]

    static let patternHeader: [Word] = [
        Word("by", "The key: events of one key belong together."),
        Word("within", "The longest time from first to last event."),
    ]

    static let policies: [Word] = [
        Word("overlap none", "One match at a time."), Word("overlap each", "A run for each start."),
        Word("overlap latest", "The newest start wins."),
        Word("overlap all limit", "Every combination, up to a number."),
        Word("restart on repeat", "A new first event begins anew."),
        Word(
            "unbounded limit", "No time limit, but this many runs.",
            "unbounded limit ${1:1000} runs"),
        Word("report partial", "Shows runs that came to nothing."),
        Word("after match resume at", "Which events may be used again."),
        Word("assume absent at start", "What was not seen did not happen."),
    ]

    static let sequence: [Word] = [
        Word("then", "The next step."), Word("then immediately", "The very next event."),
        Word(
            "then no", "Nothing of this kind follows.",
            "then no ${1:name}: ${2:event} within ${3:5m}"),
        Word("no", "Nothing of this kind before.", "no ${1:name}: ${2:event} for ${3:5m}"),
        Word("without", "Nothing of this kind in between.", "without ${1:name}: $0"),
        Word("until", "What ends everything.", "until ${1:name}: $0"),
        Word("at least", "So many events or more.", "at least ${1:3} ${2:name}: $0"),
        Word("exactly", "So many events.", "exactly ${1:2} ${2:name}: $0"),
        Word("any number of", "None, one or many.", "any number of ${1:name}: $0"),
        Word("optional", "One event or none.", "optional ${1:name}: $0"),
        Word("all of", "Each once, in any order.", "all of {\n  $0\n}"),
        Word("any of", "One of these.", "any of {\n  $0\n}"),
    ]

    static let behindSource: [Word] = [
        Word("where", "Which events."),
        Word("by", "Where this event has the key.", "by ${1:key} = $0"),
        Word("within", "The longest gap from the step before."),
        Word("as few as possible", "No more events than needed."),
    ]

    static let threshold: [Word] = [
        Word("over", "The events."),
        Word("window", "Which of them count.", "window ${1:5m} ${2:sliding}"),
        Word("measure", "A value over the window.", "measure ${1:name} = $0"),
        Word("when", "When it fires."), Word("resolve when", "When it ends."),
        Word("remind every", "Repeats the alert."),
        Word("stale after", "How long unknown is borne."),
        Word("on no data resolve", "Without data it ends."),
        Word("on no data keep", "Without data it stays as it is."),
        Word("on no data fire", "Without data it fires."),
        Word("reset after match", "Firing empties the window."),
        Word("forget after", "When a key without events is forgotten."),
    ]

    static let metric: [Word] = [
        Word("by", "The key."), Word("over", "The events."),
        Word("window", "Which of them count.", "window ${1:1m} ${2:tumbling}"),
        Word("measure", "A value over the window.", "measure ${1:name} = $0"),
        Word("forecast", "What is expected next.", "forecast ${1:measure} for ${2:15m}"),
        Word("show", "Puts it on the dashboard.", "show \"$0\""),
    ]

    static let windows: [Word] = [
        Word("sliding", "The last so much time."), Word("tumbling", "One bucket after the other."),
        Word("hopping every", "Buckets that overlap."),
        Word("session gap", "Until nothing comes.", "session gap ${1:5m} max ${2:1h}"),
        Word("last", "So many events.", "last ${1:100} events"),
        Word("aligned to", "Buckets of a time zone.", "aligned to \"${1:Europe/Berlin}\""),
    ]

    static let behindCondition: [Word] = [
        Word("for", "How long it has to hold."),
        Word("at least", "With fewer events nothing is known.", "at least ${1:10} events"),
    ]

    static let correlation: [Word] = [
        Word("at least", "How many members are enough.", "at least ${1:2} of them"),
        Word("order", "In which order they come."),
        Word(
            "strength lift", "How much more often than by chance.",
            "strength lift(${1:later} after ${2:earlier} within ${3:5m}) >= ${4:2} over ${5:7d} with at least ${6:20}"
        ),
        Word(
            "strength moves_with", "How two values move together.",
            "strength moves_with(${1:x}, ${2:y}) over ${3:1h} step ${4:1m} >= ${5:0.8} with at least ${6:30} points"
        ),
        Word("once per event", "Each completing event is a match of its own."),
    ]

    static let anomaly: [Word] = [
        Word(
            "measure", "A series for each member.",
            "measure ${1:name} = ${2:count} of ${3:event} every ${4:1m} by ${5:field}"),
        Word("baseline last", "Compared with the buckets before."),
        Word("baseline seasonal daily over", "Compared with the same time of other days."),
        Word("baseline seasonal weekly over", "Compared with the same time of other weeks."),
        Word(
            "anomalous when", "When a member is unusual.",
            "anomalous when ${1:robust_z(measure) > 4}"),
        Word(
            "cluster when at least", "How many members make a cluster.",
            "cluster when at least ${1:3} ${2:field} within ${3:5m}"),
        Word("min spread", "The least spread of a baseline."),
        Word("at least", "How many values a baseline needs.", "at least ${1:30} values"),
        Word("update every", "How often a cluster is told again."),
        Word("adapt after", "When the unusual becomes usual."),
        Word("max span", "The longest cluster."),
    ]

    static let test: [Word] = [
        Word("at", "An event.", "at ${1:0s} $0"),
        Word(
            "arrives at", "An event that is late.",
            "arrives at ${1:20s} ${2:event} { $3 } time ${4:5s}"),
        Word("list", "What a list holds in this test.", "list ${1:name} = [$0]"),
        Word("watch from", "When watching began."), Word("advance to", "Time goes on."),
        Word("crash at", "The engine stops, and another goes on from a snapshot."),
        Word("expect alert at", "An alert."), Word("expect resolve at", "An end."),
        Word("expect correction at", "An alert that was mended."),
        Word("expect nothing", "No alert."), Word("expect nothing else", "No other alert."),
        Word("expect nothing before", "No alert before a time."),
    ]

    static let operators: [Word] = [
        Word("and", "Both."), Word("or", "One of both."), Word("==", "Equal."),
        Word("!=", "Not equal."),
        Word("<", "Less."), Word("<=", "Less or equal."), Word(">", "Greater."),
        Word(">=", "Greater or equal."), Word("in", "One of these."),
        Word("not in", "None of these."), Word("in list", "In a declared list."),
        Word("not in list", "Not in a declared list."), Word("in cidr", "In a network."),
        Word("not in cidr", "Not in a network."), Word("contains", "Has this part."),
        Word("starts with", "Begins so."), Word("ends with", "Ends so."),
        Word("like", "Fits a text with `*` and `?`."),
        Word("matches", "Fits a regular expression.", "matches /$0/"),
        Word("exists", "Is there."), Word("missing", "Is not there."),
        Word("else", "A value in place of a missing one."),
        Word("ignoring case", "Small or large letters."),
    ]

    static let operandWords: [Word] = [
        Word("not", "The opposite."), Word("true", "Always."), Word("false", "Never."),
        Word("any", "One element fits.", "any ${1:a} in ${2:list}: $0"),
        Word("every", "All elements fit.", "every ${1:a} in ${2:list}: $0"),
    ]

    static let source: [Word] = [
        Word("decode", "How lines are read."), Word("time", "The field with the event's time."),
        Word("type", "The event type.", "type field \"$0\""),
        Word("lateness", "How late events may come.", "lateness ${1:10s}"),
        Word(
            "idle after", "When a silent source no longer holds back time.", "idle after ${1:60s}"),
        Word("dedup", "The same again is one event.", "dedup ${1:id} for ${2:10m}"),
    ]

    static let sink: [Word] = [
        Word("when", "The least severity.", "when severity >= ${1:high}"),
        Word("group by", "Several alerts as one.", "group by ${1:rule} for ${2:10s}"),
        Word("rate", "At most so many.", "rate ${1:1} per ${2:second}"),
    ]

    static let engine: [Word] = [
        Word("data", "The folder of the state.", "data \"${1:state/}\""),
        Word("listen", "The address of the interface."),
        Word("memory", "The most memory.", "memory ${1:1GB}"),
        Word("keys per rule", "The most keys of a rule."),
        Word(
            "events per key", "The most events that a sequence or correlation keeps of a key."),
        Word("ids per source", "The most ids that `dedup` remembers of a source."),
    ]

    static let listKinds: [Word] = [
        Word("text", "One text a line."), Word("number", "One number a line."),
        Word("cidr", "Networks and addresses."), Word("pair", "Two values."),
        Word("table", "Rows with columns."),
    ]

    /// Every table, for the test that holds the words to the language.
    static let all: [[Word]] = [
        declarations, rule, patternHeader, policies, sequence, behindSource, threshold, metric,
        windows, behindCondition, correlation, anomaly, test, operators, operandWords, source, sink,
        engine, listKinds,
    ]
}
