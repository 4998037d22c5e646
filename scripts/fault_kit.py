"""What the fault checks share."""

import collections
import http.server
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RULES = os.path.join(HERE, "Tests", "Faults", "faults.rules")


class Failed(ValueError):
    """What a check found."""


def need(condition, message):
    if not condition:
        raise Failed(message)


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def without_emission(line):
    alert = json.loads(line)
    alert.pop("emitted_at", None)
    return json.dumps(alert, sort_keys=True)


def kill_often(check, arguments, kills, **more):
    """Starts an engine and kills it at random moments, then lets one run to the end.

    Returns how often it was killed before it had come to the end by itself.
    """
    most = 0.05 + 2 * check.quiet / kills
    done = 0
    for _ in range(kills):
        process = check.start(*arguments, **more)
        try:
            process.wait(check.draw.uniform(0.01, most))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            done += 1
    check.run(*arguments, **more)
    return done


def starts(check, process):
    """Waits until an engine with the folder `data` listens."""
    deadline = time.monotonic() + 20
    while not os.path.exists(check.path("data/control.sock")):
        need(process.poll() is None and time.monotonic() < deadline, f"the engine does not start: {check.log()[-400:]}")
        time.sleep(0.01)


class Hook(http.server.ThreadingHTTPServer):
    """A web server that answers as the check wants."""

    daemon_threads = True

    def __init__(self, answer):
        self.seen, self.calls, self.lock = [], collections.Counter(), threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with hook.lock:
                    hook.calls[body["id"]] += 1
                    call = (body, hook.calls[body["id"]], time.monotonic(), dict(self.headers))
                status, headers = answer(call[0], call[1], self) or (None, {})
                if status is None:
                    self.close_connection = True
                    return
                if 200 <= status < 300:
                    with hook.lock:
                        hook.seen.append(call)
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        # An engine that was killed had connections open.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"
