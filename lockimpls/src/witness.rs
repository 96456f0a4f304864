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
//! 3. A thread that parks holds nothing but what its sleep releases; a parting may keep `sblock`s
//!    and `sb_lock`s, a sender that waits at its peer its reference on that.
//! 4. Whoever touches what a lock guards holds that lock (`assert_held`).
//!
//! # What it costs and why that is right
//!
//! The list is a thread-local array; only its own thread writes it. Its fields are relaxed atomics
//! for one reason: the watchdog and a report of another thread read them, racily, to print what
//! everybody holds. Nothing is ordered by them, no cache line is shared while measuring, nothing is
//! allocated, and there is no switch: the only code without the checks is the twin in
//! [`calibrate`](crate::calibrate) that measures their cost.

mod asleep;
mod class;
mod counters;
mod exit;
mod order;
mod report;
mod thread;
#[cfg(test)]
pub(crate) mod trace;
mod watch;

use std::panic::Location;

use self::order::locked_on_fast_path;
use self::report::{Wrong, describe_held, found, order_violation};
use self::thread::{HELD_MAX, HeldList, Thread, bump, register, this};
use crate::primitives::{Ordering, in_use};

pub(crate) use self::asleep::{awake, sleep};
pub use self::class::{CLASSES, Class, Edge, Mode};
pub use self::counters::{Counters, LockCounts, counters, relock_counts};
pub(crate) use self::counters::{
    FastEvent, contended, fast_event, relock_saved, relocked, retried,
};
pub(crate) use self::order::{check_first, checkorder};
pub use self::report::{
    Check, EXIT_FINDING, Finding, check_pools, found_by, pool_table, report_data, report_panic,
    report_panic_at, set_finding_hook, show_all_locks,
};
pub(crate) use self::thread::WaitsFor;
pub use self::thread::{Operation, thread_number};
pub use self::watch::{
    Progress, awaits_wakeup, is_stuck, is_waiting, progress, report_endless, report_hang,
};

use Ordering::{Acquire, Relaxed, Release};

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

/// After an acquisition: the thread holds the lock now.
#[inline(always)]
#[track_caller]
pub(crate) fn lock(addr: usize, class: Class) {
    let thread = this();
    push(&thread.held, addr, class);
    bump(&thread.classes[class as usize].acquisitions);
    #[cfg(test)]
    trace::note(addr, class);
}

/// The same of a lock of two modes, in shared mode.
#[inline(always)]
#[track_caller]
pub(crate) fn lock_shared(addr: usize, class: Class) {
    let thread = this();
    if thread.shared() != 0 {
        too_many(Location::caller());
    }
    lock(addr, class);
    thread.shared.store(addr, Relaxed);
    bump(&thread.shared_acquisitions[class as usize]);
    #[cfg(test)]
    trace::note_shared();
}

/// The thread enters the lock-free path of the socket at this address: it holds `in_use` now. The
/// fence between this and the look at the gate is the caller's.
#[inline(always)]
#[track_caller]
pub(crate) fn enter_fast(me: u32, addr: usize) {
    this().in_use_site.store(std::ptr::from_ref(Location::caller()).cast_mut(), Relaxed);
    // Release; pairs with the Acquire in `is_on_fast_path`, by which a gate is shut, of the socket
    // that the thread was on before: what it did there is visible to whoever sees it elsewhere. (No
    // model and no test can see it: loom's light fence is full, and orders the same; on x86-64
    // every store is a Release.)
    in_use(me as usize).store(addr, Release);
}

/// The thread leaves the lock-free path.
#[inline(always)]
#[track_caller]
pub(crate) fn leave_fast(me: u32, addr: usize) {
    let in_use = in_use(me as usize);
    if in_use.load(Relaxed) != addr {
        not_held(addr, Class::InUse, Location::caller());
    }
    // Release; pairs with the Acquire of the thread that shuts the gate (`is_on_fast_path`).
    in_use.store(0, Release);
    this().in_use_site.store(std::ptr::null_mut(), Relaxed);
}

/// Whether thread number `thread` is on the lock-free path of a socket at one of two addresses.
pub(crate) fn is_on_fast_path(thread: usize, (a, b): (usize, usize)) -> bool {
    // Acquire; pairs with the Release in `leave_fast`: what the thread did there is visible.
    let on = in_use(thread).load(Acquire);
    on == a || on == b
}

