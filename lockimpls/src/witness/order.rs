//! The order of locks, asked before the thread can block on one.

use std::panic::Location;

use super::class::{Class, Edge};
use super::report::{Check, Wrong, describe_held, found, order_violation};
use super::thread::{Held, OLDEST, Thread, this};
use crate::primitives::Ordering;

use Ordering::Relaxed;

/// Before an acquisition: compares the lock with all that is held. Reports, or returns.
#[inline(always)]
#[track_caller]
pub(crate) fn checkorder(addr: usize, class: &Class, edge: Edge) {
    let thread = this();
    // An edge claims that something is held: it is checked though nothing is.
    if !thread.holds_locks() && edge == Edge::None {
        return;
    }
    let is_on_fast_path = !thread.in_use_site.load(Relaxed).is_null();
    if thread.held.len() == 1
        && edge == Edge::None
        && !is_on_fast_path
        && is_ordered(thread.held.at(OLDEST), (*class as u8, addr))
    {
        return;
    }
    checkorder_slow(thread, addr, *class, edge, Location::caller());
}

/// Before a socket is locked where sockets are locked in the order of their numbers, and none with
/// a lower number is said to be held ([`Edge::Numbered`]): then no other one may be, whatever the
/// addresses.
#[inline(always)]
#[track_caller]
pub(crate) fn check_first(addr: usize) {
    let thread = this();
    if thread.holds_locks() {
        check_first_slow(thread, addr, Location::caller());
    }
}

/// Something is held. The lock itself is `checkorder`'s to report.
#[cold]
fn check_first_slow(thread: &Thread, addr: usize, site: &'static Location<'static>) {
    let is_other = |held: &Held| held.class == Class::SoLock as u8 && held.addr != addr;
    if let Some(held) = thread.held.entries().find(is_other) {
        order_violation(thread, held, addr, Class::SoLock, site, Wrong::Number);
    }
}

/// Whether the first of two (class, address) may be held when the second is taken.
#[inline(always)]
fn is_ordered((held_class, held_addr): (u8, usize), (class, addr): (u8, usize)) -> bool {
    held_class < class || (held_class == class && held_addr < addr)
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
    if thread.in_use() != 0 {
        locked_on_fast_path(thread, addr, class, site);
    }
    for place in thread.held.places() {
        let held = thread.held.at(place);
        if !is_ordered(held, (class as u8, addr)) {
            let is_itself = held == (class as u8, addr);
            if is_itself || !edge_allows(held.1, held.0, class, edge) {
                out_of_order(thread, place, addr, class, site, is_itself);
            }
        }
    }
    if edge != Edge::None {
        check_edge(thread, addr, class, edge, site);
    }
}

/// A lock may not be taken after the one at a place of the list.
#[cold]
fn out_of_order(
    thread: &Thread,
    place: usize,
    addr: usize,
    class: Class,
    site: &'static Location<'static>,
    is_itself: bool,
) -> ! {
    let wrong = if is_itself { Wrong::Itself } else { Wrong::Order };
    order_violation(thread, thread.held.get(place), addr, class, site, wrong)
}

/// A lock is taken on the lock-free path: whoever shuts the gate would wait for this thread, and it
/// may be this thread.
#[cold]
pub(super) fn locked_on_fast_path(
    thread: &Thread,
    addr: usize,
    class: Class,
    site: &'static Location<'static>,
) -> ! {
    let mut report = format!(
        "witness: lock order reversal:\n {} ({addr:#x}) taken on the lock-free path\n#0 {site}\n",
        class.name()
    );
    describe_held(thread, &mut report);
    report.push_str("panic: witness_checkorder");
    found(Check::OrderViolation, 1, site.to_string(), report)
}

/// Whether the named edge covers this held lock.
fn edge_allows(held_addr: usize, held_class: u8, class: Class, edge: Edge) -> bool {
    if held_class != Class::SoLock as u8 {
        return false;
    }
    match edge {
        Edge::None => false,
        Edge::Head { client } => class == Class::SoLock && held_addr == client,
        Edge::Embryo { head, client } => {
            class == Class::SoLock && (held_addr == head || held_addr == client)
        }
        Edge::Linked { .. } | Edge::Numbered { .. } => class == Class::SoLock,
        Edge::Switch { from } => class == Class::UnpLock && held_addr == from,
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
    for held in thread.held.entries().filter(|held| held.class == Class::SoLock as u8) {
        if !edge_allows(held.addr, held.class, class, edge) {
            order_violation(thread, held, addr, class, site, Wrong::Order);
        }
    }
    if let Edge::Numbered { lower, rises: false } = edge
        && let Some(held) = thread.held.entries().find(|held| held.addr == lower)
    {
        order_violation(thread, held, addr, class, site, Wrong::Number);
    }
    let (claim, needed) = match edge {
        Edge::Embryo { head, .. } => ("embryo locked without its listening socket", head),
        Edge::Linked { link } => ("socket locked beside another without all connections", link),
        Edge::Numbered { lower, .. } => ("socket locked by number after none", lower),
        Edge::Switch { from } => ("socket given another lock without its own", from),
        Edge::None | Edge::Head { .. } => return,
    };
    let is_held = thread.held.entries().any(|held| held.addr == needed);
    if !is_held || thread.shared() == needed {
        let report =
            format!("witness: {claim} ({needed:#x})\n#0 {site}\npanic: witness_checkorder");
        found(Check::OrderViolation, 1, site.to_string(), report);
    }
}
