#!/usr/bin/env python3
"""Runs the queries of `martlet bench` and the same questions in other engines over the same file, in turns.

usage: Tests/Bench/peers.py MARTLET [EVENTS [ROUNDS [PEER]...]]

The peers are `duckdb` and `flink`; all unless some are named. What they find is compared with
martlet's alerts, and beside each answer stands how much of it was compared. Printed are the processor
time, all threads together, and the time on the clock, both of whole processes; how many times
martlet's processor time the peer needs; and the same without what the peer needs to start. Q6 is all
five queries over one reading of the file.

Comparisons with a peer that cannot be had are skipped, loudly. Exit 1 when answers differ.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

import peer_duckdb
import peer_flink
from peer_kit import comparable, instant, run

PEERS = {"duckdb": peer_duckdb, "flink": peer_flink}
QUERIES = {1: [1], 2: [2], 3: [3], 4: [4], 5: [5], 6: [1, 2, 3, 4, 5]}


def ask_martlet(martlet, folder, number):
    """What each rule found, with processor time and time on the clock."""
    output, cpu, wall = run(
        [martlet, "replay", f"{folder}/shop.ndjson", "--quiet", "--format", "json", "--rules",
         f"{folder}/q{number}.rules"])
    found = {one: [] for one in QUERIES[number]}
    for line in output.splitlines():
        alert = json.loads(line)
        if alert["state"] == "firing":
            found[int(alert["rule"][1])].append(
                ("".join(alert["key"].values()), instant(alert["matched_at"]),
                 instant(alert["first_event"])))
    return found, cpu, wall


def verdict(compared, ours, theirs):
    """Whether the answers agree, in words."""
    agreed, differences = [], []
    for number, found in ours.items():
        left, right = (comparable(one, compared[number]) for one in (found, theirs[number]))
        if left == right:
            agreed.append(f"{len(found)} alerts, {compared[number]}")
        else:
            missing, more = len(set(left) - set(right)), len(set(right) - set(left))
            differences.append(
                f"Q{number} DIFFERS in {compared[number]}: {missing} only here, {more} only there")
    if differences:
        return False, "; ".join(differences)
    return True, f"the same: {agreed[0]}" if len(agreed) == 1 else f"the same {len(agreed)} times"


def median(figures, index):
    return statistics.median(figure[index] for figure in figures)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1])
    martlet = sys.argv[1]
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 500_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    names = sys.argv[4:] or list(PEERS)
    if unknown := [name for name in names if name not in PEERS]:
        sys.exit(f"peers: no peer is called {', '.join(unknown)}; there are {', '.join(PEERS)}")
    agree = True
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [martlet, "bench", "--write", folder, "--events", str(events)], check=True)
        file = f"{folder}/shop.ndjson"
        print(f"{events} events, {os.path.getsize(file) // events} bytes each; rounds: {rounds}; "
              "seconds, the median")
        peers = []
        for module in (PEERS[name] for name in names):
            peer = module.Peer(file)
            if reason := peer.prepare():
                print(f"peers: SKIPPED all {len(QUERIES)} comparisons with {module.NAME}: {reason}")
                continue
            starts = [peer.start() for _ in range(rounds)]
            peers.append((module, peer, median(starts, 0)))
            print(f"{module.NAME} needs {median(starts, 0):.2f} of processor time to start and end, "
                  f"{median(starts, 1):.2f} on the clock")
        if peers:
            print(f"{'':14}{'processor':>10}{'clock':>8}{'times':>8}{'without start':>15}  answers")
        for number in QUERIES if peers else []:
            ours, theirs = [], [[] for _ in peers]
            for _ in range(rounds):
                found, *cost = ask_martlet(martlet, folder, number)
                ours.append(cost)
                for (_, peer, _), costs in zip(peers, theirs):
                    answer, *cost = peer.ask(QUERIES[number])
                    costs.append([*cost, answer])
            print(f"Q{number} {'martlet':11}{median(ours, 0):10.2f}{median(ours, 1):8.2f}")
            for (module, _, start), costs in zip(peers, theirs):
                same, words = verdict(module.COMPARED, found, costs[-1][2])
                agree = agree and same
                pairs = list(zip(ours, costs))
                times = statistics.median(b[0] / a[0] for a, b in pairs)
                without = statistics.median((b[0] - start) / a[0] for a, b in pairs)
                print(f"   {module.NAME:11}{median(costs, 0):10.2f}{median(costs, 1):8.2f}"
                      f"{times:8.1f}{without:15.1f}  {words}", flush=True)
        for module, _, _ in peers:
            print("\n".join(module.DIFFERENCES))
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
