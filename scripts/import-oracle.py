#!/usr/bin/env python3
"""Compares imported rules with the tools of the languages they come from, on recorded events.

usage: scripts/import-oracle.py MARTLET [DATA]

MARTLET is the program, DATA the folder of the recordings (default: ../shared/data beside the
checkout). The judges are installed from PyPI into .build/import-venv: pySigma, its SQLite back end, and
eql. Without the folder, or where the packages cannot be had, everything is skipped, loudly.

Sigma: the sample rules of SigmaHQ, and rules drawn at random
from the fields and values of the recordings are imported and replayed. An event must match where

  tree    pySigma's own condition tree says so, evaluated here with plain logic (a test of an absent
          field is false, `not` is its opposite), and
  sqlite  the SQL that pySigma's SQLite back end writes says so.

EQL: queries over single events and sequences are run by the eql package over the same events.

Where a judge has no answer (an error, a feature that it lacks) that is counted. Exit 1 when an event
on which it has one is judged otherwise.
"""

import collections
import datetime
import gzip
import json
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import tomllib

import test_environment

ROOT = test_environment.ROOT
PACKAGES = ["pysigma==2.0.1", "pysigma-backend-sqlite==2.1.1", "eql==1.0.1"]
WINDOWS = (
    "win-bitsadmin win-cmstp win-lsass-comsvcs win-mshta-sct win-reg-dump-sam win-schtask "
    "win-vbs-launcher"
).split()
CLOUD = ["cloudtrail-stratus", "cloudtrail-s3-exfil"]
RANDOM_RULES = 150  # for each kind of events
RANDOM_QUERIES = 150  # for each kind of events
EVENTS_MAX = 4000  # of one recording, so that the whole takes a minute or two


# ---------------------------------------------------------------- leaving out


def skip(reason):
    print(f"import-oracle: SKIPPED: {reason}")
    sys.exit(0)


# ---------------------------------------------------------------- events


