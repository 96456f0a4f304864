//! What the threads do: four programs, each drawn anew for every schedule.

mod datagrams;
mod listener;
mod pairs;
mod storm;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockimpls_shuttle::witness::{self, Check};
use lockimpls_shuttle::{Algorithm, Checked, Config, Domain, SockAddr};
use shuttle::rand::RngCore;
use shuttle::thread::JoinHandle;

use crate::dice::Dice;
use crate::{schedule, tally};

/// A program by name, on a backend.
pub(crate) type Program = fn(Variant);

/// What is asked of a backend's layers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Variant {
    /// After how many calls `lock-free` opens a gate again.
    pub(crate) reopen_after: Option<u32>,
    /// The algorithm of the locks.
    pub(crate) lock: Algorithm,
}

/// The program with this name.
pub(crate) fn program<D: Domain>(name: &str) -> Option<Program> {
    match name {
        "pairs" => Some(pairs::run::<D>),
        "datagrams" => Some(datagrams::run::<D>),
        "listener" => Some(listener::run::<D>),
        "storm" => Some(storm::run::<D>),
        _ => None,
    }
}

/// A layer for one schedule, and the choices of that schedule: shuttle keeps the one number they
/// are drawn from with its steps, so that a stored schedule is the whole program.
///
/// The buffers are small, so that they are full soon.
fn begin<D: Domain>(variant: Variant) -> (Arc<Checked<D>>, Dice) {
    let mut dice = Dice::new(shuttle::rand::thread_rng().next_u64());
    let mut config = Config {
        pipsiz_bytes: dice.of(&[24, 64, 256]),
        dgram_send_bytes: 64,
        dgram_recv_bytes: dice.of(&[80, 200, 1000]),
        sominconn: 1,
        somaxconn: 3,
        maxfiles: 200,
        sockets_max: 96,
        wait: dice.wait(),
        lock: variant.lock,
        ..Config::default()
    };
    if let Some(calls) = variant.reopen_after {
        config.reopen_after_calls = calls;
    }
    let layer = Checked::new(&config).unwrap_or_else(|errno| panic!("no layer: {errno}"));
    (Arc::new(layer), dice)
}

/// Begins a thread of the model.
fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    shuttle::thread::spawn(move || {
        schedule::thread(|| {
            body();
            tally::thread_ends();
        });
    })
}

/// Waits for all of them.
fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("the thread ends");
    }
}

/// Everything was closed: nothing may be left.
fn end<D: Domain>(layer: &Checked<D>) {
    layer.check_end();
    tally::thread_ends();
}

/// Fails the schedule unless this holds.
#[track_caller]
fn verify<D: Domain>(check: Check, is_right: bool, what: &str) {
    if !is_right {
        witness::report_data(check, 1, D::NAME, what);
    }
}

/// A name.
fn name(path: &str) -> SockAddr {
    SockAddr::new(path).expect("a name")
}

/// What threads of a model share beside the layer. The machine's mutex: nothing inside is a point
/// where another thread goes on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
