//! A lane's calls: they are counted, their answers sorted, and what cannot be is said clearly.

use lockimpls::witness::{self, Check};
use lockimpls::{Errno, Fd, Layer, MsgFlags, SockType};

use crate::message::{Sink, Source};
use crate::{LaneSums, Meter, Plan};

/// How often a socket is asked for before it counts as gone for good.
const EXHAUSTED_MAX: u32 = 1 << 20;

/// Where something happens, for reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) workload: &'static str,
    pub(crate) backend: &'static str,
    pub(crate) lane: usize,
}

impl Place {
    /// Data came out wrong: the process ends.
    #[cold]
    pub(crate) fn report(&self, check: Check, count: u64, what: &str) -> ! {
        let what = format!("{}, lane {}: {what}", self.workload, self.lane);
        witness::report_data(check, count, self.backend, &what)
    }

    /// A call gave an error that has no place in the workload.
    #[cold]
    pub(crate) fn fail(&self, call: &str, errno: Errno) -> ! {
        panic!(
            "{} on {}: {call} of lane {} gave {errno}, which this workload does not expect",
            self.workload, self.backend, self.lane
        )
    }
}

/// How a send or a receive went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The message is whole.
    Whole,
    /// A part of it was taken or has arrived.
    Part,
    /// There is no room, or nothing there.
    Blocked,
    /// The other side sends no more.
    Eof,
}

/// One lane's side of a layer.
pub(crate) struct Caller<'a> {
    pub(crate) domain: &'a dyn Layer,
    pub(crate) place: Place,
    pub(crate) sums: LaneSums,
    /// Messages may arrive in parts.
    in_parts: bool,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(
        domain: &'a dyn Layer,
        workload: &'static str,
        lane: usize,
        plan: &Plan,
    ) -> Self {
        Caller {
            domain,
            place: Place { workload, backend: domain.name(), lane },
            sums: LaneSums::default(),
            in_parts: plan.socket_type == SockType::Stream,
        }
    }

    /// The answer of a call that must succeed.
    #[inline]
    pub(crate) fn must<T>(&self, call: &str, result: Result<T, Errno>) -> T {
        match result {
            Ok(value) => value,
            Err(errno) => self.place.fail(call, errno),
        }
    }

    /// Opens a socket. Where others have taken all there are (connections that wait in a queue take
    /// one each), that is a refusal, and it is tried again until they have let go of some.
    pub(crate) fn socket(&mut self, kind: SockType) -> Fd {
        for _ in 0..EXHAUSTED_MAX {
            match self.domain.socket(kind) {
                Err(Errno::Enobufs | Errno::Enomem | Errno::Emfile | Errno::Enfile) => {
                    self.sums.refusals += 1;
                    std::thread::yield_now();
                }
                result => return self.must("socket", result),
            }
        }
        self.place.fail("socket, again and again,", Errno::Enobufs)
    }

    /// Sends what is left of a message, once.
    #[inline]
    pub(crate) fn send(&mut self, s: Fd, source: &mut Source, flags: MsgFlags) -> Step {
        match self.domain.send(s, source.rest(), flags) {
            Ok(bytes) => self.sent(bytes, source),
            Err(Errno::Enobufs | Errno::Ewouldblock) => {
                self.sums.refusals += 1;
                Step::Blocked
            }
            Err(errno) => self.place.fail("send", errno),
        }
    }

    /// Counts what a send took.
    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize, source: &mut Source) -> Step {
        self.sums.bytes_sent += bytes as u64;
        if source.took(bytes) {
            self.sums.messages_sent += 1;
            return Step::Whole;
        }
        if !self.in_parts {
            self.place.report(Check::BytesLost, 1, "a send took a part of a record");
        }
        Step::Part
    }

    /// Receives what is left of a message, once.
    #[inline]
    pub(crate) fn recv(&mut self, s: Fd, sink: &mut Sink, flags: MsgFlags) -> Step {
        match self.domain.recv(s, sink.room(), flags) {
            Ok(bytes) => self.received(bytes, sink),
            Err(Errno::Ewouldblock) => Step::Blocked,
            Err(errno) => self.place.fail("recv", errno),
        }
    }

    /// Counts what a receive brought.
    #[inline]
    pub(crate) fn received(&mut self, bytes: usize, sink: &mut Sink) -> Step {
        if bytes == 0 {
            return Step::Eof;
        }
        self.sums.bytes_received += bytes as u64;
        if sink.put(bytes) {
            self.sums.messages_received += 1;
            return Step::Whole;
        }
        if !self.in_parts {
            self.place.report(Check::BytesLost, 1, "a record arrived without its end");
        }
        Step::Part
    }

    /// Sends a whole message, waiting where the layer waits; where it refuses instead, again and
    /// again.
    #[inline]
    pub(crate) fn send_whole<M: Meter>(&mut self, s: Fd, source: &mut Source, meter: &mut M) {
        loop {
            match self.send(s, source, MsgFlags::empty()) {
                Step::Whole => return,
                Step::Part => {}
                Step::Blocked | Step::Eof => give_way(meter),
            }
        }
    }

    /// Receives a whole message, waiting for it; no message is due when the other side has ended.
    #[inline]
    pub(crate) fn recv_whole(&mut self, s: Fd, sink: &mut Sink) {
        loop {
            match self.recv(s, sink, MsgFlags::empty()) {
                Step::Whole => return,
                Step::Part => {}
                Step::Blocked => self.place.fail("recv", Errno::Ewouldblock),
                Step::Eof => self.ended_early(),
            }
        }
    }

    /// Nothing may come after the last message.
    pub(crate) fn expect_eof(&mut self, s: Fd, sink: &mut Sink) {
        if self.recv(s, sink, MsgFlags::empty()) != Step::Eof {
            self.place.report(Check::BytesLost, 1, "bytes came after the last message");
        }
    }

    /// One message from one end to the other, both on this thread: the second half. The message was
    /// begun to be sent; this goes on until it is received.
    #[inline]
    pub(crate) fn ferry(&mut self, ends: (Fd, Fd), source: &mut Source, sink: &mut Sink) {
        if self.recv(ends.1, sink, MsgFlags::DONTWAIT) != Step::Whole {
            self.ferry_slow(ends, source, sink);
        }
    }

    /// The message does not fit in the buffer at once, or something is wrong.
    #[cold]
    fn ferry_slow(&mut self, ends: (Fd, Fd), source: &mut Source, sink: &mut Sink) {
        loop {
            let moved =
                !source.is_sent() && self.send(ends.0, source, MsgFlags::DONTWAIT) != Step::Blocked;
            match self.recv(ends.1, sink, MsgFlags::DONTWAIT) {
                Step::Whole => return,
                Step::Part => {}
                Step::Blocked if moved => {}
                Step::Blocked if source.is_sent() => {
                    let what = "a message was taken and is not there";
                    self.place.report(Check::BytesLost, 1, what);
                }
                Step::Blocked => self.place.fail("send to an empty buffer", Errno::Ewouldblock),
                Step::Eof => self.ended_early(),
            }
        }
    }

    #[cold]
    pub(crate) fn ended_early(&self) -> ! {
        self.place.report(Check::BytesLost, 1, "the other side ended before its last message")
    }
}

/// A request was refused: lets others run, and leaves the time out of what is measured.
#[cold]
pub(crate) fn give_way<M: Meter>(meter: &mut M) {
    std::thread::yield_now();
    meter.skip();
}