/// Whoever reads what the lock-free path protects is on it.
#[inline(always)]
#[track_caller]
pub(crate) fn assert_on_fast_path(me: u32, addr: usize) {
    if in_use(me as usize).load(Relaxed) != addr {
        unlocked(addr, Class::InUse, Location::caller());
    }
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
    if !list.push(addr, class as u8, site) {
        too_many(site);
    }
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
pub(crate) fn unlock(addr: usize, class: &Class) {
    pop(&this().held, addr, class);
}

/// Before the release of a lock that is held in shared mode.
#[inline(always)]
#[track_caller]
pub(crate) fn unlock_shared(addr: usize, class: &Class) {
    assert_mode(addr, class, Mode::Shared);
    this().shared.store(0, Relaxed);
    unlock(addr, class);
}

/// Ends the process with a report unless the thread, which holds this lock, holds it in this mode.
#[inline(always)]
#[track_caller]
pub(crate) fn assert_mode(addr: usize, class: &Class, mode: Mode) {
    if (this().shared() == addr) != (mode == Mode::Shared) {
        not_in_mode(addr, *class, mode, Location::caller());
    }
}

#[cold]
fn not_in_mode(addr: usize, class: Class, mode: Mode, site: &'static Location<'static>) -> ! {
    let (asked, found_in) = match mode {
        Mode::Exclusive => ("exclusive", "shared"),
        Mode::Shared => ("shared", "exclusive"),
    };
    let report = format!(
        "witness: {asked} unlock of {found_in} ({}) {} ({addr:#x})\n#0 {site}\n\
         panic: witness_unlock",
        class.kind(),
        class.name()
    );
    found(Check::NotHeld, 1, site.to_string(), report)
}

/// Before a flag or a reference is given back.
#[inline(always)]
#[track_caller]
pub(crate) fn unkeep(addr: usize, class: Class) {
    pop(&this().kept, addr, &class);
}

/// Before the kernel lock is taken: compares it with all that is held. It has no order with what
/// may be slept for, and comes before every mutex (`subr_witness.c` 1.54).
#[track_caller]
pub(crate) fn kernel_lock_wanted(addr: usize) {
    let (thread, site) = (this(), Location::caller());
    if thread.in_use() != 0 {
        locked_on_fast_path(thread, addr, Class::KernelLock, site);
    }
    let mutex = thread.held.entries().find(|held| Class::from_rank(held.class).is_mutex());
    if let Some(held) = mutex {
        order_violation(thread, held, addr, Class::KernelLock, site, Wrong::Order);
    }
}

/// The thread has the kernel lock now, which it had not. It is listed with what is kept: the locks
/// that are taken and left under it are not compared with it.
#[track_caller]
pub(crate) fn kernel_lock_taken(addr: usize) {
    keep(addr, Class::KernelLock);
    bump(&this().classes[Class::KernelLock as usize].acquisitions);
}

/// Whether the thread has the kernel lock.
pub(crate) fn has_kernel_lock() -> bool {
    this().kept.entries().any(|kept| kept.class == Class::KernelLock as u8)
}

/// Ends the process with a report unless the thread has what it is about to give back.
#[track_caller]
pub(crate) fn assert_kept(addr: usize, class: Class) {
    if !this().kept.entries().any(|kept| kept.addr == addr) {
        not_held(addr, class, Location::caller());
    }
}

#[inline(always)]
#[track_caller]
fn pop(list: &HeldList, addr: usize, class: &Class) {
    if !list.pop(addr) {
        pop_slow(list, addr, *class, Location::caller());
    }
}

/// Locks may be released in any order.
#[inline(never)]
fn pop_slow(list: &HeldList, addr: usize, class: Class, site: &'static Location<'static>) {
    if !list.remove(addr) {
        not_held(addr, class, site);
    }
}

#[cold]
pub(crate) fn not_held(addr: usize, class: Class, site: &'static Location<'static>) -> ! {
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
    held.is_near_top(addr) || is_held_slow(held, addr)
}

#[inline(never)]
fn is_held_slow(held: &HeldList, addr: usize) -> bool {
    held.places().any(|place| held.at(place).1 == addr)
}

/// `soassertlocked`: whoever touches what this lock guards holds it.
#[inline(always)]
#[track_caller]
pub(crate) fn assert_held(addr: usize, class: &Class) {
    if !is_held(addr) {
        unlocked(addr, *class, Location::caller());
    }
}

/// Whoever writes what a lock of two modes guards holds it exclusively.
#[track_caller]
pub(crate) fn assert_held_alone(addr: usize, class: &Class) {
    assert_held(addr, class);
    if this().shared() == addr {
        let (name, site) = (class.name(), Location::caller());
        let report = format!(
            "witness: rw_assert_wrlock: {name} ({addr:#x}) is held in shared mode\n#0 {site}\n\
             panic: splassert"
        );
        found(Check::Unlocked, 1, site.to_string(), report);
    }
}

#[cold]
pub(crate) fn unlocked(addr: usize, class: Class, site: &'static Location<'static>) -> ! {
    let report = format!(
        "witness: soassertlocked: {} ({addr:#x}) is not locked by this thread\n#0 {site}\n\
         panic: splassert",
        class.name()
    );
    found(Check::Unlocked, 1, site.to_string(), report)
}

/// A lock that the thread holds is not where it was taken, and is used or released. Of the two
/// addresses the first is where it was.
#[cold]
pub(crate) fn moved(
    check: Check,
    (from, to): (usize, usize),
    class: Class,
    site: &'static Location<'static>,
) -> ! {
    let report = format!(
        "witness: lock ({}) {} ({from:#x}) was moved while it was held, to {to:#x}\n\
         #0 {site}\npanic: moved lock",
        class.kind(),
        class.name()
    );
    found(check, 1, site.to_string(), report)
}

/// A socket was freed, and perhaps taken again, although somebody uses it.
#[cold]
#[track_caller]
pub(crate) fn replaced(addr: usize) -> ! {
    let site = Location::caller();
    let report = format!(
        "witness: socket ({addr:#x}) was freed and is used\n#0 {site}\npanic: use after free"
    );
    found(Check::Unlocked, 1, site.to_string(), report)
}

/// A flag is another thread's, and what it stands for is done all the same.
#[cold]
#[track_caller]
pub(crate) fn kept_by_another(addr: usize, class: Class) -> ! {
    let (site, name) = (Location::caller(), class.name());
    let report =
        format!("witness: {name} ({addr:#x}) is another thread's\n#0 {site}\npanic: splassert");
    found(Check::Unlocked, 1, site.to_string(), report)
}

/// A reference to a file is given back that nobody had.
#[cold]
#[track_caller]
pub(crate) fn no_reference(addr: usize) -> ! {
    let site = Location::caller();
    let report =
        format!("witness: file of socket ({addr:#x}): no reference left\n#0 {site}\npanic: closef");
    found(Check::NotHeld, 1, site.to_string(), report)
}

#[cfg(test)]
mod tests;
