//! What the cases are written in: a layer per backend, short words for calls, and the watchdog.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use lockimpls::controls::{
    Moment, in_next, visit_linked_under_kernel, visit_sending_unlocked, visit_staged,
    visit_switching, visit_trying, visit_under_kernel, visit_waiting, visit_waiting_under_kernel,
};
use lockimpls::witness;
use lockimpls::{
    Ambient, Checked, Config, Domain, Errno, Fd, Layer, MsgFlags, RecvMsg, SendMsg, SockAddr,
    SockType, Visitor, WaitStrategy, backends,
};

/// No flags.
pub(crate) const NONE: MsgFlags = MsgFlags::empty();
/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(200);
/// For how many seconds no call may return while some thread is inside one.
const HANG_AFTER_SECONDS: u64 = 5;
/// The environment variable that says another number, for where everything is slower (memcheck.sh).
const HANG_SECONDS: &str = "SOLOCK_HANG_SECONDS";

/// A layer of some backend.
pub(crate) struct AnyLayer(Box<dyn Layer>);

impl Deref for AnyLayer {
    type Target = dyn Layer;

    fn deref(&self) -> &(dyn Layer + 'static) {
        &*self.0
    }
}

/// What the backend of this name is run with: `lock-free` also with a gate that is opened again
/// after every call, so that the fast path meets everything else at once.
pub(crate) fn configs_of(name: &str, config: &Config) -> Vec<Config> {
    let often = (name == "lock-free").then(|| Config { reopen_after_calls: 1, ..config.clone() });
    [config.clone()].into_iter().chain(often).collect()
}

/// Runs a program on every modelled backend, each in a fresh layer, which must be empty afterwards.
/// The program closes every descriptor it has.
pub(crate) fn on_every_backend(config: &Config, case: fn(&AnyLayer)) {
    watch();
    for backend in backends().iter().filter(|backend| backend.modelled) {
        for config in configs_of(backend.name, config) {
            let layer = AnyLayer((backend.open)(&config).unwrap());
            case(&layer);
            layer.check_end();
        }
    }
}

/// Every way to wait.
pub(crate) fn every_wait() -> impl Iterator<Item = Config> {
    WaitStrategy::ALL.into_iter().map(|wait| Config { wait, ..Config::default() })
}

/// Runs a program in which another thread is let in at a moment, on each backend visited, in a fresh
/// layer with these locks of the kernel around it, which must be empty afterwards.
struct OnStaged(fn(&Arc<AnyLayer>), Ambient);

impl Visitor for OnStaged {
    fn visit<D: Domain<Sock = Fd> + 'static>(&mut self) {
        let config = Config { ambient: self.1, ..Config::default() };
        let layer = Arc::new(AnyLayer(Box::new(Checked::<D>::new(&config).unwrap())));
        self.0(&layer);
        layer.check_end();
    }
}

/// One at a time: whoever comes to the moment next lets the other thread in.
static TURN: Mutex<()> = Mutex::new(());

/// Defines what runs a case on some of the backends that let another thread in.
macro_rules! on_staged {
    ($($(#[$doc:meta])* $name:ident: $visit:ident, $around:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(case: fn(&Arc<AnyLayer>)) {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            watch();
            $visit(&mut OnStaged(case, $around));
        }
    )*};
}

on_staged! {
    /// Runs it on every backend that lets another thread in, and looks again after a relock.
    on_every_staged: visit_staged, Ambient::empty();
    /// Runs it on the one whose partings wait for a relock.
    on_waiting: visit_waiting, Ambient::empty();
    /// Runs it on the one that tries its peer first, and whose connects wait for a relock.
    on_trying: visit_trying, Ambient::empty();
    /// Runs it on the one where the lock of a socket can be another one.
    on_switching: visit_switching, Ambient::empty();
    /// Runs it on the one where a send holds nothing of its own socket.
    on_sending_unlocked: visit_sending_unlocked, Ambient::empty();
    /// Runs it on one with the kernel lock around it.
    on_under_kernel: visit_under_kernel, Ambient::KERNEL_LOCK;
    /// Runs it on the one with a lock of all links, with the kernel lock around it.
    on_linked_under_kernel: visit_linked_under_kernel, Ambient::KERNEL_LOCK;
    /// Runs it on the one whose partings wait, with the kernel lock around it.
    on_waiting_under_kernel: visit_waiting_under_kernel, Ambient::KERNEL_LOCK;
}

