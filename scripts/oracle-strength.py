#!/usr/bin/env python3
"""Compares the strength of correlations (C6, C7) with NumPy and SciPy on random events.

usage: scripts/oracle-strength.py MARTLET [CASES]

MARTLET is the program. NumPy and SciPy are installed into .build/oracle-venv; where that cannot be
done everything is skipped, loudly. Exit 1 when a number differs by more than 1e-9, 0 otherwise.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".build" / "oracle-venv"
EPOCH = 1_767_225_600_000  # 2026-01-01T00:00:00Z; times are whole milliseconds

LIFT = """
event a {{ k: text  v: number? }}
event b {{ k: text  v: number? }}
rule lift {{
  correlation{by} within 5s {{
    x: a
    y: b
    strength lift(y after x within {lag}ms) >= 0 over {over}s with at least {least}{pooled}
    once per event
  }}
  alert "lift"
}}
"""
MOVES = """
event a {{ k: text  v: number? }}
event b {{ k: text  v: number? }}
rule moves {{
  correlation by k within 5s {{
    x: a
    y: b
    strength moves_with(x.v, y.v) over {over}s step {step}s lag 0..{lag}s >= -1 with at least {least} points
    once per event
  }}
  alert "moves"
}}
"""


def with_packages():
    """Runs this script again inside the environment that has the packages."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "numpy", "scipy"], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr else "pip failed")
    os.environ["ORACLE_VENV"] = "1"
    os.execv(str(python), [str(python), *sys.argv])


def made(number):
    """Events of three keys: b often follows a, and its value follows that of a twenty seconds later."""
    chance = random.Random(number)
    events, level = [], {key: [chance.gauss(10, 3) for _ in range(700)] for key in "pqr"}
    now = 0
    for _ in range(chance.randint(200, 900)):
        now += chance.choice([0, 1, 250, 1000, 3000, 9000])
        key = chance.choice("ppq" if number % 2 else "pqr")
        kind = chance.choice("ab")
        place = now // 10_000
        value = level[key][place] if kind == "a" else 2 * level[key][max(0, place - 2)] + chance.gauss(0, 1)
        if chance.random() < 0.1:
            value = None
        events.append((now, kind, key, value))
        if kind == "a" and chance.random() < 0.4:
            events.append((now + chance.randint(1, 4000), "b", key, 2 * level[key][max(0, place - 2)]))
    return sorted(events, key=lambda event: event[0])


