//! The ring of a receive buffer (`objects/sockbuf.rs`, `objects/sockbuf/ring.rs`) between one
//! producer and one consumer: each byte is there before it is read, and was read before its place
//! is used again.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::shared::{ALL_LOOKS, Body, Model, seen, threads};
use crate::domain::SockType;
use crate::objects::sockbuf::{Fill, Limits, Marks, SockBuf};
use crate::primitives::{Ordering, yield_now};

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "ring_stream",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 1000,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: stream,
    },
    Model {
        name: "ring_records_by_bytes",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 200,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: || records(BY_BYTES, 2),
    },
    Model {
        name: "ring_records_by_memory",
        threads: 2,
        bound: [Some(2), Some(3)],
        looks: ALL_LOOKS,
        at_least: 19000,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: || records(BY_MEMORY, 1),
    },
    Model {
        name: "ring_three_records",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 20000,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: || records(BY_BYTES, 3),
    },
];

/// How many bytes of a stream may be unread: less than two messages.
const HIWAT: usize = 4;

/// How many messages a stream's producer puts, of 2 bytes each.
const MESSAGES: usize = 3;

/// What the two sides of a model share: the buffer, and how much the consumer has read. The latter
/// is not of the model: it is exact at every moment.
struct Shared {
    buf: SockBuf,
    read: AtomicUsize,
}

type Side = Box<dyn FnOnce(&Shared) + Send>;

fn both(buf: SockBuf, producer: Side, consumer: Side) {
    let shared = Arc::new(Shared { buf, read: AtomicUsize::new(0) });
    let body = |side: Side| -> Body {
        let shared = Arc::clone(&shared);
        Box::new(move || side(&shared))
    };
    threads(vec![body(producer), body(consumer)]);
}

fn stream() {
    let buf = SockBuf::new();
    buf.reserve(SockType::Stream, Limits::of(HIWAT));
    both(buf, Box::new(put_stream), Box::new(get_stream));
}

/// As a send does: looks for room, then puts.
fn put_stream(shared: &Shared) {
    let buf = &shared.buf;
    for message in 0..MESSAGES {
        let data = [2 * message as u8, 2 * message as u8 + 1];
        loop {
            let before = buf.seen_head();
            let has_room = buf.stream_room(HIWAT, data.len()) >= data.len() as isize;
            if buf.seen_head() != before {
                seen("room refreshed");
            }
            if has_room {
                break;
            }
            seen("full");
            yield_now();
        }
        let tail = buf.tail();
        assert_eq!(tail, 2 * message);
        assert!(tail + data.len() - shared.read.load(Relaxed) <= HIWAT, "room was seen too early");
        if tail >= HIWAT {
            seen("came round");
        }
        buf.put_stream(tail, &data);
        seen("put");
    }
}

/// As a receive does, two bytes at most at a time.
fn get_stream(shared: &Shared) {
    let buf = &shared.buf;
    let mut next = 0;
    while next < 2 * MESSAGES {
        let readable = buf.stream_readable(2);
        if readable == 0 {
            seen("empty");
            yield_now();
            continue;
        }
        let mut data = [0; 2];
        let data = &mut data[..readable.min(2)];
        buf.ring().copy_out(buf.head(), data);
        for byte in &*data {
            assert_eq!(usize::from(*byte), next, "a byte came out wrong");
            next += 1;
        }
        shared.read.store(next, Relaxed);
        buf.stream_consume(data.len());
        seen("got");
    }
}

/// The records of a model.
#[derive(Clone, Copy)]
struct Records {
    /// How many bytes each has.
    len: usize,
    /// How many are unread when the model begins.
    unread: usize,
    limits: Limits,
    /// The size of the ring under these limits.
    ring: usize,
}

/// A record is as much as fits: the next waits until there are bytes left, and takes its place. The
/// consumer's count of memory says nothing.
const BY_BYTES: Records =
    Records { len: 128, unread: 0, limits: Limits { hiwat: 128, mbmax: 2 * CHARGE }, ring: 256 };

/// Heads alone, and more of them than the limit, which was lowered: the next waits until there is
/// memory left, and takes the place of the first. The consumer's count of bytes stays 0.
const BY_MEMORY: Records =
    Records { len: 0, unread: 4, limits: Limits { hiwat: 0, mbmax: CHARGE - 1 }, ring: 4 * HEAD };

/// What a record is charged, and its head.
const CHARGE: usize = 256;
const HEAD: usize = 16;

/// So many records more, between a producer and a consumer.
fn records(records: Records, more: usize) {
    let buf = SockBuf::new();
    buf.reserve(SockType::Seqpacket, records.limits);
    (0..records.unread).for_each(|record| put(&buf, records, record));
    let count = records.unread + more;
    both(
        buf,
        Box::new(move |shared| put_records(shared, records, count)),
        Box::new(move |shared| get_records(shared, records, count)),
    );
}

fn put(buf: &SockBuf, Records { len, .. }: Records, record: usize) {
    buf.put_record(buf.tail(), None, &vec![record as u8; len], Marks::default());
}

/// As a send of records on the lock-free path does.
fn put_records(shared: &Shared, records: Records, count: usize) {
    let (buf, Records { len, limits, ring, .. }) = (&shared.buf, records);
    for record in records.unread..count {
        if limits.space(buf.record_fill_seen()) < len as isize {
            while limits.space(buf.record_fill_fresh()) < len as isize {
                seen("full");
                yield_now();
            }
            seen("room refreshed");
        }
        let unread = record - shared.read.load(Relaxed);
        let fill = Fill { cc: unread * len, mbcnt: unread * CHARGE };
        assert!(limits.space(fill) >= len as isize, "room was seen too early");
        if buf.tail() + HEAD + len > ring {
            seen("came round");
        }
        put(buf, records, record);
        seen("put");
    }
}

fn get_records(shared: &Shared, Records { len, .. }: Records, count: usize) {
    let buf = &shared.buf;
    let mut next = 0;
    while next < count {
        let Some(record) = buf.front() else {
            seen("empty");
            yield_now();
            continue;
        };
        assert_eq!(record.len, len);
        let mut data = vec![0; len];
        buf.ring().copy_out(buf.record_data(record), &mut data);
        assert_eq!(data, vec![next as u8; len], "a record came out wrong");
        next += 1;
        shared.read.store(next, Relaxed);
        buf.record_consume(record);
        seen("got");
    }
}
