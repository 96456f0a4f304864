//! Sockets come and go under the senders: half of the lanes send to names, the other half closes,
//! unlinks and binds these names again, all the time.
//!
//! A churning lane owns a name. One operation is one cycle, recorded as [`Event::Service`], and the
//! churners count: open a socket, bind it (and listen), take what arrives for a while, unlink and
//! close, alternately in either order. With datagrams the senders alternate between a connected
//! socket and one that sends to the name; with streams and seqpackets they connect, send a few
//! messages and close, and the churner accepts one connection or two in a cycle. Nobody waits. A
//! sender's attempt is recorded as [`Event::Send`] where it succeeds; where a socket vanished under
//! it, it is a refusal.
//!
//! What was sent to a socket that is closed unread is lost, rightly. What does arrive must be meant
//! for this name, in order, never twice, and without a gap within one socket's life.
//!
//! # What this does not show
//!
//! How often a send meets a socket that is just vanishing depends on the number of processors and
//! on luck, so rates of different backends are rates of slightly different work: compare the
//! refusals too. This workload is here for its races first and for its speed second.

use lockimpls::witness::Check;
use lockimpls::{Errno, Fd, Layer, MsgFlags, SockAddr, SockType};

use crate::call::{Caller, Step, give_way};
use crate::message::{HEAD_BYTES, Order, Sink, Source};
use crate::sockets;
use crate::{Event, Kind, LaneSums, Meter, Need, Plan, Question, Workload};

/// How many messages a sender sends to one name before it goes to the next.
const VISIT_MESSAGES: u32 = 4;
/// How many messages a churner takes before it closes.
const CYCLE_MESSAGES: u32 = 8;
/// How often a churner looks for messages before it closes.
const CYCLE_POLLS: u32 = 32;
/// How many connections a churner accepts before it closes.
const CYCLE_CONNECTIONS: u32 = 2;
/// The queue that listen(2) is asked for.
const BACKLOG: i32 = 4;

/// See the module's text.
pub(crate) struct Churn;

impl Kind for Churn {
    type On = On;
    const NAME: &'static str = "churn";
    const ABOUT: &'static str =
        "half the threads send to names that the others close and bind again";
    const OPERATION: &'static str = "one life of a socket: bound, read from, unlinked, closed";
    const QUESTION: Option<Question> = Some(Question {
        name: "connection churn",
        label: "names that come and go",
        operation: "cycle",
    });

    fn needs(socket_type: SockType) -> &'static [Need] {
        use Need::{Accept, Bind, Connect, Listen, Nonblocking, Sendto, Socket, Unlink};
        match socket_type {
            SockType::Dgram => &[Socket, Bind, Connect, Sendto, Unlink],
            _ => &[Socket, Bind, Listen, Connect, Accept, Nonblocking, Unlink],
        }
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.threads < 2 {
            return Err(String::from(
                "it takes a sender and a churner; ask for --threads 2 or more",
            ));
        }
        sockets::fits_bytes(plan, HEAD_BYTES, "its sender, its destination and its number")
    }
}

/// The names; the sockets belong to the lanes.
pub(crate) struct On {
    plan: Plan,
    /// Lanes below this one send.
    senders: usize,
    /// One for each churner.
    names: Vec<SockAddr>,
}

/// Which sender, and for which name: both must be right where the message arrives.
fn origin(sender: usize, name: usize) -> u16 {
    (name << 8 | sender) as u16
}

/// The errors of a send or a connect to a socket that is going or gone.
fn is_refusal(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::Enoent
            | Errno::Econnrefused
            | Errno::Econnreset
            | Errno::Econnaborted
            | Errno::Enotconn
            | Errno::Edestaddrreq
            | Errno::Epipe
            | Errno::Enobufs
            | Errno::Ewouldblock
    )
}

impl Workload for On {
    fn new(_domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let senders = (plan.threads / 2).max(1);
        let names = sockets::names("churn", plan.threads - senders)?;
        Ok(On { plan: plan.clone(), senders, names })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let caller = Caller::new(domain, Churn::NAME, lane, &self.plan);
        match lane.checked_sub(self.senders) {
            None => Sender::new(self, caller).run(meter),
            Some(name) => Churner::new(self, caller, name).run(meter),
        }
    }

