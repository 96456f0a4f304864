#!/usr/bin/env python3
"""What each set of locks around the layer leaves of a finer lock: a Markdown table of one run.

    python3 results/ambient-table.py RUN.jsonl [BACKEND]

A row is a workload under a set of locks (`solock run --ambient ...`), a column a number of threads:
the throughput of the backend (per-socket unless another is named) over that of the run's reference,
with its interval of at least 95 % from the run's `ratio` lines, ends rounded outward. Where a run
has several types, sizes, ways to wait or algorithms of locks, a row says which it is of.
"""

import json
import math
import sys

LOCKS = ("kernel-lock", "fd-fplock", "f-mtx", "sched-lock")


def ratios(path, backend):
    """By what was measured, set of locks and threads: the ratio and the ends of its interval."""
    found = {}
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        if record.get("kind") != "ratio" or record["cell"] == record["against"]:
            continue
        workload, of, *setting = record["cell"].split("/")
        if of != backend or record.get("metric", "throughput") != "throughput" or record["low"] is None:
            continue
        around = tuple(setting.pop().split("+")) if setting[-1].split("+")[0] in LOCKS else ()
        setting.remove(f"t{record['threads']}")
        key = workload, tuple(setting), around, record["threads"]
        found[key] = (record["ratio"], record["low"], record["high"])
    is_one = len({key[1] for key in found}) == 1

    def label(workload, setting):
        return workload if is_one else f"{workload} ({', '.join(setting)})"

    return {(label(*key[:2]), *key[2:]): ratio for key, ratio in found.items()}


def cell(found):
    if found is None:
        return "-"
    ratio, low, high = found
    return f"{ratio:.2f} [{math.floor(low * 100) / 100:.2f}, {math.ceil(high * 100) / 100:.2f}]"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found = ratios(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "per-socket")
    threads = sorted({key[2] for key in found})
    print("| workload | around the layer |" + "".join(f" {count} thread{'s' * (count > 1)} |" for count in threads))
    print("|---" * (2 + len(threads)) + "|")
    rows = {key[:2] for key in found}
    for workload, around in sorted(rows, key=lambda row: (row[0], len(row[1]), [LOCKS.index(name) for name in row[1]])):
        shown = (cell(found.get((workload, around, count))) for count in threads)
        print(f"| {workload} | {', '.join(around) or 'none'} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
