#!/usr/bin/env python3
"""Shows what the verdicts of `solock compare` are worth: commits whose difference is known.

    python3 bench/tests/compare-proof.py [--same N] [--slower N] [--budget TIME] [--json FILE] [--folder DIR] [--turns N]

In a clone of the checkout, scratch commits put a busy loop of about 2, 4 and 8 % of an operation into the send of
`per-socket` and of nothing else. Each is compared with the commit before it, and that one with itself; the cells are
`pairs` with one thread on `per-socket` and on `global`. Prints a table in Markdown. Wants a quiet machine and, with the
defaults, about an hour. With --folder the clone and its programs stay there, and what is there is used again: with
--same 0 --slower 0 it only builds.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEND = "lockimpls/src/uipc/send.rs"
PLACE = "        let mut sending = Sending {"
LOOP = """        if P::NAME == "per-socket" {
            for i in 0..LOOPS_u32 {
                std::hint::black_box(i);
            }
        }
"""
CELLS = ["--workload", "pairs", "--threads", "1", "--backend", "per-socket,global", "--metric", "throughput"]
CALIBRATION = 60


# The same commits whenever they are made.
MADE = {"GIT_AUTHOR_DATE": "2022-07-01T00:00:00Z", "GIT_COMMITTER_DATE": "2022-07-01T00:00:00Z"}


def run(*command, cwd, check=True, env=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def commit(clone, loops):
    """A commit on top of the base with a loop of this many turns; its name."""
    run("git", "checkout", "-q", "base", cwd=clone)
    path = clone / SEND
    text = path.read_text()
    if text.count(PLACE) != 1:
        sys.exit(f"{SEND} has changed: the loop's place is not there once")
    path.write_text(text.replace(PLACE, LOOP.replace("LOOPS", str(loops)) + PLACE))
    name = f"loop-{loops}"
    run("git", "checkout", "-q", "-B", name, cwd=clone)
    run("git", "-c", "user.name=proof", "-c", "user.email=proof@localhost", "commit", "-qam", name,
        cwd=clone, env=dict(os.environ, **MADE))
    run("git", "checkout", "-q", "base", cwd=clone)
    return name


def compare(solock, clone, first, second, budget):
    started = time.time()
    done = run(solock, "compare", first, second, *CELLS, "--budget", budget, "--json", cwd=clone, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows:
        sys.exit(f"compare {first} {second}: exit {done.returncode}\n{done.stderr}")
    rows = [row for row in rows if row["metric"] == "throughput"]
    return {"first": first, "second": second, "seconds": time.time() - started, "rows": rows}


def turns_per_percent(solock, clone):
    """How many turns make 1 % of an operation, from a loop so long that it is seen at once."""
    compare(solock, clone, "base", commit(clone, CALIBRATION), "1s")
    answer = compare(solock, clone, "base", f"loop-{CALIBRATION}", "30s")
    ratio = next(row["ratio"] for row in answer["rows"] if "/per-socket/" in row["cell"])
    return CALIBRATION / (100 * (1 / ratio - 1))


def before_same_code(row):
    """The verdict that the figures alone give: the rule for the same code is not counted here."""
    if row["verdict"] != "UNCLEAR" or not row.get("same_code"):
        return row["verdict"]
    low, high = row["low"], row["high"]
    if low is None or low <= 1 <= high or abs(row["ratio"] - 1) < 0.01:
        return "UNCLEAR"
    return "FASTER" if row["ratio"] > 1 else "SLOWER"


def line(name, backend, answers):
    rows = [(answer["seconds"], row) for answer in answers for row in answer["rows"] if f"/{backend}/" in row["cell"]]
    verdicts = [before_same_code(row) for _, row in rows]
    counts = [verdicts.count(v) for v in ("FASTER", "SLOWER", "SAME", "UNCLEAR")]
    ratios = sorted(row["ratio"] for _, row in rows if row["ratio"])
    middle = ratios[len(ratios) // 2] if ratios else float("nan")
    pairs = sum(row["pairs"] for _, row in rows) / max(len(rows), 1)
    cells = [str(len(rows)), *map(str, counts), f"{middle:.3f}", f"{pairs:.0f}"]
    print(f"| {name} | `{backend}` | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--same", type=int, default=20, help="comparisons of a commit with itself")
    parser.add_argument("--slower", type=int, default=10, help="comparisons with each loop")
    parser.add_argument("--budget", default="60s", help="time per cell")
    parser.add_argument("--json", help="where to keep every answer, a line each")
    parser.add_argument("--folder", help="where the clone lies; otherwise it is removed in the end")
    parser.add_argument("--turns", type=float, help="turns of the loop that are 1 %%, if known; otherwise measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        clone = pathlib.Path(arguments.folder or temporary).resolve() / "solock"
        if not clone.exists():
            run("git", "clone", "-q", ROOT, clone, cwd="/")
            run("git", "checkout", "-q", "-B", "base", cwd=clone)
        os.environ["CARGO_TARGET_DIR"] = str(clone / "target")
        run("cargo", "build", "--release", "-q", cwd=clone)
        solock = clone / "target/release/solock"
        per_percent = arguments.turns or turns_per_percent(solock, clone)
        print(f"{per_percent:.2f} turns of the loop are 1 %", file=sys.stderr, flush=True)
        sides = [(f"{p} %", commit(clone, max(1, round(p * per_percent)))) for p in (2, 4, 8)]
        # What has to be built is, before anything is measured.
        for side in ["base", *(side for _, side in sides)]:
            compare(solock, clone, "base", side, "1s")
        # Each kind spread over the whole, so that an hour's weather falls on all of them.
        kinds = [("nothing", "base", arguments.same), *((*side, arguments.slower) for side in sides)]
        plan = [((number + 0.5) / count, name, second) for name, second, count in kinds for number in range(count)]
        plan = [(name, second) for _, name, second in sorted(plan)]
        answers = {}
        started = time.time()
        for done, (name, second) in enumerate(plan, 1):
            answer = compare(solock, clone, "base", second, arguments.budget)
            answers.setdefault(name, []).append(answer)
            if arguments.json:
                with open(arguments.json, "a") as file:
                    file.write(json.dumps({"slower_by": name, **answer}) + "\n")
            said = ", ".join(f"{row['cell'].split('/')[1]} {row['verdict']}" for row in answer["rows"])
            print(f"{done}/{len(plan)} {name}: {said} ({answer['seconds']:.0f} s)", file=sys.stderr, flush=True)
    print(f"{per_percent:.1f} turns of the loop are 1 %; {len(plan)} comparisons in {(time.time() - started) / 60:.0f} min\n")
    print("| slower by | backend | comparisons | FASTER | SLOWER | SAME | UNCLEAR | median ratio | mean pairs |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in ("nothing", "2 %", "4 %", "8 %"):
        for backend in ("per-socket", "global"):
            line(name, backend, answers.get(name, []))


if __name__ == "__main__":
    main()
