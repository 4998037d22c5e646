"""Events of the fault checks: the same for the same seed.

Logins, orders, payments and requests, out of which the rules of Tests/Faults make alerts of every kind.
"""

import json
import random


def events(count, seed, step_ms=20):
    """Lines of NDJSON, in order of time, ten or so alerts in a thousand."""
    draw = random.Random(seed)
    start = 1_790_000_000_000
    orders = []
    surge = None
    for number in range(count):
        time = start + number * step_ms
        kind = draw.random()
        if kind < 0.45:
            user = f"u-{draw.randrange(400)}"
            bad = draw.random() < 0.3
            event = {
                "type": "login", "user": user, "ip": f"10.0.0.{draw.randrange(120)}",
                "result": "fail" if bad else "ok",
            }
        elif kind < 0.6:
            event = {"type": "order", "order": f"o-{number}", "user": f"u-{draw.randrange(400)}"}
            orders.append(number)
        elif kind < 0.74 and orders:
            order = orders.pop(draw.randrange(len(orders)))
            event = {"type": "payment", "order": f"o-{order}", "amount": draw.randrange(100) / 4}
            orders = orders[-40:]
        else:
            if surge is None and draw.random() < 0.0005:
                surge = number + 1500
            if surge is not None and number > surge:
                surge = None
            odd = surge is not None and draw.random() < 0.85
            event = {"type": "request", "service": f"s-{draw.randrange(2) if odd else draw.randrange(6)}"}
        event["time"] = time
        yield json.dumps(event, separators=(",", ":"))


def write(path, count, seed, step_ms=20):
    with open(path, "w") as file:
        for line in events(count, seed, step_ms):
            file.write(line + "\n")