def read(path, most=EVENTS_MAX):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    # A recording that is too long is thinned out evenly.
    step = max(1, -(-len(every) // most))
    return every[::step]


def flatten(value, prefix=""):
    """Dotted names; lists and nulls are left out, as they are no scalars."""
    flat = {}
    for key, item in value.items():
        name = prefix + key
        if isinstance(item, dict):
            flat.update(flatten(item, name + "."))
        elif item is not None and not isinstance(item, list):
            flat[name] = item
    return flat


def spelled(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- pySigma's tree, judged plainly


class Undefined(Exception):
    pass


def pattern(value, cased):
    """A SigmaString as a regular expression for the whole of a text."""
    parts = tuple(map(repr, value.s))
    if parts not in PATTERNS:
        PATTERNS[parts] = (made_pattern(value, False), made_pattern(value, True))
    return PATTERNS[parts][cased]


PATTERNS = {}  # by the parts of the text


def made_pattern(value, cased):
    from sigma.types import SpecialChars

    text = ""
    for part in value.s:
        if isinstance(part, str):
            text += re.escape(part)
        elif part == SpecialChars.WILDCARD_MULTI:
            text += ".*"
        elif part == SpecialChars.WILDCARD_SINGLE:
            text += "."
        else:
            raise Undefined("placeholder")
    return re.compile(text, re.DOTALL | (0 if cased else re.IGNORECASE))


def number(value):
    try:
        return float(value) if not isinstance(value, bool) else None
    except ValueError:
        return None


def fits(value, field, event):
    import ipaddress

    from sigma import types

    actual = event.get(field)
    if isinstance(value, types.SigmaExpansion):
        return any(fits(inner, field, event) for inner in value.values)
    if isinstance(value, types.SigmaNull):
        return actual is None
    if isinstance(value, types.SigmaExists):
        return (actual is not None) == value.exists
    if actual is None:
        return False
    if isinstance(value, types.SigmaString):
        cased = isinstance(value, types.SigmaCasedString)
        return pattern(value, cased).fullmatch(spelled(actual)) is not None
    if isinstance(value, types.SigmaNumber):
        return number(actual) == value.number
    if isinstance(value, types.SigmaBool):
        return spelled(actual).lower() == spelled(value.boolean)
    if isinstance(value, types.SigmaRegularExpression):
        flags = 0
        for flag in value.flags:
            flags |= value.sigma_to_python_flags[flag]
        return re.search(str(value.regexp), spelled(actual), flags) is not None
    if isinstance(value, types.SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(actual) in value.network
        except ValueError:
            return False
    if isinstance(value, types.SigmaCompareExpression):
        left, right = number(actual), value.number.number
        if left is None:
            return False
        return {"LT": left < right, "LTE": left <= right, "GT": left > right, "GTE": left >= right}[value.op.name]
    if isinstance(value, types.SigmaFieldReference):
        other = event.get(value.field)
        if other is None:
            return False
        left, right = spelled(actual).casefold(), spelled(other).casefold()
        if value.starts_with and value.ends_with:
            return right in left
        if value.starts_with:
            return left.startswith(right)
        if value.ends_with:
            return left.endswith(right)
        return left == right
    raise Undefined(type(value).__name__)


def holds(condition, event):
    from sigma import conditions

    if isinstance(condition, conditions.ConditionAND):
        return all(holds(part, event) for part in condition.args)
    if isinstance(condition, conditions.ConditionOR):
        return any(holds(part, event) for part in condition.args)
    if isinstance(condition, conditions.ConditionNOT):
        return not holds(condition.args[0], event)
    if isinstance(condition, conditions.ConditionFieldEqualsValueExpression):
        return fits(condition.value, condition.field, event)
    raise Undefined("keyword")


# ---------------------------------------------------------------- random rules


class RuleMaker:
    """Draws rules whose values come from the events, so that they match some of them."""

    def __init__(self, events, seed):
        self.random = random.Random(seed)
        self.events = [event for event in events if event]
        # How a decimal is spelled (`500.0`, `500`) differs from tool to tool.
        decimal = {name for event in self.events for name, value in event.items() if isinstance(value, float)}
        counts = collections.Counter(name for event in self.events for name in event if name not in decimal)
        usable = re.compile(r"^[A-Za-z_][\w.-]*$")
        self.names = [
            name
            for name, count in counts.most_common(60)
            if usable.match(name) and name not in ("id", "time", "type")
        ]

    def value(self, name):
        for _ in range(50):
            event = self.random.choice(self.events)
            if name in event:
                return event[name]
        return "nothing"

    def quoted(self, text):
        return re.sub(r"([\\*?])", r"\\\1", text)

    def part(self, text):
        if len(text) < 2:
            return text
        start = self.random.randrange(len(text) - 1)
        return text[start : start + self.random.randint(1, 12)]

    def swapped(self, text):
        return self.random.choice([text, text, text.upper(), text.lower()])

    def item(self):
        name = self.random.choice(self.names)
        value = self.value(name)
        text = spelled(value)
        kind = self.random.randrange(18)
        if kind == 0 and not isinstance(value, str):
            return name, value
        if kind <= 2:
            return name, self.quoted(self.swapped(text))
        if kind == 3:
            return name, [self.quoted(self.swapped(spelled(self.value(name)))) for _ in range(3)]
        if kind <= 5:
            how = self.random.choice(["contains", "startswith", "endswith"])
            values = [self.quoted(self.swapped(self.part(text))) for _ in range(self.random.randint(1, 4))]
            return f"{name}|{how}", values
        if kind == 6:
            return f"{name}|startswith", self.quoted(self.swapped(text[: self.random.randint(1, 20)]))
        if kind == 7:
            return f"{name}|endswith", self.quoted(self.swapped(text[-self.random.randint(1, 8) :]))
        if kind == 8:
            return f"{name}|contains|all", [self.quoted(self.part(text)), self.quoted(self.part(text))]
        if kind == 9:
            part = re.escape(self.part(text)).replace("/", "\\/") if "/" in text else re.escape(self.part(text))
            return f"{name}|re" + self.random.choice(["", "|i"]), part
        if kind == 10:
            middle = self.random.randint(0, len(text))
            wild = self.random.choice(["*", "?"])
            return name, self.quoted(text[:middle]) + wild + self.quoted(text[middle + 1 :])
        if kind == 11:
            return f"{name}|contains|cased", self.quoted(self.swapped(self.part(text)))
        if kind == 12:
            return f"{name}|exists", self.random.choice([True, False])
        if kind == 13:
            return name, self.random.choice([None, "", "*"])
        if kind == 14:
            how = self.random.choice(["gt", "gte", "lt", "lte"])
            return f"{name}|{how}", self.random.randint(0, 5000)
        if kind == 15:
            return f"{name}|fieldref" + self.random.choice(["", "|startswith", "|endswith"]), self.random.choice(self.names)
        if kind == 16:
            return f"{name}|windash|contains", [" -" + self.random.choice("abcefks"), "/" + self.random.choice("cdn")]
        return f"{name}|neq", self.quoted(text)

    def selection(self):
        if self.random.random() < 0.15:
            return [dict([self.item()]), dict([self.item()])]
        return dict(self.item() for _ in range(self.random.choice([1, 1, 2])))

    def rule(self, number, source):
        detection = {name: self.selection() for name in ("one", "two", "filter_a", "filter_b")}
        detection["condition"] = self.random.choice(
            [
                "one",
                "one or two",
                "one and not two",
                "1 of filter_* and not one",
                "all of filter_* or (one and not two)",
                "not one and not 1 of filter_*",
                "1 of them",
                ["one", "two"],
            ]
        )
        return {
            "title": f"Random {source.get('product')} {number}",
            "name": f"random_{source.get('product')}_{number}",
            "logsource": source,
            "fields": ["id" if source.get("product") == "windows" else "eventID"],
            "detection": detection,
        }


# ---------------------------------------------------------------- Sigma


def replayed(rules, events, kind, time_field, id_field):
    """The ids of the events that each rule of a folder matched."""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event) + "\n")
        file.flush()
        command = [MARTLET, "replay", file.name, "--rules", str(rules), "--type", kind]
        command += ["--time-field", time_field, "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        sys.exit(f"import-oracle: {' '.join(command)} ended with {done.returncode}\n{done.stderr}")
    matches = collections.defaultdict(set)
    for line in done.stdout.splitlines():
        alert = json.loads(line)
        if alert["kind"] == "sequence":
            identity = next(v for k, v in alert["attached"].items() if k.split(".")[-1] == id_field)
            matches[alert["rule"]].add(identity)
    return matches


def sql_matches(backend, rule, events, numeric, id_field):
    """Ids that match. NULL is what WHERE takes it for: no match."""
    for item in re.findall(r"'([^'|]+)\|[gl]te?'", str(rule.to_dict()["detection"])):
        if item not in numeric:
            raise Undefined("SQLite orders any text above every number")
    try:
        queries = backend.convert_rule(rule)
    except Exception as error:  # the back end's own limits, told by many types
        raise Undefined(str(error).splitlines()[0])
    matched = set()
    for query in queries:
        where = re.sub(r"(?is)^select .*? where ", "", query.rstrip(";"), count=1)
        matched |= {row[0] for row in events.execute(f'SELECT "{id_field}" FROM logs WHERE {where}')}
    return matched


def table(events):
    base = sqlite3.connect(":memory:")
    base.create_function("REGEXP", 2, lambda regex, text: None if text is None else re.search(regex, spelled(text)) is not None)
    names = sorted({name for event in events for name in event})
    # SQLite tells columns apart without regard to case.
    columns = list({name.lower(): name for name in names}.values())[:1900]
    # In a column of numbers SQLite compares a text with a number by what it spells.
    numeric = {n for n in columns if any(isinstance(e.get(n), (int, float)) and not isinstance(e[n], bool) for e in events)}
    quoted = ", ".join(f'"{name}" {"NUMERIC" if name in numeric else ""} COLLATE NOCASE' for name in columns)
    base.execute(f"CREATE TABLE logs ({quoted})")
    marks = ", ".join("?" * len(columns))
    for event in events:
        row = [event.get(name) for name in columns]
        base.execute(f"INSERT INTO logs VALUES ({marks})", [spelled(v) if isinstance(v, bool) else v for v in row])
    return base, numeric


class Tally:
    def __init__(self):
        self.rules = self.events = self.matches = self.different = 0
        self.reasons = collections.Counter()

    def row(self, name):
        print(f"{name:34} {self.rules:6} {self.events:10} {self.matches:8} {self.different:10}")


def sigma_group(title, documents, events, kind, time_field, id_field, gate, failures):
    """Imports the rules, replays the events, and asks both judges."""
    import yaml
    from sigma.backends.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection

    tallies = {"tree": Tally(), "sqlite": Tally()}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "in").mkdir()
        for number, document in enumerate(documents):
            document = dict(document, fields=[id_field], name=document.get("name") or f"{title}_{number}")
            documents[number] = document
            (folder / "in" / f"{number}.yml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        done = subprocess.run(
            [MARTLET, "import", "sigma", folder / "in", "-o", folder / "out", "--report", folder / "loss.json"],
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 1):
            sys.exit(f"import-oracle: import ended with {done.returncode}\n{done.stderr}")
        report = json.loads((folder / "loss.json").read_text())
        lost = {note["rule"] for note in report["notes"] if note["kind"] == "lost"}
        for note in report["notes"]:
            if note["kind"] == "lost":
                tallies["tree"].reasons[re.sub(r"`[^`]*`", "`...`", note["reason"])] += 1
        found = replayed(folder / "out", events, kind, time_field, id_field)
    flat = [flatten(event) for event in events]
    base, numeric = table(flat)
    backend = sqliteBackend(collate_nocase=True, table="logs")
    for document in documents:
        if document["title"] in lost:
            continue
        name = re.sub(r"[^a-z0-9_]+", "_", document["name"].lower()).strip("_")
        ours = found.get(name, set())
        try:
            rule = SigmaCollection.from_dicts([document]).rules[0]
            conditions = [condition.parsed for condition in rule.detection.parsed_condition]
            passing = [event for event in flat if gate(document, event)]
            theirs = {e[id_field] for e in passing if any(holds(c, e) for c in conditions)}
            judge(tallies["tree"], title, document, ours, theirs, len(flat), failures, "tree")
            identities = {event[id_field] for event in passing}
            try:
                matched = sql_matches(backend, rule, base, numeric, id_field) & identities
                judge(tallies["sqlite"], title, document, ours, matched, len(flat), failures, "sqlite")
            except (Undefined, sqlite3.Error) as error:
                tallies["sqlite"].reasons[str(error)[:70]] += 1
        except Exception as error:
            tallies["tree"].reasons[f"{type(error).__name__}: {str(error)[:60]}"] += 1
    for name, tally in tallies.items():
        tally.row(f"{title}, {name}")
        for reason, count in tally.reasons.most_common(6):
            print(f"    no answer for {count} rules: {reason}")


def judge(tally, title, document, ours, theirs, events, failures, name):
    tally.rules += 1
    tally.events += events
    tally.matches += len(theirs)
    different = ours ^ theirs
    tally.different += len(different)
    if different:
        failures.append(
            f"{title}, {name}, {document['title']}: {len(ours - theirs)} matched by us alone, "
            f"{len(theirs - ours)} by the judge alone, for example {sorted(map(str, different))[0]}\n"
            f"    {json.dumps(document['detection'], default=str)}"
        )


def sigma(failures):
    import yaml

    print(f"{'Sigma':34} {'rules':>6} {'judgements':>10} {'matches':>8} {'different':>10}")
    sample = DATA / "sigma-sample"
    sources = json.loads((sample / "expected.json").read_text())["logsources"]

    def windows_gate(document, event):
        source = document["logsource"]
        for key in ("category", "service"):
            if key in source:
                channel, ids = sources[key][source[key]]
                if event.get("Channel") != channel or (ids and event.get("EventID") not in ids):
                    return False
        return True

    samples = [yaml.safe_load(path.read_text()) for path in sorted(sample.glob("*.yml"))]
    windows = read(sample / "events.ndjson")
    for name in WINDOWS:
        windows += read(DATA / f"{name}.ndjson.gz", most=EVENTS_MAX // 4)
    sigma_group("SigmaHQ samples", samples, windows, "windows.event", "@timestamp", "id", windows_gate, failures)
    maker = RuleMaker([flatten(event) for event in windows], seed=1)
    rules = [maker.rule(number, {"product": "windows"}) for number in range(RANDOM_RULES)]
    sigma_group("random, Windows", rules, windows, "windows.event", "@timestamp", "id", windows_gate, failures)
    cloud = [event for name in CLOUD for event in read(DATA / f"{name}.ndjson.gz")]
    for number, event in enumerate(cloud):
        event.setdefault("eventTime", event.get("@timestamp"))
        event["eventID"] = f"{number}"
    maker = RuleMaker([flatten(event) for event in cloud], seed=2)
    source = {"product": "aws", "service": "cloudtrail"}
    rules = [maker.rule(number, source) for number in range(RANDOM_RULES)]
    sigma_group("random, CloudTrail", rules, cloud, "aws.cloudtrail", "eventTime", "eventID", lambda *_: True, failures)


# ---------------------------------------------------------------- EQL

EPOCH_TICKS = 116_444_736_000_000_000  # 1970 in ticks of 100 ns since 1601


def rfc3339(ticks):
    seconds, rest = divmod(ticks - EPOCH_TICKS, 10_000_000)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:07}Z"


def eql_events():
    """The events of the eql package's own tests, and Sysmon events of an attack.

    The package compares texts without regard to case, so all texts are in small letters.
    """

    def small(value, key=None):
        if isinstance(value, dict):
            return {name: small(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [small(item) for item in value]
        return value.lower() if isinstance(value, str) and key != "time" else value

    import eql

    own = json.loads((pathlib.Path(eql.__file__).parent / "etc" / "test_data.json").read_text())
    # Some are of 1970, which is refused as absurd: all are moved by two years.
    own = [dict(event, timestamp=event["timestamp"] + 2 * 365 * 864_000_000_000) for event in own]
    own = [dict(event, id=event["serial_event_id"], time=rfc3339(event["timestamp"])) for event in own]
    sysmon = []
    kinds = {1: "process", 3: "network", 7: "image_load", 11: "file", 12: "registry", 13: "registry"}
    for event in read(DATA / "win-mshta-sct.ndjson.gz") + read(DATA / "win-vbs-launcher.ndjson.gz"):
        moment = datetime.datetime.fromisoformat(event["@timestamp"].replace("Z", "+00:00"))
        ticks = EPOCH_TICKS + round(moment.timestamp() * 1000) * 10_000
        kind = kinds.get(event.get("EventID"), "other")
        sysmon.append(dict(event, id=len(sysmon), event_type=kind, timestamp=ticks, time=rfc3339(ticks)))
    sysmon.sort(key=lambda event: event["timestamp"])
    return [("eql's own", [small(e) for e in own]), ("Sysmon", [small(e) for e in sysmon])]


def own_queries():
    """The queries of the package's tests, each on one line."""
    import eql

    text = (pathlib.Path(eql.__file__).parent / "etc" / "test_queries.toml").read_text()
    queries = [query["query"] for query in tomllib.loads(text)["queries"] if "query" in query]
    small = lambda text: text[0].lower()
    return [re.sub(r"\"[^\"]*\"|'[^']*'", small, " ".join(query.split())) for query in queries if "|" not in query]


class QueryMaker(RuleMaker):
    def __init__(self, events, seed):
        super().__init__(events, seed)
        # An object is its text here and nothing to the package.
        nested = {name for event in events for name, value in event.items() if isinstance(value, (dict, list))}
        # A field is of one type in EQL; where events mix them `!=` has no defined answer.
        kinds = collections.defaultdict(set)
        for event in events:
            for name, value in event.items():
                kinds[name].add(type(value))
        self.names = [name for name in self.names if name not in nested and len(kinds[name]) == 1]

    def test(self):
        name = self.random.choice(self.names)
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return f"{name} != null"
        if not isinstance(value, str):
            return f"{name} {self.random.choice(['==', '!=', '<', '>=', '>'])} {value}"
        quoted = json.dumps(value, ensure_ascii=False)
        if re.search(r"[^ -~]", value) or "*" in value or "?" in value:
            return f"{name} == null"
        start = self.random.randrange(len(value) + 1)
        wild = json.dumps("*" + value[start : start + 6] + "*")
        return self.random.choice(
            [
                f"{name} == {quoted}",
                f"{name} != {quoted}",
                f"{name} : {wild}",
                f'{name} : ({quoted}, {wild}, "nothing")',
                f"{name} like~ {wild}",
                f'{name} in ({quoted}, "nothing")',
                f'not {name} in~ ({quoted}, "nothing")',
                f"{name} regex~ {json.dumps(re.escape(value[:start]) + '.*')}",
                f"startsWith~({name}, {json.dumps(value[:start])})",
                f"not endsWith~({name}, {json.dumps(value[start:])})",
                # Of an absent field the package says no where EQL says nothing.
                f"({name} != null and stringContains~({name}, {wild.replace('*', '')}))",
                f"length({name}) > {len(value) // 2}",
                f"{name} == null",
            ]
        )

    def condition(self):
        return self.random.choice(
            ["{0}", "{0}", "{0} and {1}", "{0} or {1}", "not ({0} and {1})", "{0} and not ({1} or {2})"]
        ).format(self.test(), self.test(), self.test())

    def query(self):
        kinds = ["any", "process", "file", "network", "registry"]
        item = lambda: f"{self.random.choice(kinds)} where {self.condition()}"
        if self.random.random() < 0.4:
            return item()
        by = self.random.choice(["", "", " by " + self.key])
        span = self.random.choice(["1s", "10s", "1m", "1h"])
        items = " ".join(f"[{item()}]" for _ in range(self.random.choice([2, 2, 3])))
        until = self.random.choice(["", "", f" until [{item()}]"])
        return f"sequence{by} with maxspan={span} {items}{until}"


def eql_ours(queries, events):
    """For each query that was kept the ids of the events of each match."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        names = [f"q{number}" for number in range(len(queries))]
        (folder / "in").mkdir()
        for name, query in zip(names, queries):
            (folder / "in" / f"{name}.eql").write_text(query)
        command = [MARTLET, "import", "eql", folder / "in", "-o", folder / "out"]
        command += ["--event", "eql.event", "--category-field", "event_type", "--report", folder / "loss.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            sys.exit(f"import-oracle: import ended with {done.returncode}\n{done.stderr}")
        # The ids of all steps go into the alerts.
        for path in (folder / "out").glob("*.rules"):
            text = path.read_text()
            if path.name == "schema.rules":
                text = text.replace("event eql.event {\n", "event eql.event {\n  id: any\n", 1)
            else:
                steps = re.findall(r"(?m)^ +(?:then )?(step_\d+):", text)
                text = re.sub(r"(?m)^  attach .*\n", "", text)
                ids = ", ".join(f"{step}.id" for step in steps)
                text = re.sub(r"(?m)^(  alert .*)$", lambda found: found[1] + "\n  attach " + ids, text)
            path.write_text(text)
        matches = {name: set() for name in names if (folder / "out" / f"{name}.rules").exists()}
        lost = json.loads((folder / "loss.json").read_text())["notes"]
        file = folder / "events.ndjson"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        command = [MARTLET, "replay", file, "--rules", folder / "out", "--type", "eql.event", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"import-oracle: replay ended with {done.returncode}\n{done.stderr}")
        for line in done.stdout.splitlines():
            alert = json.loads(line)
            if alert["kind"] == "sequence":
                steps = sorted(alert["attached"].items(), key=lambda item: int(re.search(r"\d+", item[0])[0]))
                matches[alert["rule"]].add(tuple(value for _, value in steps))
    return [matches.get(name) for name in names], lost


def eql_theirs(query, events):
    """The same by the package; raises Undefined where it has no answer."""
    import eql

    try:
        with eql.parser.ParserConfig(elasticsearch_syntax=True, allow_runs=True):
            parsed = eql.parse_query(query, implied_any=False, implied_base=False)
        engine = eql.PythonEngine()
        found = []
        engine.add_query(parsed)
        engine.add_output_hook(found.append)
        engine.stream_events([eql.Event(e["event_type"], e["timestamp"], e) for e in events])
    except Exception as error:  # its own limits, told by many types
        raise Undefined(f"{type(error).__name__}: {str(error).splitlines()[0][:50]}")
    return {tuple(event.data["id"] for event in result.events) for result in found}


def eql(failures):
    print(f"\n{'EQL':34} {'queries':>6} {'judgements':>10} {'matches':>8} {'different':>10}")
    for title, events in eql_events():
        maker = QueryMaker(events, seed=3)
        maker.key = "process_name" if title == "eql's own" else "hostname" if "hostname" in maker.names else "Hostname"
        queries = own_queries() if title == "eql's own" else []
        queries += [maker.query() for _ in range(RANDOM_QUERIES)]
        ours, lost = eql_ours(queries, events)
        tally = Tally()
        for note in lost:
            if note["kind"] == "lost":
                tally.reasons["lost: " + re.sub(r"`[^`]*`", "`...`", note["reason"])] += 1
        for query, mine in zip(queries, ours):
            if mine is None:
                continue
            try:
                theirs = eql_theirs(query, events)
            except Undefined as error:
                tally.reasons[str(error)] += 1
                continue
            # Events without the key are one key to the package, and none to us.
            if by := re.match(r"sequence by ([\w.]+)", query):
                keyless = {event["id"] for event in events if event.get(by[1]) is None}
                theirs = {match for match in theirs if not keyless.intersection(match)}
            tally.rules += 1
            tally.events += len(events)
            tally.matches += len(theirs)
            tally.different += len(mine ^ theirs)
            if mine != theirs:
                failures.append(
                    f"{title}: {len(mine - theirs)} matched by us alone, {len(theirs - mine)} by the judge "
                    f"alone, for example {sorted(mine ^ theirs)[0]}\n    {query}"
                )
        tally.row(title)
        for reason, count in tally.reasons.most_common(8):
            print(f"    no answer for {count} queries: {reason}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: scripts/import-oracle.py MARTLET [DATA]")
    MARTLET = str(pathlib.Path(sys.argv[1]).resolve())
    DATA = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else ROOT.parent / "shared" / "data"
    if not DATA.is_dir():
        skip(f"there is no folder {DATA}")
    test_environment.enter("import", PACKAGES)
    failures = []
    sigma(failures)
    eql(failures)
    for failure in failures[:20]:
        print(f"DIFFERENT: {failure}")
    if failures:
        sys.exit(f"import-oracle: {len(failures)} rules or queries are judged otherwise")
    print("import-oracle: every event on which both have an answer is judged alike")
