//! What the cases are written in: a layer per backend, short words for calls, and the watchdog.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use lockimpls::controls::{
    Moment, in_next, visit_linked_under_kernel, visit_sending_unlocked, visit_staged,
    visit_switching, visit_trying, visit_under_kernel, visit_waiting, visit_waiting_under_kernel,
};
use lockimpls::witness;
use lockimpls::{
    Ambient, Checked, Config, Domain, Errno, Fifofs, MsgFlags, RecvMsg, SendMsg, SockAddr,
    SockType, Visitor, visit_all,
};

/// No flags.
pub(crate) const NONE: MsgFlags = MsgFlags::empty();
/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(200);
/// For how many seconds no call may return while some thread is inside one.
const HANG_AFTER_SECONDS: u64 = 5;
/// The environment variable that says another number, for where everything is slower (memcheck.sh).
const HANG_SECONDS: &str = "SOLOCK_HANG_SECONDS";

/// A program that runs on any backend.
pub(crate) trait Case {
    /// Runs it; every descriptor is closed at its end.
    fn run<D: Fifofs>(&self, layer: &Checked<D>);
}

/// Runs a case on every modelled backend, each in a fresh layer, which must be empty afterwards;
/// on `lock-free` also with a gate that is never shut for long.
pub(crate) fn on_every_backend(config: &Config, case: &impl Case) {
    struct OnEach<'a, C> {
        config: &'a Config,
        case: &'a C,
    }
    impl<C: Case> OnEach<'_, C> {
        fn run<D: Fifofs>(&self, config: &Config) {
            let layer = Checked::<D>::new(config).unwrap();
            self.case.run(&layer);
            layer.check_end();
        }
    }
    impl<C: Case> Visitor for OnEach<'_, C> {
        fn visit<D: Fifofs>(&mut self) {
            if D::MODELLED {
                self.run::<D>(self.config);
            }
            if D::NAME == "lock-free" {
                // Opened again after every call, the fast path meets everything else at once.
                self.run::<D>(&Config { reopen_after_calls: 1, ..self.config.clone() });
            }
        }
    }
    watch();
    visit_all(&mut OnEach { config, case });
}

/// A program in which another thread is let in at a moment.
pub(crate) trait Staged {
    /// Runs it; every descriptor is closed at its end.
    fn run<D: Domain>(&self, layer: &Arc<Checked<D>>);
}

/// Runs a case on each backend visited, in a fresh layer with these locks of the kernel around it,
/// which must be empty afterwards.
struct OnStaged<'a, C>(&'a C, Ambient);

impl<C: Staged> Visitor for OnStaged<'_, C> {
    fn visit<D: Domain>(&mut self) {
        let config = Config { ambient: self.1, ..Config::default() };
        let layer = Arc::new(Checked::<D>::new(&config).unwrap());
        self.0.run(&layer);
        layer.check_end();
    }
}

/// One at a time: whoever comes to the moment next lets the other thread in.
static TURN: Mutex<()> = Mutex::new(());

