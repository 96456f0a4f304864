#!/usr/bin/env python3
"""Judges the figures of `cargo bench --bench limits` by this project's own targets.

    cargo bench --bench limits | bench/tests/limits.py

reads the output, and limits.tsv beside this file. Prints a line per target; the exit code is 1 if
one does not hold, 4 if one cannot be judged (fewer than five quiet rounds, or no such figure).
"""

import pathlib
import re
import sys

ROUNDS_MIN = 5
FIGURE = re.compile(r"^(?P<name>.{44}) +(?P<value>-?[0-9.]+) ?\S+ +\[.*\] +(?P<rounds>[0-9]+) rounds$")


def targets():
    path = pathlib.Path(__file__).with_name("limits.tsv")
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, bound, value = line.split("\t")
            yield name, bound, float(value)


def main():
    found = {}
    for line in sys.stdin:
        match = FIGURE.match(line.rstrip())
        if match:
            found[match["name"].strip()] = float(match["value"]), int(match["rounds"])
    code = 0
    for name, bound, limit in targets():
        value, rounds = found.get(name, (None, 0))
        if value is None or rounds < ROUNDS_MIN:
            verdict, code = f"cannot be judged: {rounds} quiet rounds", code or 4
        elif (value <= limit) if bound == "at most" else (value >= limit):
            verdict = "holds"
        else:
            verdict, code = "does not hold", 1
        shown = "-" if value is None else f"{value:.2f}"
        print(f"{name:<44} {shown:>7}  {bound} {limit:g}: {verdict}")
    return code


if __name__ == "__main__":
    sys.exit(main())
