#!/usr/bin/env python3
"""What each set of locks around the layer leaves of a finer lock: a Markdown table of one run.

    python3 results/ambient-table.py RUN.jsonl [BACKEND BASE]

A row is a workload under a set of locks (`solock run --ambient ...`). Of each of the two backends (per-socket and
global-gc unless others are named) it has the operations per second with each number of threads, as the median of the
rounds that the host left alone; then the first backend over the second, round by round: the median, and the lowest and
the highest.
"""

import collections
import json
import statistics
import sys


def rounds(path):
    """By workload, set of locks, backend and threads: operations per second by round."""
    found = collections.defaultdict(dict)
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        if record.get("kind") != "measured" or record["measure"] != "throughput":
            continue
        if record["host_noise"]["flagged"]:
            continue
        around = tuple(record.get("ambient", []))
        key = (record["workload"], around, record["backend"], record["threads"])
        found[key][record["round"]] = record["operations_per_second"]
    return found


def ratios(of, base):
    both = sorted(set(of) & set(base))
    return [of[number] / base[number] for number in both]


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    backend, base = sys.argv[2:] or ("per-socket", "global-gc")
    found = rounds(sys.argv[1])
    threads = sorted({key[3] for key in found})
    rows = list(dict.fromkeys((key[0], key[1]) for key in found))
    names = [f"{name}, {count} t" for count in threads for name in (base, backend)]
    names += [f"{backend} / {base}, {count} t" for count in threads]
    print("| workload | around the layer | " + " | ".join(names) + " |")
    print("|---" * (2 + len(names)) + "|")
    for workload, around in rows:
        line = [workload, ", ".join(around) or "none"]
        of = lambda name, count: found.get((workload, around, name, count), {})
        for count in threads:
            for name in (base, backend):
                values = of(name, count).values()
                line.append(f"{statistics.median(values) / 1e6:.3f} M" if values else "-")
        for count in threads:
            values = ratios(of(backend, count), of(base, count))
            median = f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]" if values else "-"
            line.append(median)
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
