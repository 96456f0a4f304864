#!/usr/bin/env python3
"""Compares a program with itself, cell by cell, for hours: how many are decided? One in a hundred at most.

    python3 bench/tests/aa.py FILE [--cells N] [--threads N] [--first N] [--budget TIME] [--solock PROGRAM]

Each line of FILE is a cell that was compared; what is there already is not measured again, so the
script can be ended and started at will. It ends with FILE holding N cells (1000), and prints a
table, with medians of the pairs and of the half-widths. A comparison of fewer than ten pairs has no
interval, and can decide nothing. A comparison says SLOWER or FASTER of the same code as UNCLEAR,
with its reason: that counts as decided here.

Cells of one thread can be compared on each CPU at once, with `taskset` and a file for each CPU;
`--first` gives the second file other seeds. Files put together are one file.
"""

import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

WORKLOADS = [("pairs", 1), ("rights", 1), ("accept", 1)]
WORKLOADS += [("pairs", 2), ("stream", 2), ("pingpong", 2), ("duplex", 2)]
BACKENDS = ["global", "per-socket", "lock-free"]
CELLS = [(workload, threads, backend) for workload, threads in WORKLOADS for backend in BACKENDS]


def compared(arguments, number):
    """The verdict on throughput of the cell of that number."""
    cells = [cell for cell in CELLS if arguments.threads in (None, cell[1])]
    workload, threads, backend = cells[number % len(cells)]
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.solock, "compare", "one", "two", "--json", "--metric", "throughput"]
        command += ["--program", f"one={arguments.solock}", "--program", f"two={arguments.solock}"]
        command += ["--workload", workload, "--threads", str(threads), "--backend", backend]
        command += ["--budget", arguments.budget, "--seed", str(number), "--out", folder]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 3, 4):
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}\n{run.stderr}")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    line = next(line for line in lines if line["metric"] == "throughput")
    kept = ["cell", "verdict", "why", "ratio", "low", "high", "pairs", "slices", "slices_rejected", "seconds"]
    return {"number": number, **{name: line.get(name) for name in kept}}


def is_decided(cell):
    return cell["verdict"] in ("FASTER", "SLOWER") or (cell["why"] or "").startswith("same code measured")


def row(name, cells):
    verdicts = collections.Counter("decided" if is_decided(cell) else cell["verdict"] for cell in cells)
    widths = [(cell["high"] / cell["low"]) ** 0.5 - 1 for cell in cells if cell["low"]]
    width = f"{statistics.median(widths):.1%}" if widths else "-"
    repeated = sum(cell["slices_rejected"] for cell in cells) / max(1, sum(cell["slices"] for cell in cells))
    counts = [len(cells), len(widths), verdicts["decided"], verdicts["SAME"], verdicts["UNCLEAR"]]
    pairs = statistics.median(cell["pairs"] for cell in cells)
    print(f"| {name} | {' | '.join(map(str, counts))} | {pairs:.0f} | {width} | {repeated:.0%} |")


def table(cells):
    print("| cell | compared | with an interval | decided | SAME | UNCLEAR | pairs | half-width | slices repeated |")
    print("|---|---|---|---|---|---|---|---|---|")
    by_name = collections.defaultdict(list)
    for cell in cells:
        workload, backend, _, _, threads, _ = cell["cell"].split("/")
        by_name[f"`{workload}` {threads} `{backend}`"].append(cell)
    for name in sorted(by_name):
        row(name, by_name[name])
    row("all", cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--threads", type=int, help="cells with so many threads only; otherwise all")
    parser.add_argument("--first", type=int, default=0, help="the number of the file's first cell, from which its seed is made")
    parser.add_argument("--budget", default="25s", help="for each cell")
    parser.add_argument("--solock", default="target/release/solock")
    arguments = parser.parse_args()
    arguments.file.touch()
    cells = [json.loads(line) for line in arguments.file.read_text().splitlines()]
    with arguments.file.open("a") as kept:
        for number in range(len(cells), arguments.cells):
            cells.append(compared(arguments, arguments.first + number))
            print(json.dumps(cells[-1]), file=kept, flush=True)
            print(f"{number + 1} of {arguments.cells}: {cells[-1]['cell']}: {cells[-1]['verdict']}", file=sys.stderr)
    if cells:
        table(cells)


if __name__ == "__main__":
    main()
