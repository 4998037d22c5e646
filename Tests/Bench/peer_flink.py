"""Flink SQL as a stream with event time: one process with one slot, heap state, no checkpoints.

Flink comes from PyPI (`apache-flink-libraries`, without what Python programs for Flink need) into a
virtual environment outside the repository: the folder that FLINK_VENV names, else `flink-venv` in
the system's folder for temporary files. It needs a JDK 11 or 17 in PATH.

Limits of time in Flink exclude their end and ours include it, so they are a millisecond longer here;
all times of the events are whole milliseconds.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from peer_kit import ALL, KEYS_AND_ENDS, instant, run

NAME = "Flink SQL"
COMPARED = {1: ALL, 2: ALL, 3: KEYS_AND_ENDS, 4: KEYS_AND_ENDS, 5: ALL}
DIFFERENCES = [
    "Flink SQL: at the end of a file it closes windows that are not full, martlet does not; those are left"
    " out of Q4.",
    "Flink SQL: Q3 tells where an episode begins and not where it ends; martlet's alerts that end are not"
    " compared.",
    "Flink SQL: it writes one short row for each thing found, martlet an alert with its events.",
]

EVENTS = """
CREATE TABLE e (
  `time` TIMESTAMP_LTZ(3), type STRING, src_ip STRING, outcome STRING, `user` STRING, host STRING,
  status BIGINT, latency_ms DOUBLE, amount DOUBLE, WATERMARK FOR `time` AS `time`
) WITH (
  'connector' = 'filesystem', 'path' = 'file://{file}', 'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601')

CREATE VIEW auth AS SELECT `time`, src_ip, `user`, outcome FROM e WHERE type = 'auth'

CREATE VIEW web AS SELECT `time`, host, status, latency_ms FROM e WHERE type = 'web'

CREATE VIEW payment AS SELECT `time`, `user`, amount FROM e WHERE type = 'payment'
"""

FOUND = """
CREATE TABLE found_{number} (key STRING, ended TIMESTAMP(3), begun TIMESTAMP(3))
WITH ('connector' = 'print', 'print-identifier' = 'q{number}')
"""

NOTHING = """
CREATE TABLE found (number INT) WITH ('connector' = 'print')

