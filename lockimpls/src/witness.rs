//! The leak checker: what each thread holds, in which order it took it, and that it let go of all
//! of it.
//!
//! Modelled on OpenBSD's witness(4) (`subr_witness.c` 1.54): hooks inside the lock primitive, a
//! list per thread, checks where a system call returns and where a thread ends. It differs in one
//! point, on purpose: witness(4) orders lock *classes*, and socket locks are all of one class
//! marked `RWL_DUPOK`, so it cannot see two sockets locked in the wrong order. Here two locks of
//! one class are ordered by address.
//!
//! # The rules
//!
//! 1. A lock is compared with every lock the thread holds *before* the thread can block on it. It
//!    must rank higher (see [`Class`]), or be of the same class at a higher address, or be covered
//!    by a named [`Edge`]. Taking a lock the thread holds is reported, not waited for.
//! 2. At the end of every call, and of every thread, the thread holds nothing.
//! 3. A thread that parks holds nothing but what its sleep releases.
//! 4. Who touches what a lock guards holds that lock (`assert_held`).
//!
//! # What it costs and why that is right
//!
//! The list is a thread-local array; only its own thread writes it. Its fields are relaxed atomics
//! for one reason: the watchdog and a report of another thread read them, racily, to print what
//! everybody holds. Nothing is ordered by them, no cache line is shared while measuring, nothing is
//! allocated, and there is no switch: the only code without the checks is the twin in
//! [`calibrate`](crate::calibrate) that measures their cost.

#![allow(unsafe_code)]

use std::panic::Location;
use std::sync::OnceLock;

use crate::primitives::{
    AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, thread_local,
};

use Ordering::Relaxed;

/// What kind of thing is held, with its place in the lock order (the discriminant).
///
/// | rank | class | guards | kernel |
/// |---|---|---|---|
/// | 1 | `fdplock` | the descriptor table's free list | `fdplock` |
/// | 2 | `names` | the table of names | namei's directory |
/// | 3 | `vnode` | one name and its socket pointer | `i_lock` |
/// | 4 | `unp_gc_lock` | the list of control blocks, the collector | `unp_gc_lock` |
/// | 5 | `unp_lock` | everything (`global`) | `unp_lock` |
/// | 6 | `solock` | one socket (`per-socket`, `lock-free`) | `so_lock` |
/// | 7 | `unp_df_lock` | the list of deferred closes | `unp_df_lock` |
/// | 8 | `unp_rights_mtx` | the count of descriptors in flight | `unp_rights_mtx` |
/// | 9 | `pool` | one pool's free list | `pl_lock` |
///
/// The rest are not locks but are held and let go of like locks: `sblock` (the right to fill or
/// drain a buffer), `in_use` (a thread on the lock-free path), `unp_ref` (a reference on a control
/// block). They have no place in the order; they leak like the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// The descriptor table.
    Fdplock = 1,
    /// The table of names.
    Names = 2,
    /// One name.
    Vnode = 3,
    /// The collector and the list of all control blocks.
    UnpGcLock = 4,
    /// The one lock of `global`.
    UnpLock = 5,
    /// A socket's own lock.
    SoLock = 6,
    /// Deferred closes.
    UnpDfLock = 7,
    /// Descriptors in flight.
    UnpRightsMtx = 8,
    /// A pool's free list.
    Pool = 9,
    /// The right to fill or drain a socket buffer.
    Sblock = 10,
    /// A thread inside the lock-free path.
    InUse = 11,
    /// A reference on a control block that keeps it while its lock is dropped.
    UnpRef = 12,
}

/// How many classes there are, the unused number 0 included.
pub const CLASSES: usize = 13;

impl Class {
    /// Every class, in rank order.
    pub const ALL: [Class; CLASSES - 1] = [
        Class::Fdplock,
        Class::Names,
        Class::Vnode,
        Class::UnpGcLock,
        Class::UnpLock,
        Class::SoLock,
        Class::UnpDfLock,
        Class::UnpRightsMtx,
        Class::Pool,
        Class::Sblock,
        Class::InUse,
        Class::UnpRef,
    ];

    /// The lock's name in reports, as witness(4) prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Class::Fdplock => "fdplock",
            Class::Names => "names",
            Class::Vnode => "vnode",
            Class::UnpGcLock => "unpgc",
            Class::UnpLock => "unplock",
            Class::SoLock => "solock",
            Class::UnpDfLock => "unpdf",
            Class::UnpRightsMtx => "unp_rights",
            Class::Pool => "pool",
            Class::Sblock => "sblock",
            Class::InUse => "in_use",
            Class::UnpRef => "unp_ref",
        }
    }

    /// Whether this is a lock that is waited for (the others are flags and references).
    #[must_use]
    pub const fn is_lock(self) -> bool {
        (self as u8) < Class::Sblock as u8
    }

    /// The kind of thing, the second word of a witness(4) line.
    const fn kind(self) -> &'static str {
        match self {
            Class::Sblock | Class::InUse => "flag",
            Class::UnpRef => "reference",
            _ => "rwlock",
        }
    }

    const fn from_rank(rank: u8) -> Class {
        assert!(rank >= 1 && (rank as usize) < CLASSES);
        Class::ALL[rank as usize - 1]
    }
}

