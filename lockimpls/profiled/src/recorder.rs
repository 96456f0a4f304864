//! One thread's profile while it is being made.
//!
//! Every event reads the clock once, adds the time since the event before to what the thread was
//! doing meanwhile, and notes what it does now. So the parts of the time add up to all of it, and a
//! wait for a lock is as long in the sum of its class as in the thread's own.

use std::array;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::Location;

use lockimpls::raw::Event;
use lockimpls::witness::{CLASSES, Class, relock_counts};
use quanta::Clock;

use crate::profile::{Histograms, Part, Place, Profile, Spent, Times};

thread_local! {
    static RECORDER: RefCell<Option<Box<Recorder>>> =
        const { RefCell::new(None) };
}

/// The calling thread begins a profile, by this clock.
pub fn begin(clock: Clock) {
    RECORDER.set(Some(Box::new(Recorder::new(clock))));
}

/// Its profile begins anew, with the memory that it has touched so far. It holds no lock.
pub fn restart() {
    with(|recorder| recorder.restart(), ());
}

/// Its profile ends here, whatever it does from now on. It holds no lock.
pub fn finish() {
    with(|recorder| recorder.finish(), ());
}

/// Its profile, which ends here if it has not ended before; `None` if it began none. It holds no
/// lock.
#[must_use]
pub fn take() -> Option<Profile> {
    finish();
    RECORDER.take().map(|recorder| recorder.into_profile())
}

/// Does it with the calling thread's profile, if it has begun one that has not ended.
#[inline]
fn with<T>(what: impl FnOnce(&mut Recorder) -> T, otherwise: T) -> T {
    RECORDER.with_borrow_mut(|recorder| match recorder {
        Some(recorder) if !recorder.is_finished => what(recorder),
        _ => otherwise,
    })
}

/// A lock is held: since which reading of the clock, and taken at which place of the profile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) since: u64,
    pub(crate) place: u32,
}

/// A hold that no profile knows.
pub(crate) const UNKNOWN: Hold = Hold { since: 0, place: u32::MAX };

/// The thread waits for a lock from now on.
pub(crate) fn wanted(bounced: bool) {
    with(|recorder| recorder.wanted(bounced), ());
}

/// It has a lock of this class since now.
#[inline]
pub(crate) fn taken(class: u8, site: &'static Location<'static>, bounced: bool) -> Hold {
    with(|recorder| recorder.taken(class, site, bounced), UNKNOWN)
}

/// The clock, where there is a profile.
#[inline]
pub(crate) fn now() -> Option<u64> {
    with(|recorder| Some(recorder.clock.raw()), None)
}

/// It has released a lock, at this reading of the clock.
#[inline]
pub(crate) fn left(hold: Hold, now: Option<u64>) {
    if let Some(now) = now {
        with(|recorder| recorder.left(hold, now), ());
    }
}

/// What else it does.
#[inline]
pub(crate) fn note(event: Event) {
    with(|recorder| recorder.note(event), ());
}

/// A lock that is being waited for.
struct Waiting {
    since: u64,
    bounced: bool,
}

/// What is known of a place; times are in steps of the clock.
struct Sums {
    class: Class,
    site: &'static Location<'static>,
    hold: Times,
    acq_bounces: u64,
    wait: Times,
    con_bounces: u64,
    relocks: u64,
    retries: u64,
    saved: u64,
}

impl Sums {
    fn new(class: Class, site: &'static Location<'static>) -> Sums {
        let (hold, wait) = (Times::default(), Times::default());
        let [acq_bounces, con_bounces, relocks, retries, saved] = [0; 5];
        Sums { class, site, hold, acq_bounces, wait, con_bounces, relocks, retries, saved }
    }
}

struct Recorder {
    clock: Clock,
    is_finished: bool,
    /// Up to this reading the time is accounted for.
    last: u64,
    /// By [`Part`], in steps of the clock.
    spent: [u64; Part::ALL.len()],
    waiting: Option<Waiting>,
    is_copying: bool,
    is_relocking: bool,
    /// How many locks the thread holds.
    locks: u32,
    is_asleep: bool,
    /// Where in `sums` the lock is that it took last.
    latest: Option<u32>,
    /// By class: the relocks, retries and saved relocks that it had counted when they were last
    /// looked at.
    again: [[u64; 3]; CLASSES],
    sums: Vec<Sums>,
    /// Where in `sums` a class at a place is.
    places: HashMap<(usize, u8), u32, BuildHasherDefault<Fast>>,
    /// By class; made when a class is met.
    histograms: [Option<Histograms>; CLASSES],
}

impl Recorder {
    fn new(clock: Clock) -> Recorder {
        Recorder {
            last: clock.raw(),
            clock,
            is_finished: false,
            spent: [0; Part::ALL.len()],
            waiting: None,
            is_copying: false,
            is_relocking: false,
            locks: 0,
            is_asleep: false,
            latest: None,
            again: counted_again(),
            sums: Vec::new(),
            places: HashMap::default(),
            histograms: array::from_fn(|_| None),
        }
    }

    /// What it takes is `rest`: the interval of the thread's counters has begun.
    fn restart(&mut self) {
        self.last = self.clock.raw();
        for sums in &mut self.sums {
            *sums = Sums::new(sums.class, sums.site);
        }
        self.histograms.iter_mut().flatten().for_each(Histograms::reset);
        self.spent = [0; Part::ALL.len()];
        self.again = counted_again();
    }

