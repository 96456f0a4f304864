//! Pairs: senders on one end, receivers on the other, most calls may block, and somebody else
//! meddles.
//!
//! Every byte says which sender it is from and which of its bytes it is (in a stream) or which of
//! its messages (otherwise). The end of the stream, or one last datagram for each, ends the
//! receivers.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use lockimpls_shuttle::witness::Check;
use lockimpls_shuttle::{
    Checked, Domain, Errno, MsgFlags, RecvMsg, SendMsg, Shutdown, SockOpt, SockType,
};

use super::{Variant, begin, end, join, lock, spawn, verify};
use crate::dice::Dice;
use crate::tally::answer;

/// How often a message is tried again that finds no room.
const TRIES: usize = 12;
/// How often a receiver is told in a row that there are no bytes before a stream has ended.
const ENDS: usize = 4;
/// The sender's bit in a byte; the rest counts.
const SENDER: u8 = 0x80;
/// A sender's count stops before this.
const LAST: u8 = 0x7f;

/// How a pair ends before its senders have sent everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Early {
    Not,
    WriteA,
    BothA,
    CloseA,
    ReadB,
    CloseB,
}

const EARLY: [Early; 9] = [
    Early::Not,
    Early::Not,
    Early::Not,
    Early::Not,
    Early::WriteA,
    Early::BothA,
    Early::CloseA,
    Early::ReadB,
    Early::CloseB,
];

/// What a sender did: how far its calls said that it came, and how far it may have come.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    done: u8,
    tried: u8,
}

/// A pair, and what is known of it. Its counts are the machine's, and Relaxed: the model's threads
/// take turns on one thread of the system.
struct Talk<D: Domain> {
    layer: Arc<Checked<D>>,
    kind: SockType,
    a: D::Sock,
    b: D::Sock,
    /// A socket to pass along: not of the pair, so that nobody waits for the collector.
    spare: D::Sock,
    early: Early,
    senders: AtomicUsize,
    /// How many receivers there are; how many have not ended.
    readers: usize,
    receivers: AtomicUsize,
    sent: Mutex<Vec<Sent>>,
    /// By receiver.
    received: Mutex<Vec<Vec<u8>>>,
}

pub(super) fn run<D: Domain>(variant: Variant) {
    let (layer, mut dice) = begin::<D>(variant);
    let spare = layer.socket(SockType::Dgram).expect("socket");
    let mut threads = Vec::new();
    let mut talks = Vec::new();
    for (senders, receivers) in [(1 + dice.roll(2), 1 + dice.roll(2)), (1, 1)] {
        let kind = dice.kind();
        let (a, b) = layer.socketpair(kind).expect("socketpair");
        // Which end has the lower address decides who relocks.
        let (a, b) = if dice.one_in(2) { (a, b) } else { (b, a) };
        let talk = Arc::new(Talk {
            layer: Arc::clone(&layer),
            kind,
            a,
            b,
            spare,
            early: dice.of(&EARLY),
            senders: AtomicUsize::new(senders),
            readers: receivers,
            receivers: AtomicUsize::new(receivers),
            sent: Mutex::new(vec![Sent::default(); senders]),
            received: Mutex::new(Vec::new()),
        });
        for id in 0..senders {
            let (talk, dice) = (Arc::clone(&talk), dice.fork());
            threads.push(spawn(move || talk.send_all(id, dice)));
        }
        for _ in 0..receivers {
            let (talk, dice) = (Arc::clone(&talk), dice.fork());
            threads.push(spawn(move || talk.receive_all(dice)));
        }
        talks.push(talk);
    }
    let (meddled, dice) = (talks.clone(), dice.fork());
    threads.push(spawn(move || meddle(&meddled, dice)));
    join(threads);
    for talk in talks {
        let _ = layer.close(talk.a);
        let _ = layer.close(talk.b);
        talk.verify();
    }
    layer.close(spare).expect("close");
    end(&layer);
}

/// Whether the same call may do better later.
fn is_passing(errno: Errno) -> bool {
    matches!(errno, Errno::Ewouldblock | Errno::Enobufs | Errno::Emsgsize | Errno::Econnreset)
}

