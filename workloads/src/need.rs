//! What a workload asks of a layer beside sending, receiving and closing, and whether a layer has
//! it.

use std::thread;
use std::time::{Duration, Instant};

use lockimpls::{
    Backend, Config, Errno, Fd, Layer, MsgFlags, SendMsg, Shutdown, SockAddr, SockType, witness,
};

use crate::panics::or_report;
use crate::testing::HANG;

/// A call, or something that a message has in it, that a layer may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// socketpair(2), for the plan's type of sockets.
    Socketpair,
    /// socket(2), for the plan's type of sockets.
    Socket,
    /// bind(2).
    Bind,
    /// unlink(2).
    Unlink,
    /// listen(2).
    Listen,
    /// connect(2).
    Connect,
    /// accept(2).
    Accept,
    /// sendto(2): a message with a name.
    Sendto,
    /// Descriptors in messages.
    Rights,
    /// shutdown(2).
    Shutdown,
    /// fcntl(2) with O_NONBLOCK.
    Nonblocking,
    /// Whether two descriptors are of one file.
    SameFile,
}

/// A descriptor that is never open.
const NOT_OPEN: Fd = Fd { number: u32::MAX, generation: u32::MAX };
/// How often it is looked whether the layer has answered.
const NAP: Duration = Duration::from_millis(1);

impl Need {
    /// Every one.
    pub const ALL: [Need; 12] = [
        Need::Socketpair,
        Need::Socket,
        Need::Bind,
        Need::Unlink,
        Need::Listen,
        Need::Connect,
        Need::Accept,
        Need::Sendto,
        Need::Rights,
        Need::Shutdown,
        Need::Nonblocking,
        Need::SameFile,
    ];

    /// What it is, to a user.
    fn told(self, kind: SockType) -> String {
        let of_kind = |call: &str| format!("{call} for {}", kind.name());
        match self {
            Need::Socketpair => of_kind("socketpair"),
            Need::Socket => of_kind("socket"),
            Need::Bind => "bind".to_owned(),
            Need::Unlink => "unlink".to_owned(),
            Need::Listen => "listen".to_owned(),
            Need::Connect => "connect".to_owned(),
            Need::Accept => "accept".to_owned(),
            Need::Sendto => "names in messages".to_owned(),
            Need::Rights => "descriptors in messages".to_owned(),
            Need::Shutdown => "shutdown".to_owned(),
            Need::Nonblocking => "O_NONBLOCK".to_owned(),
            Need::SameFile => "same_file".to_owned(),
        }
    }

    /// Makes the call, on nothing that is open where it is one on a socket.
    fn ask(self, layer: &dyn Layer, kind: SockType) -> Result<(), Errno> {
        let (s, flags) = (NOT_OPEN, MsgFlags::DONTWAIT);
        let name = SockAddr::new("need")?;
        match self {
            Need::Socketpair => {
                let (a, b) = layer.socketpair(kind)?;
                layer.close(a).and(layer.close(b))
            }
            Need::Socket => layer.close(layer.socket(kind)?),
            Need::Bind => layer.bind(s, &name),
            Need::Unlink => layer.unlink(&name),
            Need::Listen => layer.listen(s, 1),
            Need::Connect => layer.connect(s, &name),
            Need::Accept => layer.accept(s).map(drop),
            Need::Sendto => layer.sendto(s, b"1", &name, flags).map(drop),
            Need::Rights => {
                let msg = SendMsg { to: None, data: b"1", rights: &[NOT_OPEN], flags };
                layer.sendmsg(s, &msg).map(drop)
            }
            Need::Shutdown => layer.shutdown(s, Shutdown::Write),
            Need::Nonblocking => layer.set_nonblocking(s, true),
            Need::SameFile => layer.same_file(s, s).map(drop),
        }
    }
}

/// Which of these a layer of the backend does not have, in words: it is made, and asked each of
/// them. A panic, a hang and a lock that is left end the process, as they do in a run.
///
/// Nothing is missing from a layer that cannot be made: whoever runs it says why.
#[must_use]
pub fn missing(backend: &Backend, needs: &[Need], kind: SockType) -> Vec<String> {
    let config = Config { sockets_max: 16, ..Config::default() };
    let ask = || {
        let Ok(layer) = (backend.open)(&config) else { return Vec::new() };
        let lacks = |need: &&Need| need.ask(&*layer, kind) == Err(Errno::Eopnotsupp);
        needs.iter().filter(lacks).map(|need| need.told(kind)).collect()
    };
    thread::scope(|threads| {
        let asked = threads.spawn(|| or_report(ask));
        // It is made and dropped outside of any call.
        let mut last = (witness::progress(), Instant::now());
        while !asked.is_finished() {
            thread::sleep(NAP);
            let now = witness::progress();
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed() > HANG {
                witness::report_hang(HANG);
            }
        }
        asked.join().expect("a panic was reported")
    })
}
