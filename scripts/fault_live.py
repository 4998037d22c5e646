"""Fault checks of a running engine: rubbish on its input, rules that change under load, floods of keys,
slow readers, many threads. Each takes a `Check` of faults.py and returns its figures.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import fault_events
from fault_kit import RULES, lines, need, without_emission

GUESSED = """event login { user: text  result: text }
rule guessed {
  sequence by user within 1h {
    at least 20 bad: login where result == "fail"
    then good: login where result == "ok"
  }
  alert "{user} got in after {bad.count}"
}
"""


class Live:
    """An engine that reads its standard input and is talked to."""

    def __init__(self, check, *arguments, stdout=None):
        self.check = check
        self.socket = check.path("control.sock")
        self.out = open(check.path("alerts"), "wb") if stdout is None else stdout
        self.process = check.start(
            "--control", "control.sock", *arguments, stdin=subprocess.PIPE, stdout=self.out)
        for _ in range(500):
            if os.path.exists(self.socket):
                return
            time.sleep(0.02)
        raise ValueError("the engine did not start: " + check.log())

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def ask(self, verb, **more):
        """One request to the socket: exit code, standard output, standard error."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(120)
        connection.connect(self.socket)
        connection.sendall((json.dumps({"verb": verb, "json": True, **more}) + "\n").encode())
        answer = b""
        while not answer.endswith(b"\n"):
            piece = connection.recv(1 << 16)
            if not piece:
                break
            answer += piece
        connection.close()
        need(answer, "the engine did not answer")
        answer = json.loads(answer)
        return answer["code"], answer["output"], answer["errors"]

    def status(self):
        code, output, errors = self.ask("status")
        need(code == 0, errors)
        return json.loads(output)

    def reached(self, events, seconds=60):
        for _ in range(seconds * 20):
            if self.status()["events"] >= events:
                return
            time.sleep(0.05)
        raise ValueError(f"{self.status()['events']} of {events} events were read")

    def end(self, code=0, seconds=120):
        self.process.stdin.close()
        got = self.process.wait(seconds)
        need(got == code, f"exit code {got} and not {code}: {self.check.log()}")
        if self.out is not None and hasattr(self.out, "close"):
            self.out.close()

    def alerts(self):
        return lines(self.check.path("alerts"))

    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}") as file:
            return file.read()

    def resident(self):
        """In KiB."""
        found = re.search(r"VmRSS:\s+(\d+)", self.proc("status"))
        return int(found.group(1)) if found else 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def login(user, result, ms):
    return json.dumps({"type": "login", "time": 1_790_000_000_000 + ms, "user": user, "result": result}) + "\n"


def cpu_seconds(check, *arguments):
    """Processor time of a command and its exit code."""
    before = os.times()
    done = subprocess.run([check.martlet, *arguments], cwd=check.folder, capture_output=True, text=True, timeout=300)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, done


