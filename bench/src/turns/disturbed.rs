//! Whether a slice may be used: what else the machine did decides, never what was measured.

use results::HostNoise;

/// The unluckiest thread was on its CPU for at least this share of the slice.
const ON_CPU_SHARE_MIN: f64 = 0.99;
/// How many times threads may be taken off their CPUs, for each second of a slice.
const SWITCHES_PER_SECOND_MAX: f64 = 250.0;
/// And how many times in any slice: one is nothing, however short the slice.
const SWITCHES_MIN: f64 = 2.0;

/// The share of all slices that may be disturbed before nothing is said of a cell.
pub const REJECTED_SHARE_MAX: f64 = 0.3;

/// What the host did to a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A thread was ready and had no CPU for too long, or never saw the slice begin.
    pub off_cpu: bool,
    /// Threads were taken off their CPUs too often.
    pub switched: bool,
    /// The hypervisor gave time to others.
    pub stolen: bool,
}

impl Signs {
    /// Those of a slice of that many seconds. What the system does not say is none.
    #[must_use]
    pub fn of(noise: &HostNoise, seconds: f64) -> Signs {
        let limit = (SWITCHES_PER_SECOND_MAX * seconds).max(SWITCHES_MIN);
        Signs {
            off_cpu: noise.on_cpu_share_min.is_some_and(|share| share < ON_CPU_SHARE_MIN),
            switched: noise.involuntary_switches.is_some_and(|times| times as f64 > limit),
            stolen: noise.steal_ns.is_some_and(|steal| steal > 0),
        }
    }

    /// Whether the slice was disturbed.
    #[must_use]
    pub fn any(self) -> bool {
        self.off_cpu || self.switched || self.stolen
    }
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
    /// One more slice.
    pub fn count(&mut self, signs: Signs) {
        self.slices += 1;
        self.rejected += u32::from(signs.any());
    }

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
    fn each_sign_of_others_disturbs() {
        let of = |share, switches, steal| Signs::of(&noise(share, switches, steal), 0.02);
        assert!(!of(0.995, 5, 0).any() && !of(0.99, 5, 0).any());
        assert_eq!(of(0.98, 0, 0), Signs { off_cpu: true, ..Signs::default() });
        assert_eq!(of(1.0, 6, 0), Signs { switched: true, ..Signs::default() });
        assert_eq!(of(1.0, 0, 10_000_000), Signs { stolen: true, ..Signs::default() });
        assert!(of(0.98, 0, 0).any() && of(1.0, 6, 0).any() && of(1.0, 0, 1).any());
        assert!(!Signs::of(&noise(1.0, 20, 0), 0.1).any(), "a longer slice may have more");
        assert!(!Signs::of(&noise(1.0, 2, 0), 0.0025).any(), "and a short one has some");
        assert!(!Signs::of(&HostNoise::default(), 0.02).any());
    }

    #[test]
    fn every_slice_is_counted_and_each_disturbed_one_once() {
        let mut tally = Tally::default();
        tally.count(Signs { off_cpu: true, switched: true, stolen: true });
        assert_eq!(tally, Tally { slices: 1, rejected: 1 });
        tally.count(Signs::default());
        tally.count(Signs { stolen: true, ..Signs::default() });
        assert_eq!(tally, Tally { slices: 3, rejected: 2 });
    }

    #[test]
    fn a_busy_host_is_one_that_spoils_a_third() {
        let tally = |rejected| Tally { slices: 100, rejected };
        assert!(!tally(30).is_busy() && tally(31).is_busy());
        assert!(!Tally::default().is_busy());
    }
}
