//! What a run is asked to do: defaults, and everything that can be wrong with the numbers, refused
//! before anything runs.

use std::path::PathBuf;
use std::time::Duration;

use lockimpls::{Algorithm, Ambient, SockType, WaitStrategy};

use crate::cli::{OwnArgs, RunArgs};
use crate::cpus::Cpus;
use crate::number::{real, shown, time};
use crate::pool::{Pin, THREADS_MAX};
use crate::valid::{NO_AMBIENT, ambient, distinct, hang_limit, named, seconds, size};
use crate::{locks, matrix};
use workloads::Parameter;
use workloads::number::whole;

/// The settings of a run, all valid.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names of backends, in the order they were asked for.
    pub backends: Vec<String>,
    /// Names of workloads.
    pub workloads: Vec<String>,
    /// Types of sockets.
    pub socket_types: Vec<SockType>,
    /// Lengths of messages, in bytes.
    pub message_bytes: Vec<usize>,
    /// Numbers of threads, ascending.
    pub threads: Vec<usize>,
    /// Wait strategies.
    pub waits: Vec<WaitStrategy>,
    /// Algorithms of the layer's locks.
    pub locks: Vec<Algorithm>,
    /// Sets of locks around the layer.
    pub ambients: Vec<Ambient>,
    /// Numbers of workloads' own that somebody asked for, by their names in records.
    pub own: Vec<(&'static str, Vec<f64>)>,
    /// Measured time per cell and round, half of it for each measure, if somebody said.
    pub seconds: Option<Duration>,
    /// How many times every cell is measured; none: until its ratios are known well enough.
    pub rounds: Option<u32>,
    /// How narrow the interval of a ratio shall be, as a share to each side, if somebody said.
    pub within: Option<f64>,
    /// The longest that a run may take, if somebody said.
    pub budget: Option<Duration>,
    /// For the order of the backends, and for the workloads.
    pub seed: u64,
    /// The CPUs, in the order threads get them.
    pub cpus: Cpus,
    /// Whether threads stay on them.
    pub pin: Pin,
    /// How long nothing may move.
    pub hang_limit: Duration,
}

/// All that there are, for `--backend` and `--lock`.
const ALL: &str = "all";
/// The numbers of threads of a run that names none, as far as there are CPUs; two in any case.
const DEFAULT_THREADS: [usize; 4] = [1, 2, 4, 8];
const DEFAULT_BYTES: usize = 64;

const ROUNDS_MAX: u32 = 10_000;

impl Settings {
    /// Reads what the user gave; `allowed` are the CPUs that this process may use.
    ///
    /// # Errors
    /// What was wrong, what is valid, and what to do, in one line.
    pub fn new(args: &RunArgs, allowed: &Cpus) -> Result<Settings, String> {
        let cells = &args.cells;
        let cpus =
            cells.cpus.as_ref().map_or_else(|| Ok(allowed.clone()), |l| allowed.choose(l))?;
        let socket_types = named(&cells.socket_type, "type", &SockType::ALL, SockType::name)?;
        Ok(Settings {
            backends: backends(&cells.backend)?,
            workloads: workloads(&cells.workload)?,
            message_bytes: sizes(&cells.size, &socket_types)?,
            threads: threads(&cells.threads, &cpus)?,
            waits: if cells.wait.is_empty() {
                vec![WaitStrategy::Adaptive]
            } else {
                named(&cells.wait, "way to wait", &WaitStrategy::ALL, WaitStrategy::name)?
            },
            locks: locks(&cells.lock)?,
            ambients: ambients(&cells.ambient)?,
            own: own(&cells.own)?,
            seconds: args.seconds.map(|asked| seconds("--seconds", asked)).transpose()?,
            rounds: args.rounds.map(rounds).transpose()?,
            within: args.within.as_deref().map(within).transpose()?,
            budget: args.budget.as_deref().map(budget).transpose()?,
            seed: u64::from(cells.seed.unwrap_or_else(|| fastrand::u32(..))),
            pin: if cells.no_pin { Pin::None } else { Pin::Each },
            hang_limit: hang_limit(args.hang_limit)?,
            socket_types,
            cpus,
        })
    }
}

