//! What the layer knows of each thread, and the list of the living ones.

#![allow(unsafe_code)]

use std::panic::Location;

use super::class::CLASSES;
use crate::primitives::own::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use crate::primitives::{Mutex, Ordering, THREADS_MAX, in_use, peek, thread_local};

use Ordering::Relaxed;

/// The places of a list, of which the first two stay empty, so that looking at the newest two needs
/// no test.
const HELD_SLOTS: usize = 16;
/// How many things one thread may hold at once.
pub(super) const HELD_MAX: usize = HELD_SLOTS - 2;
/// The place of what is held the longest.
pub(super) const OLDEST: usize = 2;

/// One thing held, as read off a list.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// The lock's address.
    pub(super) addr: usize,
    /// Its [`Class`](super::Class).
    pub(super) class: u8,
    /// Where it was acquired.
    pub(super) site: Option<&'static Location<'static>>,
}

/// A place in the source that is kept where racing readers look.
pub(super) fn location(site: &AtomicPtr<Location<'static>>) -> Option<&'static Location<'static>> {
    // SAFETY: only ever set from a `&'static Location`, or null.
    unsafe { site.load(Relaxed).as_ref() }
}

/// Things held, oldest first, from place [`OLDEST`] on. Written by its own thread alone; read
/// racily by reports. Three arrays, not one of triples, so that a place is an index without
/// arithmetic.
pub(super) struct HeldList {
    /// How many there are, at most [`HELD_MAX`]: one less than the place of the newest.
    len: AtomicUsize,
    addrs: [AtomicUsize; HELD_SLOTS],
    classes: [AtomicU8; HELD_SLOTS],
    sites: [AtomicPtr<Location<'static>>; HELD_SLOTS],
}

impl HeldList {
    const fn empty() -> HeldList {
        HeldList {
            len: AtomicUsize::new(0),
            addrs: [const { AtomicUsize::new(0) }; HELD_SLOTS],
            classes: [const { AtomicU8::new(0) }; HELD_SLOTS],
            sites: [const { AtomicPtr::new(std::ptr::null_mut()) }; HELD_SLOTS],
        }
    }

    /// How many there are, as the list's own thread asks.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        own(&self.len)
    }

    /// Adds one; `false`: there is no place left.
    #[inline(always)]
    pub(super) fn push(&self, addr: usize, class: u8, site: &'static Location<'static>) -> bool {
        debug_assert_ne!(addr, 0, "no lock is at address 0");
        let len = self.len();
        if len >= HELD_MAX {
            return false;
        }
        let place = OLDEST + len;
        self.addrs[place].store(addr, Relaxed);
        self.classes[place].store(class, Relaxed);
        self.sites[place].store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        self.len.store(len + 1, Relaxed);
        true
    }

    /// Takes one off; `false`: it is not the newest.
    #[inline(always)]
    pub(super) fn pop(&self, addr: usize) -> bool {
        debug_assert_ne!(addr, 0, "no lock is at address 0");
        let len = self.len();
        if self.addr(len + 1) != addr {
            return false;
        }
        self.len.store(len - 1, Relaxed);
        true
    }

    /// Takes one off that is not the newest, and closes the gap; `false`: it is not held.
    pub(super) fn remove(&self, addr: usize) -> bool {
        let places = self.places();
        let Some(gap) = places.clone().rev().find(|place| self.addr(*place) == addr) else {
            return false;
        };
        for place in gap + 1..places.end {
            self.addrs[place - 1].store(self.addrs[place].load(Relaxed), Relaxed);
            self.classes[place - 1].store(self.classes[place].load(Relaxed), Relaxed);
            self.sites[place - 1].store(self.sites[place].load(Relaxed), Relaxed);
        }
        self.len.store(places.len() - 1, Relaxed);
        true
    }

    /// The places of the entries. The own thread asks.
    #[inline(always)]
    pub(super) fn places(&self) -> std::ops::Range<usize> {
        OLDEST..OLDEST + self.len()
    }

