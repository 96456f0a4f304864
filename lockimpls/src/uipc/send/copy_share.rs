//! What share of the time for which a send holds its locks is the copy into the ring.
//!
//! ```text
//! cargo test --release -p lockimpls --lib copy_share -- --ignored --nocapture
//! ```
//!
//! Timed is what a send does between locking its socket after the copy of the caller's bytes and
//! unlocking it at the end: the peer's lock, the append, the account, the wake-up. What a message
//! of one byte takes there is not the copy; the share of a longer one is what it takes more. The
//! sizes take turns, so that a disturbance meets all of them, and a figure is a median.

use std::hint::black_box;
use std::time::Instant;

use super::Outgoing;
use crate::backend::global::GlobalPolicy;
use crate::backend::per_socket::SocketPolicy;
use crate::domain::{Config, Domain, MsgFlags, SockType};
use crate::fault::NoFault;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::uipc::Locked;

const SIZES: [usize; 4] = [1, 64, 512, 2048];
/// Sends that are timed together: the clock's cost is shared by all of them, and the buffer has
/// room for that many of the longest.
const BATCH: usize = 16;
const ROUNDS: usize = 20_001;

/// A pair, filled and emptied.
struct Bench<P: Policy> {
    layer: Locked<P>,
    ends: (Fd, Fd),
}

impl<P: Policy> Bench<P> {
    fn new(kind: SockType) -> Self {
        let bytes = 2 * BATCH * SIZES[3];
        let config = Config {
            pipsiz_bytes: bytes,
            dgram_send_bytes: bytes,
            dgram_recv_bytes: bytes,
            ..Config::default()
        };
        let layer = Locked::new(&config).unwrap();
        let ends = layer.socketpair(kind).unwrap();
        Self { layer, ends }
    }

    /// How long the locks are held for one message, in nanoseconds.
    fn round(&self, message: &[u8]) -> f64 {
        let so = self.layer.fds.find(self.ends.0).unwrap();
        let started = Instant::now();
        for _ in 0..BATCH {
            let message = Outgoing { data: black_box(message), control: None, is_eor: false };
            let mut so = self.layer.policy.solock(&so);
            self.layer.append(&mut so, message, None).unwrap();
            self.layer.policy.sounlock(so);
        }
        let took = started.elapsed().as_nanos() as f64 / BATCH as f64;
        let mut room = [0; SIZES[3]];
        while self.layer.recv(self.ends.1, &mut room, MsgFlags::DONTWAIT).is_ok() {}
        took
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rows<P: Policy>() {
    for kind in SockType::ALL {
        let bench = Bench::<P>::new(kind);
        let message = [b'x'; SIZES[3]];
        let mut took = SIZES.map(|_| Vec::with_capacity(ROUNDS));
        for _ in 0..ROUNDS {
            for (size, took) in SIZES.iter().zip(&mut took) {
                took.push(bench.round(&message[..*size]));
            }
        }
        let held = took.map(median);
        let cells = held[1..]
            .iter()
            .map(|ns| format!("{ns:.0} ns, {:.0} %", 100.0 * (1.0 - held[0] / ns).max(0.0)));
        let cells: Vec<String> = cells.collect();
        println!("| `{}` | {} | {:.0} ns | {} |", P::NAME, kind.name(), held[0], cells.join(" | "));
    }
}

#[test]
#[ignore = "it measures: alone, on a quiet machine, with --release"]
fn copy_share() {
    println!("| backend | type | held for 1 B | 64 B, share of the copy | 512 B | 2 KiB |");
    println!("|---|---|---|---|---|---|");
    rows::<GlobalPolicy<NoFault>>();
    rows::<SocketPolicy<NoFault>>();
}