fn backends(asked: &[String]) -> Result<Vec<String>, String> {
    let valid: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
    let (names, is_all) = names(asked);
    names.iter().try_for_each(|name| matrix::check_name("backend", name, &valid))?;
    if is_all {
        return Ok(valid.into_iter().map(str::to_owned).collect());
    }
    if names.is_empty() {
        return Ok(matrix::usual_backends().iter().map(|one| one.name.to_owned()).collect());
    }
    Ok(distinct(names))
}

fn workloads(asked: &[String]) -> Result<Vec<String>, String> {
    let valid: Vec<&str> = matrix::workloads().iter().map(|workload| workload.name).collect();
    if asked.is_empty() {
        return Ok(matrix::usual().into_iter().map(str::to_owned).collect());
    }
    asked.iter().try_for_each(|name| matrix::check_name("workload", name, &valid))?;
    Ok(distinct(asked.iter().cloned()))
}

fn sizes(asked: &[usize], types: &[SockType]) -> Result<Vec<usize>, String> {
    if asked.is_empty() {
        return Ok(vec![DEFAULT_BYTES]);
    }
    for kind in types {
        asked.iter().try_for_each(|bytes| size(*bytes, *kind).map(|_| ()))?;
    }
    Ok(distinct(asked.iter().copied()))
}

/// Algorithms of the layer's locks.
///
/// # Errors
/// A name means nothing.
pub fn locks(asked: &[String]) -> Result<Vec<Algorithm>, String> {
    let (names, is_all) = names(asked);
    let all = locks::all();
    let named = named(&names, "lock", &all, Algorithm::name)?;
    Ok(if is_all { all } else { named })
}

/// The names among what was asked for, and whether [`ALL`] was.
fn names(asked: &[String]) -> (Vec<String>, bool) {
    let (all, names): (Vec<String>, _) = asked.iter().cloned().partition(|name| name == ALL);
    (names, !all.is_empty())
}

/// Sets of locks around the layer, one for each time that the flag was given.
fn ambients(asked: &[String]) -> Result<Vec<Ambient>, String> {
    if asked.is_empty() {
        return Ok(vec![Ambient::empty()]);
    }
    let sets = asked.iter().map(|list| {
        let names: Vec<&str> = list.split(',').collect();
        if names == [NO_AMBIENT] { Ok(Ambient::empty()) } else { ambient(&names) }
    });
    Ok(distinct(sets.collect::<Result<Vec<_>, _>>()?))
}

/// Reads `1`, `1-8`, `1,2,4`, several times.
fn threads(asked: &[String], cpus: &Cpus) -> Result<Vec<usize>, String> {
    if asked.is_empty() {
        let fit = |threads: &usize| *threads <= cpus.count().max(2);
        return Ok(DEFAULT_THREADS.into_iter().filter(fit).collect());
    }
    let mut threads = Vec::new();
    for list in asked {
        for part in list.split(',') {
            let (first, last) = range(list, part)?;
            threads.extend(first..=last);
        }
    }
    threads.sort_unstable();
    threads.dedup();
    Ok(threads)
}

fn range(list: &str, part: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| {
        let number = whole::<usize>(text);
        number.filter(|n| (1..=THREADS_MAX).contains(n)).ok_or_else(|| {
            format!(
                "--threads {list}: {text:?} is no number of threads; valid are 1 to {THREADS_MAX}, \
                 as in --threads 1, --threads 1-8 or --threads 1,2,4"
            )
        })
    };
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("--threads {list}: the range {part} is empty; write {last}-{first}"));
    }
    Ok((first, last))
}

fn own(asked: &OwnArgs) -> Result<Vec<(&'static str, Vec<f64>)>, String> {
    let valid = |(parameter, values): &(&'static Parameter, Vec<f64>)| {
        for value in values {
            let refused = |why| format!("--{} {}: {why}", parameter.flag, shown(*value));
            parameter.check(*value).map_err(refused)?;
        }
        Ok((parameter.field, distinct(values.iter().copied())))
    };
    asked.0.iter().map(valid).collect()
}