/// Runs `call` and lets another thread do `meanwhile` at the moment, without having to wait: what
/// the call answers.
pub(crate) fn with_another<A>(
    layer: &Arc<AnyLayer>,
    moment: Moment,
    meanwhile: impl FnOnce(&AnyLayer) + Send + 'static,
    call: impl FnOnce(&AnyLayer) -> A,
) -> A {
    let was_there = Arc::new(AtomicBool::new(false));
    let (other, is_there) = (Arc::clone(layer), Arc::clone(&was_there));
    in_next(moment, move || {
        meanwhile(&other);
        // Relaxed: the call joins this thread before it goes on, for it does not wait.
        is_there.store(true, Relaxed);
    });
    let answer = call(layer);
    assert!(was_there.load(Relaxed), "the call did not come to {moment:?}");
    answer
}

/// Declares a test: its body runs on the backends of `on_every_staged`, or of the function that is
/// named; `layer` is the layer it runs in.
macro_rules! staged {
    ($test:ident, $layer:ident, $body:block) => {
        staged!($test, on_every_staged, $layer, $body);
    };
    ($test:ident, $on:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            $crate::battery::$on(|$layer| $body);
        }
    };
}

/// Declares a test: its body runs on every modelled backend, `layer` is the layer it runs in.
macro_rules! case {
    ($test:ident, $layer:ident, $body:block) => {
        case!($test, lockimpls::Config::default(), $layer, $body);
    };
    ($test:ident, $config:expr, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            $crate::battery::on_every_backend(&$config, |$layer| $body);
        }
    };
}

/// Declares a test that runs with every way to wait.
macro_rules! waiting_case {
    ($test:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            for config in $crate::battery::every_wait() {
                $crate::battery::on_every_backend(&config, |$layer| $body);
            }
        }
    };
}

/// How long no call may return while some thread is inside one.
pub(crate) fn hang_after() -> Duration {
    let seconds = std::env::var(HANG_SECONDS).ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(HANG_AFTER_SECONDS))
}

/// Starts the watchdog of this process: a leaked lock that somebody waits for becomes a report.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hang_after = hang_after();
        std::thread::spawn(move || {
            let mut last = (Instant::now(), witness::progress());
            loop {
                std::thread::sleep(WATCH_EVERY);
                let now = witness::progress();
                if !witness::is_stuck(&last.1, &now) {
                    last = (Instant::now(), now);
                } else if last.0.elapsed() > hang_after {
                    witness::report_hang(hang_after);
                }
            }
        });
    });
}

/// Lets another thread get as far as it can: into its sleep, where it has to wait.
///
/// A case must hold however far it got; that it sleeps is what makes the case worth running.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Whether the backend has one lock for all sockets.
pub(crate) fn is_global(layer: &AnyLayer) -> bool {
    matches!(layer.name(), "global" | "global-gc")
}

/// Whether the backend has a lock of its own for each socket and counts as the kernel does.
pub(crate) fn is_per_socket(layer: &AnyLayer) -> bool {
    matches!(layer.name(), "per-socket" | "per-socket-wait") || tries_first(layer)
}

/// Whether a request tries its peer's lock, which saves a relock where that is free.
pub(crate) fn tries_first(layer: &AnyLayer) -> bool {
    layer.name() == "per-socket-try"
}

/// Whether a parting waits for those that relock, so that none of them begins again.
pub(crate) fn parting_waits(layer: &AnyLayer) -> bool {
    layer.name() == "per-socket-wait"
}

/// Whether the backend has locks for each buffer.
pub(crate) fn is_per_buffer(layer: &AnyLayer) -> bool {
    layer.name() == "per-buffer"
}

/// Whether the backend has a lock for each socket's state, and one for its queue.
pub(crate) fn is_state_queue(layer: &AnyLayer) -> bool {
    layer.name() == "state-queue"
}

/// Whether the backend has a lock for each socket, by number, and one for its queue.
pub(crate) fn is_endpoint_queue(layer: &AnyLayer) -> bool {
    layer.name() == "endpoint-queue"
}

/// Whether the backend has a lock for each connection, and one for what is none.
pub(crate) fn is_per_pair(layer: &AnyLayer) -> bool {
    layer.name() == "per-pair"
}

/// Whether the backend has one lock for all links, which senders share.
pub(crate) fn is_shared_link(layer: &AnyLayer) -> bool {
    layer.name() == "shared-link"
}

/// Whether a connection's sender holds its peer's receive side alone.
pub(crate) fn is_receive_buffer(layer: &AnyLayer) -> bool {
    layer.name() == "receive-buffer"
}

