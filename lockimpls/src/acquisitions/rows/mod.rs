//! The programs: each comes to one exit of a request.

mod close;
mod collect;
mod connect;
mod create;
mod receive;
mod rights;
mod send;

use super::world::World;
use crate::domain::SockType;
use crate::policy::Policy;

const ANY: &[SockType] = &SockType::ALL;
const CONNECTED: &[SockType] = &[SockType::Stream, SockType::Seqpacket];
const STREAM: &[SockType] = &[SockType::Stream];
const SEQPACKET: &[SockType] = &[SockType::Seqpacket];
const DGRAM: &[SockType] = &[SockType::Dgram];
const ATOMIC: &[SockType] = &[SockType::Dgram, SockType::Seqpacket];

/// Where addresses do not matter.
const ONE: &[&str] = &["-"];
/// `so` below and above the other socket.
const BOTH: &[&str] = &["lower", "higher"];
const LOWER: &[&str] = &["lower"];
const HIGHER: &[&str] = &["higher"];

/// One exit of a request.
pub(super) struct Row<P: Policy> {
    pub(super) request: &'static str,
    /// The types that lock alike there.
    pub(super) kinds: &'static [SockType],
    pub(super) exit: &'static str,
    pub(super) ways: &'static [&'static str],
    pub(super) run: fn(&mut World<P>),
    pub(super) relock: Relock,
    /// What another thread does to the link there.
    pub(super) meanwhile: Meanwhile,
}

/// What another thread does to the link of a socket that is unlocked for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meanwhile {
    Nothing,
    Parts,
    /// It parts the two, and connects the socket elsewhere.
    Connects,
}

/// Whether something happens in a relock, and in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relock {
    No,
    /// There is none where one lock guards every socket.
    ForSocket,
    /// In none; but there is none where two threads may send on one socket at once.
    ForSender,
    /// In none; but there is none where a send copies with its socket locked.
    ForCopy,
    /// To ask for the other socket's name: nor is there where that is locked alone for it.
    ForName,
    /// To reach the other socket's buffer: nor is there where a buffer has a lock of its own.
    ForBuffer,
}

/// A row.
const fn row<P: Policy>(
    request: &'static str,
    kinds: &'static [SockType],
    exit: &'static str,
    ways: &'static [&'static str],
    run: fn(&mut World<P>),
) -> Row<P> {
    Row { request, kinds, exit, ways, run, relock: Relock::No, meanwhile: Meanwhile::Nothing }
}

/// A row in which the two are parted while a socket is unlocked for another one.
const fn relock<P: Policy>(
    request: &'static str,
    kinds: &'static [SockType],
    exit: &'static str,
    ways: &'static [&'static str],
    run: fn(&mut World<P>),
) -> Row<P> {
    let row = row(request, kinds, exit, ways, run);
    Row { relock: Relock::ForSocket, meanwhile: Meanwhile::Parts, ..row }
}

/// A row in which they are parted while a socket is unlocked for another one's name.
const fn relock_for_name<P: Policy>(
    request: &'static str,
    kinds: &'static [SockType],
    exit: &'static str,
    ways: &'static [&'static str],
    run: fn(&mut World<P>),
) -> Row<P> {
    Row { relock: Relock::ForName, ..relock(request, kinds, exit, ways, run) }
}

/// A row in which they are parted while a socket is unlocked for another one's buffer.
const fn relock_for_buffer<P: Policy>(
    request: &'static str,
    kinds: &'static [SockType],
    exit: &'static str,
    ways: &'static [&'static str],
    run: fn(&mut World<P>),
) -> Row<P> {
    let row = row(request, kinds, exit, ways, run);
    Row { relock: Relock::ForBuffer, meanwhile: Meanwhile::Parts, ..row }
}

/// A row in which something happens while a send copies.
const fn copying<P: Policy>(
    request: &'static str,
    kinds: &'static [SockType],
    exit: &'static str,
    ways: &'static [&'static str],
    run: fn(&mut World<P>),
) -> Row<P> {
    Row { relock: Relock::ForCopy, ..row(request, kinds, exit, ways, run) }
}

/// All of them.
pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = create::rows();
    rows.extend(connect::rows());
    rows.extend(send::rows());
    rows.extend(receive::rows());
    rows.extend(rights::rows());
    rows.extend(collect::rows());
    rows.extend(close::rows());
    rows
}
