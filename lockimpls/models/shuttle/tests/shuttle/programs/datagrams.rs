//! Datagrams: senders connect, reconnect and address; two receivers stay, a third comes and goes.
//!
//! A message says who sent it, with which number, and where it goes.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use lockimpls_shuttle::witness::Check;
use lockimpls_shuttle::{Checked, Domain, Errno, MsgFlags, SockAddr, SockType};

use super::{Variant, begin, end, join, lock, name, spawn, verify};
use crate::dice::Dice;
use crate::tally::answer;

/// The names: the last one's socket is closed and made anew.
const NAMES: [&str; 3] = ["a", "b", "comes-and-goes"];
/// How many of them stay.
const STAY: usize = 2;
/// Where a message of the shared socket goes is anybody's choice.
const ANYWHERE: u8 = 0xfe;
/// The last message.
const LAST: u8 = 0xff;

/// Sender, number, destination.
type Message = [u8; 3];

/// The receivers' mail. Its count is the machine's, and Relaxed: the model's threads take turns on
/// one thread of the system.
struct Post<D: Domain> {
    layer: Arc<Checked<D>>,
    shared: D::Sock,
    senders: AtomicUsize,
    sent: Mutex<Vec<Message>>,
    /// By receiver that stays.
    received: [Mutex<Vec<Message>>; STAY],
}

pub(super) fn run<D: Domain>(variant: Variant) {
    let (layer, mut dice) = begin::<D>(variant);
    let bound = |path| {
        let s = layer.socket(SockType::Dgram).expect("socket");
        layer.bind(s, &name(path)).expect("bind");
        s
    };
    // The senders' sockets have lower addresses than some receivers and higher ones than others.
    let first = bound(NAMES[0]);
    let shared = layer.socket(SockType::Dgram).expect("socket");
    let second = bound(NAMES[1]);
    let senders = 2 + dice.roll(3);
    let post = Arc::new(Post {
        layer: Arc::clone(&layer),
        shared,
        senders: AtomicUsize::new(senders),
        sent: Mutex::new(Vec::new()),
        received: [const { Mutex::new(Vec::new()) }; STAY],
    });
    let mut threads = Vec::new();
    for (at, s) in [first, second].into_iter().enumerate() {
        let (post, dice) = (Arc::clone(&post), dice.fork());
        threads.push(spawn(move || post.receive_all(at, s, dice)));
    }
    for id in 0..senders {
        let (post, dice) = (Arc::clone(&post), dice.fork());
        threads.push(spawn(move || post.send_all(id as u8, dice)));
    }
    let (other, rounds) = (Arc::clone(&post), 1 + dice.roll(3));
    threads.push(spawn(move || other.come_and_go(rounds)));
    join(threads);
    layer.close(shared).expect("close");
    for path in NAMES {
        let _ = layer.unlink(&name(path));
    }
    post.verify();
    end(&layer);
}

impl<D: Domain> Post<D> {
    fn send_all(&self, id: u8, mut dice: Dice) {
        let own = self.layer.socket(SockType::Dgram).expect("socket");
        // Where the own socket is connected to, which no other thread changes.
        let mut connected = None;
        for number in 0..3 + dice.roll(7) as u8 {
            let to = dice.roll(NAMES.len()) as u8;
            let path = name(NAMES[usize::from(to)]);
            match dice.roll(7) {
                0 | 1 => connected = answer(self.layer.connect(own, &path)).ok().map(|()| to),
                2 => _ = answer(self.layer.connect(self.shared, &path)),
                3 => self.send(self.shared, None, [id, number, ANYWHERE]),
                4 => self.send(self.shared, Some(&path), [id, number, to]),
                5 => self.send(own, Some(&path), [id, number, to]),
                _ => self.send(own, None, [id, number, connected.unwrap_or(ANYWHERE)]),
            }
            if dice.one_in(6) {
                let _ = answer(self.layer.getpeername(self.shared));
            }
        }
        self.layer.close(own).expect("close");
        if self.senders.fetch_sub(1, Relaxed) == 1 {
            self.say_last();
        }
    }