    /// The entries, as far as a racing reader may look.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = Held> {
        let len = self.len.load(Relaxed).min(HELD_MAX);
        (OLDEST..OLDEST + len).map(|place| self.get(place))
    }

    /// Whether this is the newest entry or the one below it. The own thread asks; no lock is at
    /// address 0.
    #[inline(always)]
    pub(super) fn is_near_top(&self, addr: usize) -> bool {
        let len = self.len();
        self.addr(len + 1) == addr || self.addr(len) == addr
    }

    /// The class and the address at the place of an entry. The own thread asks.
    #[inline(always)]
    pub(super) fn at(&self, place: usize) -> (u8, usize) {
        (self.classes[place].load(Relaxed), self.addr(place))
    }

    /// The address at a place, which is at most one more than `len`. The own thread asks.
    #[inline(always)]
    fn addr(&self, place: usize) -> usize {
        debug_assert!(place < HELD_SLOTS);
        // SAFETY: called by the list's own thread. `len` is at most HELD_MAX: `push` adds to less,
        // and what is taken off was there: the places below the oldest are 0, and no lock is at
        // address 0.
        own(unsafe { self.addrs.get_unchecked(place) })
    }

    pub(super) fn get(&self, place: usize) -> Held {
        let site = location(&self.sites[place]);
        let (addr, class) = (&self.addrs[place], &self.classes[place]);
        Held { addr: addr.load(Relaxed), class: class.load(Relaxed), site }
    }
}

/// A word that the calling thread alone writes: read as any other, so that the compiler need not
/// read again what it knows. The loads and stores of others' threads are atomic, and so are the
/// stores here.
#[inline(always)]
fn own(word: &AtomicUsize) -> usize {
    // SAFETY: called by the list's own thread. No other thread writes the word, so that this read
    // races with no write.
    unsafe { *word.as_ptr() }
}

/// A call of the layer, as it is named in reports: one static per (call, backend).
#[derive(Debug)]
pub struct Operation {
    /// The system call's name, such as `sys_sendmsg`.
    pub name: &'static str,
    /// The backend's name.
    pub backend: &'static str,
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitsFor {
    /// A lock that another thread holds.
    Lock = 0,
    /// A wake-up.
    Wakeup = 1,
    /// Threads to leave the lock-free path.
    Gate = 2,
    /// References to be given back.
    References = 3,
    /// A relock, or another parting, to be over, so that a link may come or go: as a wake-up, but
    /// the right to send (`sblock`, `sb_lock`) may be kept.
    Link = 4,
    /// Room, or data, at a side: as a wake-up, but a reference may be kept.
    Side = 5,
}

/// The lock counters of one thread and class.
pub(super) struct ClassCounters {
    pub(super) acquisitions: AtomicU64,
    pub(super) contended: AtomicU64,
    pub(super) relocks: AtomicU64,
    pub(super) retries: AtomicU64,
}

impl ClassCounters {
    pub(super) const fn zero() -> ClassCounters {
        ClassCounters {
            acquisitions: AtomicU64::new(0),
            contended: AtomicU64::new(0),
            relocks: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }
}

/// What the layer knows of one thread. All fields: written by the thread itself, read racily by
/// reports.
pub(super) struct Thread {
    /// The locks held, oldest first.
    pub(super) held: HeldList,
    /// Which of them is held in shared mode: its address; 0: none. No thread has two.
    pub(super) shared: AtomicUsize,
    /// The flags and references held: `sblock`, `unp_ref`. Apart, because they are kept while locks
    /// come and go.
    pub(super) kept: HeldList,
    /// Where the thread entered the lock-free path it is on; null when it is on none.
    pub(super) in_use_site: AtomicPtr<Location<'static>>,
    /// The call under way, or null.
    pub(super) operation: AtomicPtr<Operation>,
    /// How many calls have returned: the watchdog's measure of progress.
    pub(super) returned: AtomicU64,
    /// What the thread waits for: address (0: nothing) and where.
    pub(super) waits_for: AtomicUsize,
    pub(super) waits_kind: AtomicU8,
    pub(super) waits_at: AtomicPtr<Location<'static>>,
    /// 0 until registered; then dense and unique among the living.
    pub(super) number: AtomicU32,
    pub(super) classes: [ClassCounters; CLASSES],
    pub(super) fast_sends: AtomicU64,
    pub(super) fast_receives: AtomicU64,
    pub(super) slow_sends: AtomicU64,
    pub(super) slow_receives: AtomicU64,
    pub(super) gate_closings: AtomicU64,
    /// By class, the acquisitions in shared mode.
    pub(super) shared_acquisitions: [AtomicU64; CLASSES],
    /// By class, the relocks that a try saved.
    pub(super) saved_relocks: [AtomicU64; CLASSES],
}

thread_local! {
    /// Const and without a destructor, so that reaching it is one instruction.
    static THREAD: Thread = const {
        Thread {
            held: HeldList::empty(),
            shared: AtomicUsize::new(0),
            kept: HeldList::empty(),
            in_use_site: AtomicPtr::new(std::ptr::null_mut()),
            operation: AtomicPtr::new(std::ptr::null_mut()),
            returned: AtomicU64::new(0),
            waits_for: AtomicUsize::new(0),
            waits_kind: AtomicU8::new(0),
            waits_at: AtomicPtr::new(std::ptr::null_mut()),
            number: AtomicU32::new(0),
            classes: [const { ClassCounters::zero() }; CLASSES],
            fast_sends: AtomicU64::new(0),
            fast_receives: AtomicU64::new(0),
            slow_sends: AtomicU64::new(0),
            slow_receives: AtomicU64::new(0),
            gate_closings: AtomicU64::new(0),
            shared_acquisitions: [const { AtomicU64::new(0) }; CLASSES],
            saved_relocks: [const { AtomicU64::new(0) }; CLASSES],
        }
    };
    /// Made when the thread registers; its destructor is the check at the thread's end.
    static EXIT: ThreadExit = const { ThreadExit };
}

impl Thread {
    /// Not 0 where the thread holds a lock, or is on the lock-free path: one word, for one test.
    #[inline(always)]
    fn locks(&self) -> usize {
        self.held.len() | self.in_use_site.load(Relaxed).addr()
    }