/// A name.
pub(crate) fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

/// What a receive brought.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) data: Vec<u8>,
    pub(crate) fds: Vec<Fd>,
    pub(crate) from: SockAddr,
    pub(crate) flags: MsgFlags,
}

/// The calls, as a case says them: nothing here waits.
pub(crate) trait Program {
    /// socketpair(2).
    fn pair(&self, kind: SockType) -> (Fd, Fd);
    /// Sends bytes.
    fn put(&self, s: Fd, data: &[u8]) -> Result<usize, Errno>;
    /// Receives at most `room` bytes.
    fn get(&self, s: Fd, room: usize) -> Result<Vec<u8>, Errno>;
    /// Sends bytes and descriptors.
    fn pass(&self, s: Fd, data: &[u8], fds: &[Fd]) -> Result<usize, Errno>;
    /// Receives bytes and at most `fds` descriptors.
    fn take(&self, s: Fd, room: usize, fds: usize) -> Result<Received, Errno>;
    /// A socket with a name.
    fn bound(&self, kind: SockType, path: &str) -> Fd;
    /// A socket that listens at a name, nonblocking.
    fn listener(&self, kind: SockType, path: &str) -> Fd;
    /// A socket connected to a name.
    fn client(&self, kind: SockType, path: &str) -> Fd;
    /// Closes all of them, and every descriptor must have been open.
    fn close_all(&self, socks: &[Fd]);
    /// Everything there is to receive, in messages of at most `room` bytes.
    fn drain(&self, s: Fd, room: usize) -> Vec<Vec<u8>>;
    /// Sends `message` until there is no room: how often, and why no more.
    fn fill(&self, s: Fd, message: &[u8]) -> (usize, Errno);
}

impl Program for AnyLayer {
    fn pair(&self, kind: SockType) -> (Fd, Fd) {
        self.socketpair(kind).unwrap()
    }

    fn put(&self, s: Fd, data: &[u8]) -> Result<usize, Errno> {
        self.send(s, data, MsgFlags::DONTWAIT)
    }

    fn get(&self, s: Fd, room: usize) -> Result<Vec<u8>, Errno> {
        let mut data = vec![0; room];
        let bytes = self.recv(s, &mut data, MsgFlags::DONTWAIT)?;
        data.truncate(bytes);
        Ok(data)
    }

    fn pass(&self, s: Fd, data: &[u8], fds: &[Fd]) -> Result<usize, Errno> {
        self.sendmsg(s, &SendMsg { to: None, data, rights: fds, flags: MsgFlags::DONTWAIT })
    }

    fn take(&self, s: Fd, room: usize, fds: usize) -> Result<Received, Errno> {
        let (mut data, mut rights) = (vec![0; room], vec![None; fds]);
        let mut from = SockAddr::UNNAMED;
        let mut msg = RecvMsg::with_rights(&mut data, &mut rights, MsgFlags::DONTWAIT);
        msg.from = Some(&mut from);
        let bytes = self.recvmsg(s, &mut msg)?;
        let (flags, fds) = (msg.flags, msg.rights_len);
        data.truncate(bytes);
        rights.truncate(fds);
        Ok(Received { data, fds: rights.into_iter().map(Option::unwrap).collect(), from, flags })
    }

    fn bound(&self, kind: SockType, path: &str) -> Fd {
        let s = self.socket(kind).unwrap();
        self.bind(s, &name(path)).unwrap();
        s
    }

    fn listener(&self, kind: SockType, path: &str) -> Fd {
        let s = self.bound(kind, path);
        self.listen(s, 5).unwrap();
        self.set_nonblocking(s, true).unwrap();
        s
    }

    fn client(&self, kind: SockType, path: &str) -> Fd {
        let s = self.socket(kind).unwrap();
        self.connect(s, &name(path)).unwrap();
        s
    }

    fn close_all(&self, socks: &[Fd]) {
        for s in socks {
            assert_eq!(self.close(*s), Ok(()));
        }
    }

    fn drain(&self, s: Fd, room: usize) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Ok(message) = self.get(s, room) {
            if message.is_empty() {
                break;
            }
            messages.push(message);
        }
        messages
    }

    fn fill(&self, s: Fd, message: &[u8]) -> (usize, Errno) {
        let mut times = 0;
        loop {
            match self.put(s, message) {
                Ok(bytes) => assert_eq!(bytes, message.len()),
                Err(errno) => return (times, errno),
            }
            times += 1;
            assert!(times < 1_000_000, "the buffer has no end");
        }
    }
}
