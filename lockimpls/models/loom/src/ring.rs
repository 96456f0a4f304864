//! The ring of a receive buffer (`sockbuf.rs`, `sockbuf/ring.rs`) between one producer and one
//! consumer: each byte is there before it is read, and was read before its place is used again.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::{ALL_LOOKS, Body, Model, seen, threads};
use crate::domain::SockType;
use crate::primitives::{Ordering, yield_now};
use crate::sockbuf::{Limits, Marks, SockBuf};

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
        name: "ring_records",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 200,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: two_records,
    },
    Model {
        name: "ring_three_records",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 23000,
        branches: &["put", "full", "room refreshed", "got", "empty", "came round"],
        program: three_records,
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

fn both(kind: SockType, limits: Limits, producer: fn(&Shared), consumer: fn(&Shared)) {
    let buf = SockBuf::new();
    buf.reserve(kind, limits);
    let shared = Arc::new(Shared { buf, read: AtomicUsize::new(0) });
    let body = |side: fn(&Shared)| -> Body {
        let shared = Arc::clone(&shared);
        Box::new(move || side(&shared))
    };
    threads(vec![body(producer), body(consumer)]);
}

fn stream() {
    both(SockType::Stream, Limits::of(HIWAT), put_stream, get_stream);
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

/// One record is as much as fits; the ring, of 128 bytes, comes round in the second.
const RECORD: usize = 64;
const RECORD_LIMITS: Limits = Limits { hiwat: RECORD, mbmax: 255 };

fn two_records() {
    both(SockType::Seqpacket, RECORD_LIMITS, put_records::<2>, get_records::<2>);
}

fn three_records() {
    both(SockType::Seqpacket, RECORD_LIMITS, put_records::<3>, get_records::<3>);
}

/// As a send of records on the lock-free path does.
fn put_records<const COUNT: usize>(shared: &Shared) {
    let buf = &shared.buf;
    for record in 0..COUNT {
        let data = [record as u8; RECORD];
        if RECORD_LIMITS.space(buf.record_fill_seen()) < RECORD as isize {
            while RECORD_LIMITS.space(buf.record_fill_fresh()) < RECORD as isize {
                seen("full");
                yield_now();
            }
            seen("room refreshed");
        }
        let unread = record - shared.read.load(Relaxed);
        assert!((unread + 1) * RECORD <= RECORD_LIMITS.hiwat, "room was seen too early");
        if record >= 1 {
            seen("came round");
        }
        buf.put_record(buf.tail(), None, &data, Marks::default());
        seen("put");
    }
}

fn get_records<const COUNT: usize>(shared: &Shared) {
    let buf = &shared.buf;
    let mut next = 0;
    while next < COUNT {
        let Some(record) = buf.front() else {
            seen("empty");
            yield_now();
            continue;
        };
        assert_eq!(record.len, RECORD);
        let mut data = [0; RECORD];
        buf.ring().copy_out(buf.record_data(record), &mut data);
        assert_eq!(data, [next as u8; RECORD], "a record came out wrong");
        next += 1;
        shared.read.store(next, Relaxed);
        buf.record_consume(record);
        seen("got");
    }
}
