#!/usr/bin/env python3
"""Runs the queries of `martlet bench` and the same questions in DuckDB over the same file, in turns.

usage: Tests/Bench/peers.py MARTLET [EVENTS [ROUNDS]]

Checks first that both find the same: for Q1 how many, for Q4 which hosts in which minutes, for Q2,
Q3 and Q5 which keys have a match at all, since "one burst gives one alert" cannot be said in plain
SQL. Then prints the processor time of both, all threads together, and how many times martlet's
DuckDB needs. DuckDB reads the file whole and may use one thread.

DuckDB comes from PyPI into a virtual environment under `.build`. Where it cannot be had all of this
is skipped, loudly. Exit 1 when the answers differ.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

COLUMNS = (
    "{time: 'TIMESTAMP', type: 'VARCHAR', src_ip: 'VARCHAR', outcome: 'VARCHAR', \"user\": 'VARCHAR', "
    "host: 'VARCHAR', path: 'VARCHAR', status: 'BIGINT', latency_ms: 'DOUBLE', amount: 'DOUBLE'}"
)

QUERIES = {
    1: "SELECT count(*) FROM e WHERE type = 'web' AND status >= 500",
    2: """
        SELECT DISTINCT src_ip FROM (
          SELECT src_ip, outcome, count(*) FILTER (outcome = 'failure') OVER (
            PARTITION BY src_ip ORDER BY time
            RANGE BETWEEN INTERVAL 5 MINUTES PRECEDING AND CURRENT ROW) AS failures
          FROM e WHERE type = 'auth')
        WHERE outcome = 'success' AND failures >= 5""",
    3: """
        SELECT DISTINCT "user" FROM (
          SELECT "user", count(*) OVER (
            PARTITION BY "user" ORDER BY time
            RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW) AS failures
          FROM e WHERE type = 'auth' AND outcome = 'failure')
        WHERE failures >= 10""",
    # An alert begins in a minute that satisfies the condition after one that did not.
    4: """
        WITH minutes AS (
          SELECT host, date_trunc('minute', time) AS minute,
            avg(latency_ms) > 300 AND quantile_cont(latency_ms, 0.95) > 700 AS high
          FROM e WHERE type = 'web' GROUP BY ALL),
        ended AS (
          SELECT *, coalesce(lag(high) OVER (PARTITION BY host ORDER BY minute), false) AS before
          FROM minutes WHERE minute + INTERVAL 1 MINUTE < (SELECT max(time) FROM e))
        SELECT host, strftime(minute + INTERVAL 1 MINUTE, '%Y-%m-%dT%H:%M:%SZ') FROM ended
        WHERE high AND NOT before""",
    5: """
        WITH p AS (SELECT "user", time, amount FROM e WHERE type = 'payment')
        SELECT DISTINCT a."user" FROM p a
        JOIN p b ON b."user" = a."user" AND b.time > a.time AND b.amount > a.amount
          AND b.time <= a.time + INTERVAL 10 MINUTES
        JOIN p c ON c."user" = a."user" AND c.time > b.time AND c.amount > b.amount
          AND c.time <= a.time + INTERVAL 10 MINUTES""",
}

CHILD = """
import json, sys
import duckdb
path, columns, queries = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
db = duckdb.connect()
db.execute("SET threads = 1; SET enable_progress_bar = false")
source = f"read_json('{path}', format = 'newline_delimited', columns = {columns})"
# For one query a view, so that only its columns are kept; for all of them the file is read once.
db.execute(("CREATE TABLE e AS SELECT * FROM " if len(queries) > 1 else "CREATE VIEW e AS SELECT * FROM ") + source)
print(json.dumps([db.execute(query).fetchall() for query in queries], default=str))
"""


def run(arguments):
    """Output, processor time and time on the clock of a process that must end well."""
    started = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"peers: `{arguments[0]}` ended with {status}")
    return output, usage.ru_utime + usage.ru_stime, time.monotonic() - started


def prepare_duckdb():
    """The Python that has DuckDB; None where it cannot be had."""
    folder = ROOT / ".build" / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=False)
    probe = [python, "-c", "import duckdb"]
    if subprocess.run(probe, capture_output=True).returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "-q", "duckdb"], check=False)
    return python if subprocess.run(probe, capture_output=True).returncode == 0 else None


def found_by_martlet(number, output):
    alerts = [json.loads(line) for line in output.splitlines()]
    begun = [alert for alert in alerts if alert["state"] == "firing"]
    if number == 1:
        return [[len(begun)]]
    if number == 4:
        return sorted([alert["key"]["host"], alert["matched_at"]] for alert in begun)
    return sorted({tuple(alert["key"].values()) for alert in begun})


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1])
    martlet = sys.argv[1]
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 500_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    python = prepare_duckdb()
    if python is None:
        print(f"peers: SKIPPED all {len(QUERIES) + 1} comparisons: DuckDB cannot be had from PyPI")
        return
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [martlet, "bench", "--write", folder, "--events", str(events)], check=True)
        file = f"{folder}/shop.ndjson"
        print(f"{events} events, {os.path.getsize(file) // events} bytes each; processor seconds")
        print(f"{'':4}{'martlet':>10}{'DuckDB':>10}{'times':>8}  answers")
        for number in [1, 2, 3, 4, 5, 6]:
            numbers = [number] if number < 6 else list(QUERIES)
            ours, theirs = [], []
            for _ in range(rounds):
                output, cpu, _ = run(
                    [martlet, "replay", file, "--quiet", "--format", "json", "--rules",
                     f"{folder}/q{number}.rules"])
                ours.append(cpu)
                answer, cpu, _ = run(
                    [python, "-c", CHILD, file, COLUMNS,
                     json.dumps([QUERIES[one] for one in numbers])])
                theirs.append(cpu)
            verdict = "not compared again"
            if number < 6:
                left = [list(row) for row in found_by_martlet(number, output)]
                right = sorted(json.loads(answer)[0])
                verdict = f"the same {left[0][0] if number == 1 else len(left)}"
                if left != right:
                    differences += 1
                    verdict = f"DIFFERENT: {len(left)} and {len(right)}"
            ratio = statistics.median(b / a for a, b in zip(ours, theirs))
            print(f"Q{number}  {statistics.median(ours):10.2f}{statistics.median(theirs):10.2f}"
                  f"{ratio:8.1f}  {verdict}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
