"""Fault checks of what the system does to the program: it is killed before a call, a call fails, the clock
jumps. `strace` and `faketime` do that to the real program, which knows nothing of it.
"""

import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from fault_kit import Hook, need, starts

# What changes the disk. Files are made as well, but an empty file says as much as none.
CALLS = ["write", "fdatasync", "fsync", "renameat", "unlinkat", "ftruncate", "pwrite64"]
TRACE = "trace=" + ",".join(CALLS)
TEXT = "x" * 3_000
RULES = """event login { time: time, user: text, result: text }
rule each {
  sequence by user { a: login where result == "ok" }
  alert "{user} %s"
}
rule break_in {
  sequence by user within 1h {
    at least 3 failed: login where result == "fail"
    then success: login where result == "ok"
  }
  alert "{user} after {failed.count}"
}
"""

MORE = """rule more {
  sequence by user { a: login where result == "no" }
  alert "{user}"
}
"""


def logins(draw, first, count, good=1.0):
    text = ""
    for number in range(first, first + count):
        result = "ok" if draw.random() < good else "fail"
        text += f'{{"type":"login","time":{1_790_000_000_000 + number},"user":"u-{draw.randrange(9)}","result":"{result}"}}\n'
    return text


def ids(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [line[:200].split('"id":"', 1)[1][:32] for line in file if '"id":"' in line[:200]]


class Folder:
    """A data folder just before much happens: alerts of a killed engine, the end of a segment of the outbox
    near, a checkpoint to fall back to; and what is done to it until all has been delivered.
    """

    arguments = ["--follow", "in.ndjson", "--rules", "a.rules", "--data", "data", "--to", "out.ndjson", "--quiet"]

    def __init__(self, check):
        self.check = check
        check.write("a.rules", RULES % TEXT)
        check.write("in.ndjson", logins(check.draw, 0, 8_300))
        process = check.start(*self.arguments)
        self.reach(process, 8_300)
        process.terminate()
        need(process.wait(30) == 143, f"exit code {process.returncode}")
        with open(check.path("in.ndjson"), "a") as file:
            file.write(logins(check.draw, 8_300, 150, 0.5))
        process = check.start(*self.arguments)
        self.settle(process)
        process.kill()
        process.wait()
        with open(check.path("in.ndjson"), "a") as file:
            file.write(logins(check.draw, 8_450, 150, 0.5))
        os.unlink(check.path("data/control.sock"))
        for name in ("data", "out.ndjson"):
            os.rename(check.path(name), check.path(name + ".before"))
        check.command("replay", "in.ndjson", "--rules", "a.rules", "--to", "oracle.ndjson", "--quiet")
        self.truth = collections.Counter(ids(check.path("oracle.ndjson")))
        need(sum(self.truth.values()) > 8_400, f"only {sum(self.truth.values())} alerts")

    def listens(self, process):
        """Waits until it does, or has ended. What a killed one has left at that place has no one behind it."""
        deadline = time.monotonic() + 20
        while process.poll() is None:
            with socket.socket(socket.AF_UNIX) as connection:
                if connection.connect_ex(self.check.path("data/control.sock")) == 0:
                    return
            need(time.monotonic() < deadline, "it does not start")
            time.sleep(0.01)

    def reach(self, process, count, seconds=60):
        deadline = time.monotonic() + seconds
        while process.poll() is None and len(ids(self.check.path("out.ndjson"))) < count:
            need(time.monotonic() < deadline, f"{len(ids(self.check.path('out.ndjson')))} of {count} alerts came")
            time.sleep(0.02)

    def settle(self, process):
        """Waits until no more alerts come."""
        last = -1
        while process.poll() is None and os.path.getsize(self.check.path("out.ndjson")) != last:
            last = os.path.getsize(self.check.path("out.ndjson"))
            time.sleep(0.3)

    def again(self, fresh):
        """As it was before the fault; or with nothing done yet."""
        for name in ("data", "out.ndjson"):
            path = self.check.path(name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        if not fresh:
            shutil.copytree(self.check.path("data.before"), self.check.path("data"))
            shutil.copy(self.check.path("out.ndjson.before"), self.check.path("out.ndjson"))
        self.check.write("a.rules", RULES % TEXT)
        self.check.write("log", "")

    def work(self, inject):
        """One start with a fault, a reload, the rest of the events, and a stop, as far as it comes.

        Returns its exit code and where the fault was: the call and the kind of file; nil when it did not
        come so far.
        """
        check = self.check
        trace = check.path("trace")
        with open(check.path("log"), "a") as log:
            process = subprocess.Popen(
                ["strace", "-D", "-f", "-y", "-qq", "-s", "16", "-o", trace, "-e", TRACE, "-e", "inject=" + inject,
                 check.martlet, "run", *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=check.folder)
        check.running.append(process)
        self.listens(process)
        truth = sum(self.truth.values())
        deadline = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < deadline:
            if len(ids(check.path("out.ndjson"))) >= truth:
                break
            time.sleep(0.02)
        if process.poll() is None:
            check.write("a.next", RULES % TEXT + MORE)
            os.rename(check.path("a.next"), check.path("a.rules"))
            process.send_signal(signal.SIGHUP)
            before = self.checkpoint()
            deadline = time.monotonic() + 3
            while process.poll() is None and time.monotonic() < deadline and self.checkpoint() == before:
                time.sleep(0.02)
            if process.poll() is None:
                process.terminate()
        code = process.wait(40)
        # The tracer writes its last lines after that.
        for _ in range(100):
            text = open(trace, errors="replace").read()
            if code != -9 or "killed by SIGKILL" in text:
                break
            time.sleep(0.01)
        return code, place(text, inject)

    def checkpoint(self):
        return max((name for name in os.listdir(self.check.path("data"))
                    if name.startswith("checkpoint-") and not name.endswith("tmp")), default="")

    def recover(self):
        """A start without faults: all alerts are there, each once."""
        check = self.check
        process = check.start(*self.arguments)
        # Before it listens to signals it would end by them.
        self.listens(process)
        self.reach(process, sum(self.truth.values()), 30)
        process.terminate()
        got = process.wait(30)
        need(got == 143, f"the start after it ended with {got}: {check.log()[-400:]}")
        found = collections.Counter(ids(check.path("out.ndjson")))
        missing, extra = self.truth - found, found - self.truth
        need(not missing and not extra, f"{sum(missing.values())} alerts are missing, {sum(extra.values())} came twice")


def place(text, inject):
    """The call and the kind of file at which a fault was done, as strace tells it."""
    marks = [line for line in text.splitlines() if "(INJECTED)" in line]
    if "signal=" in inject:
        ends = [line for line in text.splitlines() if "killed by SIGKILL" in line]
        if not ends:
            return None
        call = inject.split(":")[0]
        # The one that the signal met has no result.
        marks = [line for line in text.splitlines() if re.match(rf"\d+ +{call}\(", line) and not re.search(r"\) += ", line)]
        marks = [line for line in marks if "= ?" in line or "unfinished" in line] or marks
    if not marks:
        return None
    line = marks[-1]
    call = re.match(r"\d+ +(?:<\.\.\. )?(\w+)", line).group(1)
    names = re.findall(r'<([^<>]*)>|"([^"]*)"', line)
    kinds = [os.path.basename(a or b) for a, b in names]
    kind = next((name for name in kinds if re.match(r"(checkpoint|journal|outbox|out\.nd|lock|format)", name)), None)
    if kind is None and call in ("fsync", "fdatasync") and kinds and kinds[0] == "data":
        kind = "folder"
    return f"{call} {re.sub(r'[0-9]+', 'N', kind)}" if kind else ""


def sweep(folder, plans, good):
    """Does one fault after another; returns how often each place was met, and the exit codes."""
    places, codes = collections.Counter(), collections.Counter()
    for fresh, call, fault, most in plans:
        misses = 0
        for number in most:
            folder.again(fresh)
            code, where = folder.work(f"{call}:{fault}:when={number}")
            told = f"{'a new folder, ' if fresh else ''}{call} {number} ({where}), exit code {code}"
            need(code in good, f"{told}: {folder.check.log()[-400:]}")
            # Each thread counts for itself: where none has come so far, none comes further.
            misses = misses + 1 if where is None and code == 143 else 0
            if misses == 2:
                break
            if misses:
                continue
            try:
                folder.recover()
            except ValueError as error:
                raise type(error)(f"{told}: {error}") from error
            if where:
                places[where] += 1
                codes[code] += 1
    return places, codes


def listed(places):
    return ", ".join(f"{name} {count}" for name, count in sorted(places.items()))


def r3(check):
    """Killed before each call that changes the disk: the next start recovers, with each alert once."""
    if not shutil.which("strace"):
        return "SKIPPED: there is no strace here"
    folder = Folder(check)
    few = {"write": [2, 4, 9], "fdatasync": [1, 2], "fsync": [1, 2, 3], "renameat": [1, 2], "unlinkat": [1, 2, 3]}
    if check.nightly:
        plans = [(fresh, call, "signal=SIGKILL", range(1, 41)) for fresh in (False, True) for call in CALLS]
    else:
        plans = [(False, call, "signal=SIGKILL", numbers) for call, numbers in few.items()]
    places, _ = sweep(folder, plans, (-9, 143))
    kills = sum(places.values())
    # Which thread makes which call is a matter of time, so a few plans meet few places.
    wanted = 40 if check.nightly else 2
    need(kills >= wanted, f"only {kills} kills: {listed(places)}")
    return f"kills={kills} at {len(places)} kinds of places ({listed(places)}), recovered after each, missing=0 extra=0"


def r6(check):
    """The n-th write or sync fails: the engine ends with 4 or goes on, and the next start has each alert once."""
    if not shutil.which("strace"):
        return "SKIPPED: there is no strace here"
    folder = Folder(check)
    most = range(1, 201)
    plans = [(fresh, call, "error=" + error, most if check.nightly else [3])
             for fresh in ([False, True] if check.nightly else [False])
             for call, error in (("write", "ENOSPC"), ("write", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"))]
    places, codes = sweep(folder, plans, (4, 143))
    told = ", ".join(f"exit {code}: {count}" for code, count in sorted(codes.items()))
    need(places, "no call failed")
    return f"failed={sum(places.values())} ({listed(places)}), {told}; recovered after each, missing=0 extra=0"


# What the clock on the wall does while a timer runs: what faketime is told at the start, and what then.
JUMPS = [
    ("an hour back", "+0", "-3600", None),
    ("an hour on", "+0", "+3600", None),
    ("29 Feb", "@2028-02-29 23:59:58", None, None),
    # The clock of the machine repeats the second.
    ("a leap second", "@2016-12-31 23:59:58", "@2016-12-31 23:59:59", None),
    ("summer time", "@2026-03-29 00:59:58", None, "Europe/Berlin"),
    ("winter time", "@2026-10-25 00:59:58", None, "Europe/Berlin"),
    ("2038", "@2038-01-19 03:14:05", None, None),
]
CLOCK_RULES = """event order { time: time, order: text }
event payment { time: time, order: text }
source a {
  file { path "in.ndjson" follow }
  lateness 1s
  idle after 2s
}
sink retried { webhook { url "%s/retried" } }
sink paced {
  webhook { url "%s/paced" }
  rate 2 per second
}
sink grouped {
  webhook { url "%s/grouped" }
  group by rule for 3s
}
rule seen {
  sequence by order { a: order }
  alert "{order}"
  send to retried, paced, grouped
}
rule unpaid {
  sequence by order within 1m {
    a: order
    then no b: payment within 4s
  }
  alert "{order}"
  send to retried
}
"""


def timers(check, name, start, then, zone):
    """Seconds that each timer took on the real clock, and the ids of all alerts."""
    came, lock = collections.defaultdict(list), threading.Lock()

    def answer(body, call, handler):
        kind = handler.path.strip("/")
        with lock:
            came[kind].append((time.monotonic(), body["rule"], body["id"]))
            number = len(came[kind])
        return (503, {}) if kind == "retried" and number <= 3 else (204, {})

    hook = Hook(answer)
    shutil.rmtree(check.path("data"), ignore_errors=True)
    check.write("in.ndjson", "")
    url = hook.url.rstrip("/")
    rules = check.write("clock.rules", CLOCK_RULES % (url, url, url))
    command = [check.martlet, "run", "--rules", rules, "--data", "data"]
    if start:
        check.write("clock", start)
        # The wrapper makes what the library shares between processes: a library that makes it itself moves
        # the environment, by which the program finds its arguments.
        command = [
            "faketime", "-f", "+0", "env", "-u", "FAKETIME", "FAKETIME_TIMESTAMP_FILE=" + check.path("clock"),
            "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_RESET=1",
            f"TZ={zone or 'UTC'}", *command]
    with open(check.path("log"), "w") as log:
        process = subprocess.Popen(
            command, cwd=check.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    check.running.append(process)
    starts(check, process)
    began = time.monotonic()
    with open(check.path("in.ndjson"), "a") as file:
        for number in range(5):
            file.write(json.dumps({"type": "order", "time": 1_790_000_000_000 + number, "order": f"o-{number}"}) + "\n")
    # In the middle of the silence, of the pause between attempts, of the group and of the rate.
    time.sleep(0.8)
    if then:
        check.write("clock.next", then)
        os.rename(check.path("clock.next"), check.path("clock"))

    def enough():
        with lock:
            return (sum(rule == "unpaid" for _, rule, _ in came["retried"]) >= 5
                    and len(came["paced"]) >= 5 and len(came["grouped"]) >= 1)

    deadline = time.monotonic() + 30
    while not enough():
        need(process.poll() is None, f"{name}: it ended: {check.log()[-400:]}")
        need(time.monotonic() < deadline, f"{name}: after 30 s there are {[(kind, len(calls)) for kind, calls in came.items()]}")
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    hook.shutdown()
    found = {
        "first alert": came["paced"][0][0], "rate": came["paced"][2][0], "rate again": came["paced"][4][0],
        "group": came["grouped"][0][0],
        "silence": min(at for at, rule, _ in came["retried"] if rule == "unpaid"),
        "retry": sorted(at for at, rule, _ in came["retried"] if rule == "seen")[5],
    }
    return ({timer: at - began for timer, at in found.items()},
            {id for calls in came.values() for _, _, id in calls})


def r13(check):
    """The clock on the wall jumps while timers run: none is a second early or late, and ids stay."""
    if not shutil.which("faketime") or not shutil.which("strace"):
        return "SKIPPED: there is no faketime or strace here"
    truth, ids = timers(check, "quiet", None, None, None)
    worst = 0
    jumps = JUMPS if check.nightly else [JUMPS[0], JUMPS[1], check.draw.choice(JUMPS[2:])]
    for name, start, then, zone in jumps:
        found, others = timers(check, name, start, then, zone)
        need(others == ids, f"{name}: the ids are others than in a quiet run")
        for timer, seconds in found.items():
            worst = max(worst, abs(seconds - truth[timer]))
            need(abs(seconds - truth[timer]) <= 1, f"{name}: {timer} after {seconds:.2f} s, quiet {truth[timer]:.2f} s")
    # A wait until a time of day cannot be seen through faketime, which turns it into another: so there is none.
    check.write("in.ndjson", "")
    trace = check.path("trace")
    shutil.rmtree(check.path("data"))
    process = subprocess.Popen(
        ["strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=futex,clock_nanosleep", check.martlet, "run",
         "--rules", "clock.rules", "--data", "data"], cwd=check.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check.running.append(process)
    time.sleep(3)
    need(process.poll() is None, f"it ended with {process.returncode}")
    process.kill()
    process.wait()
    with open(trace) as file:
        waits = [line for line in file if "CLOCK_REALTIME" in line and "tv_sec" in line
                 and ("TIMER_ABSTIME" in line or "FUTEX_CLOCK_REALTIME" in line)]
    need(not waits, f"{len(waits)} waits until a time of day, such as {waits[:1]}")
    shown = ", ".join(f"{timer} {seconds:.1f}" for timer, seconds in truth.items())
    return f"jumps={len(jumps)} ({', '.join(jump[0] for jump in jumps)}) timers ({shown} s) at most {worst:.2f} s off (bar 1), ids={len(ids)} the same, no wait by time of day"


CHECKS = {"R3": r3, "R6": r6, "R13": r13}