    fn counts(&self, lane: usize) -> bool {
        lane >= self.senders
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        let all = sockets::total(sums);
        if all.messages_received > all.messages_sent || all.bytes_received > all.bytes_sent {
            let place = crate::call::Place {
                workload: Churn::NAME,
                backend: domain.name(),
                lane: sums.len(),
            };
            let count = all.messages_received.abs_diff(all.messages_sent).max(1);
            place.report(Check::BytesLost, count, "more was received than was sent");
        }
    }
}

/// How a sender reaches the name it visits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    /// By sending to the name.
    Addressed,
    /// By a connected socket.
    Connected,
}

/// A sending lane.
struct Sender<'a> {
    on: &'a On,
    caller: Caller<'a>,
    /// One for each name.
    sources: Vec<Source>,
    /// The datagram socket that is never connected.
    addressed: Option<Fd>,
    /// The socket that is connected now, or that datagrams connect again and again.
    connected: Option<Fd>,
    /// The name that is visited, how, and how many messages are left for it.
    name: usize,
    route: Route,
    left: u32,
}

impl<'a> Sender<'a> {
    fn new(on: &'a On, caller: Caller<'a>) -> Self {
        let lane = caller.place.lane;
        let (bytes, verify) = (on.plan.message_bytes, on.plan.verify);
        let sources = (0..on.names.len())
            .map(|name| Source::new(bytes, origin(lane, name), verify))
            .collect();
        let (mut addressed, mut connected) = (None, None);
        if on.plan.socket_type == SockType::Dgram {
            for sock in [&mut addressed, &mut connected] {
                *sock = Some(caller.must("socket", caller.domain.socket(SockType::Dgram)));
            }
        }
        let name = lane % on.names.len();
        Sender { on, caller, sources, addressed, connected, name, route: Route::Connected, left: 0 }
    }

    fn run<M: Meter>(mut self, meter: &mut M) -> LaneSums {
        meter.skip();
        while meter.running() {
            match self.attempt() {
                Ok(()) => meter.lap(Event::Send),
                Err(errno) if is_refusal(errno) => {
                    self.caller.sums.refusals += 1;
                    self.leave();
                    give_way(meter);
                }
                Err(errno) => self.caller.place.fail("send", errno),
            }
        }
        self.leave();
        let last = self.addressed.into_iter().chain(self.connected);
        for sock in last {
            self.caller.must("close", self.caller.domain.close(sock));
        }
        self.caller.sums
    }

    /// One attempt to send a message, or what is left of one.
    fn attempt(&mut self) -> Result<(), Errno> {
        if self.left == 0 {
            self.leave();
            self.visit()?;
        }
        let source = &mut self.sources[self.name];
        if source.is_sent() {
            source.fill();
        }
        let domain = self.caller.domain;
        let bytes = match (self.route, self.addressed, self.connected) {
            (Route::Addressed, Some(sock), _) => {
                let name = &self.on.names[self.name];
                domain.sendto(sock, source.rest(), name, MsgFlags::DONTWAIT)?
            }
            (_, _, Some(sock)) => domain.send(sock, source.rest(), MsgFlags::DONTWAIT)?,
            _ => unreachable!("a visit has a socket"),
        };
        if self.caller.sent(bytes, source) == Step::Whole {
            self.left -= 1;
        }
        Ok(())
    }

    /// Goes to the next name, and connects to it.
    fn visit(&mut self) -> Result<(), Errno> {
        self.name = (self.name + 1) % self.on.names.len();
        let domain = self.caller.domain;
        let kind = self.on.plan.socket_type;
        if kind == SockType::Dgram {
            let connected = self.route == Route::Connected;
            self.route = if connected { Route::Addressed } else { Route::Connected };
        } else {
            let sock = self.caller.socket(kind);
            self.connected = Some(sock);
            self.caller.must("fcntl", domain.set_nonblocking(sock, true));
        }
        if let (Route::Connected, Some(sock)) = (self.route, self.connected) {
            domain.connect(sock, &self.on.names[self.name])?;
        }
        self.left = VISIT_MESSAGES;
        Ok(())
    }

