//! Programs drawn by chance: the same seed and number give the same program on every machine.
//!
//! Nothing in a single-threaded program waits: every socket is made nonblocking, and is so but for
//! the one call that shows the difference.

mod edges;

use fastrand::Rng;
use lockimpls::{MsgFlags, Shutdown, SockOpt, SockType};

use crate::threads;
use crate::{Call, Data, Name, Program, Recv, Send, Var};

/// Every so many programs one has threads.
const THREADS_EVERY: u64 = 16;

/// Every so many programs one has a layer with little room.
const SMALL_TABLES_EVERY: u64 = 16;

/// Every so many programs one fills the memory of a buffer, with hundreds of messages.
const FULL_MEMORY_EVERY: u64 = 512;

/// The shortest and the longest single-threaded program, in calls (a drawn call may be a few).
const CALLS: (u32, u32) = (4, 28);

/// The program of a number under a seed.
#[must_use]
pub fn generate(seed: u64, number: u64) -> Program {
    // Two odd constants of good reputation (splitmix64) keep neighbours apart.
    let mixed =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut rng = Rng::with_seed(mixed);
    if number % THREADS_EVERY == THREADS_EVERY - 1 {
        return threads::generate(&mut rng);
    }
    let mut draw = Draw::new(rng);
    if number % FULL_MEMORY_EVERY == FULL_MEMORY_EVERY / 2 {
        return edges::full_memory(draw);
    }
    let calls = draw.rng.u32(CALLS.0..=CALLS.1);
    draw.pair();
    let is_small = number % SMALL_TABLES_EVERY == SMALL_TABLES_EVERY / 2 - 1;
    let sizes = if is_small { draw.small_tables() } else { Vec::new() };
    while draw.calls.len() < calls as usize {
        draw.call();
    }
    Program { first: draw.calls, sizes, ..Program::default() }
}

/// A socket that the program has made, as far as its text shows.
#[derive(Clone, Copy)]
struct Made {
    var: Var,
    kind: SockType,
    is_closed: bool,
}

/// A program being drawn.
struct Draw {
    rng: Rng,
    calls: Vec<Call>,
    made: Vec<Made>,
    next: u16,
}

/// Adds calls to a program.
type Step = fn(&mut Draw);

/// The calls and how often each is drawn.
const WEIGHTS: [(u32, Step); 25] = [
    (8, Draw::pair),
    (5, Draw::socket),
    (30, Draw::send),
    (10, Draw::send_rights),
    (4, Draw::send_to),
    (32, Draw::receive),
    (14, Draw::receive_message),
    (5, Draw::bind),
    (2, Draw::unlink),
    (3, Draw::listen),
    (5, Draw::connect),
    (4, Draw::accept),
    (7, Draw::shutdown),
    (9, Draw::close),
    (4, Draw::dup),
    (2, Draw::same_file),
    (4, Draw::names),
    (7, Draw::set_option),
    (5, Draw::get_option),
    (2, Draw::blocking_for_once),
    (4, Draw::server),
    (2, Draw::ended_below_the_mark),
    (2, Draw::sender_at_the_limit),
    (3, Draw::empty_records),
    (2, Draw::ended_listener),
];

impl Draw {
    fn new(rng: Rng) -> Draw {
        Draw { rng, calls: Vec::new(), made: Vec::new(), next: 0 }
    }