/// An acquisition that the order table allows although its address does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// No exception: ranks, then addresses.
    None,
    /// A listening socket, taken by a connect that already holds the client.
    Head {
        /// The client's lock: the only socket lock that may be held.
        client: usize,
    },
    /// A socket not yet accepted, taken after its listening socket.
    Embryo {
        /// The listener's lock, which must be held.
        head: usize,
        /// The client's lock, or 0: the only other socket lock that may be held.
        client: usize,
    },
}

/// A call of the layer, as it is named in reports: one static per (call, backend).
#[derive(Debug)]
pub struct Operation {
    /// The system call's name, such as `sys_sendmsg`.
    pub name: &'static str,
    /// The backend's name.
    pub backend: &'static str,
}

/// The checks that can find something. The first five are the `checks` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// A lock, flag or reference held at a call's return or a thread's end.
    LeakedLock,
    /// A lock taken in the wrong order, or taken twice.
    OrderViolation,
    /// Objects in use when everything was closed.
    ObjectsLeft,
    /// Bytes or messages that went in and did not come out, or came out wrong.
    BytesLost,
    /// Messages that came out in another order.
    OutOfOrder,
    /// Something was unlocked that the thread did not hold.
    NotHeld,
    /// What a lock guards was touched without it, or after the socket was replaced.
    Unlocked,
    /// A thread parked while holding more than its sleep releases.
    SleepingWithLock,
    /// No thread got any further.
    Hang,
    /// A thread panicked.
    Panic,
    /// The lock-free path was there and was not taken.
    FastPath,
}

impl Check {
    /// The name in records and in the controls' table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Check::LeakedLock => "leaked_locks",
            Check::OrderViolation => "order_violations",
            Check::ObjectsLeft => "objects_left",
            Check::BytesLost => "bytes_lost",
            Check::OutOfOrder => "out_of_order",
            Check::NotHeld => "not_held",
            Check::Unlocked => "unlocked",
            Check::SleepingWithLock => "sleeping_with_lock",
            Check::Hang => "hang",
            Check::Panic => "panic",
            Check::FastPath => "fast_path",
        }
    }
}

/// What a check found. It is the last thing a process does: see [`set_finding_hook`].
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// How many (locks held, objects left, bytes lost ...); at least 1.
    pub count: u64,
    /// The call that was under way, such as `sys_sendmsg`, or `none`.
    pub operation: &'static str,
    /// The backend the call was made on, or `none`.
    pub backend: &'static str,
    /// The number of the thread that found it.
    pub thread: u32,
    /// How many calls had returned by then, all threads together.
    pub calls: u64,
    /// The line of source where what is held was acquired, or where the fault is: `file:line`.
    pub at: String,
    /// The whole report, several lines, in witness(4)'s words.
    pub report: String,
}

/// How many things one thread may hold at once, and two places below them that stay empty, so that
/// looking at the newest two needs no test. A power of two: an index is masked, not tested.
const HELD_SLOTS: usize = 16;
const HELD_NONE: usize = 2;
/// How many things one thread may hold at once.
const HELD_MAX: usize = HELD_SLOTS - HELD_NONE;
/// How many threads can be registered at once.
pub(crate) const THREADS_MAX: usize = 128;

/// One thing held. Written by its own thread alone; read racily by reports.
struct Held {
    /// The lock's address.
    addr: AtomicUsize,
    /// Where it was acquired.
    site: AtomicPtr<Location<'static>>,
    /// Its [`Class`].
    class: AtomicU8,
}

impl Held {
    const fn empty() -> Held {
        Held {
            addr: AtomicUsize::new(0),
            site: AtomicPtr::new(std::ptr::null_mut()),
            class: AtomicU8::new(0),
        }
    }
}

/// Things held, oldest first.
struct HeldList {
    /// Where the next one goes: from `HELD_NONE`.
    end: AtomicUsize,
    entries: [Held; HELD_SLOTS],
}

impl HeldList {
    const fn empty() -> HeldList {
        HeldList {
            end: AtomicUsize::new(HELD_NONE),
            entries: [const { Held::empty() }; HELD_SLOTS],
        }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.end.load(Relaxed) - HELD_NONE
    }

    #[inline(always)]
    fn set_len(&self, len: usize) {
        self.end.store(len + HELD_NONE, Relaxed);
    }

    /// The entries, as far as a racing reader may look.
    fn entries(&self) -> &[Held] {
        &self.entries[HELD_NONE..self.end.load(Relaxed).clamp(HELD_NONE, HELD_SLOTS)]
    }