/// Defines what runs a case on some of the backends that let another thread in.
macro_rules! on_staged {
    ($($(#[$doc:meta])* $name:ident: $visit:ident, $around:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(case: &impl Staged) {
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
pub(crate) fn with_another<D: Domain, A>(
    layer: &Arc<Checked<D>>,
    moment: Moment,
    meanwhile: impl FnOnce(&Checked<D>) + Send + 'static,
    call: impl FnOnce(&Checked<D>) -> A,
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

/// Declares a test: its body is generic over the backend; on all of them, or those that are named.
macro_rules! staged {
    ($test:ident, $layer:ident, $body:block) => {
        staged!($test, on_every_staged, $layer, $body);
    };
    ($test:ident, $on:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl $crate::battery::Staged for This {
                fn run<D: lockimpls::Domain>(&self, $layer: &std::sync::Arc<lockimpls::Checked<D>>) $body
            }
            $crate::battery::$on(&This);
        }
    };
}

/// Declares a test: its body is generic over the backend, `layer` is the layer it runs in.
macro_rules! case {
    ($test:ident, $layer:ident, $body:block) => {
        case!($test, lockimpls::Config::default(), $layer, $body);
    };
    ($test:ident, $config:expr, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl $crate::battery::Case for This {
                fn run<D: lockimpls::Fifofs>(&self, $layer: &lockimpls::Checked<D>) $body
            }
            $crate::battery::on_every_backend(&$config, &This);
        }
    };
}

/// Declares a test that runs with every way to wait.
macro_rules! waiting_case {
    ($test:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl $crate::battery::Case for This {
                fn run<D: lockimpls::Fifofs>(&self, $layer: &lockimpls::Checked<D>) $body
            }
            for wait in lockimpls::WaitStrategy::ALL {
                let config = lockimpls::Config { wait, ..lockimpls::Config::default() };
                $crate::battery::on_every_backend(&config, &This);
            }
        }
    };
}

/// Starts the watchdog of this process: a leaked lock that somebody waits for becomes a report.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let seconds = std::env::var(HANG_SECONDS).ok().and_then(|text| text.parse().ok());
        let hang_after = Duration::from_secs(seconds.unwrap_or(HANG_AFTER_SECONDS));
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
pub(crate) fn is_global<D: Domain>() -> bool {
    matches!(D::NAME, "global" | "global-gc")
}

/// Whether the backend has a lock of its own for each socket and counts as the kernel does.
pub(crate) fn is_per_socket<D: Domain>() -> bool {
    matches!(D::NAME, "per-socket" | "per-socket-wait") || tries_first::<D>()
}

/// Whether a request tries its peer's lock, which saves a relock where that is free.
pub(crate) fn tries_first<D: Domain>() -> bool {
    D::NAME == "per-socket-try"
}

/// Whether a parting waits for those that relock, so that none of them begins again.
pub(crate) fn parting_waits<D: Domain>() -> bool {
    D::NAME == "per-socket-wait"
}

/// Whether the backend has locks for each buffer.
pub(crate) fn is_per_buffer<D: Domain>() -> bool {
    D::NAME == "per-buffer"
}

/// Whether the backend has a lock for each socket's state, and one for its queue.
pub(crate) fn is_state_queue<D: Domain>() -> bool {
    D::NAME == "state-queue"
}

/// Whether the backend has a lock for each socket, by number, and one for its queue.
pub(crate) fn is_endpoint_queue<D: Domain>() -> bool {
    D::NAME == "endpoint-queue"
}

/// Whether the backend has a lock for each connection, and one for what is none.
pub(crate) fn is_per_pair<D: Domain>() -> bool {
    D::NAME == "per-pair"
}

/// Whether the backend has one lock for all links, which senders share.
pub(crate) fn is_shared_link<D: Domain>() -> bool {
    D::NAME == "shared-link"
}

/// Whether a connection's sender holds its peer's receive side alone.
pub(crate) fn is_receive_buffer<D: Domain>() -> bool {
    D::NAME == "receive-buffer"
}

/// A name.
pub(crate) fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

/// What a receive brought.
#[derive(Debug)]
pub(crate) struct Received<S> {
    pub(crate) data: Vec<u8>,
    pub(crate) fds: Vec<S>,
    pub(crate) from: SockAddr,
    pub(crate) flags: MsgFlags,
}

/// The calls, as a case says them: nothing here waits.
pub(crate) trait Program<D: Domain> {
    /// socketpair(2).
    fn pair(&self, kind: SockType) -> (D::Sock, D::Sock);
    /// Sends bytes.
    fn put(&self, s: D::Sock, data: &[u8]) -> Result<usize, Errno>;
    /// Receives at most `room` bytes.
    fn get(&self, s: D::Sock, room: usize) -> Result<Vec<u8>, Errno>;
    /// Sends bytes and descriptors.
    fn pass(&self, s: D::Sock, data: &[u8], fds: &[D::Sock]) -> Result<usize, Errno>;
    /// Receives bytes and at most `fds` descriptors.
    fn take(&self, s: D::Sock, room: usize, fds: usize) -> Result<Received<D::Sock>, Errno>;
    /// A socket with a name.
    fn bound(&self, kind: SockType, path: &str) -> D::Sock;
    /// A socket that listens at a name, nonblocking.
    fn listener(&self, kind: SockType, path: &str) -> D::Sock;
    /// A socket connected to a name.
    fn client(&self, kind: SockType, path: &str) -> D::Sock;
    /// Closes all of them, and every descriptor must have been open.
    fn close_all(&self, socks: &[D::Sock]);
    /// Everything there is to receive, in messages of at most `room` bytes.
    fn drain(&self, s: D::Sock, room: usize) -> Vec<Vec<u8>>;
    /// Sends `message` until there is no room: how often, and why no more.
    fn fill(&self, s: D::Sock, message: &[u8]) -> (usize, Errno);
}

impl<D: Domain> Program<D> for Checked<D> {
    fn pair(&self, kind: SockType) -> (D::Sock, D::Sock) {
        self.socketpair(kind).unwrap()
    }

    fn put(&self, s: D::Sock, data: &[u8]) -> Result<usize, Errno> {
        self.send(s, data, MsgFlags::DONTWAIT)
    }

    fn get(&self, s: D::Sock, room: usize) -> Result<Vec<u8>, Errno> {
        let mut data = vec![0; room];
        let bytes = self.recv(s, &mut data, MsgFlags::DONTWAIT)?;
        data.truncate(bytes);
        Ok(data)
    }

    fn pass(&self, s: D::Sock, data: &[u8], fds: &[D::Sock]) -> Result<usize, Errno> {
        self.sendmsg(s, &SendMsg { to: None, data, rights: fds, flags: MsgFlags::DONTWAIT })
    }

    fn take(&self, s: D::Sock, room: usize, fds: usize) -> Result<Received<D::Sock>, Errno> {
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

    fn bound(&self, kind: SockType, path: &str) -> D::Sock {
        let s = self.socket(kind).unwrap();
        self.bind(s, &name(path)).unwrap();
        s
    }

    fn listener(&self, kind: SockType, path: &str) -> D::Sock {
        let s = self.bound(kind, path);
        self.listen(s, 5).unwrap();
        self.set_nonblocking(s, true).unwrap();
        s
    }

    fn client(&self, kind: SockType, path: &str) -> D::Sock {
        let s = self.socket(kind).unwrap();
        self.connect(s, &name(path)).unwrap();
        s
    }

    fn close_all(&self, socks: &[D::Sock]) {
        for s in socks {
            assert_eq!(self.close(*s), Ok(()));
        }
    }

    fn drain(&self, s: D::Sock, room: usize) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Ok(message) = self.get(s, room) {
            if message.is_empty() {
                break;
            }
            messages.push(message);
        }
        messages
    }

    fn fill(&self, s: D::Sock, message: &[u8]) -> (usize, Errno) {
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
