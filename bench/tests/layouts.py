#!/usr/bin/env python3
"""Shows what the place of the code is worth: one program in several layouts, measured in turns.

    python3 bench/tests/layouts.py FOLDER [--layouts N] [--launches N] [--slices N]

FOLDER is a program that `solock compare` keeps: target/solock-compare/programs/NAME, with what it is linked from. The
layouts run the same machine code, and their processes take turns slice by slice. A layout's figure is the mean over its
launches, in percent of the median of all layouts; the spread between layouts is what is left of theirs when that of
the launches is taken off. Wants a quiet machine and about a minute.
"""

import argparse
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import tempfile

CELL = {"workload": "pairs", "socket_type": "stream", "message_bytes": 64, "threads": 1, "wait": "adaptive"}
SLICE = {"ask": "slice", "measure": "throughput", "seconds": 0.02, "warm_up_seconds": 0.002}
REPEATS_MAX = 6


class Server:
    """One process, asked as bench/PROTOCOL.md says."""

    def __init__(self, program, backend):
        padding = {"SOLOCK_PADDING": "x" * random.randint(0, 4096)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([program, "serve"], text=True, env=padding, **pipes)
        self.process.stdout.readline()
        self.ask({"ask": "prepare", "cell": dict(CELL, backend=backend), "pin": True, "seed": 1})
        self.ask(SLICE)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def rate(self):
        """The logarithm of the operations per second of a slice that nobody disturbed, if there is one."""
        for _ in range(REPEATS_MAX):
            answer = self.ask(SLICE)
            noise = answer["host_noise"]
            if noise["on_cpu_share_min"] >= 0.99 and noise["involuntary_switches"] <= 5:
                break
        return math.log(answer["operations_per_second"])

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def link(folder, seed, program):
    """Links a layout, as bench/src/compare/link.rs does."""
    how = json.loads((folder / "link.json").read_text())["how"]["Ok"]
    words, at = how["words"], how["inputs_at"]
    order = [f"-Wl,--shuffle-sections=.text*={seed}", "-Wl,--strip-all"]
    command = [*words[:at], folder / "program.o", *words[at:], *order, "-o", program]
    subprocess.run(command, env=dict(os.environ, **how["environment"]), check=True)


def launch(programs, backend, slices):
    """Fresh processes of all layouts: by how much each differs from the median of all."""
    order = random.sample(range(len(programs)), len(programs))
    servers = {layout: Server(programs[layout], backend) for layout in order}
    turns = []
    for _ in range(slices):
        rates = {layout: servers[layout].rate() for layout in random.sample(order, len(order))}
        middle = statistics.median(rates.values())
        turns.append([rates[layout] - middle for layout in range(len(programs))])
    for server in servers.values():
        server.end()
    return [statistics.median(column) for column in zip(*turns)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layouts", type=int, default=8, help="how many of them")
    parser.add_argument("--launches", type=int, default=8, help="fresh processes of each")
    parser.add_argument("--slices", type=int, default=8, help="slices of 20 ms of each process")
    arguments = parser.parse_args()
    if arguments.layouts < 2 or arguments.launches < 2:
        parser.error("two layouts and two launches are the least")
    with tempfile.TemporaryDirectory() as folder:
        programs = [f"{folder}/{seed:02}" for seed in range(1, arguments.layouts + 1)]
        for seed, program in enumerate(programs, 1):
            link(arguments.folder, seed, program)
        measure(programs, arguments)


def measure(programs, arguments):
    print("| backend | between launches | between layouts | each layout |\n|---|---|---|---|")
    for backend in ("global", "per-socket"):
        launches = [launch(programs, backend, arguments.slices) for _ in range(arguments.launches)]
        columns = list(zip(*launches))
        means = [statistics.mean(column) for column in columns]
        within = statistics.mean(statistics.variance(column) for column in columns)
        between = math.sqrt(max(0, statistics.variance(means) - within / len(launches)))
        each = ", ".join(f"{100 * mean:+.1f}" for mean in means)
        print(f"| `{backend}` | {100 * math.sqrt(within):.1f} % | {100 * between:.1f} % | {each} |", flush=True)


if __name__ == "__main__":
    main()
