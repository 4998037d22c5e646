"""DuckDB, from PyPI into a virtual environment under `.build`.

DuckDB reads the file whole and may use one thread. "One burst gives one alert" cannot be said in
plain SQL, so of Q2, Q3 and Q5 only the keys that match at all are compared.
"""

import json
import pathlib
import subprocess
import sys

from peer_kit import KEYS, KEYS_AND_ENDS, NUMBER, instant, run

NAME = "DuckDB"
COMPARED = {1: NUMBER, 2: KEYS, 3: KEYS, 4: KEYS_AND_ENDS, 5: KEYS}
DIFFERENCES = [
    "DuckDB: Q2, Q3 and Q5 find the keys that match at all, not each burst, so only those are compared."
]

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


class Peer:
    def __init__(self, file):
        self.file = file

    def prepare(self):
        """Why DuckDB cannot be had, or None."""
        folder = pathlib.Path(__file__).resolve().parent.parent.parent / ".build" / "peers"
        self.python = folder / "bin" / "python"
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=False)
        probe = [self.python, "-c", "import duckdb"]
        try:
            if subprocess.run(probe, capture_output=True).returncode != 0:
                subprocess.run([self.python, "-m", "pip", "install", "-q", "duckdb"], check=False)
            if subprocess.run(probe, capture_output=True).returncode == 0:
                return None
        except OSError:
            pass
        return "it cannot be had from PyPI"

    def start(self):
        """Processor time and time on the clock of a query of nothing."""
        child = "import duckdb; print(duckdb.connect().execute('SELECT 1').fetchall())"
        _, cpu, wall = run([self.python, "-c", child])
        return cpu, wall

    def ask(self, numbers):
        """What each query found, with processor time and time on the clock."""
        queries = json.dumps([QUERIES[number] for number in numbers])
        output, cpu, wall = run([self.python, "-c", CHILD, self.file, COLUMNS, queries])
        answers = dict(zip(numbers, json.loads(output)))
        return {number: self.found(number, rows) for number, rows in answers.items()}, cpu, wall

    def found(self, number, rows):
        if number == 1:
            return [("", "", "")] * rows[0][0]
        if number == 4:
            return [(host, instant(ended), "") for host, ended in rows]
        return [(key, "", "") for (key,) in rows]
