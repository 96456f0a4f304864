//! Threads that are started once, stay where they are, and run the lanes.
//!
//! A `rayon` pool of exactly one thread for each lane, each pinned in its start handler, run by
//! broadcast: rayon starts and ends the threads and hands out nothing. Its work stealing never
//! touches timed code, because a lane is one job that lasts a whole slice, and every thread has
//! one.
//!
//! A thread of rayon's looks for work some thirty times, and yields each time, before it sleeps.
//! Where another thread wants the CPU, each of these times gives it a turn and takes it back
//! milliseconds later: the lanes of a process that was just measured would take turns with those
//! of the next one through several of its slices. So a run of the lanes ends when they sleep.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};
use results::Pinning;

use crate::cpus::Cpus;
use crate::noise::TaskFiles;

/// Whether threads are kept on one CPU each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Each on its CPU; that it cannot be pinned is an error.
    Each,
    /// Wherever the system puts them (`--no-pin`); the records say so.
    None,
}

/// The most threads that can run at once: the layer has room for 128, and some are the harness's
/// own.
pub const THREADS_MAX: usize = 120;

/// How long lanes that ended are waited for until they sleep. Alone on their CPUs they take some
/// microseconds.
const REST: Duration = Duration::from_millis(100);
/// How long the CPU is left to them between two looks.
const NAP: Duration = Duration::from_micros(50);

/// The threads of all lanes.
#[derive(Debug)]
pub struct Lanes {
    /// `None` only while dropping.
    threads: Option<ThreadPool>,
    pinning: Pinning,
    tasks: Vec<TaskFiles>,
    living: Arc<Living>,
}

/// How many threads of a pool have not ended yet.
#[derive(Debug)]
struct Living {
    count: Mutex<usize>,
    ended: Condvar,
}

impl Living {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    /// Starts and pins that many threads, and reads back where each of them is.
    ///
    /// # Errors
    /// A thread could not be started, or not be pinned.
    pub fn start(threads: usize, cpus: &Cpus, pin: Pin) -> Result<Lanes, String> {
        let living = Arc::new(Living { count: Mutex::new(threads), ended: Condvar::new() });
        let (ending, order) = (Arc::clone(&living), cpus.clone());
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|lane| format!("lane-{lane}"))
            .start_handler(move |lane| {
                if pin == Pin::Each {
                    // Whether it worked is read back below.
                    core_affinity::set_for_current(core_affinity::CoreId {
                        id: order.of_lane(lane),
                    });
                }
            })
            .exit_handler(move |_| {
                *ending.lock() -= 1;
                ending.ended.notify_all();
            })
            .build()
            .map_err(|error| format!("{threads} threads could not be started: {error}"))?;
        let seen = pool.broadcast(|_| (mask(), TaskFiles::of_this_thread()));
        let (masks, tasks): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        let pinning = pinning(&masks, cpus, pin)?;
        Ok(Lanes { threads: Some(pool), pinning, tasks, living })
    }

    /// How many lanes there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Which CPU each lane was given, and has.
    #[must_use]
    pub fn pinning(&self) -> &Pinning {
        &self.pinning
    }

    /// What the system counts of each lane's thread.
    #[must_use]
    pub fn tasks(&self) -> &[TaskFiles] {
        &self.tasks
    }

    /// Runs `lane` on every thread at once, and `lead` here meanwhile; returns when all have
    /// ended, and sleep.
    pub fn run<T: Send>(&self, lane: impl Fn(usize) -> T + Sync, lead: impl FnOnce()) -> Vec<T> {
        let slots: Vec<Mutex<Option<T>>> = (0..self.count()).map(|_| Mutex::new(None)).collect();
        self.threads().in_place_scope(|scope| {
            scope.spawn_broadcast(|_, context| {
                let done = lane(context.index());
                *slots[context.index()].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            });
            lead();
        });
        self.rest();
        // Every slot is filled: `in_place_scope` returns when the broadcast ended on every thread.
        slots
            .into_iter()
            .filter_map(|s| s.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }

    /// Runs `job` on the first lane's thread while the others rest.
    pub fn run_on_first<T: Send>(&self, job: impl Fn() -> T + Sync) -> T {
        let mut done = self.threads().broadcast(|context| (context.index() == 0).then(&job));
        self.rest();
        done.swap_remove(0).expect("a broadcast answers in the order of the threads")
    }

    /// Waits until every thread sleeps, for a while: where others keep one from it, the next slice
    /// has its switches, and says so.
    fn rest(&self) {
        let began = Instant::now();
        let is_awake = |task: &TaskFiles| task.is_asleep() == Some(false);
        while self.tasks.iter().any(is_awake) && began.elapsed() < REST {
            thread::sleep(NAP);
        }
    }

    fn threads(&self) -> &ThreadPool {
        self.threads.as_ref().expect("the pool is there until it is dropped")
    }
}

