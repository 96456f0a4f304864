//! The receive buffer: a ring with a producer's side and a consumer's side. No locks here.
//!
//! All modelled backends share it. The locked ones use both sides under their locks; `lock-free`
//! uses each side from one thread at a time, without (`backend/lock_free/gate.rs` says what makes
//! that so).
//!
//! # One rule for how full it is
//!
//! Each side keeps cumulative counts of its own: what was ever *put*, what was ever *got*. What is
//! in the buffer is the difference. The producer works on a copy of the consumer's counts and reads
//! them afresh only when the copy says that there is no room; as the counts only grow, a stale copy
//! may show room late, never too early, and in a single thread the answer is exact.
//!
//! * `cc`: bytes. A datagram also counts its address: 16 bytes when unnamed, else a whole
//!   `sockaddr_un`, 106.
//! * `mbcnt`: memory. A record is charged the mbufs it came in, 256 bytes each: one up to 144
//!   bytes, two up to 368, then one with the smallest cluster that holds it. A datagram's address
//!   is charged one mbuf more.
//! * A *stream* coalesces, as `sbcompress` does: its bytes are charged as if they filled 2 KiB
//!   clusters to the brim, that is 2304 for each block of 2048 stream positions that holds an
//!   unread byte. This is at most 1.125 cc + 4608, which `sb_mbmax` (at least 196608, and 8 hiwat)
//!   never gets to limit; so a stream without control messages is limited by `cc` alone. Bytes that
//!   came with a control message are charged as a record's are (`Socket::rcv_fill`).
//!
//! # Layout
//!
//! A stream is bare bytes: position p of the stream is byte p modulo the capacity. Records start at
//! multiples of 16 with a head of 16 bytes (length, address length, marks), then the
//! address, then the data.
//!
//! Checked by `lockimpls/models/loom`, `ring_*`: with one producer and one consumer, in every
//! order, each byte is written before it is read and read before its place is used again, and room
//! is never seen too early.

#![allow(unsafe_code)]

mod charge;
mod record;
mod ring;

use crossbeam_utils::CachePadded;

use self::record::HEAD;
use crate::domain::{SockAddr, SockType};
use crate::primitives::{AtomicUsize, Cell, Ordering, RING_MIN, UnsafeCell};

pub(crate) use self::charge::{
    Fill, Limits, MCLBYTES, MLEN, MSIZE, mbuf_charge, sa_len, stream_charge,
};
pub(crate) use self::record::{Marks, Record, Taken};
pub(crate) use self::ring::Ring;

use Ordering::{Acquire, Relaxed, Release};

/// The producer's side. Written by the producer alone.
struct Producer {
    /// Where the next byte goes. Release here pairs with Acquire in `refresh_tail`: the bytes
    /// before it are written.
    tail: AtomicUsize,
    /// Where the tail is behind nothing but records of no bytes, for which no reader is woken.
    /// Written before `tail` moves there.
    quiet_tail: AtomicUsize,
    /// What was ever put, for records (a stream's `cc` is its position).
    put_cc: Cell<usize>,
    put_mbcnt: Cell<usize>,
    /// The producer's copy of the consumer's counts.
    seen_head: Cell<usize>,
    seen_got: Cell<Fill>,
}

/// The consumer's side. Written by the consumer alone.
struct Consumer {
    /// Where the next byte is read. Release here pairs with Acquire in `refresh_head`: the bytes
    /// before it were read.
    head: AtomicUsize,
    /// What was ever got, for records. Release here pairs with Acquire in `refresh_head`: room in
    /// the ring is judged by these, which may be newer there than `head`.
    got_cc: AtomicUsize,
    got_mbcnt: AtomicUsize,
    /// The consumer's copy of `tail`.
    seen_tail: Cell<usize>,
}

/// The ring's memory.
struct Storage {
    bytes: Box<[UnsafeCell<u8>]>,
    /// Smaller rings this one replaced. A reader may still be copying from one without the lock;
    /// they go when the buffer goes.
    retired: Vec<Box<[UnsafeCell<u8>]>>,
}

/// A receive buffer.
pub(crate) struct SockBuf {
    producer: CachePadded<Producer>,
    consumer: CachePadded<Consumer>,
    /// Where the bytes are. It changes in `grow` alone.
    ring: Cell<Ring>,
    storage: UnsafeCell<Storage>,
}

