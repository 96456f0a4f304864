//! What else the machine did while a lane was measured.
//!
//! All of it is read by the leading thread, outside the measured interval: a lane that read
//! files at the start of its interval would stall its partner, and the stall would stand in the
//! histogram.
//!
//! A thread that is parked is off its CPU by its own will, so the time on the CPU says nothing of a
//! lane that waits for others. What counts is the time it was ready to run and did not (`run_delay`
//! of schedstat): the on-CPU share of a lane is `1 - run_delay / interval`. The leading thread
//! needs a CPU too when it ends a slice; the microseconds it takes from a lane are part of that
//! lane's delay.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use results::{HostNoise, ON_CPU_SHARE_MIN};

/// The files in which the system keeps the counts of one thread; empty where it keeps none.
#[derive(Debug)]
pub struct TaskFiles {
    schedstat: Option<File>,
    stat: Option<File>,
    status: Option<File>,
}

impl TaskFiles {
    /// Those of the calling thread; any thread may read them afterwards.
    #[must_use]
    pub fn of_this_thread() -> TaskFiles {
        let open = |name: &str| File::open(format!("/proc/thread-self/{name}")).ok();
        TaskFiles { schedstat: open("schedstat"), stat: open("stat"), status: open("status") }
    }

    /// Whether it sleeps, if the system tells.
    #[must_use]
    pub fn is_asleep(&self) -> Option<bool> {
        asleep(&read(self.stat.as_ref()?)?)
    }

    /// Nanoseconds the thread was ready to run and did not, since it began, if the system tells.
    #[must_use]
    pub fn run_delay_ns(&self) -> Option<u64> {
        delay(&read(self.schedstat.as_ref()?)?)
    }

    /// How often it was taken off its CPU against its will, since it began.
    fn involuntary_switches(&self) -> Option<u64> {
        switches(&read(self.status.as_ref()?)?)
    }
}

/// The letter behind the name, which stands in brackets and may hold any character.
fn asleep(stat: &str) -> Option<bool> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().next()? == "S")
}

/// The second number of a schedstat: nanoseconds of waiting for a CPU.
fn delay(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().nth(1)?.parse().ok()
}

fn switches(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line?.trim().parse().ok()
}

/// A file of /proc is made anew at each read from its beginning.
fn read(file: &File) -> Option<String> {
    let mut bytes = [0; 4096];
    let length = file.read_at(&mut bytes, 0).ok()?;
    String::from_utf8(bytes[..length].to_vec()).ok()
}

/// The counts of all lanes at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    run_delay_ns: Vec<Option<u64>>,
    involuntary_switches: Vec<Option<u64>>,
    steal_ns: Option<u64>,
}

impl Snapshot {
    /// The counts by now.
    #[must_use]
    pub fn take(tasks: &[TaskFiles]) -> Snapshot {
        Snapshot {
            steal_ns: steal_ns(),
            involuntary_switches: tasks.iter().map(TaskFiles::involuntary_switches).collect(),
            // Last: nothing else shall come between it and the interval.
            run_delay_ns: tasks.iter().map(TaskFiles::run_delay_ns).collect(),
        }
    }

    /// What happened since `earlier`, around an interval of this length.
    #[must_use]
    pub fn since(&self, earlier: &Snapshot, interval: Duration) -> HostNoise {
        let delays = differences(&self.run_delay_ns, &earlier.run_delay_ns);
        let interval_ns = interval.as_nanos().max(1) as f64;
        let share = |delay: u64| (1.0 - delay as f64 / interval_ns).max(0.0);
        let on_cpu_share_min = delays
            .as_ref()
            .and_then(|delays| delays.iter().map(|delay| share(*delay)).reduce(f64::min));
        let switches = differences(&self.involuntary_switches, &earlier.involuntary_switches);
        let steal_ns = self.steal_ns.zip(earlier.steal_ns).map(|(b, a)| b.saturating_sub(a));
        let is_stolen = |steal: u64| steal as f64 > (1.0 - ON_CPU_SHARE_MIN) * interval_ns;
        HostNoise {
            on_cpu_share_min,
            run_delay_ns: delays.map(|delays| delays.iter().sum()),
            involuntary_switches: switches.map(|switches| switches.iter().sum()),
            steal_ns,
            // The hypervisor may have taken another CPU's time: leaving such slices out favours no
            // backend.
            flagged: on_cpu_share_min.is_some_and(|share| share < ON_CPU_SHARE_MIN)
                || steal_ns.is_some_and(is_stolen),
        }
    }
}

