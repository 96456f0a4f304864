#!/bin/sh
# Runs the tests of lockimpls under valgrind's memcheck: unit tests, allocations, `host`, and the conformance battery on
# every backend.
#
#     lockimpls/tests/memcheck.sh [FILTER]          about two minutes of one core
#
# Ends with 0 when every test passed and memcheck found nothing: no read or write outside of what is allocated or after
# it was freed, no decision and no system call on bytes that were never written, no memory lost. Ends with 3 when there is no
# valgrind.
#
# What is set, and why:
#
# * `--fair-sched=yes`: valgrind runs one thread at a time. Without it a thread that spins for another can keep the
#   processor from that one.
# * `--errors-for-leak-kinds=definite,indirect`: what is "possibly lost" is pointed to in its middle. Of that there is what
#   std keeps for libtest's main thread, and the stack of the watchdog, which still runs at the end.
# * The battery's watchdog waits longer, for everything is about thirty times slower.
# * membarrier(2) is handed on to the kernel, so that it is the fence that is used here, too.
#
# helgrind and drd are not run. They know locks and the orders that locks make; here the ring, the gate and the counts are
# ordered by acquire, release and fences, which they do not follow, so that they would report all of the lock-free path.
# `lockimpls/models/loom` looks for races there.

set -eu

if ! command -v valgrind > /dev/null; then
    echo "memcheck.sh: there is no valgrind here (apt-get install valgrind); nothing was checked" >&2
    exit 3
fi

target=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${target}_RUNNER=valgrind --tool=memcheck --error-exitcode=9 --leak-check=full \
--show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect --fair-sched=yes --quiet"
export SOLOCK_HANG_SECONDS=120

cd "$(dirname "$0")/.."
cargo test --lib --tests -- "$@"
echo "memcheck: no errors"
