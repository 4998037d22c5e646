"""Fault checks of time and order: events that come out of order or too late, a source that falls silent, a
sink that takes ages."""

import collections
import json
import os
import random
import threading
import time

import fault_events
from fault_kit import RULES, Hook, kill_often, lines, need, starts, without_emission


def replay(check, events, lateness, out):
    """The records of a replay, whole, and what it says at the end."""
    path = check.path(out)
    if os.path.exists(path):
        os.remove(path)
    done = check.command("replay", events, "--rules", RULES, "--lateness", f"{lateness}s", "--to", out)
    with open(path) as file:
        return collections.Counter(file.read().splitlines()), done.stderr


def moved(events, draw, lateness, part=0.0):
    """The events as they come when each is late by up to `lateness` seconds, and a part of them ten times that."""
    def comes(event):
        late = 10 * lateness if draw.random() < part else draw.random() * lateness * 0.999
        return event["time"] + late * 1000
    return sorted(events, key=comes)


def write(check, name, events):
    return check.write(name, "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))


def r14(check):
    """Shuffled within the allowed lateness, events make the alerts that they make in order."""
    seeds, records = 100, 0
    for seed in range(check.seed, check.seed + seeds):
        events = [json.loads(line) for line in fault_events.events(2_000, seed)]
        truth, _ = replay(check, write(check, "sorted.ndjson", events), 30, "sorted.out")
        shuffled = moved(events, random.Random(seed), 30)
        need(shuffled != events, "nothing was moved")
        got, _ = replay(check, write(check, "moved.ndjson", shuffled), 30, "moved.out")
        need(got == truth, f"seed {seed}: {sum((truth - got).values())} records are missing, {sum((got - truth).values())} are strange")
        records += sum(truth.values())
    need(records > 4 * seeds, f"only {records} records to look at")
    return f"seeds={seeds} records={records}, all the same as in order"


def r15(check):
    """One event in a hundred comes ten times too late: all are counted, and alerts of their keys say so."""
    lateness = 5
    events = [json.loads(line) for line in fault_events.events(40_000, check.seed)]
    order = moved(events, check.draw, lateness, part=0.01)
    late, latest = [], 0
    for event in order:
        if event["time"] < latest - lateness * 1000:
            late.append(event)
        latest = max(latest, event["time"])
    got, said = replay(check, write(check, "late.ndjson", order), lateness, "late.out")
    need(len(late) > 100, f"only {len(late)} are late")
    need(f"; {len(late):,} of them later than the allowed lateness" in said, f"{len(late)} are late, and it says: {said}")
    touched = {value for event in late for value in event.values()}
    doubtful = [alert for alert in map(json.loads, got) if not alert["complete"]]
    need(doubtful, "no alert says that it may be incomplete")
    for alert in doubtful:
        need(alert["incomplete_because"] == ["events of this key came too late"], alert["incomplete_because"])
        # The services of the anomaly rule have no key in common.
        need(not alert["key"] or set(alert["key"].values()) & touched, f"no event of {alert['key']} was late")
    return f"late={len(late)} counted exactly, {len(doubtful)} of {sum(got.values())} alerts say that they may be incomplete"


def r16(check):
    """Each event comes twice, the second time somewhat later, also over a kill: the alerts of a stream without repeats."""
    events = []
    for number, line in enumerate(fault_events.events(20_000, check.seed)):
        events.append({"id": f"e-{number}", **json.loads(line)})
    twice = sorted(
        ((number + part * check.draw.uniform(0, 500), event) for number, event in enumerate(events) for part in (0, 1)),
        key=lambda pair: pair[0])
    write(check, "once.ndjson", events)
    write(check, "twice.ndjson", [event for _, event in twice])
    with open(RULES) as file:
        text = file.read()

    def rules(name, dedup):
        return check.write(f"{name}.rules", f'{text}\nsource s {{\n  file "{name}.ndjson"\n  lateness 30s\n  early off\n  {dedup}\n}}\n')

    def records(name):
        with open(check.path(name)) as file:
            return collections.Counter(without_emission(line) for line in file)

    def run(rules, out, *more):
        return check.command("run", "--rules", rules, "--to", out, *more).stderr

    run(rules("once", ""), "once.out")
    truth = records("once.out")
    run(rules("twice", ""), "plain.out")
    need(records("plain.out") != truth, "without `dedup` it makes no difference, so this shows nothing")
    with_dedup = rules("twice", "dedup id for 10m")
    began = time.monotonic()
    said = run(with_dedup, "twice.out")
    check.quiet = time.monotonic() - began
    got = records("twice.out")
    need(got == truth, f"{sum((truth - got).values())} records are missing, {sum((got - truth).values())} are strange")
    need("20,000 events came again" in said, f"it says: {said}")
    kills = kill_often(check, ["--rules", with_dedup, "--to", "killed.out", "--data", "data"], 6)
    ids = {(alert["id"], alert["state"]) for alert in lines(check.path("killed.out"))}
    wanted = {(alert["id"], alert["state"]) for alert in lines(check.path("once.out"))}
    need(ids == wanted, f"after {kills} kills {len(wanted - ids)} records are missing, {len(ids - wanted)} are strange")
    return f"records={sum(truth.values())}, the same as once, and over {kills} kills; 20,000 repeats counted exactly"


def r17(check):
    """One of three sources falls silent: after its `idle after` it holds nobody back, and an absence is noticed."""
    text = 'event order { time: time, order: text }\nevent payment { time: time, order: text }\n'
    for name in "abc":
        text += f'source {name} {{\n  file {{ path "{name}.ndjson" follow }}\n  lateness 1s\n  idle after 2s\n}}\n'
        check.write(f"{name}.ndjson", "")
    text += 'rule unpaid {\n  sequence by order within 1m {\n    a: order\n    then no b: payment within 20s\n  }\n  alert "{order}"\n}\n'
    process = check.start("--rules", check.write("three.rules", text), "--to", "out.ndjson")

    def add(name, kind, order, second):
        with open(check.path(f"{name}.ndjson"), "a") as file:
            file.write(json.dumps({"type": kind, "time": f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}Z", "order": order}) + "\n")

    def alerts():
        path = check.path("out.ndjson")
        return lines(path) if os.path.exists(path) else []

    # Each says something, so that each is waited for; then `c` says no more.
    for name in "abc":
        add(name, "order", f"{name}-0", 0)
        add(name, "payment", f"{name}-0", 1)
    add("a", "order", "lost", 2)
    began = time.monotonic()
    second, seen = 3, []
    while not seen:
        need(time.monotonic() - began < 30, "the absence was not noticed in 30 s")
        for name in "ab":
            add(name, "payment", "other", second)
        second += 1
        time.sleep(0.05)
        seen = alerts()
        if time.monotonic() - began < 1.5:
            need(not seen, "it did not wait for the silent source at all")
    took = time.monotonic() - began
    need([alert["key"] for alert in seen] == [{"order": "lost"}], f"{seen}")
    need(seen[0]["matched_at"].startswith("2026-01-01T00:00:22"), seen[0]["matched_at"])
    need(process.poll() is None, "the engine has ended")
    return f"noticed after {took:.1f} s, with 2 s of silence to wait for; matched at order + 20 s"


def r8(check):
    """A sink that takes ten seconds for each alert: the other sink has them at once, and nothing is lost."""
    calls = threading.Semaphore(0)
    state = {"now": 0, "most": 0}
    lock = threading.Lock()

    def answer(body, call, handler):
        with lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        calls.release()
        time.sleep(10)
        with lock:
            state["now"] -= 1
        return 204, {}

    hook = Hook(answer)
    rules = check.write("slow.rules", f"""event login {{ time: time, user: text }}
sink slow {{ webhook {{ url "{hook.url}"  timeout 30s }} }}
sink quick {{ file "quick.ndjson" }}
rule each {{
  sequence by user {{ a: login }}
  alert "{{user}}"
  send to slow, quick
}}
""")
    check.write("in.ndjson", "")
    process = check.start("--follow", "in.ndjson", "--rules", rules, "--data", "data")
    total, written, seen = 1_000, {}, {}
    ended = threading.Event()

    def watch():
        while not os.path.exists(check.path("quick.ndjson")) and not ended.is_set():
            time.sleep(0.002)
        with open(check.path("quick.ndjson")) as file:
            while len(seen) < total and not ended.is_set():
                line = file.readline()
                if line.endswith("\n"):
                    seen[json.loads(line)["key"]["user"]] = time.monotonic()
                else:
                    time.sleep(0.002)

    starts(check, process)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with open(check.path("in.ndjson"), "a") as file:
        for number in range(total):
            file.write(json.dumps({"type": "login", "time": 1_790_000_000_000 + number, "user": f"u-{number}"}) + "\n")
            file.flush()
            written[f"u-{number}"] = time.monotonic()
            time.sleep(0.005)
    watcher.join(30)
    ended.set()
    need(len(seen) == total, f"the quick sink has {len(seen)} of {total}")
    took = sorted(seen[user] - written[user] for user in written)
    need(calls.acquire(timeout=10), "the slow sink was not called")
    waiting = json.loads(check.command("status", "--data", "data", "--format", "json").stdout)["waiting"]
    p99 = took[int(total * 0.99)]
    need(p99 < 0.5, f"p99 of the quick sink is {p99 * 1000:.0f} ms")
    need(waiting > total / 2, f"only {waiting} alerts wait for the slow sink")
    need(state["most"] == 32, f"at most {state['most']} were with the slow sink at once, and 32 may be")
    process.kill()
    process.wait()
    hook.shutdown()
    return f"p99 of the quick sink {p99 * 1000:.0f} ms (limit 500), {waiting} wait for the slow one, 32 with it at once"


def r38(check):
    """All that may wait for a dead sink waits, and the engine is killed: the next start is ready at once, in little
    memory, and ends when it is told to."""
    text = "x" * 3_000
    rules = check.write("dead.rules", f"""event login {{ time: time, user: text }}
sink dead {{ webhook {{ url "http://127.0.0.1:9/" }} }}
rule each {{
  sequence by user {{ a: login }}
  alert "{{user}} {text}"
  send to dead
}}
""")
    with open(check.path("in.ndjson"), "w") as file:
        for number in range(400_000):
            file.write(f'{{"type":"login","time":{1_790_000_000_000 + number},"user":"u-{number}"}}\n')
    arguments = ["--follow", "in.ndjson", "--rules", rules, "--data", "data"]
    process = check.start(*arguments)

    def outbox():
        folder = check.path("data")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return sum(os.path.getsize(os.path.join(folder, name)) for name in names if name.startswith("outbox-"))

    deadline = time.monotonic() + 120
    while "the outbox is full" not in check.log():
        need(time.monotonic() < deadline and process.poll() is None, f"the outbox has {outbox():,} bytes")
        time.sleep(0.1)
    # A checkpoint is made meanwhile, so that little is read again.
    time.sleep(12)
    full = outbox()
    process.kill()
    process.wait()
    began = time.monotonic()
    process = check.start(*arguments)
    while not os.path.exists(check.path("data/control.sock")) or "going on where" not in check.log():
        need(time.monotonic() - began < 60 and process.poll() is None, "the engine does not start again")
        time.sleep(0.01)
    ready = time.monotonic() - began
    time.sleep(1)
    with open(f"/proc/{process.pid}/status") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    began = time.monotonic()
    process.terminate()
    need(process.wait(30) == 143, f"exit code {process.returncode}")
    ended = time.monotonic() - began
    need(ready < 2, f"ready after {ready:.1f} s, and 2 s are allowed")
    need(resident < 200, f"{resident:.0f} MiB resident, and 200 are allowed")
    need(ended < 12, f"it ended {ended:.0f} s after it was told to")
    return f"{full / (1 << 30):.2f} GiB wait, killed, ready after {ready:.2f} s, at most {resident:.0f} MiB resident, ended {ended:.1f} s after SIGTERM"


CHECKS = {"R8": r8, "R38": r38, "R14": r14, "R15": r15, "R16": r16, "R17": r17}
