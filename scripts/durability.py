#!/usr/bin/env python3
"""What durability costs: events a second with and without it, pauses of checkpoints, recovery.

    scripts/durability.py MARTLET [--events N]

Each figure is beside what the same program does without a data folder in the same run.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fault_events  # noqa: E402

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULES = os.path.join(HERE, "Tests", "Faults", "faults.rules")

# A rule whose state grows with the keys: five events of each are kept.
STATE_RULES = """
event login { time: time, user: text, result: text }
rule wide {
  sequence by user within 30d {
    at least 1000 failed: login where result == "fail"
    then success: login where result == "ok"
  }
  alert "{user}"
}
engine { keys per rule 10000000 }
"""


def run(martlet, folder, *arguments, piped=None):
    """Seconds that a run took, and what it said."""
    began = time.monotonic()
    with open(piped, "rb") if piped else open(os.devnull, "rb") as source:
        command = [martlet, "run", *arguments]
        if piped:
            # Through a pipe, since a file on standard input is a pipe to us all the same.
            with subprocess.Popen(["cat"], stdin=source, stdout=subprocess.PIPE) as cat:
                done = subprocess.run(command, stdin=cat.stdout, cwd=folder, capture_output=True, text=True)
        else:
            done = subprocess.run(command, stdin=source, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"durability: {' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return time.monotonic() - began, done.stderr


def best(times, count):
    return count / min(times)


def cost(martlet, folder, count):
    events = os.path.join(folder, "events.ndjson")
    fault_events.write(events, count, 1)
    for name, arguments, piped in (("a file", [events], None), ("standard input", [], events)):
        plain, kept = [], []
        for _ in range(3):
            for times, more in ((plain, []), (kept, ["--data", "data"])):
                shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
                if os.path.exists(os.path.join(folder, "out.ndjson")):
                    os.unlink(os.path.join(folder, "out.ndjson"))
                times.append(run(martlet, folder, *arguments, "--rules", RULES, "--to", "out.ndjson", *more, piped=piped)[0])
        without, with_data = best(plain, count), best(kept, count)
        print(f"cost: {name}: {without:,.0f} events/s without a data folder, {with_data:,.0f} with: "
              f"{with_data / without:.2f}", flush=True)


def repeats(martlet, folder, count):
    """What it takes to remember the ids of all events: processor time and memory."""
    events = os.path.join(folder, "ids.ndjson")
    with open(events, "w") as file:
        for number, line in enumerate(fault_events.events(count, 1, step_ms=1)):
            id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
            file.write(json.dumps({"id": id, **json.loads(line)}, separators=(",", ":")) + "\n")
    with open(RULES) as file:
        text = file.read()
    figures = {}
    for _ in range(3):
        for name, dedup in (("without", ""), ("with", "dedup id for 1d")):
            rules = os.path.join(folder, f"{name}.rules")
            with open(rules, "w") as file:
                file.write(f'{text}\nsource s {{\n  file "ids.ndjson"\n  {dedup}\n}}\nengine {{ ids per source 100000000 }}\n')
            engine = subprocess.Popen([martlet, "run", "--rules", rules], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(engine.pid, 0)
            if status != 0:
                sys.exit(f"durability: a run {name} dedup ended with status {status}")
            figures.setdefault(name, []).append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024))
    (slow, large), (quick, small) = (min(figures[name]) for name in ("with", "without"))
    print(f"dedup: {count:,} ids of 36 bytes: {count / quick:,.0f} events for each second of processor time without it, {count / slow:,.0f} with: "
          f"{quick / slow:.2f}; {(large - small) / count:.0f} bytes for each id", flush=True)


def state(martlet, folder, keys):
    """State of so many keys: how long checkpoints stop the running engine, and how long a start takes."""
    rules = os.path.join(folder, "state.rules")
    with open(rules, "w") as file:
        file.write(STATE_RULES)
    shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
    command = [martlet, "run", "--rules", rules, "--data", "data", "--to", "out.ndjson"]
    engine = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=folder, stderr=subprocess.PIPE, text=True)

    def feed(step, some):
        engine.stdin.writelines(json.dumps({"type": "login", "time": 1_790_000_000_000 + step * 1000, "user": f"user-{key}",
                                            "result": "fail"}, separators=(",", ":")) + "\n" for key in some)
        engine.stdin.flush()

    for step in range(5):
        feed(step, range(keys))
    # Long enough for two more checkpoints, which are made every ten seconds.
    for step in range(5, 45):
        feed(step, range(100))
        time.sleep(0.5)
    memory = resident(engine.pid)
    _, told = engine.communicate()
    pause = re.search(r"(\d+ checkpoints?); .* stood still for (.*) at the median, (.*) at most", told)
    if engine.returncode != 0 or not pause:
        sys.exit(f"durability: {' '.join(command)}: exit code {engine.returncode}\n{told}")
    size = max(os.path.getsize(os.path.join(folder, "data", name))
               for name in os.listdir(os.path.join(folder, "data")) if name.startswith("checkpoint-"))
    more = os.path.join(folder, "more.ndjson")
    with open(more, "w") as file:
        file.write('{"type":"login","time":1790000060000,"user":"user-0","result":"fail"}\n')
    _, told = run(martlet, folder, *command[2:], piped=more)
    ready = re.search(r"ready after (.*)", told)
    print(f"state: {keys:,} keys, {memory / 1e6:.0f} MB of memory, {pause.group(1)} of up to {size / 1e6:.0f} MB: the engine stood still "
          f"for {pause.group(2)} at the median, {pause.group(3)} at most; the next start was ready after {ready.group(1)}", flush=True)


def resident(process):
    """Bytes of memory that a process has."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("martlet")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    martlet = os.path.abspath(options.martlet)
    folder = tempfile.mkdtemp(prefix="martlet-durability-")
    try:
        cost(martlet, folder, options.events)
        repeats(martlet, folder, options.events)
        for keys in (10_000, 100_000, 1_000_000):
            state(martlet, folder, keys)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
