//! Connections: clients connect to one listener, send who they are and go; others accept them.

use std::sync::{Arc, Mutex};

use lockimpls_shuttle::witness::Check;
use lockimpls_shuttle::{Checked, Domain, Errno, MsgFlags, SockAddr, SockOpt, SockType};

use super::{Variant, begin, end, join, lock, name, spawn, verify};
use crate::dice::Dice;
use crate::tally::answer;

/// The name of the listener.
const PATH: &str = "listener";

struct Door<D: Domain> {
    layer: Arc<Checked<D>>,
    kind: SockType,
    head: D::Sock,
    sent: Mutex<Vec<u8>>,
    received: Mutex<Vec<u8>>,
}

pub(super) fn run<D: Domain>(variant: Variant) {
    let (layer, mut dice) = begin::<D>(variant);
    let kind = dice.of(&[SockType::Stream, SockType::Seqpacket]);
    let head = layer.socket(kind).expect("socket");
    layer.bind(head, &name(PATH)).expect("bind");
    layer.listen(head, 1).expect("listen");
    let door = Arc::new(Door {
        layer: Arc::clone(&layer),
        kind,
        head,
        sent: Mutex::new(Vec::new()),
        received: Mutex::new(Vec::new()),
    });
    let (clients, each, acceptors) = (2 + dice.roll(3), 1 + dice.roll(2), 1 + dice.roll(2));
    let connections = clients * each;
    let mut threads = Vec::new();
    for at in 0..acceptors {
        let door = Arc::clone(&door);
        let share = connections / acceptors + usize::from(at < connections % acceptors);
        threads.push(spawn(move || (0..share).for_each(|_| door.accept_one())));
    }
    for id in 0..clients {
        let (door, mut dice) = (Arc::clone(&door), dice.fork());
        threads.push(spawn(move || {
            (0..each).for_each(|number| door.connect_one((id * each + number) as u8, &mut dice));
        }));
    }
    let (other, dice) = (Arc::clone(&door), dice.fork());
    threads.push(spawn(move || other.meddle(dice)));
    join(threads);
    layer.close(head).expect("close");
    layer.unlink(&name(PATH)).expect("unlink");
    door.verify();
    end(&layer);
}

impl<D: Domain> Door<D> {
    fn connect_one(&self, id: u8, dice: &mut Dice) {
        let s = self.layer.socket(self.kind).expect("socket");
        let own = name(&format!("client {id}"));
        let is_named = dice.one_in(2);
        if is_named {
            answer(self.layer.bind(s, &own)).expect("bind");
        }
        while let Err(errno) = answer(self.layer.connect(s, &name(PATH))) {
            // The queue is full.
            verify::<D>(Check::WrongAnswer, errno == Errno::Econnrefused, errno.name());
            shuttle::thread::yield_now();
        }
        if dice.one_in(4) {
            let again = answer(self.layer.connect(s, &name(PATH)));
            verify::<D>(Check::WrongAnswer, again == Err(Errno::Eisconn), "connected twice");
        }
        answer(self.layer.send(s, &[id], MsgFlags::empty())).expect("send");
        lock(&self.sent).push(id);
        answer(self.layer.close(s)).expect("close");
        if is_named {
            answer(self.layer.unlink(&own)).expect("unlink");
        }
    }

    fn accept_one(&self) {
        let (s, from) = loop {
            match answer(self.layer.accept(self.head)) {
                Ok(accepted) => break accepted,
                Err(errno) => {
                    verify::<D>(Check::WrongAnswer, errno == Errno::Ewouldblock, errno.name());
                    shuttle::thread::yield_now();
                }
            }
        };
        let mut data = [0; 4];
        let bytes = self.receive(s, &mut data);
        verify::<D>(Check::BytesLost, bytes == 1, "the client's byte did not come");
        let is_its = from == SockAddr::UNNAMED || from == name(&format!("client {}", data[0]));
        verify::<D>(Check::WrongAnswer, is_its, "another client's name");
        lock(&self.received).push(data[0]);
        verify::<D>(Check::BytesLost, self.receive(s, &mut data) == 0, "more than was sent");
        answer(self.layer.close(s)).expect("close");
    }

    /// Receives once: an accepted socket is nonblocking where its listener was.
    fn receive(&self, s: D::Sock, data: &mut [u8]) -> usize {
        loop {
            match answer(self.layer.recv(s, data, MsgFlags::empty())) {
                Ok(bytes) => return bytes,
                Err(errno) => {
                    verify::<D>(Check::WrongAnswer, errno == Errno::Ewouldblock, errno.name());
                    shuttle::thread::yield_now();
                }
            }
        }
    }

    fn meddle(&self, mut dice: Dice) {
        let (layer, head) = (&self.layer, self.head);
        for _ in 0..3 + dice.roll(5) {
            let _ = answer(match dice.roll(6) {
                0 => layer.getsockname(head).map(drop),
                1 => layer.getpeername(head).map(drop),
                2 => layer.dup(head).and_then(|twin| layer.close(twin)),
                3 => layer.set_nonblocking(head, dice.one_in(2)),
                4 => layer.listen(head, 1 + dice.roll(2) as i32),
                _ => layer.setsockopt(head, SockOpt::RcvBuf, 64 + dice.roll(400)),
            });
        }
    }

    fn verify(&self) {
        let (mut sent, mut received) = (lock(&self.sent), lock(&self.received));
        sent.sort_unstable();
        received.sort_unstable();
        let what = format!("sent {sent:?}, received {received:?}");
        verify::<D>(Check::BytesLost, *sent == *received, &what);
    }
}