// SAFETY: the two sides are touched by one thread at a time each: in the locked backends whoever
// holds the socket's lock (the consumer's copying out, which is done without it, by whoever holds
// the `sblock` of the receive side, from a `Ring` it took while it had the lock), in `lock-free`
// the one owner of the side while it is `in_use`. `ring` and `storage` change only under the
// socket's lock, which shuts the lock-free path first. The sides share `tail` and `head`.
unsafe impl Sync for SockBuf {}
// SAFETY: the pointer in `ring` points into `storage`'s heap memory, which moves with its owner.
unsafe impl Send for SockBuf {}

impl SockBuf {
    /// A buffer without memory: [`SockBuf::reserve`] comes first.
    pub(crate) fn new() -> Self {
        Self {
            producer: CachePadded::new(Producer {
                tail: AtomicUsize::new(0),
                quiet_tail: AtomicUsize::new(0),
                put_cc: Cell::new(0),
                put_mbcnt: Cell::new(0),
                seen_head: Cell::new(0),
                seen_got: Cell::new(Fill::default()),
            }),
            consumer: CachePadded::new(Consumer {
                head: AtomicUsize::new(0),
                got_cc: AtomicUsize::new(0),
                got_mbcnt: AtomicUsize::new(0),
                seen_tail: Cell::new(0),
            }),
            ring: Cell::new(Ring { base: std::ptr::null(), mask: 0 }),
            storage: UnsafeCell::new(Storage { bytes: Box::new([]), retired: Vec::new() }),
        }
    }

    /// How large the ring must be so that whatever the limits admit fits in it.
    ///
    /// One message may be let in when the memory is used up but not overdrawn, hence the one more.
    fn capacity_for(kind: SockType, limits: Limits) -> usize {
        let bytes = match kind {
            SockType::Stream => limits.hiwat,
            SockType::Dgram | SockType::Seqpacket => {
                let records = limits.mbmax / MSIZE + 2;
                limits.hiwat + records * 2 * HEAD
            }
        };
        bytes.next_power_of_two().max(RING_MIN)
    }

    /// Makes the ring large enough for these limits, keeping what is in it.
    ///
    /// The caller holds the socket's lock, so that neither side moves; a reader may be copying out.
    pub(crate) fn reserve(&self, kind: SockType, limits: Limits) {
        let capacity = Self::capacity_for(kind, limits);
        let ring = self.ring.get();
        if ring.base.is_null() || capacity > ring.mask + 1 {
            self.grow(capacity);
        }
    }

    #[cold]
    fn grow(&self, capacity: usize) {
        let bytes: Box<[UnsafeCell<u8>]> = (0..capacity).map(|_| UnsafeCell::new(0)).collect();
        let (old, new) = (self.ring.get(), Ring { base: bytes.as_ptr(), mask: capacity - 1 });
        for position in self.head()..self.tail() {
            let mut byte = [0];
            old.copy_out(position, &mut byte);
            new.copy_in(position, &byte);
        }
        self.ring.set(new);
        // SAFETY: the caller holds the socket's lock; nobody else touches `storage`.
        let storage = unsafe { &mut *self.storage.get() };
        let old = std::mem::replace(&mut storage.bytes, bytes);
        if !old.is_empty() {
            storage.retired.push(old);
        }
    }

    /// Makes room for one message more of this many bytes, for appenders that ignore this buffer's
    /// limits. The caller holds the socket's lock.
    #[inline(always)]
    pub(crate) fn ensure_room(&self, bytes: usize) {
        let used = self.tail() - self.head();
        let needed = used + bytes + 2 * HEAD + SockAddr::MAX;
        if needed > self.ring.get().mask + 1 {
            self.grow(needed.next_power_of_two());
        }
    }

    /// Forgets everything, for a socket made anew. The ring's memory is kept.
    pub(crate) fn reset(&self) {
        self.producer.tail.store(0, Relaxed);
        self.producer.quiet_tail.store(0, Relaxed);
        self.producer.put_cc.set(0);
        self.producer.put_mbcnt.set(0);
        self.producer.seen_head.set(0);
        self.producer.seen_got.set(Fill::default());
        self.consumer.head.store(0, Relaxed);
        self.consumer.got_cc.store(0, Relaxed);
        self.consumer.got_mbcnt.store(0, Relaxed);
        self.consumer.seen_tail.set(0);
    }

