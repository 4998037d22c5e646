#!/usr/bin/env python3
"""Does to the real program what will be done to it: kills, full disks, dead sinks, damaged files.

    scripts/faults.py MARTLET [--only R1,R4] [--seed N] [--nightly]

Prints one line for each check of product fault list that it covers. When one fails, its folder stays
and the command that repeats it is printed. The truth that alerts are held against is a quiet `replay` of
the same events.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_calls  # noqa: E402
import fault_events  # noqa: E402
import fault_live  # noqa: E402
import fault_order  # noqa: E402
from fault_kit import RULES, Failed, Hook, kill_often, lines, need  # noqa: E402

IN_FLIGHT = 32


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
        began = time.monotonic()
        self.command("replay", events, "--rules", RULES, "--to", "oracle.ndjson", "--quiet")
        self.quiet = time.monotonic() - began
        return collections.Counter(record(line) for line in lines(self.path("oracle.ndjson")))

    def end(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()


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


def r1(check):
    """kill -9 at random moments; alerts in a file."""
    count = 1_000_000 if check.nightly else 200_000
    kills = 500 if check.nightly else 25
    events = check.events(count)
    oracle = check.oracle(events)
    kills = kill_often(check, [events, "--rules", RULES, "--data", "data", "--to", "out.ndjson"], kills)
    got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
    extra = compare(oracle, got, 0)
    return f"kills={kills} events={count} oracle={sum(oracle.values())} missing=0 extra={extra} (limit 0: a file)"


def sqlite_rules(check, extra=""):
    """The rules, and a sink that all of them send to."""
    with open(RULES) as file:
        text = file.read()
    text = text.replace('\n  alert "', '\n  send to archive\n  alert "')
    return check.write("all.rules", text + extra)


def r2(check):
    """The same with a sink that knows what it has: SQLite."""
    count = 1_000_000 if check.nightly else 100_000
    kills = 500 if check.nightly else 12
    events = check.events(count)
    wanted = {alert["id"] for alert in ids_of(check, events)}
    rules = sqlite_rules(check, '\nsink archive { sqlite "alerts.db" }\n')
    kills = kill_often(check, [events, "--rules", rules, "--data", "data"], kills)
    with sqlite3.connect(check.path("alerts.db")) as database:
        rows = [row[0] for row in database.execute("SELECT id FROM alerts")]
        states = dict(database.execute("SELECT id, state FROM alerts"))
    need(len(rows) == len(set(rows)), "an id has two rows")
    need(set(rows) == wanted, f"{len(wanted - set(rows))} ids are missing, {len(set(rows) - wanted)} are strange")
    last = {}
    for alert in lines(check.path("oracle.ndjson")):
        last[alert["id"]] = alert["state"]
    wrong = [key for key in last if states[key] != last[key]]
    need(not wrong, f"{len(wrong)} rows do not hold the last state, such as {wrong[:1]}")
    return f"kills={kills} events={count} oracle={len(wanted)} ids, rows={len(rows)} extra=0"


def ids_of(check, events):
    check.oracle(events)
    return lines(check.path("oracle.ndjson"))


def r4(check):
    """Damaged checkpoints: cut at every 512 bytes, one bit flipped at random places."""
    events = check.events(30_000)
    oracle = check.oracle(events)
    arguments = [events, "--rules", RULES, "--data", "data", "--to", "out.ndjson", "--quiet"]
    process = check.start(*arguments)
    # Two checkpoints are needed: one at the second start, after a kill, and one at its end.
    time.sleep(1.0)
    process.kill()
    process.wait()
    check.run(*arguments)
    shutil.copytree(check.path("data"), check.path("whole"))
    shutil.copy(check.path("out.ndjson"), check.path("out.whole"))
    names = sorted(name for name in os.listdir(check.path("whole")) if name.startswith("checkpoint-"))
    need(len(names) == 2, f"there are {len(names)} checkpoints and not 2")
    newest = check.path(os.path.join("data", names[-1]))
    with open(check.path(os.path.join("whole", names[-1])), "rb") as file:
        content = file.read()
    cuts = list(range(0, len(content), 512))
    flips = [check.draw.randrange(len(content)) for _ in range(1000)]
    if not check.nightly:
        cuts, flips = check.draw.sample(cuts, min(len(cuts), 6)), flips[:6]
    damages = [content[:cut] for cut in cuts]
    for place in flips:
        damages.append(content[:place] + bytes([content[place] ^ 1 << check.draw.randrange(8)]) + content[place + 1:])
    for damage in damages:
        shutil.rmtree(check.path("data"))
        shutil.copytree(check.path("whole"), check.path("data"))
        shutil.copy(check.path("out.whole"), check.path("out.ndjson"))
        with open(newest, "wb") as file:
            file.write(damage)
        open(check.path("log"), "w").close()
        check.run(*arguments)
        told = [line for line in check.log().splitlines() if "is damaged" in line]
        need(len(told) == 1, f"{len(told)} lines about the damage and not 1")
        got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
        compare(oracle, got, 0)
    return f"cuts={len(cuts)} flips={len(flips)} checkpoint={len(content)} B, fell back each time, extra=0"


def r5(check):
    """A full disk: the sources wait, and go on when there is room."""
    events = check.events(120_000)
    oracle = check.oracle(events)
    disk = check.path("small")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True).returncode:
        return "SKIPPED: a small disk cannot be mounted here"
    try:
        with open(os.path.join(disk, "ballast"), "wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
        with open(os.path.join(disk, "ballast"), "r+b") as file:
            file.truncate(os.path.getsize(os.path.join(disk, "ballast")) - 700_000)
        def waiting():
            process = check.start(events, "--rules", RULES, "--data", "small/data", "--to", "out.ndjson")
            deadline = time.monotonic() + 60
            while "wait until there is room" not in check.log():
                need(process.poll() is None, f"it ended with {process.returncode} and did not wait")
                need(time.monotonic() < deadline, "it never said that the disk is full")
                time.sleep(0.05)
            return process

        process = waiting()
        process.terminate()
        need(process.wait(10) == 4 and "was told to stop" in check.log(), f"told to stop, it ended with {process.returncode}")
        process = waiting()
        time.sleep(0.5)
        need(process.poll() is None, "it ended while the disk was full")
        os.unlink(os.path.join(disk, "ballast"))
        need(process.wait(60) == 0, f"exit code {process.returncode}")
        got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
        compare(oracle, got, 0)
        return f"events=120000 oracle={sum(oracle.values())}, waited, stopped when told to, waited, went on, lost=0 extra=0"
    finally:
        check.end()
        subprocess.run(["umount", disk], capture_output=True)


def hook_rules(check, url, more=""):
    return sqlite_rules(check, f'\nsink archive {{ webhook {{ url "{url}" {more} }} }}\n')


def webhook_kills(check):
    """Kills with a webhook: at most 32 come twice for each, with the same key and a mark."""
    kills = 40 if check.nightly else 8
    events = check.events(60_000)
    oracle = check.oracle(events)
    hook = Hook(lambda body, call, handler: (204, {}))
    rules = hook_rules(check, hook.url)
    kills = kill_often(check, [events, "--rules", rules, "--data", "data"], kills)
    got = collections.Counter(record(body) for body, *_ in hook.seen)
    extra = compare(oracle, got, kills * IN_FLIGHT)
    keys, first = {}, set()
    for body, _, _, headers in hook.seen:
        key = headers["Idempotency-Key"]
        need(keys.setdefault(key, record(body)) == record(body), "an Idempotency-Key stands for two records")
        need(record(body) not in first or body.get("redelivery"), "a record came twice and was not marked")
        first.add(record(body))
    hook.shutdown()
    return f"kills={kills} oracle={sum(oracle.values())} extra={extra} (limit {kills * IN_FLIGHT}), each marked"


def r7(check):
    """A sink that is down while alerts pile up: all come in order of their key, the other sink does not wait."""
    events = check.events(40_000)
    oracle = check.oracle(events)
    up = threading.Event()
    hook = Hook(lambda body, call, handler: (204, {}) if up.is_set() else (503, {}))
    rules = hook_rules(check, hook.url)
    process = check.start("--follow", events, "--rules", rules, "--data", "data", "--to", "out.ndjson")
    deadline = time.monotonic() + 60
    total = sum(oracle.values())
    while True:
        done = sum(1 for _ in open(check.path("out.ndjson"))) if os.path.exists(check.path("out.ndjson")) else 0
        if done >= total - 400:
            break
        need(time.monotonic() < deadline, f"the file has {done} of {total}")
        time.sleep(0.1)
    need(not hook.seen, "the dead sink took something")
    up.set()
    began = time.monotonic()
    while len(hook.seen) < done:
        need(time.monotonic() < began + 90, f"{len(hook.seen)} of {done} after 90 s")
        time.sleep(0.1)
    drained = time.monotonic() - began
    process.send_signal(signal.SIGTERM)
    need(process.wait(20) == 143, f"exit code {process.returncode}")
    order = collections.defaultdict(list)
    for alert in lines(check.path("out.ndjson")):
        order[(alert["rule"], json.dumps(alert["key"]))].append(record(alert))
    came = collections.defaultdict(list)
    for body, *_ in hook.seen:
        came[(body["rule"], json.dumps(body["key"]))].append(record(body))
    for key, records in came.items():
        need(records == order[key][:len(records)], f"the order of {key} has changed")
    hook.shutdown()
    return f"alerts={done} while down, drained in {drained:.1f} s after its return, order kept, the file had them all"


def r9(check):
    """A sink that answers 429, 500, nothing, rubbish and redirects; one alert that it never takes."""
    events = check.events(6_000)
    oracle = check.oracle(events)
    victims = list(dict.fromkeys(alert["id"] for alert in lines(check.path("oracle.ndjson"))))
    poison, patient, hang, rubbish, moved, refused = victims[5], victims[6], victims[7], victims[8], victims[9], victims[10]
    times = collections.defaultdict(list)

    def answer(body, call, handler):
        times[body["id"]].append(time.monotonic())
        if body["id"] == poison:
            return 500, {}
        if body["id"] == refused:
            return 422, {}
        if body["id"] == patient and call == 1:
            return 429, {"Retry-After": "3"}
        if body["id"] == hang and call == 1:
            time.sleep(2.5)
            return None
        if body["id"] == rubbish and call == 1:
            handler.wfile.write(b"\x00\xffno HTTP at all\r\n\r\n")
            return None
        if body["id"] == moved and call == 1:
            return 301, {"Location": "http://127.0.0.1:1/"}
        return 200, {}

    hook = Hook(answer)
    rules = hook_rules(check, hook.url, "timeout 1s")
    process = check.start("--follow", events, "--rules", rules, "--data", "data")
    wanted = set(oracle) - {key for key in oracle if key[0] in (poison, refused)}
    # What waits for the end of the input does not come while the file is followed.
    deadline = time.monotonic() + 60
    letters = ""
    more = 0
    while letters.count("\n") < 2:
        need(time.monotonic() < deadline, f"dead letters: {letters!r}")
        time.sleep(0.5)
        # Others must get through for the blame to fall on the alert.
        with open(events, "a") as file:
            for number in range(4):
                more += 1
                stamp = 1_790_000_200_000 + more * 100
                file.write(json.dumps({"type": "login", "user": f"x-{(more - 1) // 4}", "ip": "10.9.9.9",
                                       "result": "fail" if number < 3 else "ok", "time": stamp}) + "\n")
        letters = check.command("dlq", "ls", "--data", "data").stdout
    need(poison in letters and refused in letters, f"the dead letters are {letters}")
    gap = times[patient][1] - times[patient][0]
    need(gap >= 3, f"Retry-After: 3 was not honoured: {gap:.2f} s")
    got = {record(body) for body, *_ in hook.seen}
    missing = {key for key in wanted - got if key[0] in (patient, hang, rubbish, moved)}
    need(not missing, f"{len(missing)} alerts that failed once did not come, such as {next(iter(missing), None)}")
    need(len(got & wanted) > len(wanted) * 0.8, f"only {len(got & wanted)} of {len(wanted)} others came")
    # R39: the server has been mended.
    poisoned, refusedbefore = poison, refused
    poison = refused = None
    check.command("dlq", "retry", "--all", "--data", "data")
    while not {poisoned, refusedbefore} <= {body["id"] for body, *_ in hook.seen}:
        need(time.monotonic() < deadline + 30, "the dead letters did not come after `dlq retry`")
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    need(process.wait(20) == 143, f"exit code {process.returncode}")
    again = collections.Counter(record(body) for body, *_ in hook.seen)
    for key, count in again.items():
        need(count == 1, f"{key} came {count} times")
    need(check.command("dlq", "ls", "--data", "data").stdout == "", "there are dead letters left")
    hook.shutdown()
    return f"others={len(got & wanted)}, Retry-After 3 s kept ({gap:.1f} s), 2 dead letters, both came once after `dlq retry` (R39)"


def r18(check):
    """Rubbish between good events, with a data folder and a kill."""
    good = check.events(30_000)
    oracle = check.oracle(good)
    rubbish = [
        b'{"type":"login","user":', b"\x00\xff\xfe", b'{"a":"\xc3\x28"}', b"[" * 100_000, b'{"type":"login","time":1e400}',
        b'{"time":-0,"type":"login"}', b'{"time":9223372036854775808,"type":"login"}', b'{"a":"\\ud800"}', b"\xef\xbb\xbf", b"x" * 200_000,
    ]
    bad = 0
    with open(good, "rb") as file, open(check.path("mixed.ndjson"), "wb") as mixed:
        for line in file:
            mixed.write(line)
            if check.draw.random() < 0.05:
                bad += 1
                mixed.write(check.draw.choice(rubbish) + b"\n")
    arguments = [check.path("mixed.ndjson"), "--rules", RULES, "--data", "data", "--to", "out.ndjson"]
    process = check.start(*arguments)
    time.sleep(0.4)
    process.kill()
    process.wait()
    check.run(*arguments, "--dead-letter", "dead.ndjson")
    got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
    compare(oracle, got, 0)
    return f"bad={bad} lines in 30000, alerts as without them, exit 0"


def r33(check):
    """SIGTERM under load: a clean end, and nothing to process again."""
    events = check.events(300_000)
    arguments = [events, "--rules", RULES, "--data", "data", "--to", "out.ndjson"]
    process = check.start(*arguments)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(20)
    seconds = time.monotonic() - began
    need(code == 143 and seconds <= 10, f"exit code {code} after {seconds:.1f} s")
    open(check.path("log"), "w").close()
    oracle = check.oracle(events)
    check.run(*arguments)
    need("0 events behind the checkpoint" in check.log(), f"the next start said: {check.log()[:300]}")
    got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
    compare(oracle, got, 0)
    return f"ended in {seconds:.2f} s with 143, the next start replayed 0 events, extra=0"


def r34(check):
    """Two engines on one folder."""
    events = check.events(10)
    first = check.start("--follow", events, "--rules", RULES, "--data", "data")
    while not os.path.exists(check.path("data/journal-00000000")):
        time.sleep(0.05)
    open(check.path("log"), "w").close()
    check.run(events, "--rules", RULES, "--data", "data", code=3)
    need(f"process {first.pid}" in check.log(), f"it said: {check.log()}")
    return f"the second ends with 3 and names process {first.pid}"


def r35(check):
    """A folder of a newer version is refused and not touched."""
    events = check.events(2_000)
    arguments = [events, "--rules", RULES, "--data", "data", "--to", "out.ndjson"]
    check.run(*arguments)

    def files():
        return {name: open(check.path("data/" + name), "rb").read()
                for name in os.listdir(check.path("data")) if name != "lock"}

    with open(check.path("data/format"), "w") as file:
        file.write("martlet data 2\n")
    before = files()
    check.run(*arguments, code=3)
    need(files() == before, "something was touched")
    with open(check.path("data/format"), "w") as file:
        file.write("martlet data 1\n")
    check.run(*arguments)
    return "format 2: exit 3, untouched; format 1: read"


def r36(check):
    """Any number of threads gives the same records, also after a kill with another number."""
    events = check.events(60_000)
    oracle = check.oracle(events)
    for threads in ("1", "2", "4", "8"):
        arguments = [events, "--rules", RULES, "--data", "data" + threads, "--to", f"out{threads}.ndjson"]
        process = check.start(*arguments, "--threads", threads)
        time.sleep(0.5)
        process.kill()
        process.wait()
        check.run(*arguments, "--threads", str(check.draw.randrange(1, 5)))
        compare(oracle, collections.Counter(record(alert) for alert in lines(check.path(f"out{threads}.ndjson"))), 0)
    return f"1, 2, 4, 8 threads, each killed and gone on with another number: oracle={sum(oracle.values())} extra=0"


def rotation(check):
    """Files renamed and made anew while the engine is down or up."""
    parts = 6
    fault_events.write(check.path("all.ndjson"), 60_000, check.seed)
    oracle = check.oracle(check.path("all.ndjson"))
    with open(check.path("all.ndjson")) as file:
        content = file.readlines()
    size = len(content) // parts
    arguments = ["--follow", "app.ndjson", "--rules", RULES, "--data", "data", "--to", "out.ndjson"]
    open(check.path("app.ndjson"), "w").close()
    process = check.start(*arguments)

    def reached(part):
        """Whether alerts of a part have come, so that its file is open."""
        begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_790_000_000 + part * size * 20 // 1000))
        path = check.path("out.ndjson")
        if not os.path.exists(path):
            return False
        with open(path) as file:
            return any(json.loads(line)["matched_at"] > begin for line in file if line.endswith("\n"))

    for part in range(parts):
        with open(check.path("app.ndjson"), "a") as file:
            for line in content[part * size:(part + 1) * size]:
                file.write(line)
        # A file that nobody has opened before it is renamed is not known to anyone.
        began = time.monotonic()
        while not reached(part):
            need(time.monotonic() < began + 30, f"nothing came of part {part}")
            time.sleep(0.01)
        if part < parts - 1:
            if check.draw.random() < 0.7:
                process.kill()
                process.wait()
            os.rename(check.path("app.ndjson"), check.path(f"app.ndjson.{part}"))
            open(check.path("app.ndjson"), "w").close()
            if process.poll() is not None:
                process = check.start(*arguments)
    deadline = time.monotonic() + 60
    wanted = set(oracle)
    # Deadlines at the end of the stream stay open while the file is followed.
    while True:
        got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
        if len(wanted - set(got)) <= 40:
            break
        need(time.monotonic() < deadline, f"{len(wanted - set(got))} of {len(wanted)} records did not come")
        time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    need(process.wait(20) == 143, f"exit code {process.returncode}")
    got = collections.Counter(record(alert) for alert in lines(check.path("out.ndjson")))
    last = max(key[2] for key in oracle)
    missing = [key for key in wanted - set(got) if key[2] < last[:16]]
    need(not missing, f"{len(missing)} records are missing, such as {missing[:1]}")
    need(sum((got - oracle).values()) == 0, "records came twice")
    return f"parts={parts}, killed between most, records={sum(got.values())} extra=0"


CHECKS = {
    "R1": r1, "R2": r2, "P4": webhook_kills, "R4": r4, "R5": r5, "R7": r7, "R9": r9, "R18+kill": r18,
    "R33": r33, "R34": r34, "R35": r35, "R36+kill": r36, "rotation": rotation,
    **fault_live.CHECKS, **fault_order.CHECKS, **fault_calls.CHECKS,
}


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
