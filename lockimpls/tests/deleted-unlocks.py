#!/usr/bin/env python3
"""Deletes every unlock of lockimpls in turn, and shows that the conformance battery catches each.

    python3 lockimpls/tests/deleted-unlocks.py [--list] [-j JOBS] [FILE...]

Works on copies of the checkout in a temporary folder. Prints a table in Markdown, a row per unlock: what the battery
reported first. Exits with 1 if an unlock can be deleted unseen. About 10 seconds per unlock and job.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = "lockimpls/src"
# Tests, the fault injection, the twins and the raw locks are not the layer; the calibration loop is measured, not tested.
LEFT_OUT = ("acquisitions/", "uipc/send/copy_share.rs", "backend/per_socket/tests.rs", "backend/per_pair/tests.rs", "backend/state_queue/tests.rs", "controls/", "fault", "calibrate.rs", "policy.rs", "witness", "sync.rs", "movable", "exclusion.rs", "raw", "backend/host",
            "ambient/")
UNLOCK = re.compile(
    r"(?:\.|gate::)(sounlock(_fd|_peer|_parted|_pair|_last)?|(data|side|queue)_unlock|sbunlock(_to_wait)?|(data|sb|so|call|part|side|sides|own|links|append|queue|queue_fd)_leave|side_leave_(waking|ended)|so_to_(data|sb)|sb_(to_so|to_peer|unlock)|peer_to_sb|peer_unpin|peer_looked|so_off_queue|queue_to_so|attach_enter|head_leave|embryo_leave(_last)?|release|exit(_read)?|rele|name_leave"
    r"|(list|gc|scan|flight|deferred|detach)_exit|list_to_name|gc_to_deferred|deferred_leave|deferred_to_gc|leave|unkeep|unlock|vop_unlock|kernel_unlock|sched_unlock|beside\.end)\("
)
ASLEEP = ("|| self.part_leave(so, part)", "|| vp.i_lock.exit()", "|| lock.exit()", "|| policy.release(with)", "|| policy.release(so)")
FLAGS = ("fast.gate.store(SHUT, Release);", "waits.store(0, Relaxed);")
LIMIT_S = 120


def unlocks(only):
    for path in sorted((ROOT / SOURCES).rglob("*.rs")):
        name = str(path.relative_to(ROOT / SOURCES))
        if name.startswith(LEFT_OUT) or (only and name not in only):
            continue
        before = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.strip()
            if before == "#[cfg(test)]" and code.startswith("mod "):
                break
            # What only a broken twin does, the battery cannot reach.
            in_twin = re.search(r"if (P::Fault|F)::omits\(", before)
            before = code
            if in_twin:
                continue
            asleep = next((unlock for unlock in ASLEEP if unlock in code), None)
            if asleep:
                yield name, number, code, line.replace(asleep, "|| ()")
            elif any(flag in code for flag in FLAGS) or (code.endswith(";") and UNLOCK.search(code) and is_statement(code)):
                yield name, number, code, "// deleted"


def is_statement(code):
    """A call made for its effect: not a definition, an assignment, or the release of a descriptor."""
    if code.startswith(("fn ", "pub", "let ", "//", "return", "#")) or "compare_exchange" in code:
        return False
    # Releasing a descriptor, or a reference on a name, unlocks nothing.
    return "self.fds.release" not in code and not code.startswith("self.rele(")


def copy_to(folder):
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    for file in filter(None, files):
        source = ROOT / file
        if source.is_file():
            target = pathlib.Path(folder) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def battery(folder):
    env = dict(
        os.environ, CARGO_TARGET_DIR=f"{folder}/target", CARGO_INCREMENTAL="1",
        CARGO_PROFILE_TEST_OPT_LEVEL="0", CARGO_PROFILE_TEST_DEBUG="0", CARGO_PROFILE_DEV_DEBUG="0")
    command = ["cargo", "test", "-q", "-p", "lockimpls", "--test", "conformance"]
    built = subprocess.run(
        [*command, "--no-run"], cwd=folder, env=env, capture_output=True, text=True, errors="replace")
    if built.returncode != 0:
        return built.returncode, built.stdout + built.stderr
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, timeout=LIMIT_S, text=True,
            errors="replace")
    except subprocess.TimeoutExpired:
        return None, "no end within the limit"
    return done.returncode, done.stdout + done.stderr


def verdict(code, output):
    if code == 0:
        return "NOT CAUGHT"
    if code is None:
        return "NOT CAUGHT: " + output
    if "could not compile" in output:
        return "NOT CAUGHT: does not compile"
    report = re.search(r"witness: (.*)", output)
    if report is None:
        return "NOT CAUGHT by the witness: " + " ".join(output.split())[-120:]
    return re.sub(r": exclusive.*| \(0x[0-9a-f]+\).*", "", report.group(1).rstrip(":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-j", type=int, default=2, help="copies at work at once")
    parser.add_argument("--list", action="store_true", help="only say what would be deleted")
    parser.add_argument("files", nargs="*", help=f"only these, relative to {SOURCES}")
    arguments = parser.parse_args()
    rows = list(unlocks(arguments.files))
    if arguments.list:
        print(*(f"{name}:{number}: {code}" for name, number, code, _ in rows), f"{len(rows)} unlocks", sep="\n")
        return
    with tempfile.TemporaryDirectory() as top:
        folders = queue.Queue()
        for job in range(arguments.j):
            copy_to(f"{top}/{job}")
            code, output = battery(f"{top}/{job}")
            if code != 0:
                sys.exit(f"the battery fails without any deletion:\n{output}")
            folders.put(f"{top}/{job}")

        def judge(row):
            name, number, _, replacement = row
            folder = folders.get()
            path = pathlib.Path(folder) / SOURCES / name
            whole = path.read_text()
            lines = whole.splitlines()
            lines[number - 1] = replacement
            path.write_text("\n".join(lines) + "\n")
            result = verdict(*battery(folder))
            path.write_text(whole)
            folders.put(folder)
            return result

        results = []
        print("| unlock | deleted | first report |\n|---|---|---|", flush=True)
        with concurrent.futures.ThreadPoolExecutor(arguments.j) as jobs:
            for (name, number, code, _), result in zip(rows, jobs.map(judge, rows)):
                results.append((name, result))
                print(f"| `{name}:{number}` | `{code}` | {result} |", flush=True)
    missed = sum(result.startswith("NOT") for _, result in results)
    print(f"\n{len(rows)} unlocks, {len(rows) - missed} caught, {missed} not\n")
    print("| file | deleted | caught |\n|---|---|---|")
    for name in sorted({name for name, _ in results}):
        of_file = [not result.startswith("NOT") for other, result in results if other == name]
        print(f"| `{name}` | {len(of_file)} | {sum(of_file)} |")
    print("\n| first report | times |\n|---|---|")
    for result, times in collections.Counter(result for _, result in results).most_common():
        print(f"| {result} | {times} |")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
