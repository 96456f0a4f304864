//! What calls drawn one by one seldom meet: limits that must be hit to the byte, states that take
//! several calls, tables that are full.

use lockimpls::{MsgFlags, Shutdown, SockOpt, SockType};

use super::{Draw, Made};
use crate::{Call, Data, Program, Recv, Send, Size, Var};

/// What a whole `sockaddr_un` counts in a receiver's buffer, and what a sender without a name does.
const NAMES: [usize; 2] = [106, 16];

/// Files for all the descriptors on their way that the memory of a buffer holds.
const MANY_FILES: usize = 20_000;

impl Draw {
    fn bytes(&mut self, len: usize) -> Data {
        Data::Count { len, first: self.rng.u8(..) }
    }

    fn push_plain(&mut self, s: Var, len: usize, flags: MsgFlags) {
        let data = self.bytes(len);
        self.calls.push(Call::Send(Send { s, data, to: None, rights: None, flags }));
    }

    fn push_recv(&mut self, s: Var) {
        let (room, flags) = (self.room(), self.receive_flags());
        let rights = self.pick(&[None, Some(0), Some(1)]);
        self.calls.push(Call::Recv(Recv { out: Vec::new(), s, room, rights, flags }));
    }

    fn pair_of(&mut self, kind: SockType) -> [Var; 2] {
        let out = [self.fresh(kind), self.fresh(kind)];
        self.calls.push(Call::Socketpair { out, kind, nonblock: true });
        out
    }

    /// A blocking reader below its low-water mark, which does not wait, for the stream has ended.
    pub(super) fn ended_below_the_mark(&mut self) {
        let kind = self.kind();
        let [w, r] = self.pair_of(kind);
        let mark = self.pick(&[1, 6, 40, 5000]);
        self.calls.push(Call::Setsockopt(r, SockOpt::RcvLowat, mark));
        let len = self.pick(&[0, 3, 40]);
        let rights = if self.one_in(2) { Some(vec![w]) } else { None };
        let (data, flags) = (self.bytes(len), self.send_flags());
        self.calls.push(Call::Send(Send { s: w, data, to: None, rights, flags }));
        let (ending, how) = if self.one_in(2) { (w, Shutdown::Write) } else { (r, Shutdown::Read) };
        // A datagram's reader is not told that its sender has ended.
        let ending = if kind == SockType::Dgram { (r, Shutdown::Read) } else { (ending, how) };
        self.calls.push(Call::Shutdown(ending.0, ending.1));
        self.calls.push(Call::Nonblocking(r, false));
        let room = self.room();
        for _ in 0..2 {
            let flags = MsgFlags::empty();
            self.calls.push(Call::Recv(Recv { out: Vec::new(), s: r, room, rights: None, flags }));
        }
        self.calls.push(Call::Nonblocking(r, true));
    }

    /// A message that just fits beside its sender's name, or just does not.
    pub(super) fn sender_at_the_limit(&mut self) {
        let (name, r, s) = (self.name(), self.fresh(SockType::Dgram), self.fresh(SockType::Dgram));
        let kind = SockType::Dgram;
        self.calls.push(Call::Socket { out: r, kind, nonblock: true });
        self.calls.push(Call::Bind(r, name.clone()));
        self.calls.push(Call::Setsockopt(r, SockOpt::RcvBuf, 200));
        self.calls.push(Call::Socket { out: s, kind, nonblock: true });
        let is_bound = self.rng.bool();
        if is_bound {
            let own = self.name();
            self.calls.push(Call::Bind(s, own));
        }
        let over = self.pick(&[0, 1, 2, 32, 33, 34]);
        let data = self.bytes(201 - NAMES[usize::from(!is_bound)] - over);
        let rights = if self.one_in(3) { Some(vec![s]) } else { None };
        let flags = MsgFlags::empty();
        self.calls.push(Call::Send(Send { s, data, to: Some(name), rights, flags }));
    }

    /// Records of no bytes among others, and marked ends.
    pub(super) fn empty_records(&mut self) {
        let kind = self.pick(&[SockType::Seqpacket, SockType::Seqpacket, SockType::Dgram]);
        let [w, r] = self.pair_of(kind);
        for _ in 0..self.rng.u32(1..=4) {
            let len = self.pick(&[0, 0, 1, 144, 145, 200, 368, 369]);
            let flags = self.pick(&[MsgFlags::empty(), MsgFlags::empty(), MsgFlags::EOR]);
            let rights = if self.one_in(4) { Some(vec![r]) } else { None };
            let data = self.bytes(len);
            self.calls.push(Call::Send(Send { s: w, data, to: None, rights, flags }));
        }
        if self.one_in(4) {
            self.calls.push(Call::Shutdown(w, Shutdown::Write));
        }
        for _ in 0..self.rng.u32(1..=4) {
            self.push_recv(r);
        }
    }