/// Lane by lane; nothing if one of them is unknown.
fn differences(now: &[Option<u64>], then: &[Option<u64>]) -> Option<Vec<u64>> {
    now.iter().zip(then).map(|(now, then)| Some((*now)?.saturating_sub((*then)?))).collect()
}

/// Time the hypervisor gave to others, all CPUs together, in steps of 10 ms.
fn steal_ns() -> Option<u64> {
    stolen(&std::fs::read_to_string("/proc/stat").ok()?)
}

/// The eighth number of the line of all CPUs.
fn stolen(stat: &str) -> Option<u64> {
    let ticks: u64 = stat.lines().next()?.split_whitespace().nth(8)?.parse().ok()?;
    Some(ticks * NS_PER_TICK)
}

/// USER_HZ is 100 on every Linux that Rust runs on.
const NS_PER_TICK: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(delays: &[u64]) -> Snapshot {
        Snapshot {
            run_delay_ns: delays.iter().copied().map(Some).collect(),
            involuntary_switches: vec![Some(1); delays.len()],
            steal_ns: Some(0),
        }
    }

    #[test]
    fn the_unluckiest_thread_decides() {
        let interval = Duration::from_millis(100);
        let noise = at(&[100, 1_000_100]).since(&at(&[100, 100]), interval);
        assert_eq!(noise.on_cpu_share_min, Some(0.99));
        assert_eq!(noise.run_delay_ns, Some(1_000_000));
        assert!(noise.flagged);
        assert!(!at(&[400_000]).since(&at(&[0]), interval).flagged);
    }

    #[test]
    fn what_the_hypervisor_took_flags_too() {
        let stolen = |ns| Snapshot { steal_ns: Some(ns), ..at(&[0]) };
        let interval = Duration::from_millis(100);
        assert!(stolen(10_000_000).since(&at(&[0]), interval).flagged);
        assert!(!stolen(10_000_000).since(&at(&[0]), Duration::from_secs(10)).flagged);
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let unknown = Snapshot { run_delay_ns: vec![None], ..at(&[0]) };
        let noise = unknown.since(&unknown, Duration::from_millis(1));
        assert_eq!((noise.on_cpu_share_min, noise.run_delay_ns), (None, None));
        assert!(!noise.flagged);
    }

    #[test]
    fn what_is_counted_is_what_was_added_of_each_thread() {
        let of = |delays: [u64; 2], switches: [u64; 2], steal: u64| Snapshot {
            run_delay_ns: delays.map(Some).to_vec(),
            involuntary_switches: switches.map(Some).to_vec(),
            steal_ns: Some(steal),
        };
        let interval = Duration::from_nanos(1_000);
        let noise = of([17, 90], [8, 23], 1_500).since(&of([10, 60], [3, 11], 400), interval);
        assert_eq!(noise.run_delay_ns, Some(7 + 30));
        assert_eq!(noise.involuntary_switches, Some(5 + 12));
        assert_eq!(noise.steal_ns, Some(1_100));
        assert_eq!(noise.on_cpu_share_min, Some(0.97));
        // Longer than the interval: it had no time at all.
        let noise = of([1_500, 0], [0, 0], 0).since(&of([0, 0], [0, 0], 0), interval);
        assert_eq!((noise.on_cpu_share_min, noise.flagged), (Some(0.0), true));
        // The bound itself is not below it.
        let noise = of([5, 0], [0, 0], 0).since(&of([0, 0], [0, 0], 0), interval);
        assert_eq!((noise.on_cpu_share_min, noise.flagged), (Some(ON_CPU_SHARE_MIN), false));
    }

    #[test]
    fn the_systems_words_are_read() {
        assert_eq!(delay("813 4711 22\n"), Some(4711));
        assert_eq!(asleep("17 (lane-0) S 1 1"), Some(true));
        assert_eq!(asleep("17 (lane) S (0) R 1 1"), Some(false));
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t42\n";
        assert_eq!(switches(status), Some(42));
        let stat = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 11 12 13 14 15 16 17 18 19 20\n";
        assert_eq!(stolen(stat), Some(80_000_000));
        for nothing in ["", "813", "x y z"] {
            assert_eq!([delay(nothing), switches(nothing), stolen(nothing)], [None; 3]);
            assert_eq!(asleep(nothing), None);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_keeps_counts_of_a_thread() {
        let files = TaskFiles::of_this_thread();
        assert!(files.involuntary_switches().is_some());
        assert_eq!(files.is_asleep(), Some(false), "it asks");
    }
}
