//! Each message carries a descriptor; the receiver closes it. Now and then one is refused.
//!
//! Each lane has a pair of its own and a socket to pass along. One operation is one message with
//! one descriptor, sent ([`Event::Send`]), received and the descriptor closed ([`Event::Receive`]).
//! The first and the last descriptor received must be of the socket that was sent.
//!
//! Every 64th operation also sends to a throw-away pair whose receiving end was shut down: the
//! model answers `ENOBUFS`, through the exit that once forgot an unlock; the `host` of Linux
//! answers `EPIPE`. These are refusals, and no part of the latencies.
//!
//! # What this does not show
//!
//! The descriptors do not cross threads: what all lanes share is the count of descriptors in
//! flight, the descriptor table and the collector's lock, and these are the same in every modelled
//! backend. Messages with descriptors never take a lock-free path.

use lockimpls::witness::Check;
use lockimpls::{Errno, Fd, Layer, MsgFlags, RecvMsg, SendMsg, Shutdown, SockType};

use crate::call::{Caller, Step};
use crate::message::{Order, Sink, Source};
use crate::sockets::{self, Pairs};
use crate::{Event, Kind, LaneSums, Meter, Need, Plan, Question, Workload};

/// The longest message that goes with a descriptor in one piece.
const BYTES_MAX: usize = 4096;
/// After how many operations one is refused.
const REFUSED_EVERY: u64 = 64;

/// See the module's text.
pub(crate) struct Rights;

impl Kind for Rights {
    type On = On;
    const NAME: &'static str = "rights";
    const ABOUT: &'static str = "each message carries a descriptor, and some are refused";
    const OPERATION: &'static str = "one message with a descriptor sent, received and closed";
    const QUESTION: Option<Question> =
        Some(Question { name: "descriptors", label: "with descriptors", operation: "message" });

    fn needs(_socket_type: SockType) -> &'static [Need] {
        &[Need::Socketpair, Need::Socket, Need::Rights, Need::SameFile, Need::Shutdown]
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.message_bytes <= BYTES_MAX {
            return Ok(());
        }
        Err(format!("a descriptor goes with one piece of data; ask for --size {BYTES_MAX} or less"))
    }
}

/// A pair and a socket to pass along for each lane.
pub(crate) struct On {
    plan: Plan,
    pairs: Pairs,
    passed: Vec<Fd>,
}

/// What a lane of this workload has in its hands.
struct Passer<'a> {
    caller: Caller<'a>,
    ends: (Fd, Fd),
    passed: Fd,
    source: Source,
    sink: Sink,
    order: Order,
}

impl Passer<'_> {
    fn send(&mut self) {
        let rights = [self.passed];
        let msg = SendMsg {
            to: None,
            data: self.source.rest(),
            rights: &rights,
            flags: MsgFlags::DONTWAIT,
        };
        let bytes = self.caller.must("sendmsg", self.caller.domain.sendmsg(self.ends.0, &msg));
        if self.caller.sent(bytes, &mut self.source) != Step::Whole {
            self.caller.place.report(Check::BytesLost, 1, "a message with a descriptor was cut");
        }
    }

    /// Receives and closes the descriptor, which must be of the socket sent if this is looked at.
    fn receive(&mut self, look: bool) {
        let mut rights = [None];
        let mut msg = RecvMsg::with_rights(self.sink.room(), &mut rights, MsgFlags::DONTWAIT);
        let result = self.caller.domain.recvmsg(self.ends.1, &mut msg);
        let cut = msg.flags.intersects(MsgFlags::CTRUNC | MsgFlags::TRUNC);
        let bytes = match result {
            Err(Errno::Ewouldblock) => 0,
            other => self.caller.must("recvmsg", other),
        };
        let whole = self.caller.received(bytes, &mut self.sink) == Step::Whole;
        let (Some(got), true, false) = (rights[0], whole, cut) else {
            let what = "a message with a descriptor was taken and is not there, or not whole";
            self.caller.place.report(Check::BytesLost, 1, what)
        };
        self.order.check(self.sink.message(), &self.caller.place);
        if look && !self.caller.must("kcmp", self.caller.domain.same_file(got, self.passed)) {
            let what = "the descriptor received is of another socket than the one sent";
            self.caller.place.report(Check::BytesLost, 1, what);
        }
        self.caller.must("close", self.caller.domain.close(got));
    }

    /// A message that cannot be received: the descriptor in it must not stay in flight.
    #[cold]
    fn refused(&mut self, plan: &Plan) {
        let domain = self.caller.domain;
        let (a, b) = self.caller.must("socketpair", domain.socketpair(plan.socket_type));
        self.caller.must("shutdown", domain.shutdown(b, Shutdown::Read));
        let rights = [self.passed];
        let msg = SendMsg { to: None, data: b"x", rights: &rights, flags: MsgFlags::DONTWAIT };
        match domain.sendmsg(a, &msg) {
            Err(Errno::Enobufs | Errno::Epipe) => self.caller.sums.refusals += 1,
            Err(errno) => self.caller.place.fail("sendmsg to a shut down socket", errno),
            Ok(_) => {
                let what = "a shut down socket took a message with a descriptor";
                self.caller.place.report(Check::BytesLost, 1, what);
            }
        }
        self.caller.must("close", domain.close(a));
        self.caller.must("close", domain.close(b));
    }

    fn run<M: Meter>(&mut self, plan: &Plan, meter: &mut M) {
        let mut operations = 0u64;
        meter.skip();
        while meter.running() {
            self.source.fill();
            self.send();
            meter.lap(Event::Send);
            self.receive(operations == 0);
            meter.lap(Event::Receive);
            operations += 1;
            if operations.is_multiple_of(REFUSED_EVERY) {
                self.refused(plan);
                meter.skip();
            }
        }
        self.source.fill_end();
        self.send();
        self.receive(true);
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads, plan.socket_type)?;
        let mut on = On { plan: plan.clone(), pairs, passed: Vec::new() };
        for _ in 0..plan.threads {
            match domain.socket(plan.socket_type) {
                Ok(sock) => on.passed.push(sock),
                Err(errno) => {
                    sockets::close_all(domain, on.passed);
                    sockets::close_pairs(domain, on.pairs);
                    return Err(errno);
                }
            }
        }
        Ok(on)
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut passer = Passer {
            caller: Caller::new(domain, Rights::NAME, lane, &self.plan),
            ends: self.pairs[lane],
            passed: self.passed[lane],
            source: Source::new(self.plan.message_bytes, lane as u16, self.plan.verify),
            sink: Sink::new(self.plan.message_bytes),
            order: Order::new(self.plan.message_bytes, lane as u16),
        };
        passer.run(&self.plan, meter);
        passer.caller.sums
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Rights::NAME, domain.name(), sums);
        sockets::close_all(domain, self.passed);
        sockets::close_pairs(domain, self.pairs);
    }
}