    /// The address of the newest entry, 0 when there is none.
    #[inline(always)]
    fn newest(&self) -> usize {
        self.below_newest(0)
    }

    /// The address of the entry `below` the newest, 0 when there is none.
    #[inline(always)]
    fn below_newest(&self, below: usize) -> usize {
        let at = self.end.load(Relaxed).wrapping_sub(1 + below);
        self.entries[at & (HELD_SLOTS - 1)].addr.load(Relaxed)
    }
}

/// The lock counters of one thread and class.
struct ClassCounters {
    acquisitions: AtomicU64,
    contended: AtomicU64,
    relocks: AtomicU64,
    retries: AtomicU64,
}

impl ClassCounters {
    const fn zero() -> ClassCounters {
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
struct Thread {
    /// The locks held, oldest first, and `in_use`.
    held: HeldList,
    /// The flags and references held: `sblock`, `unp_ref`. Apart, because they are kept while locks
    /// come and go.
    kept: HeldList,
    /// The call under way, or null.
    operation: AtomicPtr<Operation>,
    /// How many calls have returned: the watchdog's measure of progress.
    returned: AtomicU64,
    /// What the thread waits for: address (0: nothing) and where.
    waits_for: AtomicUsize,
    waits_kind: AtomicU8,
    waits_at: AtomicPtr<Location<'static>>,
    /// 0 until registered; then dense and unique among the living.
    number: AtomicU32,
    classes: [ClassCounters; CLASSES],
    fast_sends: AtomicU64,
    fast_receives: AtomicU64,
    slow_sends: AtomicU64,
    slow_receives: AtomicU64,
    gate_closings: AtomicU64,
}

thread_local! {
    /// Const and without a destructor, so that reaching it is one instruction.
    static THREAD: Thread = const {
        Thread {
            held: HeldList::empty(),
            kept: HeldList::empty(),
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
        }
    };
    /// Made when the thread registers; its destructor is the check at the thread's end.
    static EXIT: ThreadExit = const { ThreadExit };
}

impl Thread {
    #[inline(always)]
    fn holds_anything(&self) -> bool {
        self.held.len() | self.kept.len() != 0
    }
}

/// The calling thread's state. Inlined everywhere: a closure given to `LocalKey::with` is not
/// always.
#[inline(always)]
fn this() -> &'static Thread {
    let thread = THREAD.with(std::ptr::from_ref);
    // SAFETY: a const thread-local without a destructor lives as long as its thread; the borrow
    // does not leave the function of this module that asked for it, and so not the thread.
    unsafe { &*thread }
}

/// Adds to a counter that only this thread writes: a load and a store, no locked instruction.
#[inline(always)]
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Runs the checks at a thread's end.
struct ThreadExit;

impl Drop for ThreadExit {
    fn drop(&mut self) {
        thread_exit();
    }
}

/// The living threads: number minus 1 is the index; 0 is a free place, else the address of the
/// `Thread`.
static REGISTRY: Mutex<[usize; THREADS_MAX]> = Mutex::new([0; THREADS_MAX]);

/// Calls returned in threads that have ended.
static CALLS_OF_THE_DEAD: AtomicU64 = AtomicU64::new(0);

/// How many calls have returned in this process.
fn calls() -> u64 {
    let living: u64 = progress().returned.iter().map(|(_, returned)| returned).sum();
    living + CALLS_OF_THE_DEAD.load(Relaxed)
}

fn registry() -> std::sync::MutexGuard<'static, [usize; THREADS_MAX]> {
    REGISTRY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cold]
fn register(thread: &Thread) {
    let mut registry = registry();
    let free = registry.iter().position(|address| *address == 0);
    let Some(place) = free else {
        drop(registry);
        panic!("more than {THREADS_MAX} threads use the layer at once");
    };
    registry[place] = std::ptr::from_ref(thread) as usize;
    thread.number.store(place as u32 + 1, Relaxed);
    drop(registry);
    EXIT.with(|_| {});
}

/// A thread ends: it must hold nothing.
fn thread_exit() {
    let thread = this();
    // exit(3) runs the destructors of the thread that calls it: what it held was reported.
    if thread.holds_anything() && ENDING.load(Relaxed) == 0 {
        let mut report = String::from("witness: thread exiting with the following locks held:\n");
        let (at, count) = describe_held(thread, &mut report);
        report.push_str("panic: witness_thread_exit");
        found(Check::LeakedLock, count, at, report);
    }
    CALLS_OF_THE_DEAD.fetch_add(thread.returned.load(Relaxed), Relaxed);
    let number = thread.number.swap(0, Relaxed);
    if number != 0 {
        registry()[number as usize - 1] = 0;
    }
}

