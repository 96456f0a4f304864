//! Everything at once: threads do anything to sockets they share; nothing they call waits for
//! another socket's data.
//!
//! Every message says who sent it, through which descriptor and with which number.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use lockimpls_shuttle::witness::Check;
use lockimpls_shuttle::{
    Checked, Domain, Errno, MsgFlags, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};

use super::{Variant, begin, end, join, lock, name, spawn, verify};
use crate::dice::Dice;
use crate::tally::answer;

/// How many sockets the threads share: few, so that they meet.
const SHARED: usize = 7;
const NAMES: [&str; 3] = ["a", "b", "c"];
/// A message: a mark, the sender, the place of its descriptor, its number.
const MESSAGE: usize = 4;
const MARK: u8 = 0xa5;

/// Which message was seen last: from which sender through which of its descriptors, at which of the
/// reader's.
type Seen<S> = HashMap<(S, u8, u8), u8>;

struct Storm<D: Domain> {
    layer: Arc<Checked<D>>,
    shared: Mutex<Vec<D::Sock>>,
    arrived: Mutex<HashSet<[u8; MESSAGE]>>,
}

/// One thread.
struct Actor<D: Domain> {
    storm: Arc<Storm<D>>,
    id: u8,
    dice: Dice,
    /// The descriptors it has sent through, by place.
    used: Vec<D::Sock>,
    number: u8,
    seen: Seen<D::Sock>,
}

pub(super) fn run<D: Domain>(variant: Variant) {
    let (layer, mut dice) = begin::<D>(variant);
    let storm = Arc::new(Storm {
        layer: Arc::clone(&layer),
        shared: Mutex::new(Vec::new()),
        arrived: Mutex::new(HashSet::new()),
    });
    let mut first = storm.actor(u8::MAX, dice.fork());
    while lock(&storm.shared).len() < SHARED {
        first.make();
    }
    let mut threads = Vec::new();
    for id in 0..4 + dice.roll(3) as u8 {
        let mut actor = storm.actor(id, dice.fork());
        threads.push(spawn(move || actor.act_all()));
    }
    join(threads);
    for s in lock(&storm.shared).drain(..) {
        layer.close(s).expect("close");
    }
    for path in NAMES {
        let _ = layer.unlink(&name(path));
    }
    end(&layer);
}

impl<D: Domain> Storm<D> {
    fn actor(self: &Arc<Self>, id: u8, dice: Dice) -> Actor<D> {
        let (used, seen) = (Vec::new(), HashMap::new());
        Actor { storm: Arc::clone(self), id, dice, used, number: 0, seen }
    }

    fn pick(&self, dice: &mut Dice) -> D::Sock {
        let shared = lock(&self.shared);
        shared[dice.roll(shared.len())]
    }
}

impl<D: Domain> Actor<D> {
    fn act_all(&mut self) {
        for _ in 0..5 + self.dice.roll(16) {
            let answered = answer(self.act());
            let is_odd = answered.is_err_and(|errno| !errno.has_name() || errno == Errno::Enfile);
            verify::<D>(Check::WrongAnswer, !is_odd, &format!("{answered:?}"));
        }
    }

    fn name(&mut self) -> SockAddr {
        name(self.dice.of(&NAMES))
    }

    /// Puts a socket in somebody else's place and closes that one.
    fn replace(&mut self, s: D::Sock) {
        let old = {
            let mut shared = lock(&self.storm.shared);
            if shared.len() < SHARED {
                shared.push(s);
                return;
            }
            std::mem::replace(&mut shared[self.dice.roll(SHARED)], s)
        };
        answer(self.storm.layer.close(old)).expect("close");
    }

    /// Makes sockets, which others then use and close.
    fn make(&mut self) {
        let kind = self.dice.kind();
        let layer = Arc::clone(&self.storm.layer);
        if self.dice.roll(3) > 0 {
            let (a, b) = answer(layer.socketpair(kind)).expect("socketpair");
            self.replace(a);
            self.replace(b);
            return;
        }
        let s = answer(layer.socket(kind)).expect("socket");
        // Nobody may wait at a listener, and for those whom it accepts.
        layer.set_nonblocking(s, true).expect("nonblocking");
        let path = self.name();
        if self.dice.one_in(2) {
            let _ = answer(layer.unlink(&path));
        }
        let _ = answer(layer.bind(s, &path));
        if kind != SockType::Dgram {
            let _ = answer(layer.listen(s, 1));
        }
        self.replace(s);
    }