    /// The visit is over; a message of which a part was taken goes with its connection, and one
    /// that was refused whole will be sent to the next socket of this name.
    fn leave(&mut self) {
        self.left = 0;
        if self.on.plan.socket_type == SockType::Dgram {
            return;
        }
        let source = &mut self.sources[self.name];
        if source.is_begun() {
            source.abandon();
        }
        if let Some(sock) = self.connected.take() {
            self.caller.must("close", self.caller.domain.close(sock));
        }
    }
}

/// A lane that lets its socket come and go.
struct Churner<'a> {
    kind: SockType,
    name: &'a SockAddr,
    caller: Caller<'a>,
    sink: Sink,
    /// By sender.
    orders: Vec<Order>,
}

impl<'a> Churner<'a> {
    fn new(on: &'a On, caller: Caller<'a>, name: usize) -> Self {
        let bytes = on.plan.message_bytes;
        Churner {
            kind: on.plan.socket_type,
            name: &on.names[name],
            caller,
            sink: Sink::new(bytes),
            orders: (0..on.senders).map(|sender| Order::new(bytes, origin(sender, name))).collect(),
        }
    }

    fn run<M: Meter>(mut self, meter: &mut M) -> LaneSums {
        let domain = self.caller.domain;
        let mut stale = false;
        meter.skip();
        while meter.running() {
            let sock = self.caller.socket(self.kind);
            self.caller.must("bind", domain.bind(sock, self.name));
            if self.kind == SockType::Dgram {
                self.take(sock);
            } else {
                self.take_connections(sock);
            }
            if stale {
                self.caller.must("close", domain.close(sock));
                self.caller.must("unlink", domain.unlink(self.name));
            } else {
                self.caller.must("unlink", domain.unlink(self.name));
                self.caller.must("close", domain.close(sock));
            }
            stale = !stale;
            meter.lap(Event::Service);
        }
        self.caller.sums
    }

    fn take_connections(&mut self, listener: Fd) {
        let domain = self.caller.domain;
        self.caller.must("fcntl", domain.set_nonblocking(listener, true));
        self.caller.must("listen", domain.listen(listener, BACKLOG));
        let mut accepted = 0;
        for poll in 0..CYCLE_POLLS {
            match domain.accept(listener) {
                Ok((sock, _)) => {
                    self.take(sock);
                    self.caller.must("close", domain.close(sock));
                    accepted += 1;
                    if accepted == CYCLE_CONNECTIONS {
                        return;
                    }
                }
                Err(Errno::Ewouldblock | Errno::Econnaborted) => pause(poll),
                Err(errno) => self.caller.place.fail("accept", errno),
            }
        }
    }

    /// Takes messages from a socket that was not there before.
    fn take(&mut self, sock: Fd) {
        self.sink.abandon();
        self.orders.iter_mut().for_each(Order::resume);
        let mut taken = 0;
        for poll in 0..CYCLE_POLLS {
            let result = self.caller.domain.recv(sock, self.sink.room(), MsgFlags::DONTWAIT);
            let step = match result {
                Ok(bytes) => self.caller.received(bytes, &mut self.sink),
                Err(Errno::Ewouldblock) => Step::Blocked,
                Err(Errno::Econnreset) => Step::Eof,
                Err(errno) => self.caller.place.fail("recv", errno),
            };
            match step {
                Step::Whole => {
                    self.check();
                    taken += 1;
                    if taken == CYCLE_MESSAGES {
                        return;
                    }
                }
                Step::Part => {}
                Step::Blocked => pause(poll),
                Step::Eof => return,
            }
        }
    }

    fn check(&mut self) {
        let sender = usize::from(self.sink.origin() & 0xff).min(self.orders.len() - 1);
        self.orders[sender].check(self.sink.message(), &self.caller.place);
    }
}

/// Nothing there yet: lets time pass, and now and then another thread run.
fn pause(poll: u32) {
    if poll % 8 == 7 {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}
