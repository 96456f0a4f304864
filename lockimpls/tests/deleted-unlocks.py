#!/usr/bin/env python3
"""Deletes every unlock of lockimpls in turn, and shows that the conformance battery catches each.

    python3 lockimpls/tests/deleted-unlocks.py [--list] [-j JOBS] [FILE...]

One build is enough: a copy of the checkout in a temporary folder has each unlock in a switch that
the environment turns off. Each test is run alone first, without a deletion: which unlocks it comes
to. Then, for each unlock, the quickest test that comes to it is run without it; where that one does
not catch it, all that come to it; and then the battery. A finding must end one of them, by the
witness or by the watchdog, in a process that came to the unlock; each is a part of the battery, so
that this catches it. After a hang the same tests are run as they are: where they hang, too, the
machine is too busy to judge by them.

Prints a table in Markdown, a row per unlock: what was reported first. Ends with 1 if an unlock can
be deleted unseen, or was not judged, with 2 if one is not known to be one.
"""

import argparse
import collections
import concurrent.futures
import doctest
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import unlocks

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = "lockimpls/src"
# How a process ends in which a check found something: the witness's, or the watchdog's.
EXIT_FINDING = int(re.search(
    r"EXIT_FINDING: i32 = (\d+);", (ROOT / SOURCES / "witness/report.rs").read_text()).group(1))
# What the watchdog says.
HANG = re.compile(r"witness: (?:no call returned for|a thread should have ended) ")
# For how long one test may run without an unlock, and several, as a busy machine may need. A hang is
# reported after 5 s in which no thread gets on.
TEST_LIMIT_S, LIMIT_S = 20, 900
# What code with an unlock missing may take at most, whatever it does.
MEMORY_BYTES, FILE_BYTES = 16 << 30, 1 << 26
# Who runs it, where this is run by root.
NOBODY = 65534

SWITCH = """//! Which unlock this process goes without, and which of them it comes to.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static DELETED: OnceLock<Option<usize>> = OnceLock::new();
static REACHED: [AtomicBool; %d] = [const { AtomicBool::new(false) }; %d];

/// Whether this one is deleted.
pub(crate) fn is(number: usize) -> bool {
    if !REACHED[number].load(Relaxed) && !REACHED[number].swap(true, Relaxed) {
        reached(number);
    }
    *DELETED.get_or_init(|| std::env::var("SOLOCK_DELETED").ok()?.parse().ok()) == Some(number)
}

#[cold]
fn reached(number: usize) {
    let Some(file) = std::env::var_os("SOLOCK_REACHED") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    file.unwrap().write_all(format!("{number} ").as_bytes()).unwrap();
}
"""

Run = collections.namedtuple("Run", "code output seconds reached")


class Battery:
    """The conformance battery, built with every unlock in a switch."""

    def __init__(self, top, found):
        self.top = top
        copy_to(f"{top}/copy")
        switch(f"{top}/copy/{SOURCES}", found)
        self.program = shutil.copy(build(f"{top}/copy"), f"{top}/battery")
        listed = subprocess.run(
            [self.program, "--list"], check=True, capture_output=True, text=True).stdout
        self.tests = re.findall(r"^(.+): test$", listed, re.M)
        limit_what_runs()

    def run(self, tests, number=None):
        """Runs these tests, or all, without the unlock of this number."""
        with tempfile.TemporaryDirectory(dir=self.top) as folder:
            env = dict(os.environ, TMPDIR=folder, SOLOCK_REACHED=f"{folder}/reached")
            user = {}
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)
                user = dict(user=NOBODY, group=NOBODY, extra_groups=[])
            if number is not None:
                env["SOLOCK_DELETED"] = str(number)
            started, code = time.monotonic(), None
            limit = TEST_LIMIT_S if len(tests) == 1 and number is not None else LIMIT_S
            try:
                done = subprocess.run(
                    [self.program, "--exact", *tests], cwd=folder, env=env, timeout=limit,
                    capture_output=True, text=True, errors="replace", **user)
                code, output = done.returncode, done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                output = "no end within the limit"
            reached = pathlib.Path(folder, "reached")
            numbers = reached.read_text().split() if reached.exists() else []
            return Run(code, output, time.monotonic() - started, {int(it) for it in numbers})

    def passes(self, tests):
        """Runs these tests as they are: they must pass."""
        run = self.run(tests)
        if run.code != 0:
            sys.exit(f"{' '.join(tests) or 'the battery'} fails without a deletion:\n{run.output}")
        return run


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


def switch(folder, found):
    """Puts each unlock of a copy's sources into its switch."""
    for name in {it.file for it in found}:
        path = pathlib.Path(folder, name)
        text = path.read_text()
        for number, it in reversed(list(enumerate(found))):
            if it.file == name:
                text = text[:it.start] + it.switched(text, number) + text[it.end:]
        path.write_text(text)
    pathlib.Path(folder, "deleted.rs").write_text(SWITCH % (len(found), len(found)))
    with open(f"{folder}/lib.rs", "a") as lib:
        lib.write("\nmod deleted;\n")