    // ---- the producer's side ----

    /// Reads the consumer's counts afresh.
    #[inline(always)]
    fn refresh_head(&self) {
        // Acquire; pairs with the Release in `set_head`: what lies before `head` was read, and may
        // be overwritten.
        self.producer.seen_head.set(self.consumer.head.load(Acquire));
        // Acquire; pairs with the Release in `record_consume`: what was counted as got was read,
        // though `head` may not have told so yet.
        self.producer.seen_got.set(Fill {
            cc: self.consumer.got_cc.load(Acquire),
            mbcnt: self.consumer.got_mbcnt.load(Acquire),
        });
    }

    /// What a stream holds, as the producer last saw it.
    #[inline(always)]
    fn stream_seen(&self) -> usize {
        self.producer.tail.load(Relaxed) - self.producer.seen_head.get()
    }

    /// How many bytes still fit under `hiwat`, looking again if `want` do not. For a stream.
    #[inline(always)]
    pub(crate) fn stream_room(&self, hiwat: usize, want: usize) -> isize {
        let room = hiwat as isize - self.stream_seen() as isize;
        if room >= want as isize {
            return room;
        }
        self.refresh_head();
        hiwat as isize - self.stream_seen() as isize
    }

    /// What the records in the buffer count, as the producer sees it after looking again.
    #[inline(always)]
    pub(crate) fn record_fill_fresh(&self) -> Fill {
        self.refresh_head();
        self.record_fill_seen()
    }

    /// What the records in the buffer count, as the producer last saw it.
    #[inline(always)]
    pub(crate) fn record_fill_seen(&self) -> Fill {
        let got = self.producer.seen_got.get();
        Fill {
            cc: self.producer.put_cc.get() - got.cc,
            mbcnt: self.producer.put_mbcnt.get() - got.mbcnt,
        }
    }

    /// Where the next byte will go.
    #[inline(always)]
    pub(crate) fn tail(&self) -> usize {
        self.producer.tail.load(Relaxed)
    }

    /// Puts bytes of a stream at `tail`, which the caller has read, and publishes them.
    #[inline(always)]
    pub(crate) fn put_stream(&self, tail: usize, data: &[u8]) {
        self.ring.get().copy_in(tail, data);
        // Release; pairs with the Acquire in `refresh_tail`.
        self.producer.tail.store(tail + data.len(), Release);
    }

    /// Puts a record at `tail`, which the caller has read, and publishes it.
    #[inline(always)]
    pub(crate) fn put_record(
        &self,
        tail: usize,
        from: Option<&SockAddr>,
        data: &[u8],
        marks: Marks,
    ) {
        let name = from.map_or(&[][..], SockAddr::path);
        let record =
            Record { len: data.len(), name_len: name.len(), marks, is_dgram: from.is_some() };
        let ring = self.ring.get();
        ring.copy_in(tail, &record.encode());
        if !name.is_empty() {
            ring.copy_in(tail + HEAD, name);
        }
        ring.copy_in(tail + HEAD + name.len(), data);
        let fill = record.fill();
        self.producer.put_cc.set(self.producer.put_cc.get() + fill.cc);
        self.producer.put_mbcnt.set(self.producer.put_mbcnt.get() + fill.mbcnt);
        // Release; pairs with the Acquire in `refresh_tail`.
        self.producer.tail.store(tail + record.size(), Release);
    }

    /// The next record, of no bytes, wakes no reader: a buffer without bytes stays one. The caller
    /// holds the socket's lock.
    pub(crate) fn put_quietly(&self) {
        // Relaxed: published by the Release of `tail` in `put_record`.
        self.producer.quiet_tail.store(self.tail() + HEAD, Relaxed);
    }

    // ---- the consumer's side ----

    /// Where the next byte will be read.
    #[inline(always)]
    pub(crate) fn head(&self) -> usize {
        self.consumer.head.load(Relaxed)
    }

    #[inline(always)]
    fn refresh_tail(&self) {
        // Acquire; pairs with the Release in `put_stream` and `put_record`: the bytes before `tail`
        // are there.
        self.consumer.seen_tail.set(self.producer.tail.load(Acquire));
    }

