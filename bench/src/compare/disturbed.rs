//! Whether a slice may be used: what else the machine did decides, never what was measured.

use results::HostNoise;

/// The unluckiest thread was on its CPU for at least this share of the slice.
const ON_CPU_SHARE_MIN: f64 = 0.99;
/// As many times may threads be taken off their CPUs, per second of a slice.
const SWITCHES_PER_SECOND_MAX: f64 = 250.0;
/// And as many in any case: one is nothing in however short a slice.
const SWITCHES_MIN: f64 = 2.0;

/// The share of all slices that may be disturbed before nothing is said of a cell.
pub const REJECTED_SHARE_MAX: f64 = 0.3;

/// Whether the host disturbed a slice of that many seconds. What the system does not say disturbs
/// nothing.
#[must_use]
pub fn is_disturbed(noise: &HostNoise, seconds: f64) -> bool {
    let off_cpu = noise.on_cpu_share_min.is_some_and(|share| share < ON_CPU_SHARE_MIN);
    let stolen = noise.steal_ns.is_some_and(|steal| steal > 0);
    let limit = (SWITCHES_PER_SECOND_MAX * seconds).max(SWITCHES_MIN);
    off_cpu || stolen || noise.involuntary_switches.is_some_and(|times| times as f64 > limit)
}

/// How many slices were measured, and how many of them not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Measured.
    pub slices: u32,
    /// Of these, disturbed.
    pub rejected: u32,
}

impl Tally {
    /// Whether too many were.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        f64::from(self.rejected) > REJECTED_SHARE_MAX * f64::from(self.slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(share: f64, switches: u64, steal_ns: u64) -> HostNoise {
        HostNoise {
            on_cpu_share_min: Some(share),
            involuntary_switches: Some(switches),
            steal_ns: Some(steal_ns),
            ..HostNoise::default()
        }
    }

    #[test]
    fn each_covariate_is_enough() {
        assert!(!is_disturbed(&noise(0.995, 5, 0), 0.02));
        assert!(is_disturbed(&noise(0.98, 0, 0), 0.02));
        assert!(is_disturbed(&noise(1.0, 6, 0), 0.02));
        assert!(is_disturbed(&noise(1.0, 0, 10_000_000), 0.02));
        assert!(!is_disturbed(&HostNoise::default(), 0.02));
    }

    #[test]
    fn three_in_ten_are_too_many() {
        assert!(!Tally { slices: 10, rejected: 3 }.is_busy());
        assert!(Tally { slices: 10, rejected: 4 }.is_busy());
        assert!(!Tally::default().is_busy());
    }
}
