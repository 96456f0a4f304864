//! The conformance battery: what every modelled backend must answer, and that nothing is left.
//!
//! Each case is a small program. It runs on every modelled backend, in a layer of its own, and ends
//! with `check_end`; the boundary looks after every call whether the thread still holds anything.
//! So each line that unlocks is covered by some case: without the line the case ends in a report
//! and exit code 2, and where the leaked lock makes a thread wait, the watchdog of `battery.rs`
//! reports the hang.

#[macro_use]
mod battery;

mod ambient;
mod blocking;
mod close;
mod counts;
mod dgram;
mod fast;
mod fifo;
mod kernel_lock;
mod links;
mod look_again;
mod names;
mod options;
mod order;
mod pair;
mod parting;
mod pinned;
mod records;
mod relock;
mod rights;
mod shutdown;
mod stream;
mod stress;
mod trying;
mod under_way;