/// How many times something is done.
///
/// # Errors
/// Not once, or too often.
pub fn rounds(rounds: u32) -> Result<u32, String> {
    if (1..=ROUNDS_MAX).contains(&rounds) {
        return Ok(rounds);
    }
    Err(format!("--rounds {rounds}: valid are 1 to {ROUNDS_MAX}"))
}

/// Reads `3%`, or `3`, as a share.
fn within(text: &str) -> Result<f64, String> {
    let number = real(text.strip_suffix('%').unwrap_or(text)).ok();
    let percent = number.filter(|percent| (WITHIN_MIN..=WITHIN_MAX).contains(percent));
    percent.map(|percent| percent / 100.0).ok_or_else(|| {
        format!("--within {text}: valid are {WITHIN_MIN}% to {WITHIN_MAX}%, to each side")
    })
}

const WITHIN_MIN: f64 = 0.1;
const WITHIN_MAX: f64 = 100.0;

/// Reads `500ms`, `60s` or `2m`; a number alone is seconds.
///
/// # Errors
/// It is no time, too short or too long.
pub fn budget(text: &str) -> Result<Duration, String> {
    time(text).filter(|budget| (BUDGET_MIN..=BUDGET_MAX).contains(budget)).ok_or_else(|| {
        format!("--budget {text}: valid are 100ms to 24h, written as in 500ms, 60s or 2m")
    })
}

/// The shortest and the longest budget.
const BUDGET_MIN: Duration = Duration::from_millis(100);
const BUDGET_MAX: Duration = Duration::from_secs(24 * 3600);