    /// A listener that is shut down, before it listens or after, and a connection to it.
    pub(super) fn ended_listener(&mut self) {
        let kind = self.pick(&[SockType::Stream, SockType::Seqpacket]);
        let (name, s, client) = (self.name(), self.fresh(kind), self.fresh(kind));
        let how = self.pick(&[Shutdown::Read, Shutdown::Write, Shutdown::Write, Shutdown::Both]);
        self.calls.push(Call::Socket { out: s, kind, nonblock: true });
        self.calls.push(Call::Bind(s, name.clone()));
        if self.one_in(3) {
            let (option, value) = (self.option(), self.pick(&[1, 100, 60_000]));
            self.calls.push(Call::Setsockopt(s, option, value));
        }
        let at = self.calls.len();
        self.calls.push(Call::Listen(s, 1));
        let at = at + self.rng.usize(0..=1);
        self.calls.insert(at, Call::Shutdown(s, how));
        self.calls.push(Call::Socket { out: client, kind, nonblock: true });
        self.calls.push(Call::Connect(client, name));
        let out = self.fresh(kind);
        self.calls.push(Call::Accept { out, s, nonblock: true });
        for s in [client, out] {
            let len = self.pick(&[0, 5, 200]);
            self.push_plain(s, len, MsgFlags::empty());
        }
        for s in [out, client] {
            self.push_recv(s);
        }
    }

    /// Sockets until there is no room for more, one of them on its way.
    fn crowd(&mut self) {
        let kind = self.kind();
        let [w, _] = self.pair_of(kind);
        let passed = self.fresh(kind);
        self.calls.push(Call::Socket { out: passed, kind, nonblock: true });
        let (data, flags) = (self.bytes(1), MsgFlags::empty());
        self.calls.push(Call::Send(Send {
            s: w,
            data,
            to: None,
            rights: Some(vec![passed]),
            flags,
        }));
        self.calls.push(Call::Close(passed));
        self.made.iter_mut().filter(|made| made.var == passed).for_each(|m| m.is_closed = true);
        for _ in 0..self.rng.u32(4..=9) {
            if self.one_in(4) {
                let Made { var, kind, .. } = self.any();
                let out = self.fresh(kind);
                self.calls.push(Call::Dup(out, var));
            } else {
                self.socket();
            }
        }
    }

    /// The sizes of a layer with little room, and calls that fill it.
    pub(super) fn small_tables(&mut self) -> Vec<(Size, usize)> {
        let files = self.pick(&[1, 2, 3, 5, 10, 11, 20]);
        let sockets = self.pick(&[1, 2, 3, 5, 12, 12, 24]);
        if files >= 10 {
            self.crowd();
        }
        vec![(Size::Maxfiles, files), (Size::SocketsMax, sockets)]
    }
}

/// A program that fills a buffer's memory before its bytes do, and goes on at the limit.
pub(super) fn full_memory(mut draw: Draw) -> Program {
    // How much of its memory (196608 bytes at least) a message takes: its mbufs, 256 each.
    let (kind, rights, count) = match draw.rng.u32(0..3) {
        0 => (SockType::Dgram, 1, 256),
        1 => (SockType::Dgram, 0, 384),
        _ => (SockType::Seqpacket, 0, 768),
    };
    let [w, r] = draw.pair_of(kind);
    let rights = (rights > 0).then(|| vec![w; rights]);
    for _ in 0..count + draw.rng.usize(0..=2) {
        let data = Data::Count { len: 0, first: 0 };
        let (rights, flags) = (rights.clone(), MsgFlags::empty());
        draw.calls.push(Call::Send(Send { s: w, data, to: None, rights, flags }));
    }
    for _ in 0..draw.rng.u32(1..=3) {
        draw.push_recv(r);
        let len = draw.pick(&[0, 1, 200]);
        draw.push_plain(w, len, MsgFlags::empty());
    }
    // More descriptors than a message can carry, where only that is in the way.
    let count = draw.pick(&[13, 14, 127, 128, 300]);
    let data = draw.bytes(1);
    let (rights, flags) = (Some(vec![w; count]), MsgFlags::empty());
    draw.calls.push(Call::Send(Send { s: w, data, to: None, rights, flags }));
    let sizes = vec![(Size::Maxfiles, MANY_FILES)];
    Program { first: draw.calls, sizes, ..Program::default() }
}
