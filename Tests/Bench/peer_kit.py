"""What `peers.py` and the peers share: running a program, and what is compared of an answer.

A found thing is `(key, ended, begun)`, all texts; what a peer does not say is empty.
"""

import os
import subprocess
import sys
import time

KEYS = "which keys"
KEYS_AND_ENDS = "keys and times"
ALL = "keys, times and beginnings"
NUMBER = "how many"


def run(arguments, **options):
    """Output, processor time and time on the clock of a process that must end well."""
    started = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"peers: `{arguments[0]}` ended with {status}")
    return output.decode(), usage.ru_utime + usage.ru_stime, time.monotonic() - started


def comparable(found, what):
    """Of the found things only what is compared, in one order."""
    if what == NUMBER:
        return [len(found)]
    if what == KEYS:
        return sorted({key for key, _, _ in found})
    if what == KEYS_AND_ENDS:
        return sorted((key, ended) for key, ended, _ in found)
    return sorted(found)


def instant(text):
    """A time in UTC with milliseconds, as one text for all spellings of it."""
    seconds, _, fraction = text.replace(" ", "T").rstrip("Z").partition(".")
    if seconds.count(":") == 1:
        seconds += ":00"
    return f"{seconds}.{fraction:0<3}"