/// The folder of the runs: the one that was named, or the default.
#[must_use]
pub fn folder(named: Option<&PathBuf>) -> PathBuf {
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    named.cloned().unwrap_or_else(|| results::Store::default_folder(&current))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut RunArgs)) -> Result<Settings, String> {
        let mut args = RunArgs::default();
        change(&mut args);
        Settings::new(&args, &Cpus::allowed().unwrap())
    }

    #[test]
    fn threads_come_as_lists_and_ranges() {
        let threads = |lists: &[&str]| {
            settings(|a| a.cells.threads = lists.iter().map(|l| (*l).to_owned()).collect())
                .map(|settings| settings.threads)
        };
        assert_eq!(threads(&["1-3"]), Ok(vec![1, 2, 3]));
        assert_eq!(threads(&["4,1", "2-2"]), Ok(vec![1, 2, 4]));
        for bad in ["0", "", "x", "3-1", "1-", "0-2", "1,,2", "1000000", "1-99999999999"] {
            let error = threads(&[bad]).unwrap_err();
            assert!(error.starts_with(&format!("--threads {bad}: ")), "{error}");
        }
    }

    #[test]
    fn locks_around_the_layer_come_in_sets() {
        let ambients = |lists: &[&str]| {
            settings(|a| a.cells.ambient = lists.iter().map(|l| (*l).to_owned()).collect())
                .map(|settings| settings.ambients)
        };
        assert_eq!(ambients(&[]), Ok(vec![Ambient::empty()]));
        assert_eq!(ambients(&["none"]), Ok(vec![Ambient::empty()]));
        assert_eq!(ambients(&["2022-07-01"]), Ok(vec![Ambient::all()]));
        let two = Ambient::F_MTX | Ambient::SCHED_LOCK;
        let lists = ["sched-lock,f-mtx", "none", "f-mtx", "f-mtx,sched-lock,f-mtx"];
        assert_eq!(ambients(&lists), Ok(vec![two, Ambient::empty(), Ambient::F_MTX]));
        for bad in ["", ",", "f-mtx,", "f_mtx", "NONE", "2022-07-25", "kernel-lock f-mtx"] {
            let error = ambients(&[bad]).unwrap_err();
            assert!(error.contains("kernel-lock, fd-fplock, f-mtx, sched-lock"), "{error}");
        }
        assert!(ambients(&["f_mtx"]).unwrap_err().ends_with("did you mean \"f-mtx\"?"));
        assert!(ambients(&["none,f-mtx"]).unwrap_err().contains("together"));
    }

    #[test]
    fn all_is_every_backend_and_every_lock_and_no_other_name_passes_beside_it() {
        let of = |what: fn(&mut RunArgs) -> &mut Vec<String>, list: &str| {
            settings(|a| *what(a) = list.split(',').map(str::to_owned).collect())
        };
        let locks = |list: &str| of(|a| &mut a.cells.lock, list).map(|settings| settings.locks);
        assert_eq!(settings(|_| ()).unwrap().locks, [Algorithm::ParkingLot]);
        assert_eq!(locks("mcs,std,mcs"), Ok(vec![Algorithm::Mcs, Algorithm::Std]));
        for all in ["all", "mcs,all", "all,all"] {
            assert_eq!(locks(all), Ok(Algorithm::ALL.to_vec()));
        }
        for bad in ["", "ALL", "mcs,", "all,tickets", "default"] {
            let error = locks(bad).unwrap_err();
            assert!(error.contains("parking-lot, rwlock9, rwlock9-2025, mutex9"), "{error}");
        }
        let backends = |list: &str| of(|a| &mut a.cells.backend, list).map(|found| found.backends);
        let every: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
        assert_eq!(backends("host,all").unwrap(), every);
        let usual = ["global", "per-socket", "per-buffer", "lock-free", "host"];
        assert_eq!(settings(|_| ()).unwrap().backends, usual);
        assert_eq!(backends("host,global").unwrap(), ["host", "global"]);
        assert!(backends("all,x").unwrap_err().contains("global, "));
    }

    #[test]
    fn impossible_numbers_are_refused_and_say_what_is_valid() {
        let refused = |change: &dyn Fn(&mut RunArgs)| settings(change).unwrap_err();
        let own = |flag: &str, value: f64| {
            refused(&|a| a.cells.own = OwnArgs::given(&[(flag, &[value])]))
        };
        assert!(own("rate", 0.0).starts_with("--rate 0: valid are numbers above 0, at most 10"));
        assert!(own("rate", f64::NAN).starts_with("--rate NaN: "));
        assert!(own("groups", 0.0).starts_with("--groups 0: valid are 1 to "));
        let more = own("groups", THREADS_MAX as f64 + 1.0);
        assert!(more.ends_with(&format!(": valid are 1 to {THREADS_MAX}")), "{more}");
        assert!(refused(&|a| a.seconds = Some(f64::INFINITY)).starts_with("--seconds inf: "));
        assert!(refused(&|a| a.seconds = Some(-1.0)).starts_with("--seconds -1: "));
        assert!(refused(&|a| a.rounds = Some(0)).starts_with("--rounds 0: "));
        for bad in ["", "0", "-3%", "NaN", "101%", "wide"] {
            let said = refused(&|a| a.within = Some(bad.to_owned()));
            assert!(said.starts_with(&format!("--within {bad}: ")), "{said}");
        }
        for bad in ["", "0", "-1", "soon", "25h", "NaN"] {
            let said = refused(&|a| a.budget = Some(bad.to_owned()));
            assert!(said.starts_with(&format!("--budget {bad}: ")), "{said}");
        }
        assert!(refused(&|a| a.cells.size = vec![64, 0]).starts_with("--size 0: "));
        assert!(
            refused(&|a| a.cells.cpus = Some("99999".into())).contains("CPU 99999 is not allowed")
        );
    }

    #[test]
    fn a_width_is_in_percent_and_a_budget_has_a_unit_or_is_seconds() {
        assert_eq!((within("3%"), within("0.5")), (Ok(0.03), Ok(0.005)));
        assert_eq!(budget("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(budget("5"), Ok(Duration::from_secs(5)));
    }

    #[test]
    fn a_message_must_fit_its_type() {
        let refused = |kind: &str, bytes: usize| {
            settings(|a| (a.cells.socket_type, a.cells.size) = (vec![kind.to_owned()], vec![bytes]))
                .err()
        };
        assert_eq!(refused("dgram", 2048), None);
        assert!(refused("dgram", 2049).unwrap().contains("1 to 2048 bytes"));
        assert_eq!(refused("seqpacket", 8192), None);
        assert!(refused("seqpacket", 8193).unwrap().contains("1 to 8192 bytes"));
    }
}