/// The calling thread's number: from 1, dense, unique among the living threads.
#[inline(always)]
pub(crate) fn thread_number() -> u32 {
    let thread = this();
    let number = thread.number.load(Relaxed);
    if number != 0 {
        return number;
    }
    register(thread);
    thread.number.load(Relaxed)
}

/// A call begins: the kernel is entered.
#[inline(always)]
pub(crate) fn enter(operation: &'static Operation) {
    let thread = this();
    if thread.number.load(Relaxed) == 0 {
        register(thread);
    }
    thread.operation.store(std::ptr::from_ref(operation).cast_mut(), Relaxed);
}

/// A call returns: the thread must hold nothing.
#[inline(always)]
pub(crate) fn userret() {
    let thread = this();
    if thread.holds_anything() {
        userret_slow(thread);
    }
    thread.operation.store(std::ptr::null_mut(), Relaxed);
    bump(&thread.returned);
}

#[cold]
fn userret_slow(thread: &Thread) -> ! {
    let mut report = String::from("witness: userret: returning with the following locks held:\n");
    let (at, count) = describe_held(thread, &mut report);
    report.push_str("panic: witness_warn");
    found(Check::LeakedLock, count, at, report)
}

/// Before an acquisition: compares the lock with all that is held. Reports, or returns.
#[inline(always)]
#[track_caller]
pub(crate) fn checkorder(addr: usize, class: Class, edge: Edge) {
    let thread = this();
    let len = thread.held.len();
    if len == 0 {
        return;
    }
    if len == 1 && edge == Edge::None {
        let held = &thread.held.entries[HELD_NONE];
        let held_class = held.class.load(Relaxed);
        let held_addr = held.addr.load(Relaxed);
        if held_class < class as u8 || (held_class == class as u8 && held_addr < addr) {
            return;
        }
    }
    checkorder_slow(thread, addr, class, edge, Location::caller());
}

/// More than one lock is held, or an exception is claimed, or something is wrong.
#[inline(never)]
fn checkorder_slow(
    thread: &Thread,
    addr: usize,
    class: Class,
    edge: Edge,
    site: &'static Location<'static>,
) {
    for held in thread.held.entries() {
        let held_class = held.class.load(Relaxed);
        let held_addr = held.addr.load(Relaxed);
        if held_addr == addr && held_class == class as u8 {
            order_violation(thread, held, addr, class, site, "locking against myself");
        }
        let ordered = held_class < class as u8
            || held_class >= Class::Sblock as u8
            || (held_class == class as u8 && held_addr < addr);
        if !ordered && !edge_allows(held_addr, held_class, class, edge) {
            order_violation(thread, held, addr, class, site, "lock order reversal");
        }
    }
    if edge != Edge::None {
        check_edge(thread, addr, class, edge, site);
    }
}

/// Whether the named edge covers this held lock.
fn edge_allows(held_addr: usize, held_class: u8, class: Class, edge: Edge) -> bool {
    if held_class != Class::SoLock as u8 || class != Class::SoLock {
        return false;
    }
    match edge {
        Edge::None => false,
        Edge::Head { client } => held_addr == client,
        Edge::Embryo { head, client } => held_addr == head || held_addr == client,
    }
}

/// An edge is a claim about what is held; the claim is checked too, whatever the addresses.
#[cold]
fn check_edge(
    thread: &Thread,
    addr: usize,
    class: Class,
    edge: Edge,
    site: &'static Location<'static>,
) {
    let mut head_held = false;
    for held in thread.held.entries() {
        if held.class.load(Relaxed) != Class::SoLock as u8 {
            continue;
        }
        let held_addr = held.addr.load(Relaxed);
        if !edge_allows(held_addr, Class::SoLock as u8, class, edge) {
            order_violation(thread, held, addr, class, site, "lock order reversal");
        }
        if let Edge::Embryo { head, .. } = edge {
            head_held |= held_addr == head;
        }
    }
    if let Edge::Embryo { head, .. } = edge
        && !head_held
    {
        let report = format!(
            "witness: embryo locked without its listening socket ({head:#x})\n\
             #0 {site}\npanic: witness_checkorder"
        );
        found(Check::OrderViolation, 1, site.to_string(), report);
    }
}

#[cold]
fn order_violation(
    thread: &Thread,
    held: &Held,
    addr: usize,
    class: Class,
    site: &'static Location<'static>,
    title: &str,
) -> ! {
    let held_class = Class::from_rank(held.class.load(Relaxed));
    let held_addr = held.addr.load(Relaxed);
    let held_site = site_of(&held.site);
    let report = if title == "lock order reversal" {
        format!(
            "witness: lock order reversal:\n 1st {held_addr:#x} {first} ({first})\n 2nd {addr:#x} {second} ({second})\n\
             lock order \"{second}\"(rwlock) -> \"{first}\"(rwlock): {rule}\n#0 {site}\n1st acquired at:\n#0 {held_site}\n{all}\
             panic: witness_checkorder",
            first = held_class.name(),
            second = class.name(),
            rule = if held_class == class { "lower address first" } else { "lower rank first" },
            all = {
                let mut all = String::new();
                describe_held(thread, &mut all);
                all
            },
        )
    } else {
        format!(
            "witness: {title}: exclusive {} {} ({addr:#x})\n#0 {site}\nfirst acquired at:\n#0 {held_site}\n\
             panic: rw_enter: {} locking against myself",
            class.kind(),
            class.name(),
            class.name(),
        )
    };
    found(Check::OrderViolation, 1, site.to_string(), report)
}