def replay(martlet, rules, events):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "o.rules").write_text(rules)
        with open(folder / "in.ndjson", "w", encoding="utf-8") as lines:
            for time, kind, key, value in events:
                record = {"type": kind, "time": EPOCH + time, "k": key}
                if value is not None:
                    record["v"] = value
                lines.write(json.dumps(record) + "\n")
        command = [martlet, "replay", str(folder / "in.ndjson"), "--rules", str(folder / "o.rules"),
                   "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        if done.returncode != 0:
            sys.exit(f"oracle: martlet ended with {done.returncode}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def instant(alert):
    import datetime
    moment = datetime.datetime.fromisoformat(alert["matched_at"].replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000) - EPOCH


def main(martlet, cases):
    import numpy
    from scipy import stats

    failures, compared = [], {"lift": 0, "moves": 0}

    def expect(case, alert, name, value):
        got = alert["measures"][name]
        if abs(got - value) > 1e-9 * max(1, abs(value)):
            failures.append(f"case {case} at {alert['matched_at']}: {name} is {got}, expected {value}")

    def lift(case, events, alert, lag, over, is_pooled):
        now = instant(alert)
        key = alert["key"].get("k")
        # A match knows the events of its own instant that came before it, and no others. That makes no
        # difference: L is no whole number of quarter seconds, so no a is exactly L old.
        own = [event for event in events if event[0] <= now and (is_pooled or event[2] == key)]
        a = numpy.array([t for t, kind, *_ in own if kind == "a"])
        b = numpy.unique([t for t, kind, *_ in own if kind == "b"])
        known = a[(a + lag <= now) & (a >= now - over)]
        first = numpy.searchsorted(b, known, side="right")
        followed = sum(1 for t, place in zip(known, first) if place < len(b) and b[place] <= t + lag)
        start, end = max(now - over, events[0][0]), now - lag
        lower = numpy.maximum(b - lag, numpy.concatenate(([-lag - 1], b[:-1])))
        covered = numpy.clip(numpy.minimum(b, end) - numpy.maximum(lower, start), 0, None).sum()
        after, base = followed / len(known), covered / (end - start)
        expect(case, alert, "occurrences", len(known))
        expect(case, alert, "rate_after", after)
        expect(case, alert, "rate_base", base)
        expect(case, alert, "lift", after / base)
        compared["lift"] += 1

    def moves(case, events, alert, lag, over, step, least):
        now = instant(alert)
        series = {}
        for kind in "ab":
            # Buckets are counted from 1970; the day of the epoch begins one.
            values = {}
            for time, what, key, value in events:
                bucket = time // step
                whole = (bucket + 1) * step <= now and bucket * step >= now - over
                if what == kind and key == alert["key"]["k"] and value is not None and whole:
                    values.setdefault(bucket, []).append(value)
            series[kind] = {bucket: numpy.mean(found) for bucket, found in values.items()}
        best = None
        for far in range(lag // step + 1):
            pairs = [(x, series["b"][bucket + far]) for bucket, x in series["a"].items()
                     if bucket + far in series["b"]]
            if len(pairs) < least or len({x for x, _ in pairs}) < 2 or len({y for _, y in pairs}) < 2:
                continue
            found = stats.pearsonr([x for x, _ in pairs], [y for _, y in pairs]).statistic
            if best is None or abs(found) > abs(best[0]) + 1e-12:
                best = (found, far * step, len(pairs))
        expect(case, alert, "coefficient", best[0])
        expect(case, alert, "points", best[2])
        if seconds(alert["measures"]["lag"]) != best[1] / 1000:
            failures.append(f"case {case}: lag is {alert['measures']['lag']}, expected {best[1]} ms")
        compared["moves"] += 1

    for case in range(cases):
        chance = random.Random(-case - 1)
        events = made(case)
        lag, over, pooled = chance.choice([2137, 5137, 20137]), chance.choice([60, 300, 3600]), case % 3 == 0
        rules = LIFT.format(by=" by k", lag=lag, over=over, least=chance.choice([1, 5]),
                            pooled=" pooled" if pooled else "")
        for alert in replay(martlet, rules, events):
            lift(case, events, alert, lag, over * 1000, pooled)
        step, over, least = chance.choice([5, 10]), chance.choice([300, 1200]), chance.choice([3, 10])
        rules = MOVES.format(over=over, step=step, lag=step * 4, least=least)
        for alert in replay(martlet, rules, events):
            moves(case, events, alert, step * 4000, over * 1000, step * 1000, least)

    for failure in failures[:20]:
        print(failure)
    print(f"oracle: {compared['lift']} lifts and {compared['moves']} coefficients of {cases} cases compared, "
          f"{len(failures)} differ")
    if min(compared.values()) == 0:
        sys.exit("oracle: nothing was compared")
    sys.exit(1 if failures else 0)


def seconds(span):
    """A duration as records write it."""
    if isinstance(span, (int, float)):
        return span
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    total, number = 0, ""
    unit = ""
    for character in span + " ":
        if character.isdigit() and not unit:
            number += character
        elif character.isalpha():
            unit += character
        elif unit:
            total += int(number) * units[unit]
            number, unit = (character if character.isdigit() else ""), ""
    return total


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    if os.environ.get("ORACLE_VENV") != "1":
        try:
            with_packages()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"oracle: SKIPPED {2 * number} comparisons: NumPy and SciPy cannot be installed: {error}")
            sys.exit(0)
    main(sys.argv[1], number)
