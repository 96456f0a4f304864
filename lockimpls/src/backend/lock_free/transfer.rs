//! A plain message into or out of a ring, by a thread that is `in_use`: `sosend` and `soreceive`
//! without the locks, with the same checks and answers.

use crate::domain::{SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::sockbuf::{Marks, Record, Taken, sa_len};
use crate::objects::socket::{Parts, SndState, SoState, Socket, SocketLocks};

/// How a try on the fast path ended.
pub(crate) enum Try<T> {
    Done(Result<T, Errno>),
    /// The ring is full or empty. Whoever may wait does so until the other side's index is not what
    /// it was here.
    Wait(usize),
    /// The locks must be taken.
    Slow,
}

/// Puts as much of `rest` as there is room for; where that is all of it, `rest` stays. The thread
/// is `in_use` of `so`.
#[inline(always)]
pub(crate) fn put<L: SocketLocks>(me: u32, so: &Socket<L>, rest: &mut &[u8]) -> Try<()> {
    let parts = so.parts_fast(me, so);
    let Some(so2) = parts.st.peer() else { return Try::Slow };
    match so.so_type.get() {
        SockType::Stream => put_stream(&parts.so_snd, &so2, rest),
        SockType::Seqpacket => put_record(&parts.so_snd, &so2, rest),
        SockType::Dgram => put_dgram(me, so, &so2, rest),
    }
}

/// As `sosend` does: all of it, or, when it may not go whole, what fits if that is at least
/// `lowat`.
#[inline(always)]
fn put_stream<L: SocketLocks>(so_snd: &SndState, so2: &Socket<L>, rest: &mut &[u8]) -> Try<()> {
    let room = so2.rcv.stream_room(so_snd.limits.get().hiwat, rest.len());
    if room < rest.len() as isize {
        return put_stream_partly(so_snd, so2, rest);
    }
    so2.rcv.put_stream(so2.rcv.tail(), rest);
    so2.rcv_wait.published();
    Try::Done(Ok(()))
}

/// Not all of it fits, as far as the producer knows.
#[cold]
fn put_stream_partly<L: SocketLocks>(
    so_snd: &SndState,
    so2: &Socket<L>,
    rest: &mut &[u8],
) -> Try<()> {
    loop {
        let room = so2.rcv.stream_room(so_snd.limits.get().hiwat, rest.len());
        // Over the limit (it was lowered), not even nothing goes.
        if room < 0 {
            return Try::Wait(so2.rcv.seen_head());
        }
        let room = room.unsigned_abs();
        if room < rest.len() && (room == 0 || room < so_snd.lowat.get()) {
            return Try::Wait(so2.rcv.seen_head());
        }
        let (now, later) = rest.split_at(room.min(rest.len()));
        so2.rcv.put_stream(so2.rcv.tail(), now);
        so2.rcv_wait.published();
        *rest = later;
        if later.is_empty() {
            return Try::Done(Ok(()));
        }
    }
}

fn put_record<L: SocketLocks>(so_snd: &SndState, so2: &Socket<L>, rest: &mut &[u8]) -> Try<()> {
    if rest.is_empty() {
        // Whether it wakes a reader depends on what else there is.
        return Try::Slow;
    }
    let limits = so_snd.limits.get();
    if rest.len() > limits.hiwat {
        return Try::Done(Err(Errno::Emsgsize));
    }
    if limits.space(so2.rcv.record_fill_seen()) < rest.len() as isize
        && limits.space(so2.rcv.record_fill_fresh()) < rest.len() as isize
    {
        return Try::Wait(so2.rcv.seen_head());
    }
    so2.rcv.put_record(so2.rcv.tail(), None, rest, Marks::default());
    so2.rcv_wait.published();
    Try::Done(Ok(()))
}

/// A datagram that finds no room is refused at once.
fn put_dgram<L: SocketLocks>(
    me: u32,
    so: &Socket<L>,
    so2: &Socket<L>,
    rest: &mut &[u8],
) -> Try<()> {
    let Parts { st, so_snd, .. } = so.parts_fast(me, so);
    if rest.len() > so_snd.limits.get().hiwat {
        return Try::Done(Err(Errno::Emsgsize));
    }
    let from = st.unp_addr.get().unwrap_or(SockAddr::UNNAMED);
    let limits = so.parts_fast(me, so2).so_rcv.limits.get();
    let bytes = (sa_len(&from) + rest.len()) as isize;
    if limits.space(so2.rcv.record_fill_seen()) < bytes
        && limits.space(so2.rcv.record_fill_fresh()) < bytes
    {
        return Try::Done(Err(Errno::Enobufs));
    }
    so2.rcv.put_record(so2.rcv.tail(), Some(&from), rest, Marks::default());
    so2.rcv_wait.published();
    Try::Done(Ok(()))
}

/// Takes what there is, and notes where a datagram came `from`. The thread is `in_use` of `so`.
#[inline(always)]
pub(crate) fn get<L: SocketLocks>(
    me: u32,
    so: &Socket<L>,
    data: &mut [u8],
    from: Option<&mut SockAddr>,
) -> Try<Taken> {
    let st = &so.parts_fast(me, so).st;
    let taken = if so.so_type.get() == SockType::Stream {
        get_stream(so, st, data)
    } else {
        match so.rcv.front() {
            Some(record) if record.is_nothing() => return Try::Slow,
            Some(record) => Some(get_record(so, st, record, data, from)),
            None => None,
        }
    };
    if let Some(taken) = taken {
        return Try::Done(Ok(taken));
    }
    if data.is_empty() {
        // It depends on whether there is room for descriptors.
        return Try::Slow;
    }
    // Empty: the tail was seen to be where the head is.
    Try::Wait(so.rcv.head())
}

#[inline(always)]
fn get_stream<L: SocketLocks>(so: &Socket<L>, st: &SoState<L>, data: &mut [u8]) -> Option<Taken> {
    let readable = so.rcv.stream_readable(data.len().max(1));
    if readable == 0 {
        return None;
    }
    let bytes = readable.min(data.len());
    so.rcv.ring().copy_out(so.rcv.head(), &mut data[..bytes]);
    so.rcv.stream_consume(bytes);
    consumed(st);
    Some(Taken { bytes, is_cut: false, is_eor: false })
}

fn get_record<L: SocketLocks>(
    so: &Socket<L>,
    st: &SoState<L>,
    record: Record,
    data: &mut [u8],
    from: Option<&mut SockAddr>,
) -> Taken {
    let taken = record.taken(data.len());
    so.rcv.ring().copy_out(so.rcv.record_data(record), &mut data[..taken.bytes]);
    if so.so_type.get() == SockType::Dgram
        && let Some(from) = from
    {
        *from = so.rcv.record_from(record);
    }
    so.rcv.record_consume(record);
    consumed(st);
    taken
}

/// Wakes a sender that waits for the room just made.
#[inline(always)]
fn consumed<L: SocketLocks>(st: &SoState<L>) {
    if let Some(so2) = st.peer() {
        so2.snd_wait.published();
    }
}
