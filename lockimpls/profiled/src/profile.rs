//! What a profile says.

use hdrhistogram::Histogram;
use lockimpls::witness::Class;

/// The longest time that histograms tell from longer ones, in nanoseconds: one minute.
const MAX_NS: u64 = 60_000_000_000;
/// Decimal digits that they keep.
const DIGITS: u8 = 3;

/// How often, and how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How often.
    pub count: u64,
    /// The shortest; 0 where there is none.
    pub min_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// All of them together.
    pub total_ns: u64,
}

impl Times {
    /// One more.
    pub(crate) fn add(&mut self, time: u64) {
        self.plus(&Times { count: 1, min_ns: time, max_ns: time, total_ns: time });
    }

    /// Both together.
    pub fn plus(&mut self, other: &Times) {
        if other.count == 0 {
            return;
        }
        self.min_ns = if self.count == 0 { other.min_ns } else { self.min_ns.min(other.min_ns) };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.count += other.count;
        self.total_ns += other.total_ns;
    }
}

/// What happened to the locks of one class that were taken at one place of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The class.
    pub class: Class,
    /// `file:line`, where a request took them.
    pub at: String,
    /// Times one was taken; each of them is a hold.
    pub hold: Times,
    /// Of these, times another thread had had it just before.
    pub acq_bounces: u64,
    /// Times one was not free and was waited for.
    pub wait: Times,
    /// Of these, times another thread had it, or had had it, when the wait began.
    pub con_bounces: u64,
    /// Times one was released and taken again to keep the order.
    pub relocks: u64,
    /// Times that found the world changed afterwards and began again.
    pub retries: u64,
    /// Times a try took one against the order, where a relock would have been needed.
    pub saved: u64,
}

/// How long the locks of one class were waited for, and held, in nanoseconds.
#[derive(Clone, PartialEq)]
pub struct Histograms {
    /// Waits.
    pub wait: Histogram<u64>,
    /// Holds.
    pub hold: Histogram<u64>,
}

/// How many there are: their counts would fill pages.
impl std::fmt::Debug for Histograms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Histograms { wait, hold } = self;
        write!(f, "Histograms {{ wait: {} times, hold: {} times }}", wait.len(), hold.len())
    }
}

impl Histograms {
    /// Empty ones.
    pub(crate) fn new() -> Histograms {
        let new = || Histogram::new_with_bounds(1, MAX_NS, DIGITS).expect("bounds that fit");
        Histograms { wait: new(), hold: new() }
    }

    /// Forgets all.
    pub(crate) fn reset(&mut self) {
        self.wait.reset();
        self.hold.reset();
    }

    fn add(&mut self, other: &Histograms) {
        for (all, more) in [(&mut self.wait, &other.wait), (&mut self.hold, &other.hold)] {
            all.add(more).expect("all have the same bounds");
        }
    }
}

/// What a moment is spent on. The first that is true, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Waiting for a lock.
    Wait,
    /// Copying a message's bytes, with locks held or without.
    Copy,
    /// Releasing a lock to take it again behind another one, the waits in it left out.
    Relock,
    /// With a lock held.
    Hold,
    /// Waiting for an event, with nothing held.
    Parked,
    /// All else: the calls without a lock, the workload, the harness.
    Rest,
}

impl Part {
    /// Every part, in the order of the discriminants.
    pub const ALL: [Part; 6] =
        [Part::Wait, Part::Copy, Part::Relock, Part::Hold, Part::Parked, Part::Rest];
}

/// What the time of a thread was spent on, in nanoseconds: each moment is in one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent(pub(crate) [u64; Part::ALL.len()]);

impl Spent {
    /// The time spent on one part.
    #[must_use]
    pub fn of(&self, part: Part) -> u64 {
        self.0[part as usize]
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, other: &Spent) {
        for (all, more) in self.0.iter_mut().zip(other.0) {
            *all += more;
        }
    }
}

/// What one thread, or several together, did with locks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// By class and place, each once.
    pub places: Vec<Place>,
    /// By class, each once.
    pub histograms: Vec<(Class, Histograms)>,
    /// What the time was spent on.
    pub spent: Spent,
}

impl Profile {
    /// Adds another thread's, or another time's.
    pub fn add(&mut self, other: Profile) {
        other.places.into_iter().for_each(|place| self.add_place(place));
        for (class, more) in other.histograms {
            match self.histograms.iter_mut().find(|(known, _)| *known == class) {
                Some((_, all)) => all.add(&more),
                None => self.histograms.push((class, more)),
            }
        }
        self.spent.add(&other.spent);
    }

    /// Adds what happened at a place: to what is known of it, if anything is.
    pub(crate) fn add_place(&mut self, more: Place) {
        let is_it = |place: &&mut Place| place.class == more.class && place.at == more.at;
        let Some(place) = self.places.iter_mut().find(is_it) else {
            self.places.push(more);
            return;
        };
        place.hold.plus(&more.hold);
        place.wait.plus(&more.wait);
        place.acq_bounces += more.acq_bounces;
        place.con_bounces += more.con_bounces;
        place.relocks += more.relocks;
        place.retries += more.retries;
        place.saved += more.saved;
    }
}