/// After an acquisition: the thread holds the lock now.
#[inline(always)]
#[track_caller]
pub(crate) fn lock(addr: usize, class: Class) {
    let thread = this();
    push(&thread.held, addr, class);
    bump(&thread.classes[class as usize].acquisitions);
}

/// The thread has a flag or a reference now, which it must give back before the call returns.
#[inline(always)]
#[track_caller]
pub(crate) fn keep(addr: usize, class: Class) {
    push(&this().kept, addr, class);
}

#[inline(always)]
#[track_caller]
fn push(list: &HeldList, addr: usize, class: Class) {
    let site = Location::caller();
    let end = list.end.load(Relaxed);
    if end >= HELD_SLOTS {
        too_many(site);
    }
    let held = &list.entries[end];
    held.addr.store(addr, Relaxed);
    held.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
    held.class.store(class as u8, Relaxed);
    list.end.store(end + 1, Relaxed);
}

#[cold]
fn too_many(site: &'static Location<'static>) -> ! {
    let report =
        format!("witness: more than {HELD_MAX} locks held\n#0 {site}\npanic: witness_lock");
    found(Check::LeakedLock, HELD_MAX as u64, site.to_string(), report)
}

/// Before a release: the thread must hold the lock, and holds it no more.
#[inline(always)]
#[track_caller]
pub(crate) fn unlock(addr: usize, class: Class) {
    pop(&this().held, addr, class);
}

/// Before a flag or a reference is given back.
#[inline(always)]
#[track_caller]
pub(crate) fn unkeep(addr: usize, class: Class) {
    pop(&this().kept, addr, class);
}

#[inline(always)]
#[track_caller]
fn pop(list: &HeldList, addr: usize, class: Class) {
    if list.newest() == addr {
        list.end.store(list.end.load(Relaxed) - 1, Relaxed);
    } else {
        pop_slow(list, addr, class, Location::caller());
    }
}

/// Locks may be released in any order: finds the entry below the top and closes the gap.
#[inline(never)]
fn pop_slow(list: &HeldList, addr: usize, class: Class, site: &'static Location<'static>) {
    let entries = list.entries();
    let Some(at) = entries.iter().rposition(|held| held.addr.load(Relaxed) == addr) else {
        not_held(addr, class, site)
    };
    for i in at..entries.len() - 1 {
        entries[i].addr.store(entries[i + 1].addr.load(Relaxed), Relaxed);
        entries[i].site.store(entries[i + 1].site.load(Relaxed), Relaxed);
        entries[i].class.store(entries[i + 1].class.load(Relaxed), Relaxed);
    }
    list.set_len(entries.len() - 1);
}

#[cold]
fn not_held(addr: usize, class: Class, site: &'static Location<'static>) -> ! {
    let report = format!(
        "witness: lock ({}) {} not locked ({addr:#x})\n#0 {site}\npanic: witness_unlock",
        class.kind(),
        class.name()
    );
    found(Check::NotHeld, 1, site.to_string(), report)
}

/// Whether the calling thread holds the lock at this address.
#[inline(always)]
pub(crate) fn is_held(addr: usize) -> bool {
    let held = &this().held;
    held.newest() == addr || held.below_newest(1) == addr || is_held_slow(held, addr)
}

#[inline(never)]
fn is_held_slow(held: &HeldList, addr: usize) -> bool {
    held.entries().iter().any(|held| held.addr.load(Relaxed) == addr)
}

/// `soassertlocked`: who touches what this lock guards holds it.
#[inline(always)]
#[track_caller]
pub(crate) fn assert_held(addr: usize, class: Class) {
    if !is_held(addr) {
        unlocked(addr, class, Location::caller());
    }
}

#[cold]
fn unlocked(addr: usize, class: Class, site: &'static Location<'static>) -> ! {
    let report = format!(
        "witness: soassertlocked: {} ({addr:#x}) is not locked by this thread\n#0 {site}\n\
         panic: splassert",
        class.name()
    );
    found(Check::Unlocked, 1, site.to_string(), report)
}

/// A thread is about to wait for a lock (`releases` is 0) or to sleep, giving up only `releases`.
#[track_caller]
pub(crate) fn sleep(channel: usize, kind: WaitsFor, releases: usize) {
    let thread = this();
    let site = Location::caller();
    if kind == WaitsFor::Wakeup {
        check_sleep(thread, releases, site);
    }
    thread.waits_at.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
    thread.waits_kind.store(kind as u8, Relaxed);
    thread.waits_for.store(channel, Relaxed);
}