    /// What the thread is doing.
    fn part(&self) -> Part {
        match self {
            _ if self.waiting.is_some() => Part::Wait,
            _ if self.is_copying => Part::Copy,
            _ if self.is_relocking => Part::Relock,
            _ if self.locks > 0 => Part::Hold,
            _ if self.is_asleep => Part::Parked,
            _ => Part::Rest,
        }
    }

    /// Up to now the thread did what it was doing. A relock ends with the lock after which it was
    /// counted.
    fn account(&mut self, now: u64) {
        self.look_again();
        self.spent[self.part() as usize] += now.saturating_sub(self.last);
        self.last = now;
    }

    /// The relocks, retries and saved relocks that the thread has counted since it last looked are
    /// of the lock that it took last: they are counted before another is taken.
    fn look_again(&mut self) {
        let Some(place) = self.latest else { return };
        let sums = &mut self.sums[place as usize];
        let seen = &mut self.again[sums.class as usize];
        let now = relock_counts(sums.class);
        if now != *seen {
            let [relocks, retries, saved] = array::from_fn(|kind| now[kind] - seen[kind]);
            sums.relocks += relocks;
            sums.retries += retries;
            sums.saved += saved;
            self.is_relocking &= relocks == 0;
            *seen = now;
        }
    }

    fn wanted(&mut self, bounced: bool) {
        let since = self.clock.raw();
        self.account(since);
        self.waiting = Some(Waiting { since, bounced });
    }

    fn taken(&mut self, class: u8, site: &'static Location<'static>, bounced: bool) -> Hold {
        let now = self.clock.raw();
        self.account(now);
        let place = self.place(class, site);
        let sums = &mut self.sums[place as usize];
        sums.acq_bounces += u64::from(bounced);
        if let Some(waiting) = self.waiting.take() {
            sums.con_bounces += u64::from(waiting.bounced);
            sums.wait.add(now.saturating_sub(waiting.since));
            let (class, ns) = (sums.class, self.clock.delta_as_nanos(waiting.since, now));
            self.histograms_of(class).wait.saturating_record(ns);
        }
        self.locks += 1;
        self.latest = Some(place);
        Hold { since: now, place }
    }

    fn left(&mut self, hold: Hold, now: u64) {
        self.account(now);
        self.locks = self.locks.saturating_sub(1);
        self.is_relocking = false;
        let Some(sums) = self.sums.get_mut(hold.place as usize) else { return };
        sums.hold.add(now.saturating_sub(hold.since));
        let (class, ns) = (sums.class, self.clock.delta_as_nanos(hold.since, now));
        self.histograms_of(class).hold.saturating_record(ns);
    }

    fn note(&mut self, event: Event) {
        let now = self.clock.raw();
        self.account(now);
        match event {
            Event::Copy => self.is_copying = true,
            Event::Copied => self.is_copying = false,
            Event::Relock => self.is_relocking = true,
            Event::Sleep => self.is_asleep = true,
            Event::Awake => self.is_asleep = false,
        }
    }

    fn place(&mut self, class: u8, site: &'static Location<'static>) -> u32 {
        let key = (std::ptr::from_ref(site) as usize, class);
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let place = self.sums.len() as u32;
        self.sums.push(Sums::new(self::class(class), site));
        self.places.insert(key, place);
        place
    }

    fn histograms_of(&mut self, class: Class) -> &mut Histograms {
        self.histograms[class as usize].get_or_insert_with(Histograms::new)
    }

    fn finish(&mut self) {
        self.account(self.clock.raw());
        self.is_finished = true;
    }

    fn into_profile(self) -> Profile {
        let ns = |steps: u64| self.clock.delta_as_nanos(0, steps);
        let times = |times: &Times| Times {
            count: times.count,
            min_ns: ns(times.min_ns),
            max_ns: ns(times.max_ns),
            total_ns: ns(times.total_ns),
        };
        let mut profile = Profile { spent: Spent(self.spent.map(ns)), ..Profile::default() };
        for sums in self.sums.iter().filter(|sums| !sums.is_empty()) {
            profile.add_place(Place {
                class: sums.class,
                at: format!("{}:{}", sums.site.file(), sums.site.line()),
                hold: times(&sums.hold),
                acq_bounces: sums.acq_bounces,
                wait: times(&sums.wait),
                con_bounces: sums.con_bounces,
                relocks: sums.relocks,
                retries: sums.retries,
                saved: sums.saved,
            });
        }
        let all = self.histograms.into_iter().enumerate();
        let met = all.filter_map(|(number, found)| Some((number as u8, found?)));
        let met = met.filter(|(_, met)| !met.hold.is_empty() || !met.wait.is_empty());
        profile.histograms = met.map(|(number, met)| (class(number), met)).collect();
        profile
    }
}

impl Sums {
    /// Whether nothing happened here.
    fn is_empty(&self) -> bool {
        self.hold.count + self.wait.count + self.relocks + self.retries + self.saved == 0
    }
}

/// The calling thread's relocks, retries and saved relocks, by class.
fn counted_again() -> [[u64; 3]; CLASSES] {
    let mut all = [[0; 3]; CLASSES];
    Class::ALL.into_iter().for_each(|class| all[class as usize] = relock_counts(class));
    all
}

/// The class with this number.
fn class(number: u8) -> Class {
    let is_it = |class: &Class| *class as u8 == number;
    Class::ALL.into_iter().find(is_it).expect("a lock tells the number of its class")
}

/// Spreads addresses and classes: multiplies by 2^64 over the golden ratio.
#[derive(Default)]
struct Fast(u64);

impl Hasher for Fast {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests;