impl Drop for Lanes {
    /// Waits for the threads' end, so that the next pool does not share CPUs with dying ones.
    fn drop(&mut self) {
        self.threads = None;
        let mut living = self.living.lock();
        while *living > 0 {
            living = self.living.ended.wait(living).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The CPUs on which the calling thread may run.
fn mask() -> Vec<usize> {
    let ids = core_affinity::get_core_ids().unwrap_or_default();
    ids.into_iter().map(|core| core.id).collect()
}

/// What was asked and what was got; an error where a thread is not where it should be.
fn pinning(masks: &[Vec<usize>], cpus: &Cpus, pin: Pin) -> Result<Pinning, String> {
    let oversubscribed = masks.len() > cpus.count();
    if pin == Pin::None {
        return Ok(Pinning { unpinned: true, oversubscribed, ..Pinning::default() });
    }
    let asked: Vec<usize> = (0..masks.len()).map(|lane| cpus.of_lane(lane)).collect();
    for (lane, (cpu, mask)) in asked.iter().zip(masks).enumerate() {
        if mask[..] != [*cpu] {
            return Err(format!(
                "thread {lane} could not be pinned to CPU {cpu}: it may run on {mask:?}; figures \
                 of threads that wander say little, so this is an error unless --no-pin is given"
            ));
        }
    }
    let numbers = |cpus: &[usize]| cpus.iter().map(|cpu| *cpu as u32).collect::<Vec<u32>>();
    let got: Vec<usize> = masks.iter().map(|mask| mask[0]).collect();
    let (asked, got) = (numbers(&asked), numbers(&got));
    Ok(Pinning { asked, got, oversubscribed, ..Pinning::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_runs_once_on_the_cpu_it_was_given() {
        let cpus = Cpus::allowed().unwrap();
        let lanes = Lanes::start(3, &cpus, Pin::Each).unwrap();
        assert_eq!(lanes.pinning().asked, lanes.pinning().got);
        assert_eq!(lanes.pinning().oversubscribed, cpus.count() < 3);
        let mut has_led = false;
        let ran = lanes.run(|lane| (lane, mask()), || has_led = true);
        let asked = |lane: usize| vec![cpus.of_lane(lane)];
        assert_eq!(ran, [0, 1, 2].map(|lane| (lane, asked(lane))));
        assert!(has_led);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn lanes_that_ended_sleep() {
        let lanes = Lanes::start(2, &Cpus::allowed().unwrap(), Pin::Each).unwrap();
        // A busy machine may keep one from it for longer than they are waited for.
        let sleep = || {
            lanes.run(|_| (), || ());
            lanes.tasks().iter().all(|task| task.is_asleep() == Some(true))
        };
        assert!((0..100).all(|_| (0..10).any(|_| sleep())));
    }

    #[test]
    fn a_thread_that_is_elsewhere_is_an_error() {
        let cpus = Cpus::allowed().unwrap();
        let elsewhere = vec![vec![cpus.of_lane(0), 4711]];
        let error = pinning(&elsewhere, &cpus, Pin::Each).unwrap_err();
        assert!(error.contains("--no-pin"), "{error}");
        assert!(pinning(&elsewhere, &cpus, Pin::None).unwrap().unpinned);
    }
}
