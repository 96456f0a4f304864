//! Everything at once: threads do anything to sockets they share, and at the end nothing is left.

use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use lockimpls::{Errno, Fd, MsgFlags, Shutdown, SockAddr, SockOpt, SockType};

use crate::battery::{AnyLayer, Program, name};

/// How long each backend is shaken.
const SHAKEN_FOR: Duration = Duration::from_millis(600);
const THREADS: u64 = 4;
/// How many sockets the threads share: few, so that they meet.
const SHARED: usize = 12;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A small generator of numbers: a seed repeats its choices, though not their order among threads.
struct Dice(u64);

impl Dice {
    /// One of the first `n` numbers.
    fn roll(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn kind(&mut self) -> SockType {
        SockType::ALL[self.roll(3)]
    }

    fn name(&mut self) -> SockAddr {
        name(NAMES[self.roll(NAMES.len())])
    }
}

/// The sockets that all threads use, and which of them listen.
type Shared = Mutex<Vec<(Fd, bool)>>;

/// Puts a socket in somebody else's place and closes that one.
fn replace(layer: &AnyLayer, shared: &Shared, dice: &mut Dice, s: (Fd, bool)) {
    let old = {
        let mut shared = shared.lock().unwrap();
        if shared.len() < SHARED {
            shared.push(s);
            return;
        }
        let at = dice.roll(SHARED);
        std::mem::replace(&mut shared[at], s)
    };
    layer.close(old.0).unwrap();
}

/// Makes sockets, which others then use and close.
fn make(layer: &AnyLayer, shared: &Shared, dice: &mut Dice) {
    let kind = dice.kind();
    if dice.roll(3) > 0 {
        let (a, b) = layer.pair(kind);
        replace(layer, shared, dice, (a, false));
        replace(layer, shared, dice, (b, false));
        return;
    }
    let s = layer.socket(kind).unwrap();
    layer.set_nonblocking(s, true).unwrap();
    let path = dice.name();
    if dice.roll(2) == 0 {
        let _ = layer.unlink(&path);
    }
    let _ = layer.bind(s, &path);
    let listens = kind != SockType::Dgram && layer.listen(s, 1).is_ok();
    replace(layer, shared, dice, (s, listens));
}

/// Receives, and hands on what descriptors there were.
fn receive(layer: &AnyLayer, shared: &Shared, dice: &mut Dice, s: Fd) {
    let room = dice.roll(3000);
    if let Ok(got) = layer.take(s, room, dice.roll(4)) {
        for fd in got.fds {
            replace(layer, shared, dice, (fd, false));
        }
    }
}

/// One thing done to one socket.
fn act(layer: &AnyLayer, shared: &Shared, dice: &mut Dice) -> Result<(), Errno> {
    let ((s, listens), (other, _)) = {
        let shared = shared.lock().unwrap();
        (shared[dice.roll(shared.len())], shared[dice.roll(shared.len())])
    };
    match dice.roll(20) {
        0 => make(layer, shared, dice),
        1 => layer.connect(s, &dice.name())?,
        2 => replace(layer, shared, dice, (layer.dup(s)?, listens)),
        3 => {
            // A listener is nonblocking: it was made so.
            let (server, _) = layer.accept(s)?;
            replace(layer, shared, dice, (server, false));
        }
        4 if dice.roll(4) == 0 => {
            let how = [Shutdown::Read, Shutdown::Write, Shutdown::Both][dice.roll(3)];
            layer.shutdown(s, how)?;
        }
        5 => {
            layer.getpeername(s)?;
        }
        6 => {
            layer.sendto(s, &[5; 100], &dice.name(), MsgFlags::DONTWAIT)?;
        }
        7 => layer.setsockopt(s, SockOpt::RcvBuf, 1 + dice.roll(20_000))?,
        8 => layer.setsockopt(s, SockOpt::SndBuf, 1 + dice.roll(20_000))?,
        9 | 10 => {
            layer.pass(s, &[9; 10], &[s, other][..1 + dice.roll(2)])?;
        }
        11..=15 => receive(layer, shared, dice, s),
        _ => {
            layer.put(s, &[1; 4096][..dice.roll(4096)])?;
        }
    }
    Ok(())
}

case!(everything_at_once, layer, {
    let shared: Shared = Mutex::new(Vec::new());
    let mut dice = Dice(1);
    while shared.lock().unwrap().len() < SHARED {
        make(layer, &shared, &mut dice);
    }
    let end = Instant::now() + SHAKEN_FOR;
    std::thread::scope(|threads| {
        for seed in 2..2 + THREADS {
            let shared = &shared;
            threads.spawn(move || {
                let mut dice = Dice(seed);
                while Instant::now() < end {
                    let done = act(layer, shared, &mut dice);
                    let is_odd = |errno: Errno| !errno.has_name() || errno == Errno::Enfile;
                    assert!(!done.is_err_and(is_odd), "{done:?}");
                }
            });
        }
    });
    for (s, _) in shared.into_inner().unwrap() {
        layer.close(s).unwrap();
    }
    for path in NAMES {
        let _ = layer.unlink(&name(path));
    }
});

case!(a_pair_is_used_shut_and_closed_at_once, layer, {
    let end = Instant::now() + SHAKEN_FOR / 2;
    let mut dice = Dice(7);
    while Instant::now() < end {
        let kind = dice.kind();
        let (a, b) = layer.pair(kind);
        let how = [Shutdown::Read, Shutdown::Write, Shutdown::Both][dice.roll(3)];
        let rounds = 1 + dice.roll(200);
        std::thread::scope(|threads| {
            // Whatever is in the way, a call ends: the pair goes.
            threads.spawn(|| while layer.send(a, &[1; 500], MsgFlags::empty()).is_ok() {});
            threads.spawn(|| {
                while matches!(layer.recv(b, &mut [0; 400], MsgFlags::empty()), Ok(1..)) {}
            });
            for _ in 0..rounds {
                let _ = layer.pass(b, b"fd", &[a]);
                let _ = layer.getpeername(a);
            }
            layer.shutdown(b, how).unwrap();
            layer.shutdown(a, Shutdown::Both).unwrap();
            layer.shutdown(b, Shutdown::Both).unwrap();
        });
        layer.close_all(&[a, b]);
    }
});

case!(bind_against_close, layer, {
    const ROUNDS: usize = 2000;
    let s = Mutex::new(None);
    let turn = Barrier::new(2);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for round in 0..ROUNDS {
                turn.wait();
                let s = s.lock().unwrap().unwrap();
                (0..round % 40 * 10).for_each(|_| std::hint::spin_loop());
                layer.close(s).unwrap();
                turn.wait();
            }
        });
        for round in 0..ROUNDS {
            *s.lock().unwrap() = Some(layer.socket(SockType::Stream).unwrap());
            let own = s.lock().unwrap().unwrap();
            turn.wait();
            (0..round / 40 * 10).for_each(|_| std::hint::spin_loop());
            match layer.bind(own, &name("raced")) {
                Ok(()) => layer.unlink(&name("raced")).unwrap(),
                answer => assert_eq!(answer, Err(Errno::Ebadf)),
            }
            turn.wait();
        }
    });
});