    /// One request on one socket.
    fn act(&mut self) -> Result<(), Errno> {
        let storm = Arc::clone(&self.storm);
        let layer = &*storm.layer;
        let s = storm.pick(&mut self.dice);
        let other = storm.pick(&mut self.dice);
        match self.dice.roll(24) {
            0 => self.make(),
            1 | 2 => layer.connect(s, &self.name())?,
            3 => {
                let twin = layer.dup(s)?;
                self.replace(twin);
            }
            4 | 5 => {
                let (server, _) = layer.accept(s)?;
                self.replace(server);
            }
            6 if self.dice.one_in(3) => {
                layer.shutdown(
                    s,
                    self.dice.of(&[Shutdown::Read, Shutdown::Write, Shutdown::Both]),
                )?;
            }
            7 => _ = layer.getpeername(s)?,
            8 => _ = layer.getsockname(s)?,
            9 => layer.setsockopt(s, SockOpt::RcvBuf, 1 + self.dice.roll(300))?,
            10 => layer.setsockopt(s, SockOpt::SndBuf, 1 + self.dice.roll(300))?,
            11 => _ = layer.getsockopt(s, SockOpt::Error)?,
            12 => {
                let to = self.name();
                let data = self.message(s);
                layer.sendto(s, &data, &to, MsgFlags::DONTWAIT)?;
            }
            13 | 14 => {
                let (data, rights) = (self.message(s), [s, other]);
                let rights = &rights[..1 + self.dice.roll(2)];
                let msg = SendMsg { to: None, data: &data, rights, flags: MsgFlags::DONTWAIT };
                layer.sendmsg(s, &msg)?;
            }
            15..=18 => self.receive(s)?,
            _ => {
                let data = self.message(s);
                layer.send(s, &data, MsgFlags::DONTWAIT)?;
            }
        }
        Ok(())
    }

    /// The next message through this descriptor.
    fn message(&mut self, s: D::Sock) -> [u8; MESSAGE] {
        let place = self.used.iter().position(|used| *used == s).unwrap_or_else(|| {
            self.used.push(s);
            self.used.len() - 1
        });
        self.number += 1;
        [MARK, self.id, place as u8, self.number]
    }

    /// Receives, and hands on what descriptors there were.
    fn receive(&mut self, s: D::Sock) -> Result<(), Errno> {
        let layer = Arc::clone(&self.storm.layer);
        let (mut data, mut rights) = ([0; 2 * MESSAGE], [None; 3]);
        let peek = if self.dice.one_in(6) { MsgFlags::PEEK } else { MsgFlags::empty() };
        let room = self.dice.roll(rights.len() + 1);
        let flags = MsgFlags::DONTWAIT | peek;
        let mut msg = RecvMsg::with_rights(&mut data, &mut rights[..room], flags);
        let bytes = layer.recvmsg(s, &mut msg)?;
        for right in rights.into_iter().flatten() {
            self.replace(right);
        }
        if peek.is_empty() {
            // A stream may cut a message: only what is whole is looked at.
            data[..bytes].as_chunks().0.iter().for_each(|message| self.look_at(s, *message));
        }
        Ok(())
    }

    /// No message arrives twice, and a reader sees those of one sender, through one descriptor and
    /// at one, in their order.
    fn look_at(&mut self, s: D::Sock, message: [u8; MESSAGE]) {
        let [mark, sender, place, number] = message;
        if mark != MARK || message[1..].contains(&MARK) {
            return;
        }
        let is_new = lock(&self.storm.arrived).insert(message);
        verify::<D>(Check::BytesLost, is_new, "a message came twice");
        let before = self.seen.insert((s, sender, place), number);
        let is_ordered = before.is_none_or(|before| before < number);
        verify::<D>(Check::OutOfOrder, is_ordered, "a message came before an earlier one");
    }
}