impl<D: Domain> Talk<D> {
    fn send_all(&self, id: usize, mut dice: Dice) {
        let mark = SENDER * id as u8;
        let mut sent = Sent::default();
        for _ in 0..3 + dice.roll(6) {
            let bytes = 1 + dice.roll(12) as u8;
            if sent.done + bytes >= LAST {
                break;
            }
            let message: Vec<u8> = if self.kind == SockType::Stream {
                (sent.done..sent.done + bytes).map(|at| mark | at).collect()
            } else {
                vec![mark | sent.done; usize::from(bytes)]
            };
            if self.send_one(&message, &mut sent, &mut dice).is_err() {
                break;
            }
        }
        lock(&self.sent)[id] = sent;
        if self.senders.fetch_sub(1, Relaxed) == 1 {
            self.end_sending(&mut dice);
        }
    }

    /// Sends one message; `Err`: no more can be sent.
    fn send_one(&self, message: &[u8], sent: &mut Sent, dice: &mut Dice) -> Result<(), Errno> {
        let mut rest = message;
        for _ in 0..TRIES {
            let count = if self.kind == SockType::Stream { rest.len() as u8 } else { 1 };
            sent.tried = sent.done + count;
            match answer(self.send_bytes(rest, dice)) {
                Ok(bytes) if self.kind == SockType::Stream => {
                    sent.done += bytes as u8;
                    rest = &rest[bytes..];
                    if rest.is_empty() {
                        return Ok(());
                    }
                }
                Ok(bytes) => {
                    verify::<D>(Check::BytesLost, bytes == message.len(), "a message was cut");
                    sent.done += 1;
                    return Ok(());
                }
                Err(errno) if is_passing(errno) => shuttle::thread::yield_now(),
                Err(errno) => return Err(errno),
            }
        }
        sent.tried = sent.done;
        Ok(())
    }

    fn send_bytes(&self, data: &[u8], dice: &mut Dice) -> Result<usize, Errno> {
        if dice.one_in(6) {
            // It may be too large for the buffer for good, and would wait for ever.
            let (rights, flags) = (&[self.spare], MsgFlags::DONTWAIT);
            return self.layer.sendmsg(self.a, &SendMsg { to: None, data, rights, flags });
        }
        let flags = if dice.one_in(3) { MsgFlags::DONTWAIT } else { MsgFlags::empty() };
        self.layer.send(self.a, data, flags)
    }

    /// The last sender tells the receivers that there is no more.
    fn end_sending(&self, dice: &mut Dice) {
        if self.kind != SockType::Dgram {
            let _ = if dice.one_in(2) {
                answer(self.layer.close(self.a))
            } else {
                answer(self.layer.shutdown(self.a, Shutdown::Write))
            };
            return;
        }
        let mut told = 0;
        while told < self.readers {
            match answer(self.layer.send(self.a, &[LAST], MsgFlags::empty())) {
                Ok(_) => told += 1,
                Err(errno) if is_passing(errno) => shuttle::thread::yield_now(),
                Err(_) => {
                    let _ = answer(self.layer.shutdown(self.b, Shutdown::Read));
                    return;
                }
            }
        }
    }

    fn receive_all(&self, mut dice: Dice) {
        let mut received = Vec::new();
        let mut ends = 0;
        loop {
            match answer(self.receive_one(&mut received, &mut dice)) {
                Ok(true) => ends = 0,
                // Descriptors for which there was room, and for no byte, are received as no bytes
                // too.
                Ok(false) if self.kind == SockType::Stream && ends < ENDS => ends += 1,
                Ok(false) => break,
                Err(Errno::Ewouldblock | Errno::Econnreset) => shuttle::thread::yield_now(),
                Err(_) => break,
            }
        }
        lock(&self.received).push(received);
        if self.receivers.fetch_sub(1, Relaxed) == 1 {
            // A sender that finds no room any more sees that nobody reads.
            let _ = answer(self.layer.close(self.b));
        }
    }