fn check_sleep(thread: &Thread, releases: usize, site: &'static Location<'static>) {
    let holds =
        |list: &HeldList| list.entries().iter().any(|held| held.addr.load(Relaxed) != releases);
    if holds(&thread.held) || holds(&thread.kept) {
        let mut report = String::from("witness: sleeping with the following locks held:\n");
        let (at, count) = describe_held(thread, &mut report);
        report.push_str(&format!("asleep at:\n#0 {site}\npanic: witness_sleep"));
        found(Check::SleepingWithLock, count, at, report);
    }
}

/// The wait is over.
pub(crate) fn awake() {
    this().waits_for.store(0, Relaxed);
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
}

/// The lock was not free at the first try.
#[inline]
pub(crate) fn contended(class: Class) {
    bump(&this().classes[class as usize].contended);
}

/// A lock was dropped and taken again to keep the order.
#[inline]
pub(crate) fn relocked(class: Class) {
    bump(&this().classes[class as usize].relocks);
}

/// After a relock the peer was another one, and the dance began again.
pub(crate) fn retried(class: Class) {
    bump(&this().classes[class as usize].retries);
}

/// What happened on or beside the lock-free path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FastEvent {
    FastSend,
    FastReceive,
    SlowSend,
    SlowReceive,
    GateClosing,
}

/// Counts an event of the lock-free path.
#[inline(always)]
pub(crate) fn fast_event(event: FastEvent) {
    let thread = this();
    bump(match event {
        FastEvent::FastSend => &thread.fast_sends,
        FastEvent::FastReceive => &thread.fast_receives,
        FastEvent::SlowSend => &thread.slow_sends,
        FastEvent::SlowReceive => &thread.slow_receives,
        FastEvent::GateClosing => &thread.gate_closings,
    });
}

/// The lock operations of one class, counted since the thread began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockCounts {
    /// Times the lock was taken.
    pub acquisitions: u64,
    /// Of these, times it was not free at the first try.
    pub contended: u64,
    /// Times it was dropped and taken again to keep the order.
    pub relocks: u64,
    /// Times that found another peer afterwards and began again.
    pub retries: u64,
}

/// A thread's counters. Take them before and after, on the thread itself, and subtract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// By [`Class`], indexed by its discriminant.
    pub locks: [LockCounts; CLASSES],
    /// Sends that took no lock.
    pub fast_sends: u64,
    /// Receives that took no lock.
    pub fast_receives: u64,
    /// Sends of the `lock-free` backend that went through the locks.
    pub slow_sends: u64,
    /// Receives of the `lock-free` backend that went through the locks.
    pub slow_receives: u64,
    /// Times the lock-free path was closed for a pair.
    pub gate_closings: u64,
}

impl Counters {
    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Counters) -> Counters {
        let mut difference = *self;
        for (now, then) in difference.locks.iter_mut().zip(&earlier.locks) {
            now.acquisitions -= then.acquisitions;
            now.contended -= then.contended;
            now.relocks -= then.relocks;
            now.retries -= then.retries;
        }
        difference.fast_sends -= earlier.fast_sends;
        difference.fast_receives -= earlier.fast_receives;
        difference.slow_sends -= earlier.slow_sends;
        difference.slow_receives -= earlier.slow_receives;
        difference.gate_closings -= earlier.gate_closings;
        difference
    }

    /// Adds another thread's counters.
    pub fn add(&mut self, other: &Counters) {
        for (sum, one) in self.locks.iter_mut().zip(&other.locks) {
            sum.acquisitions += one.acquisitions;
            sum.contended += one.contended;
            sum.relocks += one.relocks;
            sum.retries += one.retries;
        }
        self.fast_sends += other.fast_sends;
        self.fast_receives += other.fast_receives;
        self.slow_sends += other.slow_sends;
        self.slow_receives += other.slow_receives;
        self.gate_closings += other.gate_closings;
    }

    /// The counts of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> LockCounts {
        self.locks[class as usize]
    }

    /// Acquisitions of real locks, all classes together.
    #[must_use]
    pub fn acquisitions(&self) -> u64 {
        Class::ALL.iter().filter(|c| c.is_lock()).map(|c| self.of(*c).acquisitions).sum()
    }
}

/// The calling thread's counters, since it began.
#[must_use]
pub fn counters() -> Counters {
    let thread = this();
    let mut counters = Counters::default();
    for (copy, class) in counters.locks.iter_mut().zip(&thread.classes) {
        copy.acquisitions = class.acquisitions.load(Relaxed);
        copy.contended = class.contended.load(Relaxed);
        copy.relocks = class.relocks.load(Relaxed);
        copy.retries = class.retries.load(Relaxed);
    }
    counters.fast_sends = thread.fast_sends.load(Relaxed);
    counters.fast_receives = thread.fast_receives.load(Relaxed);
    counters.slow_sends = thread.slow_sends.load(Relaxed);
    counters.slow_receives = thread.slow_receives.load(Relaxed);
    counters.gate_closings = thread.gate_closings.load(Relaxed);
    counters
}