BAD = [
    (b'{"type":"login","time":1790000000000,"user":"a"', "cut off"),
    (b'[1,2]', "no object"),
    (b'{"type":"login","time":1790000000000,"user":"\xff\xfe"}', "invalid UTF-8"),
    (b'{"type":"login","time":1790000000000,"user":"a\x00b"}', "NUL"),
    (b'{"type":"login","time":1790000000000,"user":"\\ud800"}', "half a surrogate pair"),
    (b'{"type":"login","time":1e400,"user":"a"}', "a number too large"),
    (b'{"type":"login","time":1790000000000,"user":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nesting"),
    (b'{"type":"login","user":"a"}', "no time"),
    (b'{"type":"login","time":"yesterday","user":"a"}', "no such time"),
    (b'{"type":"login","time":1790000000000,"user":"a"} {}', "bytes behind"),
    (b'\xef\xbb\xbf{"type":"login","time":1790000000000,"user":"a"}', "a BOM in the middle"),
]

ODD = [
    b'{"type":"login","time":1790000000000,"user":"odd","result":"ok","result":"ok","n":-0}',
    b'{"type":"login","time":1790000000000,"user":"odd","result":"ok","n":9223372036854775808}',
    b'{"type":"login","time":1790000000000,"user":"odd","result":"ok","n":1e-9999}',
]


def r18(check):
    """Rubbish between good lines: each is told with its place, and the good ones are processed."""
    count = 400_000 if check.nightly else 100_000
    good = check.events(count, "good.ndjson")
    bad = 0
    with open(good, "rb") as source, open(check.path("mixed.ndjson"), "wb") as mixed, \
            open(check.path("short.ndjson"), "wb") as short:
        for number, line in enumerate(source):
            mixed.write(line)
            short.write(line)
            if number % 9 == 0:
                kind = BAD[check.draw.randrange(len(BAD))][0]
                if len(kind) < 1000 or number % 900 == 0:
                    mixed.write(kind + b"\n")
                    bad += 1
                short.write(BAD[number // 9 % 6][0] + b"\n")
        for line in ODD:
            mixed.write(line + b"\n")
        mixed.write(b'{"type":"login","time":1790000000000,"user":"' + b"x" * (64 << 20) + b'"}\n')
        bad += 1
    shutil.copy(good, check.path("plain.ndjson"))
    with open(check.path("plain.ndjson"), "ab") as plain:
        plain.writelines(line + b"\n" for line in ODD)
    plain = check.command("replay", "plain.ndjson", "--rules", RULES, "--format", "json")
    mixed = check.command(
        "replay", "mixed.ndjson", "--rules", RULES, "--format", "json", "--dead-letter", "dead.ndjson")
    need(mixed.stdout == plain.stdout, "the alerts are others than without the bad lines")
    dead = lines(check.path("dead.ndjson"))
    need(len(dead) == bad, f"{len(dead)} dead letters and not {bad}")
    need(all("offset" in letter and "reason" in letter for letter in dead), "a dead letter without place or reason")
    costs = []
    for _ in range(3):
        pair = [cpu_seconds(check, "replay", name, "--rules", RULES, "--to", "/dev/null", "--quiet")[0]
                for name in ("good.ndjson", "short.ndjson")]
        costs.append(pair[0] / pair[1])
    rate = sorted(costs)[1]
    need(rate >= 0.9, f"good events at {rate:.2f} of their rate without bad ones")
    return f"events={count} bad={bad} lost=0 rate={rate:.2f} (bar 0.90) alerts={len(plain.stdout.splitlines())}"


def r20(check):
    """Rules that are no good: the old ones stay, who asked is told, and it is counted."""
    check.write("a.rules", GUESSED)
    live = Live(check, "--rules", "a.rules", "--no-watch")
    live.send("".join(login("ann", "fail", ms) for ms in range(19)))
    refused = 0
    for name, change in [
        ("a syntax error", lambda: check.write("a.rules", "rule x {")),
        ("half written", lambda: check.write("a.rules", GUESSED[:150])),
        ("empty", lambda: check.write("a.rules", "")),
        ("missing", lambda: os.remove(check.path("a.rules"))),
        ("a folder", lambda: os.mkdir(check.path("a.rules"))),
        ("a missing import", lambda: (os.rmdir(check.path("a.rules")),
                                      check.write("a.rules", 'import "gone.rules"\n' + GUESSED))),
        ("a link to nothing", lambda: (os.remove(check.path("a.rules")),
                                       os.symlink("nowhere", check.path("a.rules")))),
    ]:
        change()
        code, _, errors = live.ask("reload")
        refused += 1
        need(code == 2, f"{name}: exit code {code}")
        need("stays in force" in errors, f"{name}: {errors}")
        need(live.status()["rules"]["reload_failed_total"] == refused, f"{name}: not counted")
    denied = "a file that may not be read: SKIPPED for root"
    if os.geteuid() != 0:
        os.remove(check.path("a.rules"))
        os.chmod(check.write("a.rules", GUESSED), 0)
        need(live.ask("reload")[0] == 2, "a file that may not be read")
        refused += 1
        denied = "a file that may not be read"
    os.makedirs(check.path("..two"))
    check.write("..two/a.rules", GUESSED.replace("got in", "came in"))
    os.symlink("..two", check.path("..data"))
    os.symlink("..data/a.rules", check.path("new"))
    os.rename(check.path("new"), check.path("a.rules"))
    code, _, errors = live.ask("reload")
    need(code == 0, errors)
    live.send(login("ann", "fail", 50) + login("ann", "ok", 51))
    live.end()
    messages = [alert["message"] for alert in live.alerts()]
    need(messages == ["ann came in after 20"], f"alerts: {messages}")
    return f"refused={refused} then a link was exchanged, with 19 failures kept; {denied}"


def r21(check):
    """Reloads under load: other rules come, change and go."""
    reloads = 10_000 if check.nightly else 1_000
    base = open(RULES).read()
    check.write("a.rules", base)
    live = Live(check, "--rules", "a.rules", "--no-watch")
    sent = []
    stop = threading.Event()

    def produce():
        began = time.monotonic()
        source = fault_events.events(100_000_000, check.seed, 1)
        while not stop.is_set():
            due = int((time.monotonic() - began) * 20_000) - len(sent)
            lines = [next(source) + "\n" for _ in range(max(0, min(due, 2000)))]
            if lines:
                live.send("".join(lines))
                sent.extend(lines)
            time.sleep(0.005)

    producer = threading.Thread(target=produce)
    producer.start()
    pauses, warm, descriptors = [], 0, 0
    try:
        for number in range(reloads):
            other = number % 3
            text = base
            if other:
                text = base + f"""
rule other{number // 3 % 7} {{
  sequence by service within 1m {{ one: request where service == "s-{other}" }}
  alert "{{service}} {number}"
  suppress by service for {other}h
}}
"""
            check.write("a.next", text)
            os.rename(check.path("a.next"), check.path("a.rules"))
            code, output, errors = live.ask("reload")
            need(code == 0, errors)
            answer = json.loads(output)
            pauses.append(answer.get("pause_ms", 0))
            kept = [rule for rule in answer["rules"] if not rule["rule"].startswith("other")]
            need(all(rule["outcome"] == "kept" for rule in kept), f"not kept: {kept}")
            if number == reloads // 4:
                warm, descriptors = live.resident(), live.descriptors()
        grown = live.resident() / warm - 1
        # A connection that has just been answered may still be open.
        after = min(live.descriptors() for _ in range(20) if time.sleep(0.02) is None)
        need(after <= descriptors, f"{after} descriptors, before {descriptors}")
    finally:
        stop.set()
        producer.join()
    live.reached(len(sent))
    live.end()
    with open(check.path("sent.ndjson"), "w") as file:
        file.writelines(sent)
    quiet = check.command("replay", "sent.ndjson", "--rules", RULES, "--format", "json")
    def own(lines):
        lines = (without_emission(line) for line in lines)
        return sorted(line for line in lines if '"rule": "other' not in line)
    with open(check.path("alerts")) as file:
        got = own(file)
    need(got == own(quiet.stdout.splitlines()), "the alerts of the rules that stayed are others than without reloads")
    pauses.sort()
    p50, p99 = pauses[len(pauses) // 2], pauses[len(pauses) * 99 // 100]
    need(p99 < 50, f"events waited {p99:.1f} ms at p99")
    need(grown < 0.05, f"resident memory grew by {grown:.1%}")
    return (f"reloads={reloads} events={len(sent)} lost=0 alerts={len(got)} pause p50={p50:.1f} p99={p99:.1f} "
            f"max={pauses[-1]:.1f} ms (bar 50) grown={grown:+.1%} descriptors={descriptors}")


def r22(check):
    """Progress is kept over a reload of another rule, and of this rule's message."""
    check.write("a.rules", GUESSED)
    live = Live(check, "--rules", "a.rules", "--no-watch")
    live.send("".join(login("ann", "fail", ms) for ms in range(12)))
    other = "rule other {\n  sequence by user within 1m { one: login where result == \"never\" }\n  alert \"{user}\"\n}\n"
    check.write("a.rules", other + GUESSED)
    need(live.ask("reload")[0] == 0, "the first reload")
    live.send("".join(login("ann", "fail", ms) for ms in range(12, 20)))
    check.write("a.rules", other + GUESSED.replace("got in after", "came in after"))
    need(live.ask("reload")[0] == 0, "the second reload")
    live.send(login("ann", "ok", 30))
    live.end()
    messages = [alert["message"] for alert in live.alerts()]
    need(messages == ["ann came in after 20"], f"alerts: {messages}")
    return "12 + 8 failures over two reloads, then a success: fires"


def r23(check):
    """Regular expressions that blow up elsewhere, on a megabyte of their favourite food."""
    line = '{"type":"page","time":1790000000000,"text":"%s"}\n' % ("a" * (1 << 20))
    megabytes = 100 if check.nightly else 20
    with open(check.path("a.ndjson"), "w") as file:
        file.writelines(line for _ in range(megabytes))

    def rules(pattern):
        return ("event page { text: text }\nrule r {\n  sequence within 1m { one: page where text "
                + pattern + " }\n  alert \"x\"\n}\n")

    check.write("plain.rules", rules('== "b"'))
    plain = min(cpu_seconds(check, "replay", "a.ndjson", "--rules", "plain.rules")[0] for _ in range(3))
    worst = 0
    for pattern in ["/(a+)+$b/", "/(a|aa)+b/", "/(a*)*c/", "/^(([a-z])+.)+[A-Z]([a-z])+$/"]:
        check.write("r.rules", rules("matches " + pattern))
        cost, done = cpu_seconds(check, "replay", "a.ndjson", "--rules", "r.rules")
        need(done.returncode == 0, f"{pattern}: {done.stderr}")
        worst = max(worst, (cost - plain) / megabytes * 1000)
    need(worst < 10, f"{worst:.1f} ms a megabyte")
    check.write("r.rules", rules("matches /(.{1,1000}){1,1000}/"))
    done = check.command("check", "r.rules", code=2)
    need("error[" in done.stdout, done.stdout)
    return f"worst={worst:.1f} ms/MB (bar 10); (.{{1,1000}}){{1,1000}} is refused by check"


def flood(check, count, rules, *arguments):
    """A flood of keys with one honest user in it: the most that was resident, the alerts and the summary."""
    check.write("a.rules", rules)
    live = Live(check, "--rules", "a.rules", *arguments)
    most, busy = 0, True

    def watch():
        nonlocal most
        while busy and live.process.poll() is None:
            most = max(most, live.resident())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    hot = 0
    for start in range(0, count, 5000):
        ms = start // 170
        live.send("".join(
            '{"type":"login","time":%d,"user":"user-%d","result":"fail"}\n' % (1_790_000_000_000 + ms, user)
            for user in range(start, start + 5000)) + login("hot", "fail", ms))
        hot += 1
    live.send(login("hot", "ok", count // 170 + 1))
    live.process.stdin.close()
    live.process.wait(300)
    seconds = time.monotonic() - began
    busy = False
    watcher.join()
    need(live.process.returncode == 0, check.log())
    alerts = [alert for alert in live.alerts() if alert["kind"] != "engine"]
    need(len(alerts) == 1 and alerts[0]["message"] == f"hot got in after {hot}",
         f"the honest user's alert: {alerts}")
    need(alerts[0]["complete"], "the honest user's alert is marked")
    return most, seconds, check.log()


def r24(check):
    """Many more keys than there is room for."""
    count = 10_000_000 if check.nightly else 1_000_000
    most, seconds, log = flood(check, count, GUESSED)
    evicted = re.search(r"limits were reached: ([\d,]+) keys", log)
    evicted = int(evicted.group(1).replace(",", "")) if evicted else 0
    need(evicted == count + 1 - 100_000, f"{evicted} keys evicted of {count + 1}")
    limit = 200_000_000
    short, _, log = flood(
        check, count, GUESSED + "engine { memory 200MB  keys per rule 100000000 }\n")
    need("memory was short" in log, f"nothing was dropped: {log}")
    dropped = re.search(r"memory was short .*", log).group(0)
    share = short * 1024 / limit
    need(share <= 1.2, f"{short} KiB resident, {share:.0%} of the limit")
    return (f"keys={count} in {seconds:.0f} s, cap 100,000: evicted={evicted} (exact) resident={most} KiB; "
            f"memory 200MB: resident={short} KiB = {share:.0%} (bar 120 %), {dropped}")


def r25(check):
    """Rules that ask for too much."""
    many = "event login { user: text  result: text }\n" + "".join(
        f'rule r{number} {{\n  sequence by user within 1m {{ one: login where result == "x{number}" }}\n'
        f'  alert "{{user}}"\n}}\n' for number in range(10_000))
    check.write("many.rules", many)
    both = many.split("\n", 1)[1]
    cost, done = cpu_seconds(check, "check", "many.rules")
    need(done.returncode == 0, done.stdout[-500:])
    nested = "event login { user: text  result: text }\nrule deep {\n  sequence by user within 1m { one: login where " \
        + "(" * 64 + 'result == "x"' + ")" * 64 + " }\n  alert \"{user}\"\n}\n"
    check.write("deep.rules", nested)
    check.command("check", "deep.rules")
    check.write("wide.rules", """event login { user: text  result: text }
rule year {
  threshold by result {
    over login
    window 365d sliding
    measure users = distinct(user)
    when users > 2000000
  }
  alert "{users}"
}
engine { memory 150MB }
""")
    check.write("both.rules", both)
    bound = check.command("check", "--bounds", "wide.rules").stdout
    bound = re.search(r"about ([\d.,]+ \w+) per key", bound).group(1)
    live = Live(check, "--rules", "wide.rules", "--rules", "both.rules")
    most = 0
    for start in range(0, 300_000, 5000):
        live.send("".join(login(f"u{user}", "ok", user) for user in range(start, start + 5000)))
        most = max(most, live.resident())
    live.reached(300_000)
    most = max(most, live.resident())
    live.end()
    share = most * 1024 / 150_000_000
    need(share <= 1.2, f"{most} KiB resident, {share:.0%} of `memory 150MB`")
    return (f"10,000 rules are checked in {cost:.1f} s; a year of distinct users: bound {bound} a key; "
            f"both run: resident={most} KiB = {share:.0%} of `memory 150MB`")


def r26(check):
    """Partial matches that explode elsewhere: a, then any b's, then c."""
    check.write("a.rules", """event e { user: text  kind: text }
rule abc {
  sequence by user within 1d {
    a: e where kind == "a"
    then at least 1 b: e where kind == "b"
    then c: e where kind == "c"
  }
  alert "{b.count}"
}
""")
    costs = {}
    for count in (5_000, 10_000, 20_000, 40_000):
        with open(check.path("e.ndjson"), "w") as file:
            def event(kind, number):
                file.write('{"type":"e","time":%d,"user":"u","kind":"%s"}\n' % (1_790_000_000_000 + number, kind))
            for block in range(10):
                event("a", block * (count + 2))
                for number in range(count):
                    event("b", block * (count + 2) + 1 + number)
                event("c", block * (count + 2) + 1 + count)
        costs[count] = min(cpu_seconds(check, "replay", "e.ndjson", "--rules", "a.rules")[0] for _ in range(2))
    growth = costs[40_000] / costs[10_000] / 4
    need(growth < 2, f"four times the events take {growth * 4:.1f} times as long")
    return f"10 x 40,000 b's: {costs[40_000]:.2f} s; time over events grows by {growth:.2f} (bar 2) from 10,000"


def r36(check):
    """The number of threads changes nothing."""
    seeds = 20 if check.nightly else 5
    total = 0
    for seed in range(seeds):
        fault_events.write(check.path("e.ndjson"), 20_000, check.seed + seed)
        outputs = set()
        for threads in (1, 2, 4, 8):
            done = check.command(
                "replay", "e.ndjson", "--rules", RULES, "--format", "json", "--threads", str(threads))
            outputs.add(done.stdout)
            total += len(done.stdout.splitlines())
        need(len(outputs) == 1, f"seed {check.seed + seed}: {len(outputs)} different outputs")
    return f"threads=1,2,4,8 seeds={seeds} alerts={total} all bytes the same"


def r37(check):
    """A producer that is much faster than whoever reads the alerts."""
    check.write("a.rules", """event login { user: text  result: text }
rule each {
  sequence by user within 1s { one: login }
  alert "{user}"
}
""")
    seconds = 30 if check.nightly else 8
    reading, writing = os.pipe()
    live = Live(check, "--rules", "a.rules", "--no-watch", stdout=writing)
    os.close(writing)
    sent, most, got, busy = 0, 0, 0, True

    def produce():
        nonlocal sent
        while busy:
            live.send("".join(login(f"u{number}", "ok", number) for number in range(sent, sent + 500)))
            sent += 500
        live.process.stdin.close()

    producer = threading.Thread(target=produce)
    producer.start()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        got += os.read(reading, 65_536).count(b"\n")
        most = max(most, live.resident())
        time.sleep(0.02)
    slow = got / seconds
    busy = False
    # The producer may hang in a full pipe until somebody reads.
    while piece := os.read(reading, 1 << 20):
        got += piece.count(b"\n")
        most = max(most, live.resident())
    producer.join()
    need(live.process.wait(60) == 0, check.log())
    need(got == sent, f"{got} alerts of {sent} events")
    need(most < 256 * 1024, f"{most} KiB resident")
    return f"events={sent} lost=0 read at {slow:.0f} alerts/s for {seconds} s, resident={most} KiB (bar 262,144)"


def r43(check):
    """What it costs to do nothing."""
    seconds = 60 if check.nightly else 10
    check.write("a.rules", GUESSED)
    live = Live(check, "--rules", "a.rules")

    def ticks():
        fields = live.proc("stat").rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(1)
    before = ticks()
    time.sleep(seconds)
    share = (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds
    most = live.resident()
    live.end(code=4)
    need(share < 0.01, f"{share:.2%} of a core")
    need(most < 30 * 1024, f"{most} KiB resident")
    return f"processor={share:.2%} (bar 1 %) resident={most} KiB (bar 30,720) over {seconds} s"


CHECKS = {
    "R18": r18, "R20": r20, "R21": r21, "R22": r22, "R23": r23, "R24": r24, "R25": r25, "R26": r26,
    "R36": r36, "R37": r37, "R43": r43,
}
