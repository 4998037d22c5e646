#!/usr/bin/env python3
"""Does to the real program what will be done to it: kills, full disks, dead sinks, damaged files.

    scripts/faults.py MARTLET [--only R1,R4] [--seed N] [--nightly]

Prints one line for each check of product fault list that it covers. When one fails, its folder stays
and the command that repeats it is printed. The truth that alerts are held against is a quiet `replay` of
the same events.
"""

import argparse
import collections
import fcntl
import http.server
import json
import os
import random
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_events  # noqa: E402

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULES = os.path.join(HERE, "Tests", "Faults", "faults.rules")
IN_FLIGHT = 32


class Failed(Exception):
    """What a check found."""


def need(condition, message):
    if not condition:
        raise Failed(message)


class Check:
    """One check in a folder of its own."""

    def __init__(self, martlet, seed, nightly):
        self.martlet, self.seed, self.nightly = martlet, seed, nightly
        self.draw = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="martlet-fault-")
        self.running = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def events(self, count, name="events.ndjson", **more):
        fault_events.write(self.path(name), count, self.seed, **more)
        return self.path(name)

    def start(self, *arguments, **more):
        log = open(self.path("log"), "a")
        process = subprocess.Popen(
            [self.martlet, "run", *arguments], stderr=log, cwd=self.folder,
            **{"stdout": log, "stdin": subprocess.DEVNULL, **more})
        self.running.append(process)
        return process

    def run(self, *arguments, code=0, seconds=120, **more):
        process = self.start(*arguments, **more)
        got = process.wait(seconds)
        need(got == code, f"exit code {got} and not {code}; see {self.path('log')}")
        return process

    def command(self, *arguments, code=0):
        done = subprocess.run(
            [self.martlet, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120)
        need(done.returncode == code,
             f"{' '.join(arguments)}: exit code {done.returncode} and not {code}: {done.stderr.strip()}")
        return done

    def log(self):
        with open(self.path("log")) as file:
            return file.read()

    def oracle(self, events):
        """The records of a quiet run, by what tells them apart."""
        self.command("replay", events, "--rules", RULES, "--to", "oracle.ndjson", "--quiet")
        return collections.Counter(record(line) for line in lines(self.path("oracle.ndjson")))

    def end(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def record(alert):
    """What makes a record the same when it comes again."""
    return (alert["id"], alert["state"], alert["matched_at"], alert.get("reason"), alert["message"])


def compare(oracle, got, limit):
    """How many records came too often, after holding the two against each other."""
    missing = oracle - got
    strange = set(got) - set(oracle)
    extra = sum((got - oracle).values())
    need(not missing, f"{sum(missing.values())} of {sum(oracle.values())} records are missing, such as {next(iter(missing), None)}")
    need(not strange, f"{len(strange)} records that a quiet run does not make, such as {next(iter(strange), None)}")
    need(extra <= limit, f"{extra} records came twice, and {limit} may")
    return extra


def kill_often(check, arguments, kills, least, most, **more):
    """Starts an engine and kills it at random moments, then lets one run to the end."""
    for _ in range(kills):
        process = check.start(*arguments, **more)
        try:
            process.wait(check.draw.uniform(least, most))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    check.run(*arguments, **more)


def r1(check):
    """kill -9 at random moments; alerts in a file."""
    count = 1_000_000 if check.nightly else 200_000
    kills = 500 if check.nightly else 25
    events = check.events(count)
    oracle = check.oracle(events)
    kill_often(check, [events, "--rules", RULES, "--data", "data", "--to", "out.ndjson"], kills, 0.02, 0.6)
    got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
    extra = compare(oracle, got, 0)
    return f"kills={kills} events={count} oracle={sum(oracle.values())} missing=0 extra={extra} (limit 0: a file)"


CHECKS = {"R1": r1}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("martlet")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")))
    parser.add_argument("--nightly", action="store_true")
    options = parser.parse_args()
    martlet = os.path.abspath(options.martlet)
    seed = options.seed or random.SystemRandom().randrange(1, 100_000)
    wanted = [name for name in options.only.split(",") if name] or list(CHECKS)
    failed = 0
    for name in wanted:
        if name not in CHECKS:
            print(f"faults: there is no check {name}: there are {', '.join(CHECKS)}", file=sys.stderr)
            return 3
        check = Check(martlet, seed, options.nightly)
        started = time.monotonic()
        try:
            text = CHECKS[name](check)
            verdict = "skip" if text.startswith("SKIPPED") else "ok  "
        except (Failed, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as error:
            text, verdict = f"{type(error).__name__}: {error}", "FAIL"
        check.end()
        print(f"{name:<4} {verdict} seed={seed} {text} {time.monotonic() - started:.1f} s", flush=True)
        if verdict == "FAIL":
            failed += 1
            print(f"     the folder is {check.folder}; to repeat: scripts/faults.py {options.martlet} "
                  f"--only {name} --seed {seed}{' --nightly' if options.nightly else ''}", flush=True)
        else:
            shutil.rmtree(check.folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