fn site_of(site: &AtomicPtr<Location<'static>>) -> String {
    let site = site.load(Relaxed);
    if site.is_null() {
        return String::from("?");
    }
    // SAFETY: only ever set from a `&'static Location`, or null.
    unsafe { &*site }.to_string()
}

fn operation_of(thread: &Thread) -> Option<&'static Operation> {
    let operation = thread.operation.load(Relaxed);
    // SAFETY: only ever set from a `&'static Operation`, or null.
    unsafe { operation.as_ref() }
}

/// Appends the lines of what the thread holds, newest first; the newest one's site, and how many.
fn describe_held(thread: &Thread, report: &mut String) -> (String, u64) {
    let mut newest = None;
    let mut count = 0;
    let held = thread.held.entries().iter().rev();
    for held in held.chain(thread.kept.entries().iter().rev()) {
        let class = held.class.load(Relaxed);
        if class == 0 || usize::from(class) >= CLASSES {
            continue;
        }
        let (class, site) = (Class::from_rank(class), site_of(&held.site));
        report.push_str(&format!(
            "exclusive {} {} r = 0 ({:#x})\n#0 {site}\n",
            class.kind(),
            class.name(),
            held.addr.load(Relaxed)
        ));
        newest.get_or_insert(site);
        count += 1;
    }
    (newest.unwrap_or_else(|| String::from("?")), count)
}

/// What every thread of the layer is doing and holding, as ddb's `show all locks` prints it.
#[must_use]
pub fn show_all_locks() -> String {
    let registry = registry();
    let mut text = String::new();
    for address in registry.iter().filter(|address| **address != 0) {
        // SAFETY: an address is in the registry from `register` to `thread_exit`, both under its
        // lock, which is held here; between them the thread and its `Thread` are alive.
        describe_thread(unsafe { &*(*address as *const Thread) }, &mut text);
    }
    text
}

fn describe_thread(thread: &Thread, text: &mut String) {
    let operation = operation_of(thread).map_or("none", |operation| operation.name);
    text.push_str(&format!("Thread {} ({operation})", thread.number.load(Relaxed)));
    let waits_for = thread.waits_for.load(Relaxed);
    if waits_for != 0 {
        let what = match thread.waits_kind.load(Relaxed) {
            0 => "for the lock",
            1 => "for a wake-up on",
            2 => "for threads to leave the lock-free path of",
            _ => "for references on",
        };
        text.push_str(&format!(" waits {what} {waits_for:#x} at {}", site_of(&thread.waits_at)));
    }
    text.push('\n');
    describe_held(thread, text);
}

/// How far every thread has come: what a watchdog compares with an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// (thread number, calls returned) of each thread that is inside a call.
    inside: Vec<(u32, u64)>,
    /// Calls returned, all living threads together, with their number.
    returned: Vec<(u32, u64)>,
}

/// How far every thread has come by now.
#[must_use]
pub fn progress() -> Progress {
    let registry = registry();
    let mut progress = Progress { inside: Vec::new(), returned: Vec::new() };
    for address in registry.iter().filter(|address| **address != 0) {
        // SAFETY: as in `show_all_locks`.
        let thread = unsafe { &*(*address as *const Thread) };
        let entry = (thread.number.load(Relaxed), thread.returned.load(Relaxed));
        progress.returned.push(entry);
        if !thread.operation.load(Relaxed).is_null() {
            progress.inside.push(entry);
        }
    }
    progress
}

/// Whether nothing moved between two moments although some thread was inside a call at both: a
/// hang, if the moments were far enough apart.
#[must_use]
pub fn is_stuck(earlier: &Progress, now: &Progress) -> bool {
    !now.inside.is_empty() && earlier == now
}

/// A watchdog gave up waiting: prints what every thread holds and waits for, and ends the process.
pub fn report_hang(limit: std::time::Duration) -> ! {
    let all = show_all_locks();
    let at = all
        .lines()
        .find_map(|line| line.contains(" waits ").then(|| line.rsplit(" at ").next()).flatten())
        .unwrap_or("?")
        .to_owned();
    let report = format!("witness: no call returned for {limit:?}\n{all}panic: watchdog");
    found_in(Check::Hang, 1, stuck_operation(), at, report)
}

/// The operation of some thread that waits, for the head line of a hang's report.
fn stuck_operation() -> Option<&'static Operation> {
    let registry = registry();
    registry.iter().filter(|address| **address != 0).find_map(|address| {
        // SAFETY: as in `show_all_locks`.
        let thread = unsafe { &*(*address as *const Thread) };
        if thread.waits_for.load(Relaxed) == 0 { None } else { operation_of(thread) }
    })
}