INSERT INTO found VALUES (1)
"""

# `X*?` is what `then` says: events in between that belong to no step, as few as possible.
QUERIES = {
    1: """
  SELECT '', CAST(`time` AS TIMESTAMP(3)), CAST(`time` AS TIMESTAMP(3)) FROM web
  WHERE status >= 500""",
    # A failure, four more among what follows, and the first success then. A group with a number
    # of times, `(F X*?){5,}`, is not in Flink.
    2: """
  SELECT src_ip, CAST(ended AS TIMESTAMP(3)), CAST(begun AS TIMESTAMP(3)) FROM auth
  MATCH_RECOGNIZE (
    PARTITION BY src_ip ORDER BY `time`
    MEASURES F.`time` AS begun, S.`time` AS ended
    ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
    PATTERN (F X*? S) WITHIN INTERVAL '5:00.001' MINUTE TO SECOND
    DEFINE
      F AS F.outcome = 'failure',
      S AS S.outcome = 'success'
        AND SUM(CASE WHEN X.outcome = 'failure' THEN 1 ELSE 0 END) >= 4)""",
    # No two events have one time, so a count that begins to be ten or more is ten.
    3: """
  SELECT `user`, CAST(`time` AS TIMESTAMP(3)), CAST(NULL AS TIMESTAMP(3)) FROM (
    SELECT `user`, `time`, COUNT(*) OVER (
      PARTITION BY `user` ORDER BY `time`
      RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS failures
    FROM auth WHERE outcome = 'failure')
  WHERE failures = 10""",
    # An alert begins in a minute that satisfies the condition after one that did not.
    4: """
  SELECT host, window_end, CAST(NULL AS TIMESTAMP(3)) FROM (
    SELECT host, window_end, high,
      LAG(high) OVER (PARTITION BY host ORDER BY window_time) AS high_before
    FROM (
      SELECT host, window_end, window_time,
        AVG(latency_ms) > 300 AND PERCENTILE(latency_ms, 0.95) > 700 AS high
      FROM TUMBLE(TABLE web, DESCRIPTOR(`time`), INTERVAL '1' MINUTE)
      GROUP BY host, window_start, window_end, window_time))
  WHERE high AND high_before IS NOT TRUE""",
    5: """
  SELECT `user`, CAST(ended AS TIMESTAMP(3)), CAST(begun AS TIMESTAMP(3)) FROM payment
  MATCH_RECOGNIZE (
    PARTITION BY `user` ORDER BY `time`
    MEASURES A.`time` AS begun, C.`time` AS ended
    ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
    PATTERN (A X*? B Y*? C) WITHIN INTERVAL '10:00.001' MINUTE TO SECOND
    DEFINE B AS B.amount > A.amount, C AS C.amount > B.amount)""",
}

ROW = re.compile(r"^q(\d)> \+I\[(.*), (.*), (.*)\]$", re.MULTILINE)


class Peer:
    def __init__(self, file):
        self.file = file
        self.folder = pathlib.Path(file).parent
        with open(file, "rb") as events:
            events.seek(-4096, os.SEEK_END)
            last = events.read().splitlines()[-1].decode()
        self.last_time = instant(re.search(r'"time":"([^"]*)"', last)[1])

    def prepare(self):
        """Why Flink cannot be had, or None."""
        venv = pathlib.Path(
            os.environ.get("FLINK_VENV", pathlib.Path(tempfile.gettempdir()) / "flink-venv"))
        find = lambda: next(venv.glob("lib/python*/site-packages/pyflink/lib"), None)
        if find() is None:
            python = venv / "bin" / "python"
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", venv], check=False)
            if not python.exists():
                return "there is no virtual environment for it"
            subprocess.run(
                [python, "-m", "pip", "install", "-q", "--no-deps", "apache-flink-libraries"],
                check=False)
        libraries = find()
        if libraries is None:
            return "it cannot be had from PyPI"
        compile = [
            "javac", "-cp", f"{libraries}/*", "-d", self.folder,
            pathlib.Path(__file__).with_name("FlinkStatements.java")]
        try:
            if subprocess.run(compile).returncode != 0:
                return "`javac` cannot compile the program that runs it"
        except OSError:
            return "there is no `javac` in PATH"
        configuration = libraries.with_name("conf")
        options = re.search(
            r"^ *all: (--add.*)$", (configuration / "config.yaml").read_text(), re.MULTILINE)
        self.command = [
            "java", *(options[1].split() if options else []),
            "-cp", f"{libraries}/*:{self.folder}", "FlinkStatements"]
        self.environment = {**os.environ, "FLINK_CONF_DIR": str(configuration)}
        return None

    def execute(self, statements):
        file = self.folder / "statements.sql"
        file.write_text(statements)
        return run([*self.command, file], env=self.environment)

    def start(self):
        """Processor time and time on the clock of a job over one row."""
        _, cpu, wall = self.execute(NOTHING)
        return cpu, wall

    def ask(self, numbers):
        """What each query found, with processor time and time on the clock."""
        tables = "\n".join(FOUND.format(number=number) for number in numbers)
        inserts = "".join(
            f"INSERT INTO found_{number}{QUERIES[number]};\n" for number in numbers)
        job = f"EXECUTE STATEMENT SET BEGIN\n{inserts}END"
        output, cpu, wall = self.execute(EVENTS.format(file=self.file) + tables + "\n" + job)
        found = {number: [] for number in numbers}
        for number, key, ended, begun in ROW.findall(output):
            thing = (key, instant(ended), "" if begun == "null" else instant(begun))
            if number != "4" or thing[1] < self.last_time:
                found[int(number)].append(thing)
        return found, cpu, wall
