//! The fences on the machine: two pinned threads store and then load, and not both may miss the
//! other's store.

use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use super::*;
use crate::child;

/// How often the two meet with the fences, and then without one of them.
const MEETINGS: usize = 2000;
/// The fences have been tried enough when so many stores were missed without the fast side's: on a
/// busy machine the two seldom meet, and it takes longer.
const ENOUGH: usize = 20;
/// After so long this machine shows nothing, or no more.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a thread may reach of the other: its stores, and how far it is.
struct Side {
    words: Vec<CachePadded<AtomicU32>>,
    at: CachePadded<AtomicUsize>,
}

impl Side {
    fn new() -> Side {
        let word = |_| CachePadded::new(AtomicU32::new(0));
        Side { words: (0..MEETINGS).map(word).collect(), at: CachePadded::new(AtomicUsize::new(0)) }
    }

    /// Meets the other side again and again: for each time whether its store was missed.
    fn meet(&self, other: &Side, cpu: usize, delay: usize, fence: fn()) -> Vec<bool> {
        pin(cpu);
        let once = |meeting: usize| {
            self.at.store(meeting + 1, Ordering::Release);
            while other.at.load(Ordering::Acquire) <= meeting {
                spin_loop();
            }
            // In each meeting one of the two is late by a different time.
            (0..meeting * delay % 61).for_each(|_| spin_loop());
            self.words[meeting].store(1, Ordering::Relaxed);
            fence();
            other.words[meeting].load(Ordering::Relaxed) == 0
        };
        (0..MEETINGS).map(once).collect()
    }
}

fn pin(cpu: usize) {
    // SAFETY: an all-zero set is a valid one, and it outlives the call that reads it.
    let failed = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    assert_eq!(failed, 0, "CPU {cpu} may be used");
}

/// The CPUs that this process may use.
fn cpus() -> Vec<usize> {
    // SAFETY: an all-zero set is a valid one, and it outlives the call that fills it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set)).collect()
    }
}

/// How often both missed the other's store.
fn missed(cpus: &[usize], light: fn(), heavy: fn()) -> usize {
    let (fast, slow) = (Side::new(), Side::new());
    let (fast_missed, slow_missed) = std::thread::scope(|threads| {
        let fast_missed = threads.spawn(|| fast.meet(&slow, cpus[0], 0, light));
        let slow_missed = threads.spawn(|| slow.meet(&fast, cpus[1], 7, heavy));
        (fast_missed.join().unwrap(), slow_missed.join().unwrap())
    });
    fast_missed.iter().zip(&slow_missed).filter(|(fast, slow)| **fast && **slow).count()
}

fn no_fence() {
    compiler_fence(Ordering::SeqCst);
}

fn full_fence() {
    fence(Ordering::SeqCst);
}

fn try_them(expected: Asymmetric) {
    let answer = register_asymmetric();
    if answer != expected {
        eprintln!("SKIPPED: the fences are {answer:?}, not {expected:?}: membarrier(2) is refused");
        return;
    }
    let cpus = cpus();
    if cpus.len() < 2 {
        eprintln!("SKIPPED: one CPU, so that no store can be missed");
        return;
    }
    let (begun, mut meetings, mut shown) = (Instant::now(), 0, 0);
    while shown < ENOUGH && begun.elapsed() < PATIENCE {
        assert_eq!(missed(&cpus, light_fence, heavy_fence), 0, "both stores were missed");
        shown += missed(&cpus, no_fence, full_fence);
        meetings += MEETINGS;
    }
    if shown == 0 {
        eprintln!("SKIPPED: no store is missed here without the fast side's fence either");
        return;
    }
    eprintln!(
        "{answer:?}: {meetings} meetings, none missed; {shown} without the fast side's fence"
    );
}

#[test]
fn not_both_stores_are_missed() {
    try_them(Asymmetric::Membarrier);
}

#[test]
fn not_both_stores_are_missed_without_membarrier() {
    if std::env::var_os(NO_MEMBARRIER).is_some() {
        return try_them(Asymmetric::Fallback);
    }
    let name = concat!(module_path!(), "::not_both_stores_are_missed_without_membarrier");
    let (_, test) = name.split_once("::").expect("the crate's name");
    let (code, said) = child::run(test, NO_MEMBARRIER, "1");
    eprintln!("{said}");
    assert_eq!(code, Some(0), "{said}");
}