    /// How many bytes of a stream can be read, looking again if there are fewer than `want`.
    #[inline(always)]
    pub(crate) fn stream_readable(&self, want: usize) -> usize {
        let readable = self.consumer.seen_tail.get() - self.head();
        if readable >= want {
            return readable;
        }
        self.refresh_tail();
        self.consumer.seen_tail.get() - self.head()
    }

    /// Where the bytes are, to copy them out. Taken with the lock (or `in_use`).
    #[inline(always)]
    pub(crate) fn ring(&self) -> Ring {
        self.ring.get()
    }

    /// Takes bytes off the front of a stream.
    #[inline(always)]
    pub(crate) fn stream_consume(&self, bytes: usize) {
        self.set_head(self.head() + bytes);
    }

    #[inline(always)]
    fn set_head(&self, head: usize) {
        // Release; pairs with the Acquire in `refresh_head`.
        self.consumer.head.store(head, Release);
    }

    /// The first record, if there is one.
    #[inline(always)]
    pub(crate) fn front(&self) -> Option<Record> {
        let head = self.head();
        if self.consumer.seen_tail.get() == head {
            self.refresh_tail();
            if self.consumer.seen_tail.get() == head {
                return None;
            }
        }
        let mut bytes = [0; HEAD];
        self.ring.get().copy_out(head, &mut bytes);
        Some(Record::decode(bytes))
    }

    /// The address of the first record.
    #[inline(always)]
    pub(crate) fn record_from(&self, record: Record) -> SockAddr {
        if record.name_len == 0 {
            return SockAddr::UNNAMED;
        }
        let mut path = [0; SockAddr::MAX];
        let path = &mut path[..record.name_len];
        self.ring.get().copy_out(self.head() + HEAD, path);
        SockAddr::new(path).unwrap_or(SockAddr::UNNAMED)
    }

    /// Where the data of the first record begins.
    #[inline(always)]
    pub(crate) fn record_data(&self, record: Record) -> usize {
        self.head() + HEAD + record.name_len
    }

    /// Takes the first record off.
    #[inline(always)]
    pub(crate) fn record_consume(&self, record: Record) {
        let fill = record.fill();
        let consumer = &self.consumer;
        // Release; pairs with the Acquire in `refresh_head`.
        consumer.got_cc.store(consumer.got_cc.load(Relaxed) + fill.cc, Release);
        consumer.got_mbcnt.store(consumer.got_mbcnt.load(Relaxed) + fill.mbcnt, Release);
        self.set_head(self.head() + record.size());
    }

    /// The consumer's position as the producer last saw it.
    #[inline(always)]
    pub(crate) fn seen_head(&self) -> usize {
        self.producer.seen_head.get()
    }

    /// Whether something came for which a consumer is woken that waits since the tail was at
    /// `seen`.
    #[inline(always)]
    pub(crate) fn has_come(&self, seen: usize) -> bool {
        // Acquire; pairs with the Release in `put_record`: `quiet_tail` was written before.
        let tail = self.producer.tail.load(Acquire);
        tail != seen && tail != self.producer.quiet_tail.load(Relaxed)
    }

    /// Where the producer is: a hint for a waiting consumer.
    #[inline(always)]
    pub(crate) fn tail_hint(&self) -> usize {
        self.producer.tail.load(Relaxed)
    }

    /// How many bytes were ever taken off the ring: a hint for a waiting producer.
    #[inline(always)]
    pub(crate) fn head_hint(&self) -> usize {
        self.consumer.head.load(Relaxed)
    }

    // ---- both sides: the caller holds the socket's lock ----

    /// What is in the buffer, control messages apart.
    #[inline(always)]
    pub(crate) fn fill(&self, kind: SockType) -> Fill {
        let (head, tail) = (self.head(), self.tail());
        match kind {
            SockType::Stream => Fill { cc: tail - head, mbcnt: stream_charge(head, tail) },
            SockType::Dgram | SockType::Seqpacket => Fill {
                cc: self.producer.put_cc.get() - self.consumer.got_cc.load(Relaxed),
                mbcnt: self.producer.put_mbcnt.get() - self.consumer.got_mbcnt.load(Relaxed),
            },
        }
    }