    /// Whether the thread holds a lock, or is on the lock-free path.
    #[inline(always)]
    pub(super) fn holds_locks(&self) -> bool {
        self.locks() != 0
    }

    #[inline(always)]
    pub(super) fn holds_anything(&self) -> bool {
        (self.locks() | self.kept.len()) != 0
    }

    /// The lock that the thread holds in shared mode, or 0.
    #[inline(always)]
    pub(super) fn shared(&self) -> usize {
        self.shared.load(Relaxed)
    }

    /// The socket on whose lock-free path the thread is, or 0.
    #[inline(always)]
    pub(super) fn in_use(&self) -> usize {
        peek(in_use(self.number.load(Relaxed) as usize))
    }
}

/// The calling thread's state. Inlined everywhere: a closure given to `LocalKey::with` is not
/// always.
#[inline(always)]
pub(super) fn this() -> &'static Thread {
    let thread = THREAD.with(std::ptr::from_ref);
    // SAFETY: a const thread-local without a destructor lives as long as its thread; the borrow
    // does not leave the function of this module that asked for it, and so not the thread.
    unsafe { &*thread }
}

/// Adds to a counter that only this thread writes: a load and a store, no locked instruction.
#[inline(always)]
pub(super) fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Runs the checks at a thread's end: see `exit.rs`.
pub(super) struct ThreadExit;

/// The living threads: number minus 1 is the index; 0 is a free place, else the address of the
/// `Thread`.
static REGISTRY: Mutex<[usize; THREADS_MAX]> = Mutex::new([0; THREADS_MAX]);

/// Calls returned in threads that have ended.
static CALLS_OF_THE_DEAD: AtomicU64 = AtomicU64::new(0);

/// How many calls have returned in this process.
pub(super) fn calls() -> u64 {
    let mut living = 0;
    each_thread(|thread| living += thread.returned.load(Relaxed));
    living + CALLS_OF_THE_DEAD.load(Relaxed)
}

fn registry() -> std::sync::MutexGuard<'static, [usize; THREADS_MAX]> {
    REGISTRY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Looks at every living thread, by number. The list is locked: none of them ends meanwhile.
pub(super) fn each_thread(mut look: impl FnMut(&Thread)) {
    for address in registry().iter().filter(|address| **address != 0) {
        // SAFETY: an address is in the registry from `register` to `unregister`, both under its
        // lock, which is held here; between them the thread and its `Thread` are alive.
        look(unsafe { &*(*address as *const Thread) });
    }
}

#[cold]
pub(super) fn register(thread: &Thread) {
    // First: where the check at the thread's end has been, this panics, and the thread, whose
    // memory is about to go, must not be in the list then.
    EXIT.with(|_| {});
    let mut registry = registry();
    let free = registry.iter().position(|address| *address == 0);
    let Some(place) = free else {
        drop(registry);
        panic!("more than {THREADS_MAX} threads use the layer at once");
    };
    registry[place] = std::ptr::from_ref(thread) as usize;
    thread.number.store(place as u32 + 1, Relaxed);
}

/// A thread ends: its place in the list is free.
pub(super) fn unregister(thread: &Thread) {
    CALLS_OF_THE_DEAD.fetch_add(thread.returned.load(Relaxed), Relaxed);
    let number = thread.number.swap(0, Relaxed);
    if number != 0 {
        registry()[number as usize - 1] = 0;
    }
}

/// The calling thread's number: from 1, dense, unique among the living threads.
#[allow(clippy::must_use_candidate, reason = "it may be asked for only to be given")]
#[inline(always)]
pub fn thread_number() -> u32 {
    let thread = this();
    let number = thread.number.load(Relaxed);
    if number != 0 {
        return number;
    }
    register(thread);
    thread.number.load(Relaxed)
}
