//! Which CPUs the threads may use, and in which order they are given out.
//!
//! The allowed set is the mask of the calling thread, read once, before anything is pinned: a
//! container may leave CPUs 3 and 7 only, and "CPU 0" is then a mistake and not a default.

use std::collections::HashMap;
use std::fs;

use workloads::number::whole;

/// The CPUs that this process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus {
    /// Ascending.
    allowed: Vec<usize>,
    /// The order in which threads get them.
    order: Vec<usize>,
}

impl Cpus {
    /// The mask of the calling thread; call it before any pinning.
    ///
    /// # Errors
    /// The system does not say which CPUs are allowed.
    pub fn allowed() -> Result<Cpus, String> {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        let mut allowed: Vec<usize> = ids.into_iter().map(|core| core.id).collect();
        allowed.sort_unstable();
        allowed.dedup();
        if allowed.is_empty() {
            return Err("the system does not say which CPUs this program may use".to_owned());
        }
        let order = one_per_core_first(&allowed, core_of);
        Ok(Cpus { allowed, order })
    }

    /// The same CPUs, given out as this list says: `0,2,4-7`.
    ///
    /// # Errors
    /// The list cannot be read, or names a CPU that is not allowed.
    pub fn choose(&self, list: &str) -> Result<Cpus, String> {
        let order = parse_list(list)?;
        if let Some(cpu) = order.iter().find(|cpu| !self.allowed.contains(cpu)) {
            return Err(format!(
                "--cpus {list}: CPU {cpu} is not allowed to this program; allowed are {}",
                show_list(&self.allowed)
            ));
        }
        Ok(Cpus { allowed: self.allowed.clone(), order })
    }

    /// The CPU of a lane: the order, again from its start when there are more lanes than CPUs.
    #[must_use]
    pub fn of_lane(&self, lane: usize) -> usize {
        self.order[lane % self.order.len()]
    }

    /// How many CPUs are given out.
    #[must_use]
    pub fn count(&self) -> usize {
        self.order.len()
    }

    /// How many CPUs are allowed, given out or not.
    #[must_use]
    pub fn allowed_count(&self) -> usize {
        self.allowed.len()
    }

    /// The CPUs in the order they are given out.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

/// Reads `0,2,4-7`; the order is kept, a CPU named twice is an error.
fn parse_list(list: &str) -> Result<Vec<usize>, String> {
    let wrong = |part: &str| {
        format!("--cpus {list}: {part:?} is neither a CPU's number nor a range such as 4-7")
    };
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = whole(first).ok_or_else(|| wrong(part))?;
        let last: usize = whole(last).ok_or_else(|| wrong(part))?;
        if first > last || last - first >= CPUS_MAX {
            return Err(wrong(part));
        }
        cpus.extend(first..=last);
    }
    let mut sorted = cpus.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("--cpus {list}: CPU {} is named twice", twice[0]));
    }
    Ok(cpus)
}

/// The widest range of CPUs that is read.
const CPUS_MAX: usize = 8192;

/// `0-1,4`: the shortest list that `--cpus` reads back.
#[must_use]
pub fn show_list(cpus: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &cpu in cpus {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => parts.push((cpu, cpu)),
        }
    }
    let show = |(first, last): (usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    parts.into_iter().map(show).collect::<Vec<_>>().join(",")
}

/// The physical core of a CPU, as (package, core); of an unknown one: itself.
#[must_use]
pub fn core_of(cpu: usize) -> (usize, usize) {
    let read = |what: &str| -> Option<usize> {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/{what}");
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    match (read("physical_package_id"), read("core_id")) {
        (Some(package), Some(core)) => (package, core),
        _ => (usize::MAX, cpu),
    }
}

/// The first hardware thread of every core, then the second of every core, and so on.
fn one_per_core_first(allowed: &[usize], core_of: impl Fn(usize) -> (usize, usize)) -> Vec<usize> {
    let mut taken: HashMap<(usize, usize), usize> = HashMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for &cpu in allowed {
        let rank = taken.entry(core_of(cpu)).or_default();
        ranked.push((*rank, cpu));
        *rank += 1;
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, cpu)| cpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(allowed: &[usize]) -> Cpus {
        Cpus { allowed: allowed.to_vec(), order: allowed.to_vec() }
    }

    #[test]
    fn lists_are_read_in_their_order() {
        assert_eq!(parse_list("0,2,4-7"), Ok(vec![0, 2, 4, 5, 6, 7]));
        assert_eq!(parse_list("5,1"), Ok(vec![5, 1]));
        for bad in ["", "a", "1-", "-1", "3-1", "1,,2", "0-99999999999", "1,1", "0-3,2"] {
            assert!(parse_list(bad).is_err(), "{bad:?} was read");
        }
    }

    #[test]
    fn a_cpu_that_is_not_allowed_is_refused_by_name() {
        let allowed = cpus(&[0, 1, 4]);
        assert_eq!(allowed.choose("4,0").unwrap().order(), [4, 0]);
        let error = allowed.choose("0,3").unwrap_err();
        assert!(error.contains("CPU 3") && error.contains("0-1,4"), "{error}");
    }

    #[test]
    fn every_core_gets_one_thread_before_any_gets_two() {
        let siblings = |cpu: usize| (0, cpu % 2);
        assert_eq!(one_per_core_first(&[0, 1, 2, 3], siblings), [0, 1, 2, 3]);
        let neighbours = |cpu: usize| (0, cpu / 2);
        assert_eq!(one_per_core_first(&[0, 1, 2, 3], neighbours), [0, 2, 1, 3]);
    }

    #[test]
    fn more_lanes_than_cpus_start_over() {
        let two = cpus(&[2, 5]);
        assert_eq!([0, 1, 2, 3].map(|lane| two.of_lane(lane)), [2, 5, 2, 5]);
    }
}