    fn send(&self, s: D::Sock, to: Option<&SockAddr>, message: Message) {
        let flags = MsgFlags::empty();
        let result = match to {
            Some(to) => self.layer.sendto(s, &message, to, flags),
            None => self.layer.send(s, &message, flags),
        };
        if let Ok(bytes) = answer(result) {
            verify::<D>(Check::BytesLost, bytes == message.len(), "a datagram was cut");
            lock(&self.sent).push(message);
        }
    }

    /// The last sender tells both receivers that there is no more.
    fn say_last(&self) {
        let s = self.layer.socket(SockType::Dgram).expect("socket");
        for path in &NAMES[..STAY] {
            while let Err(errno) =
                answer(self.layer.sendto(s, &[LAST; 3], &name(path), MsgFlags::empty()))
            {
                // The first receiver may have been closed while the send had this socket connected
                // to it: then its next call says so.
                let is_right = matches!(errno, Errno::Enobufs | Errno::Econnreset);
                verify::<D>(Check::WrongAnswer, is_right, errno.name());
                shuttle::thread::yield_now();
            }
        }
        self.layer.close(s).expect("close");
    }

    fn receive_all(&self, at: usize, s: D::Sock, mut dice: Dice) {
        loop {
            let flags = if dice.one_in(3) { MsgFlags::DONTWAIT } else { MsgFlags::empty() };
            let mut message: Message = [0; 3];
            match answer(self.layer.recv(s, &mut message, flags)) {
                Ok(3) if message[0] == LAST => break,
                Ok(bytes) => {
                    verify::<D>(Check::BytesLost, bytes == 3, "a datagram came cut");
                    lock(&self.received[at]).push(message);
                }
                Err(errno) => {
                    verify::<D>(Check::WrongAnswer, errno == Errno::Ewouldblock, errno.name());
                    shuttle::thread::yield_now();
                }
            }
        }
        self.layer.close(s).expect("close");
    }

    /// A receiver that is closed with messages in it, whose name then leads to another.
    fn come_and_go(&self, rounds: usize) {
        let path = name(NAMES[STAY]);
        for _ in 0..rounds {
            let s = self.layer.socket(SockType::Dgram).expect("socket");
            answer(self.layer.bind(s, &path)).expect("bind");
            let _ = answer(self.layer.recv(s, &mut [0; 3], MsgFlags::DONTWAIT));
            let _ = answer(self.layer.connect(self.shared, &path));
            answer(self.layer.close(s)).expect("close");
            answer(self.layer.unlink(&path)).expect("unlink");
        }
    }

    /// What was sent to a receiver that stays arrived there, once, and in each sender's order; what
    /// went anywhere arrived at most once.
    fn verify(&self) {
        let sent = lock(&self.sent);
        let mut arrived = Vec::new();
        for (at, received) in self.received.iter().enumerate() {
            let received = lock(received);
            for message in received.iter() {
                let [_, _, to] = *message;
                let is_right = to == ANYWHERE || usize::from(to) == at;
                verify::<D>(Check::BytesLost, is_right, "a datagram arrived somewhere else");
                verify::<D>(Check::BytesLost, sent.contains(message), "nobody sent this");
                verify::<D>(Check::BytesLost, !arrived.contains(message), "a datagram came twice");
                arrived.push(*message);
            }
            for id in 0..LAST {
                let numbers = received.iter().filter(|message| message[0] == id);
                let is_ordered = numbers.map(|message| message[1]).is_sorted();
                verify::<D>(Check::OutOfOrder, is_ordered, &format!("{received:?}"));
            }
        }
        for message in sent.iter() {
            let stays = usize::from(message[2]) < STAY;
            let is_there = !stays || arrived.contains(message);
            verify::<D>(Check::BytesLost, is_there, &format!("{message:?} was sent and is lost"));
        }
    }
}
