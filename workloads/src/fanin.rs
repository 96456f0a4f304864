//! Many threads send datagrams to one socket, which one thread reads: the busiest lock there can
//! be.
//!
//! Lane 0 receives on a named socket to which every other lane has connected its socket. One
//! operation is one message received; lane 0 counts. A datagram for which there is no room is
//! refused (`ENOBUFS`), counted as a refusal and sent again; on the `host` of Linux the send waits
//! instead. The messages of each sender must arrive in the order in which it sent them.
//!
//! # What this does not show
//!
//! One receiver is slower than several senders: most attempts are refused, and a refusal takes the
//! same locks as a send that is taken. No record says how many there were: compare the lock
//! operations of an operation before comparing throughput. Streams cannot be many to one.

use lockimpls::{Errno, Fd, Layer, SockAddr, SockType};

use crate::call::Caller;
use crate::message::{LANE_BYTES, Order, Sink, Source};
use crate::sockets;
use crate::{Event, Kind, LaneSums, Meter, Need, Plan, Question, Workload};

/// See the module's text.
pub(crate) struct Fanin;

impl Kind for Fanin {
    type On = On;
    const NAME: &'static str = "fanin";
    const ABOUT: &'static str = "many threads send datagrams to one";
    const OPERATION: &'static str = "one message received";
    const QUESTION: Option<Question> =
        Some(Question { name: "many to one", label: "into one socket", operation: "message" });

    fn needs(_socket_type: SockType) -> &'static [Need] {
        &[Need::Socket, Need::Bind, Need::Connect, Need::Unlink]
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.socket_type != SockType::Dgram {
            let kind = plan.socket_type.name();
            return Err(format!("a {kind} socket has one peer only; ask for --type dgram"));
        }
        if plan.threads < 2 {
            return Err(String::from(
                "it takes a sender and a receiver; ask for --threads 2 or more",
            ));
        }
        sockets::fits_bytes(plan, LANE_BYTES, "its sender's number")
    }
}

/// The receiver's socket and the senders'.
pub(crate) struct On {
    plan: Plan,
    name: SockAddr,
    receiver: Fd,
    senders: Vec<Fd>,
}

impl On {
    fn send<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let lane = caller.place.lane;
        let sock = self.senders[lane - 1];
        let mut source = Source::new(self.plan.message_bytes, lane as u16, self.plan.verify);
        meter.skip();
        while meter.running() {
            source.fill();
            caller.send_whole(sock, &mut source, meter);
            meter.lap(Event::Send);
        }
        source.fill_end();
        caller.send_whole(sock, &mut source, meter);
    }

    fn receive<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let bytes = self.plan.message_bytes;
        let mut sink = Sink::new(bytes);
        let mut orders: Vec<Order> =
            (1..self.plan.threads).map(|lane| Order::new(bytes, lane as u16)).collect();
        let mut sending = orders.len();
        meter.skip();
        while sending > 0 {
            meter.running();
            caller.recv_whole(self.receiver, &mut sink);
            let at = usize::from(sink.origin() & 0xff).wrapping_sub(1).min(orders.len() - 1);
            if orders[at].check(sink.message(), &caller.place) {
                sending -= 1;
            }
            meter.lap(Event::Receive);
        }
    }

    fn open_senders(&mut self, domain: &dyn Layer) -> Result<(), Errno> {
        domain.bind(self.receiver, &self.name)?;
        for _ in 1..self.plan.threads {
            let sender = domain.socket(SockType::Dgram)?;
            self.senders.push(sender);
            domain.connect(sender, &self.name)?;
        }
        Ok(())
    }

    fn close(self, domain: &dyn Layer) -> Result<(), Errno> {
        sockets::close_all(domain, self.senders);
        sockets::close_all(domain, [self.receiver]);
        domain.unlink(&self.name)
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let name = SockAddr::new("fanin")?;
        let receiver = domain.socket(SockType::Dgram)?;
        let mut on = On { plan: plan.clone(), name, receiver, senders: Vec::new() };
        if let Err(errno) = on.open_senders(domain) {
            let _ = on.close(domain);
            return Err(errno);
        }
        Ok(on)
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Fanin::NAME, lane, &self.plan);
        if lane == 0 {
            self.receive(&mut caller, meter);
        } else {
            self.send(&mut caller, meter);
        }
        caller.sums
    }

    fn counts(&self, lane: usize) -> bool {
        lane == 0
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Fanin::NAME, domain.name(), sums);
        if let Err(errno) = self.close(domain) {
            panic!("fanin: unlink of its name gave {errno}");
        }
    }
}