    fn call(&mut self) {
        let total = WEIGHTS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.u32(0..total);
        for (weight, call) in WEIGHTS {
            if at < weight {
                return call(self);
            }
            at -= weight;
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(0..n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.u32(0..from.len() as u32) as usize]
    }

    fn kind(&mut self) -> SockType {
        self.pick(&[SockType::Stream, SockType::Stream, SockType::Dgram, SockType::Seqpacket])
    }

    fn fresh(&mut self, kind: SockType) -> Var {
        let var = Var(self.next);
        self.next += 1;
        self.made.push(Made { var, kind, is_closed: false });
        var
    }

    /// A socket made before: the last few more often, a closed one seldom.
    fn any(&mut self) -> Made {
        let from = if self.one_in(3) { 0 } else { self.made.len().saturating_sub(4) };
        for _ in 0..4 {
            let made = self.made[self.rng.u32(from as u32..self.made.len() as u32) as usize];
            if !made.is_closed {
                return made;
            }
        }
        self.made[self.rng.u32(0..self.made.len() as u32) as usize]
    }

    fn name(&mut self) -> Name {
        if self.one_in(40) {
            return "n".repeat(lockimpls::SockAddr::MAX);
        }
        self.pick(&["a", "b", "c"]).to_owned()
    }

    fn pair(&mut self) {
        let kind = self.kind();
        let out = [self.fresh(kind), self.fresh(kind)];
        self.calls.push(Call::Socketpair { out, kind, nonblock: true });
    }

    fn socket(&mut self) {
        let kind = self.kind();
        let out = self.fresh(kind);
        self.calls.push(Call::Socket { out, kind, nonblock: true });
    }

    fn data(&mut self) -> Data {
        let first = self.rng.u8(..);
        let len = match self.rng.u32(0..20) {
            0 => 0,
            1..=11 => self.rng.u32(1..=8),
            12..=14 => self.rng.u32(9..=300),
            15..=16 => self.rng.u32(1990..=2060),
            17 => self.rng.u32(4000..=4200),
            18 => self.rng.u32(8100..=8200),
            _ => self.rng.u32(1..=20_000),
        };
        Data::Count { len: len as usize, first }
    }

    fn send_flags(&mut self) -> MsgFlags {
        match self.rng.u32(0..40) {
            0 => MsgFlags::OOB,
            1..=2 => MsgFlags::EOR,
            3..=20 => MsgFlags::DONTWAIT,
            _ => MsgFlags::empty(),
        }
    }

    fn push_send(&mut self, to: Option<Name>, rights: Option<Vec<Var>>) {
        let s = self.any().var;
        let (data, flags) = (self.data(), self.send_flags());
        self.calls.push(Call::Send(Send { s, data, to, rights, flags }));
    }

    fn send(&mut self) {
        self.push_send(None, None);
    }

    fn send_rights(&mut self) {
        let count = self.pick(&[0, 1, 1, 1, 1, 2, 2, 3]);
        let rights = (0..count).map(|_| self.any().var).collect();
        let to = if self.one_in(6) { Some(self.name()) } else { None };
        self.push_send(to, Some(rights));
    }

    fn send_to(&mut self) {
        let to = self.name();
        self.push_send(Some(to), None);
    }

    fn room(&mut self) -> usize {
        match self.rng.u32(0..12) {
            0 => 0,
            1..=3 => self.rng.u32(1..=8) as usize,
            4..=6 => self.rng.u32(9..=3000) as usize,
            _ => 10_000,
        }
    }

    fn receive_flags(&mut self) -> MsgFlags {
        match self.rng.u32(0..40) {
            0 => MsgFlags::OOB,
            1..=4 => MsgFlags::PEEK,
            5..=6 => MsgFlags::PEEK | MsgFlags::DONTWAIT,
            7..=22 => MsgFlags::DONTWAIT,
            _ => MsgFlags::empty(),
        }
    }

    fn receive(&mut self) {
        let (s, room, flags) = (self.any().var, self.room(), self.receive_flags());
        self.calls.push(Call::Recv(Recv { out: Vec::new(), s, room, rights: None, flags }));
    }

    fn receive_message(&mut self) {
        let (s, room, flags) = (self.any().var, self.room(), self.receive_flags());
        let rights = self.pick(&[0, 1, 1, 2, 4, 4]);
        // What arrives may be of any kind; the text does not show it.
        let outs = self.rng.u32(0..=rights.min(2));
        let out = (0..outs).map(|_| self.fresh(SockType::Stream)).collect();
        let rights = Some(rights as usize);
        self.calls.push(Call::Recv(Recv { out, s, room, rights, flags }));
    }

    fn bind(&mut self) {
        let (s, name) = (self.any().var, self.name());
        self.calls.push(Call::Bind(s, name));
    }

    fn unlink(&mut self) {
        let name = self.name();
        self.calls.push(Call::Unlink(name));
    }

    fn listen(&mut self) {
        let (s, backlog) = (self.any().var, self.pick(&[-1, 0, 1, 5, 128]));
        self.calls.push(Call::Listen(s, backlog));
    }

    fn connect(&mut self) {
        let (s, name) = (self.any().var, self.name());
        self.calls.push(Call::Connect(s, name));
    }

    fn accept(&mut self) {
        let Made { var: s, kind, .. } = self.any();
        let out = self.fresh(kind);
        self.calls.push(Call::Accept { out, s, nonblock: true });
    }

    /// A listener, a client and often the accepted end: by chance alone these seldom meet.
    fn server(&mut self) {
        let kind = self.pick(&[SockType::Stream, SockType::Stream, SockType::Seqpacket]);
        let (name, s, client) = (self.name(), self.fresh(kind), self.fresh(kind));
        self.calls.push(Call::Socket { out: s, kind, nonblock: true });
        self.calls.push(Call::Bind(s, name.clone()));
        self.calls.push(Call::Listen(s, 1));
        self.calls.push(Call::Socket { out: client, kind, nonblock: true });
        self.calls.push(Call::Connect(client, name));
        if !self.one_in(4) {
            let out = self.fresh(kind);
            self.calls.push(Call::Accept { out, s, nonblock: true });
        }
    }

    fn shutdown(&mut self) {
        let how = self.pick(&[Shutdown::Read, Shutdown::Read, Shutdown::Write, Shutdown::Both]);
        let s = self.any().var;
        self.calls.push(Call::Shutdown(s, how));
    }

    fn close(&mut self) {
        let s = self.any().var;
        self.made.iter_mut().filter(|made| made.var == s).for_each(|made| made.is_closed = true);
        self.calls.push(Call::Close(s));
    }

    fn dup(&mut self) {
        let Made { var: s, kind, .. } = self.any();
        let out = self.fresh(kind);
        self.calls.push(Call::Dup(out, s));
    }

    fn same_file(&mut self) {
        let (a, b) = (self.any().var, self.any().var);
        self.calls.push(Call::SameFile(a, b));
    }

    fn names(&mut self) {
        let s = self.any().var;
        let is_own = self.rng.bool();
        self.calls.push(if is_own { Call::Getsockname(s) } else { Call::Getpeername(s) });
    }

    fn option(&mut self) -> SockOpt {
        self.pick(&[
            SockOpt::SndBuf,
            SockOpt::RcvBuf,
            SockOpt::SndLowat,
            SockOpt::RcvLowat,
            SockOpt::Error,
        ])
    }

    fn set_option(&mut self) {
        let (s, option) = (self.any().var, self.option());
        let value = self.pick(&[0, 1, 10, 32, 48, 100, 2048, 4096, 16_384, 60_000, 3 << 20]);
        self.calls.push(Call::Setsockopt(s, option, value));
    }

    fn get_option(&mut self) {
        let (s, option) = (self.any().var, self.option());
        self.calls.push(Call::Getsockopt(s, option));
    }

    /// The socket is blocking for one call, which says itself that it does not wait.
    fn blocking_for_once(&mut self) {
        let s = self.any().var;
        self.calls.push(Call::Nonblocking(s, false));
        let (data, room, flags) = (self.data(), self.room(), MsgFlags::DONTWAIT);
        self.calls.push(if self.rng.bool() {
            Call::Send(Send { s, data, to: None, rights: None, flags })
        } else {
            Call::Recv(Recv { out: Vec::new(), s, room, rights: None, flags })
        });
        self.calls.push(Call::Nonblocking(s, true));
    }
}