/// A worker panicked: prints what it held, and ends the process.
pub fn report_panic(message: &str) -> ! {
    let thread = this();
    let mut report = format!("witness: thread panicked: {message}\n");
    if thread.holds_anything() {
        report.push_str("while holding:\n");
    }
    let (at, _) = describe_held(thread, &mut report);
    report.push_str("panic: worker");
    found(Check::Panic, 1, at, report)
}

/// Data was lost, came out wrong or in another order: reported by who verifies it, which is where
/// the report points.
#[track_caller]
pub fn report_data(check: Check, count: u64, backend: &'static str, what: &str) -> ! {
    let site = Location::caller();
    let operation = Operation { name: "verify", backend };
    let report = format!("witness: {}: {what}\n#0 {site}\npanic: data", check.name());
    found_in(check, count, Some(&operation), site.to_string(), report)
}

/// Everything was closed and something is still in use.
///
/// Returns when every pool is empty.
pub fn check_pools(backend: &'static str, pools: &[crate::domain::PoolUse]) {
    let left: u64 = pools.iter().map(|pool| pool.in_use).sum();
    if left == 0 {
        return;
    }
    let operation = Operation { name: "end of run", backend };
    let report = format!(
        "witness: objects in use after everything was closed:\n{}panic: pool",
        pool_table(pools)
    );
    let first = pools.iter().find(|pool| pool.in_use != 0).map_or("?", |pool| pool.name);
    found_in(Check::ObjectsLeft, left, Some(&operation), format!("pool {first}"), report)
}

/// The table of pools, in the columns of ddb's `show all pools`.
#[must_use]
pub fn pool_table(pools: &[crate::domain::PoolUse]) -> String {
    let mut table = format!("{:<10}{:>10}{:>12}{:>12}\n", "Name", "InUse", "Requests", "Releases");
    for pool in pools {
        table.push_str(&format!(
            "{:<10}{:>10}{:>12}{:>12}\n",
            pool.name, pool.in_use, pool.requests, pool.releases
        ));
    }
    table
}

type Hook = Box<dyn Fn(&Finding) + Send + Sync>;
static HOOK: OnceLock<Hook> = OnceLock::new();

/// What to do with a finding before the process ends: append it to the run's file, say. At most
/// once.
///
/// The hook runs on the thread that found it while other threads may be blocked for good on a
/// leaked lock, so it must not wait for them. After it the report goes to standard error and the
/// process ends with code 2.
pub fn set_finding_hook(hook: impl Fn(&Finding) + Send + Sync + 'static) {
    assert!(HOOK.set(Box::new(hook)).is_ok(), "the finding hook was set before");
}

/// The exit code of a process in which a check found something.
pub const EXIT_FINDING: i32 = 2;

#[cold]
fn found(check: Check, count: u64, at: String, report: String) -> ! {
    let operation = operation_of(this());
    found_in(check, count, operation, at, report)
}

/// How many checks there are.
const CHECKS: usize = Check::FastPath as usize + 1;

/// What each check has found in this process, by its discriminant.
static FOUND: [AtomicU64; CHECKS] = [const { AtomicU64::new(0) }; CHECKS];

/// What a check has found in this process: 0, until the finding with which it ends.
#[must_use]
pub fn found_by(check: Check) -> u64 {
    FOUND[check as usize].load(Relaxed)
}

/// 1 from the first finding on: the process is about to end.
static ENDING: AtomicU32 = AtomicU32::new(0);

/// Reports and ends the process; of several threads that get here only the first goes on.
#[cold]
fn found_in(
    check: Check,
    count: u64,
    operation: Option<&Operation>,
    at: String,
    mut report: String,
) -> ! {
    if ENDING.swap(1, Relaxed) != 0 {
        loop {
            std::thread::park();
        }
    }
    FOUND[check as usize].fetch_add(count, Relaxed);
    let (name, backend) = operation.map_or(("none", "none"), |op| (op.name, op.backend));
    let thread = this().number.load(Relaxed);
    report.push_str(&format!("  (operation {name}, backend {backend}, thread {thread})\n"));
    if check != Check::Hang {
        report.push_str(&show_all_locks());
    }
    // The names live as long as the process: it ends below.
    let finding = Finding {
        check,
        count,
        operation: Box::leak(name.to_owned().into_boxed_str()),
        backend: Box::leak(backend.to_owned().into_boxed_str()),
        thread,
        calls: calls(),
        at,
        report,
    };
    // Not by `eprint!`: a test's harness would capture that, and lose it when the process ends.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), finding.report.as_bytes());
    if let Some(hook) = HOOK.get() {
        hook(&finding);
    }
    std::process::exit(EXIT_FINDING)
}