def build(folder):
    """The program of the battery."""
    env = dict(
        os.environ, CARGO_TARGET_DIR=f"{folder}/target", CARGO_INCREMENTAL="0",
        # A switch has brackets that some places need.
        RUSTFLAGS="-Awarnings",
        CARGO_PROFILE_TEST_OPT_LEVEL="0", CARGO_PROFILE_TEST_DEBUG="0",
        CARGO_PROFILE_DEV_DEBUG="0")
    built = subprocess.run(
        ["cargo", "test", "-q", "-p", "lockimpls", "--test", "conformance", "--no-run",
         "--message-format=json-render-diagnostics"],
        cwd=folder, env=env, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit("with every unlock in a switch it does not compile")
    messages = map(json.loads, built.stdout.splitlines())
    programs = [it["executable"] for it in messages if it.get("executable")]
    return programs[-1]


def limit_what_runs():
    """From here on, this process and those that it starts."""
    os.umask(0o022)
    for what, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))


def verdict(run, number):
    """What was reported first without this unlock.

    >>> said = "witness: lock order reversal:\\n 1st solock (0x7f)\\npanic: witness_checkorder"
    >>> verdict(Run(EXIT_FINDING, said, 0, {7}), 7)
    'lock order reversal'
    >>> verdict(Run(EXIT_FINDING, said, 0, {6}), 7)
    'NOT CAUGHT: reported without it'
    >>> verdict(Run(101, said, 0, {7}), 7)[:35]
    'NOT CAUGHT by a finding, ended with'
    """
    if run.code == 0:
        return "NOT CAUGHT"
    if run.code is None:
        return "NOT CAUGHT: " + run.output
    report = re.search(r"witness: (.*)", run.output)
    if run.code != EXIT_FINDING or report is None:
        end = " ".join(run.output.split())[-120:]
        return f"NOT CAUGHT by a finding, ended with {run.code}: {end}"
    if number not in run.reached:
        return "NOT CAUGHT: reported without it"
    return re.sub(r": exclusive.*| \(0x[0-9a-f]+\).*", "", report.group(1).rstrip(":"))


def judge(battery, number, reaching):
    """What is reported first without this unlock, which these tests come to."""
    stages = [reaching[:1], reaching] if len(reaching) > 1 else [reaching]
    for tests in [*filter(None, stages), []]:
        run = battery.run(tests, number)
        result = verdict(run, number)
        if has_hung(run) and is_caught(result) and has_hung(battery.run(tests)):
            result = "NOT JUDGED: hangs without a deletion, too"
        if is_caught(result):
            return result
    return result if number in run.reached else "NOT CAUGHT: not reached"


def has_hung(run):
    return run.code is None or HANG.search(run.output) is not None


def is_caught(result):
    return not result.startswith("NOT")


def known(only):
    """All unlocks, or those of these files. Ends the process where the lists are not complete."""
    failed = doctest.testmod(unlocks).failed + doctest.testmod().failed
    texts = dict(unlocks.sources(ROOT / SOURCES))
    if strange := set(only) - set(texts):
        sys.exit(f"not among the files that unlock something: {' '.join(strange)}")
    unknown = [it for name, text in texts.items() for it in unlocks.never_deleted(name, text)]
    in_vain = unlocks.in_vain(texts.values())
    if failed or unknown or in_vain:
        print("called like an unlock, and in no list of unlocks.py:", *unknown)
        print("in a list, and nowhere called:", *in_vain)
        sys.exit(2)
    return [it for name in only or texts for it in unlocks.unlocks_of(name, texts[name])]


def judged(found, jobs):
    """Each unlock with what was reported first, as soon as it is known."""
    with tempfile.TemporaryDirectory() as top, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        # Whoever runs the program must find it.
        os.chmod(top, 0o755)
        battery = Battery(top, found)
        battery.passes([])
        alone = pool.map(lambda test: battery.passes([test]), battery.tests)
        quickest = sorted(zip(battery.tests, alone), key=lambda it: it[1].seconds)
        reaching = [
            [test for test, run in quickest if number in run.reached]
            for number in range(len(found))]
        judge_one = lambda number: judge(battery, number, reaching[number])
        yield from zip(found, pool.map(judge_one, range(len(found))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-j", type=int, default=2, help="tests at work at once")
    parser.add_argument("--list", action="store_true", help="only say what would be deleted")
    parser.add_argument("files", nargs="*", help=f"only these, relative to {SOURCES}")
    arguments = parser.parse_args()
    found = known(arguments.files)
    if arguments.list:
        print(*(f"{it.file}:{it.line}: {it.code}" for it in found), sep="\n")
        print(f"{len(found)} unlocks")
        return
    print("| unlock | deleted | first report |\n|---|---|---|", flush=True)
    results, started = [], time.monotonic()
    for it, result in judged(found, arguments.j):
        results.append((it.file, result))
        code = it.code.replace("|", "\\|")
        print(f"| `{it.file}:{it.line}` | `{code}` | {result} |", flush=True)
    summary(results, time.monotonic() - started)
    sys.exit(not all(is_caught(result) for _, result in results))


def summary(results, seconds):
    caught = sum(is_caught(result) for _, result in results)
    print(f"\n{len(results)} unlocks, {caught} caught, {len(results) - caught} not;", end=" ")
    print(f"{seconds:.0f} s\n\n| file | deleted | caught |\n|---|---|---|")
    for name in sorted({name for name, _ in results}):
        of_file = [is_caught(result) for other, result in results if other == name]
        print(f"| `{name}` | {len(of_file)} | {sum(of_file)} |")
    print("\n| first report | times |\n|---|---|")
    for result, times in collections.Counter(result for _, result in results).most_common():
        print(f"| {result} | {times} |")


if __name__ == "__main__":
    main()
