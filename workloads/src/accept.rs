//! A storm of connections: one thread connects and closes, its partner accepts and closes.
//!
//! Lane 2k opens a socket, connects it to a name, sends one message and closes; lane 2k+1 accepts,
//! receives the message and closes. One operation is one connection; the accepting lanes count, and
//! the connecting ones record the whole cycle as [`Event::Service`]. With one thread, it does both
//! in turn. A full queue refuses the connection (`ECONNREFUSED`), which is tried again; on the
//! `host` of Linux the connect waits instead.
//!
//! # What this does not show
//!
//! Opening and closing is most of the work, and much of it (names, the descriptor table) is locked
//! in the same way by every modelled backend: finer socket locks buy little here, as in the kernel.

use lockimpls::{Errno, Fd, Layer, MsgFlags, SockAddr, SockType};

use crate::call::Caller;
use crate::message::{Order, Sink, Source};
use crate::sockets;
use crate::{Event, Kind, LaneSums, Meter, Need, Plan, Question, Workload};

/// The queue that listen(2) is asked for.
const BACKLOG: i32 = 64;

/// See the module's text.
pub(crate) struct Accept;

impl Kind for Accept {
    type On = On;
    const NAME: &'static str = "accept";
    const ABOUT: &'static str = "one thread connects and closes, its partner accepts and closes";
    const OPERATION: &'static str = "one connection, with one message";
    const QUESTION: Option<Question> =
        Some(Question { name: "connection churn", label: "connections", operation: "connection" });

    fn needs(_socket_type: SockType) -> &'static [Need] {
        &[Need::Socket, Need::Bind, Need::Listen, Need::Connect, Need::Accept, Need::Unlink]
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.socket_type == SockType::Dgram {
            let types = "--type stream or --type seqpacket";
            return Err(format!("a dgram socket accepts no connections; ask for {types}"));
        }
        if plan.threads == 1 { Ok(()) } else { sockets::fits_even(plan) }
    }
}

/// One listening socket for every two lanes.
pub(crate) struct On {
    plan: Plan,
    names: Vec<SockAddr>,
    listeners: Vec<Fd>,
}

impl On {
    fn open(&mut self, domain: &dyn Layer) -> Result<(), Errno> {
        for name in &self.names {
            let listener = domain.socket(self.plan.socket_type)?;
            self.listeners.push(listener);
            domain.bind(listener, name)?;
            domain.listen(listener, BACKLOG)?;
        }
        Ok(())
    }

    fn close(self, domain: &dyn Layer) -> Result<(), Errno> {
        sockets::close_all(domain, self.listeners);
        self.names.iter().try_for_each(|name| domain.unlink(name))
    }

    /// A socket that is connected to the lane's listener.
    fn connected(&self, caller: &mut Caller<'_>) -> Fd {
        let sock = caller.socket(self.plan.socket_type);
        let name = &self.names[caller.place.lane / 2];
        loop {
            match caller.domain.connect(sock, name) {
                Ok(()) => return sock,
                Err(Errno::Econnrefused | Errno::Ewouldblock) => {
                    caller.sums.refusals += 1;
                    std::thread::yield_now();
                }
                Err(errno) => caller.place.fail("connect", errno),
            }
        }
    }

    fn connect<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let lane = caller.place.lane;
        let mut source = Source::new(self.plan.message_bytes, lane as u16, self.plan.verify);
        meter.skip();
        loop {
            let running = meter.running();
            let sock = self.connected(caller);
            if running {
                source.fill()
            } else {
                source.fill_end()
            }
            caller.send_whole(sock, &mut source, meter);
            caller.must("close", caller.domain.close(sock));
            meter.lap(Event::Service);
            if !running {
                break;
            }
        }
    }

    fn accept<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let lane = caller.place.lane;
        let mut sink = Sink::new(self.plan.message_bytes);
        let mut order = Order::new(self.plan.message_bytes, lane as u16 - 1);
        let mut ended = false;
        while !ended {
            meter.running();
            let (sock, _) = caller.must("accept", caller.domain.accept(self.listeners[lane / 2]));
            caller.recv_whole(sock, &mut sink);
            ended = order.check(sink.message(), &caller.place);
            caller.must("close", caller.domain.close(sock));
        }
    }

    fn alone<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let bytes = self.plan.message_bytes;
        let mut source = Source::new(bytes, 0, self.plan.verify);
        let (mut sink, mut order) = (Sink::new(bytes), Order::new(bytes, 0));
        meter.skip();
        loop {
            let running = meter.running();
            let client = self.connected(caller);
            let (server, _) = caller.must("accept", caller.domain.accept(self.listeners[0]));
            if running {
                source.fill()
            } else {
                source.fill_end()
            }
            caller.send(client, &mut source, MsgFlags::DONTWAIT);
            caller.ferry((client, server), &mut source, &mut sink);
            order.check(sink.message(), &caller.place);
            caller.must("close", caller.domain.close(client));
            caller.must("close", caller.domain.close(server));
            meter.lap(Event::Service);
            if !running {
                break;
            }
        }
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let names = sockets::names("accept", plan.threads.div_ceil(2))?;
        let mut on = On { plan: plan.clone(), names, listeners: Vec::new() };
        if let Err(errno) = on.open(domain) {
            let _ = on.close(domain);
            return Err(errno);
        }
        Ok(on)
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Accept::NAME, lane, &self.plan);
        match lane % 2 {
            0 if self.plan.threads == 1 => self.alone(&mut caller, meter),
            0 => self.connect(&mut caller, meter),
            _ => self.accept(&mut caller, meter),
        }
        caller.sums
    }

    fn counts(&self, lane: usize) -> bool {
        lane % 2 == 1 || self.plan.threads == 1
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Accept::NAME, domain.name(), sums);
        if let Err(errno) = self.close(domain) {
            panic!("accept: unlink of its names gave {errno}");
        }
    }
}