    /// Drops everything that is in the buffer.
    pub(crate) fn flush(&self) {
        self.consumer.got_cc.store(self.producer.put_cc.get(), Relaxed);
        self.consumer.got_mbcnt.store(self.producer.put_mbcnt.get(), Relaxed);
        self.set_head(self.tail());
        self.refresh_tail();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { has_control: false, is_eor: true };
    /// What the smallest ring has room for beside a record's head and address.
    const ROOM: usize = RING_MIN - 2 * HEAD - SockAddr::MAX;

    fn buffer(kind: SockType, limits: Limits) -> SockBuf {
        let buffer = SockBuf::new();
        buffer.reserve(kind, limits);
        buffer
    }

    fn small(kind: SockType) -> SockBuf {
        buffer(kind, Limits { hiwat: 100, mbmax: 100 })
    }

    fn capacity(buffer: &SockBuf) -> usize {
        buffer.ring().mask + 1
    }

    fn bytes(buffer: &SockBuf, position: usize, len: usize) -> Vec<u8> {
        let mut data = vec![0; len];
        buffer.ring().copy_out(position, &mut data);
        data
    }

    fn retired(buffer: &SockBuf) -> usize {
        // SAFETY: one thread has the buffer, and no other borrow of its storage is alive.
        unsafe { (*buffer.storage.get()).retired.len() }
    }

    #[test]
    fn a_ring_holds_whatever_the_limits_admit() {
        let of = |kind, hiwat, mbmax| capacity(&buffer(kind, Limits { hiwat, mbmax }));
        assert_eq!(of(SockType::Stream, 1, 1 << 20), RING_MIN);
        assert_eq!([8192, 8193].map(|hiwat| of(SockType::Stream, hiwat, 0)), [8192, 16384]);
        // 100 records of memory and two more, each with twice 16 bytes beside its data.
        let fits = 8192 - 102 * 32;
        for kind in [SockType::Dgram, SockType::Seqpacket] {
            let capacities = [fits, fits + 1].map(|hiwat| of(kind, hiwat, 100 * 256));
            assert_eq!(capacities, [8192, 16384]);
        }
    }

    #[test]
    fn a_ring_grows_only_where_it_must() {
        let buffer = buffer(SockType::Stream, Limits { hiwat: 8192, mbmax: 0 });
        let first = buffer.ring();
        buffer.put_stream(0, b"abc");
        for hiwat in [8192, 100] {
            buffer.reserve(SockType::Stream, Limits { hiwat, mbmax: 0 });
            assert_eq!((buffer.ring().base, retired(&buffer)), (first.base, 0));
        }
        buffer.reserve(SockType::Stream, Limits { hiwat: 8193, mbmax: 0 });
        assert_eq!((capacity(&buffer), retired(&buffer)), (16384, 1));
        assert_eq!(bytes(&buffer, 0, 3), b"abc");
        // Whoever copies from the first ring may still do so.
        let mut data = [0; 3];
        first.copy_out(0, &mut data);
        assert_eq!(&data, b"abc");
    }

    #[test]
    fn room_is_made_for_a_message_with_its_head_and_address() {
        let buffer = small(SockType::Stream);
        buffer.put_stream(0, &[7; 150]);
        buffer.stream_consume(50);
        let base = buffer.ring().base;
        buffer.ensure_room(ROOM - 100);
        assert_eq!(buffer.ring().base, base);
        buffer.ensure_room(ROOM - 99);
        assert_eq!((capacity(&buffer), retired(&buffer)), (2 * RING_MIN, 1));
        assert_eq!(bytes(&buffer, 50, 100), [7; 100]);
        buffer.ensure_room(3 * RING_MIN);
        assert_eq!(capacity(&buffer), 4 * RING_MIN);
    }

    #[test]
    fn a_stream_goes_round() {
        let buffer = small(SockType::Stream);
        let data: Vec<u8> = (0..=250).cycle().take(3 * RING_MIN).collect();
        for (tail, piece) in (0..).step_by(1000).zip(data.chunks(1000)) {
            assert_eq!((buffer.tail(), buffer.tail_hint()), (tail, tail));
            buffer.put_stream(tail, piece);
            assert_eq!(buffer.stream_readable(1), piece.len());
            assert_eq!(bytes(&buffer, buffer.head(), piece.len()), piece);
            buffer.stream_consume(piece.len());
            assert_eq!(buffer.head(), tail + piece.len());
            assert_eq!((buffer.head_hint(), buffer.stream_readable(1)), (buffer.head(), 0));
        }
    }

    #[test]
    fn each_side_looks_again_only_where_it_must() {
        let buffer = small(SockType::Stream);
        assert_eq!(buffer.stream_room(10, 1), 10);
        buffer.put_stream(0, &[0; 6]);
        assert_eq!(buffer.stream_readable(6), 6);
        buffer.stream_consume(2);
        // What was seen last is enough.
        assert_eq!((buffer.stream_room(10, 4), buffer.seen_head()), (4, 0));
        // It is not; then the consumer's count is read.
        assert_eq!((buffer.stream_room(10, 5), buffer.seen_head()), (6, 2));
        assert_eq!((buffer.stream_room(3, 1), buffer.stream_room(10, 7)), (-1, 6));
        buffer.put_stream(6, &[0; 3]);
        assert_eq!((buffer.stream_readable(4), buffer.stream_readable(5)), (4, 7));
        buffer.stream_consume(1);
        assert_eq!(buffer.stream_readable(9), 6);
        assert_eq!(buffer.fill(SockType::Stream), Fill { cc: 6, mbcnt: 2304 });
    }

    #[test]
    fn records_come_out_one_by_one_as_they_went_in() {
        let buffer = small(SockType::Dgram);
        let name = SockAddr::new("name").unwrap();
        let sent =
            [(Some(&name), &b"first"[..]), (Some(&SockAddr::UNNAMED), b"second"), (None, b"")];
        // Often enough to go round.
        for _ in 0..100 {
            assert_eq!(buffer.front(), None);
            for (from, data) in sent {
                buffer.put_record(buffer.tail(), from, data, MARKS);
            }
            for (from, data) in sent {
                let record = buffer.front().unwrap();
                assert_eq!((record.len, record.marks), (data.len(), MARKS));
                assert_eq!(buffer.record_from(record), *from.unwrap_or(&SockAddr::UNNAMED));
                assert_eq!(bytes(&buffer, buffer.record_data(record), data.len()), data);
                buffer.record_consume(record);
            }
        }
        assert_eq!(buffer.front(), None);
        assert_eq!(buffer.fill(SockType::Dgram), Fill::default());
    }

    /// A buffer with one of three records taken out: what is left counts 3 + 2 bytes in two mbufs.
    fn with_two_of_three() -> SockBuf {
        let buffer = small(SockType::Seqpacket);
        for data in [&b"four"[..], b"333", b"22"] {
            buffer.put_record(buffer.tail(), None, data, MARKS);
        }
        buffer.record_consume(buffer.front().unwrap());
        buffer
    }

    #[test]
    fn records_count_from_when_they_are_put_until_they_are_got() {
        let buffer = with_two_of_three();
        let left = Fill { cc: 5, mbcnt: 2 * 256 };
        assert_eq!(buffer.fill(SockType::Seqpacket), left);
        // The producer has not looked since.
        assert_eq!(buffer.record_fill_seen(), Fill { cc: 9, mbcnt: 3 * 256 });
        assert_eq!((buffer.record_fill_fresh(), buffer.record_fill_seen()), (left, left));
        buffer.record_consume(buffer.front().unwrap());
        let last = Fill { cc: 2, mbcnt: 256 };
        assert_eq!((buffer.fill(SockType::Seqpacket), buffer.record_fill_fresh()), (last, last));
    }

    #[test]
    fn a_flushed_buffer_is_empty_and_goes_on() {
        let buffer = with_two_of_three();
        buffer.flush();
        assert_eq!((buffer.front(), buffer.head()), (None, buffer.tail()));
        assert_eq!(buffer.fill(SockType::Seqpacket), Fill::default());
        buffer.put_record(buffer.tail(), None, b"x", MARKS);
        assert_eq!(buffer.front().unwrap().len, 1);
    }

    #[test]
    fn a_buffer_made_anew_counts_from_0() {
        let buffer = with_two_of_three();
        buffer.record_fill_fresh();
        buffer.reset();
        assert_eq!((buffer.head(), buffer.tail(), buffer.seen_head()), (0, 0, 0));
        assert_eq!((buffer.front(), buffer.stream_readable(1)), (None, 0));
        assert_eq!(buffer.fill(SockType::Seqpacket), Fill::default());
        assert_eq!(buffer.record_fill_seen(), Fill::default());
    }
}