    /// Receives once; whether there may be more.
    fn receive_one(&self, received: &mut Vec<u8>, dice: &mut Dice) -> Result<bool, Errno> {
        let mut data = [0; 24];
        let room =
            if self.kind == SockType::Stream { 1 + dice.roll(data.len()) } else { data.len() };
        let flags = if dice.one_in(3) { MsgFlags::DONTWAIT } else { MsgFlags::empty() };
        let bytes = if dice.one_in(3) {
            let mut rights = [None; 2];
            let mut msg = RecvMsg::with_rights(&mut data[..room], &mut rights, flags);
            let bytes = self.layer.recvmsg(self.b, &mut msg)?;
            for right in rights.into_iter().flatten() {
                let is_spare = self.layer.same_file(right, self.spare) == Ok(true);
                verify::<D>(Check::WrongAnswer, is_spare, "another socket arrived than was passed");
                self.layer.close(right).expect("close");
            }
            bytes
        } else {
            self.layer.recv(self.b, &mut data[..room], flags)?
        };
        let data = &data[..bytes];
        let Some(first) = data.first() else { return Ok(false) };
        if self.kind == SockType::Stream {
            received.extend(data);
            return Ok(true);
        }
        verify::<D>(Check::BytesLost, data.iter().all(|byte| byte == first), "messages were mixed");
        if *first == LAST {
            return Ok(false);
        }
        received.push(*first);
        Ok(true)
    }

    /// Each receiver saw each sender's bytes in order, none came twice, and none is missing but
    /// where the pair was ended early.
    fn verify(&self) {
        let (sent, received) = (lock(&self.sent), lock(&self.received));
        for (id, sent) in sent.iter().enumerate() {
            let is_from = |byte: &&u8| usize::from(**byte >> 7) == id;
            let mut all = Vec::new();
            for one in received.iter() {
                let mine: Vec<u8> = one.iter().filter(is_from).map(|byte| byte & !SENDER).collect();
                verify::<D>(Check::OutOfOrder, mine.is_sorted(), &format!("{mine:?}"));
                all.extend(mine);
            }
            all.sort_unstable();
            let what = format!("{:?}, {:?}: {sent:?}, received {all:?}", self.kind, self.early);
            verify::<D>(Check::BytesLost, all.windows(2).all(|two| two[0] != two[1]), &what);
            let cuts = match self.early {
                Early::Not => false,
                Early::ReadB | Early::CloseB => true,
                _ => self.kind == SockType::Dgram,
            };
            if !cuts {
                let is_whole = all.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at)
                    && (usize::from(sent.done)..=usize::from(sent.tried)).contains(&all.len());
                verify::<D>(Check::BytesLost, is_whole, &what);
            }
        }
    }

    /// Something done to the pair from outside.
    fn disturb(&self, dice: &mut Dice) -> Result<(), Errno> {
        let layer = &self.layer;
        let s = if dice.one_in(2) { self.a } else { self.b };
        match dice.roll(9) {
            0 => layer.getsockname(s).map(drop),
            1 => layer.getpeername(s).map(drop),
            2 => layer.setsockopt(self.a, SockOpt::SndBuf, 12 + dice.roll(100)),
            3 => layer.setsockopt(self.b, SockOpt::RcvBuf, 64 + dice.roll(5000)),
            4 => layer.setsockopt(self.a, SockOpt::SndLowat, 1 + dice.roll(4)),
            5 => {
                let twin = layer.dup(s)?;
                layer.close(twin)
            }
            6 => layer.set_nonblocking(s, dice.one_in(2)),
            7 => {
                let mut data = [0; 24];
                let flags = MsgFlags::PEEK | MsgFlags::DONTWAIT;
                layer.recv(self.b, &mut data, flags).map(drop)
            }
            _ => {
                let (data, rights) = (&[1; 4][..], &[self.spare][..]);
                let msg = SendMsg { to: None, data, rights, flags: MsgFlags::DONTWAIT };
                layer.sendmsg(self.b, &msg).map(drop)
            }
        }
    }

    fn end_early(&self) -> Result<(), Errno> {
        match self.early {
            Early::Not => Ok(()),
            Early::WriteA => self.layer.shutdown(self.a, Shutdown::Write),
            Early::BothA => self.layer.shutdown(self.a, Shutdown::Both),
            Early::CloseA => self.layer.close(self.a),
            Early::ReadB => self.layer.shutdown(self.b, Shutdown::Read),
            Early::CloseB => self.layer.close(self.b),
        }
    }
}

fn meddle<D: Domain>(talks: &[Arc<Talk<D>>], mut dice: Dice) {
    let requests = 4 + dice.roll(8);
    let ends: Vec<usize> = talks.iter().map(|_| dice.roll(requests)).collect();
    for request in 0..requests {
        for (talk, at) in talks.iter().zip(&ends) {
            if *at == request {
                let _ = answer(talk.end_early());
            }
        }
        let talk = &talks[dice.roll(talks.len())];
        let _ = answer(talk.disturb(&mut dice));
    }
}
