//! A layer that loses, repeats, reorders or damages one message is caught, on every backend and by
//! the right check. A report ends the process, so each fault runs in a child of this test.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockimpls::witness::{self, EXIT_FINDING};
use lockimpls::{
    Backend, Config, Domain, Errno, Fd, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt,
    SockType,
};
use workloads::testing;
use workloads::{Kind, Own, Plan};

/// What is done to one message, the [`AT`]th of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is taken and never arrives.
    Lost,
    /// It arrives twice.
    Repeated,
    /// It arrives after the next one.
    Late,
    /// A bit of its number is wrong.
    WrongHead,
    /// A bit of its last byte is wrong.
    WrongTail,
    /// A bit in its middle is wrong.
    WrongBody,
    /// It arrives without its second half.
    Cut,
    /// Its descriptor does not arrive.
    WithoutRights,
    /// Its descriptor is of another socket.
    WrongRights,
    /// A descriptor is not closed.
    Unclosed,
    /// It is taken by nobody, with an error that makes no sense.
    WrongErrno,
    /// None: the same program must find nothing.
    None,
}

use Fault::*;

const ALL: [Fault; 12] = [
    Lost,
    Repeated,
    Late,
    WrongHead,
    WrongTail,
    WrongBody,
    Cut,
    WithoutRights,
    WrongRights,
    Unclosed,
    WrongErrno,
    None,
];

/// Which message is hit: late enough that all is under way, early enough for every lane to go on.
const AT: u64 = 100;
const OPERATIONS: u64 = 1000;

static FAULT: Mutex<Fault> = Mutex::new(None);
static SENDS: AtomicU64 = AtomicU64::new(0);
static CLOSES: AtomicU64 = AtomicU64::new(0);
static HELD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A backend whose [`AT`]th message is treated as [`FAULT`] says.
struct Faulty<D>(D);

impl<D: Domain> Faulty<D> {
    fn spoil(&self, s: D::Sock, msg: &SendMsg<'_, D::Sock>, fault: Fault) -> Result<usize, Errno> {
        let mut data = msg.data.to_vec();
        let (whole, half) = (data.len(), data.len() / 2);
        let send = |data: &[u8], rights: &[D::Sock]| {
            self.0.sendmsg(s, &SendMsg { to: msg.to, data, rights, flags: msg.flags })
        };
        match fault {
            Lost => return Ok(whole),
            Late => {
                *HELD.lock().unwrap() = data;
                return Ok(whole);
            }
            Repeated => {
                send(&data, msg.rights)?;
            }
            WrongHead => data[0] ^= 0x20,
            WrongTail => data[whole - 1] ^= 1,
            WrongBody => data[half] ^= 1,
            Cut => return send(&data[..half], msg.rights).map(|_| whole),
            WithoutRights => return send(&data, &[]),
            WrongRights => return send(&data, &[s]),
            WrongErrno => return Err(Errno::Edeadlk),
            Unclosed | None => {}
        }
        send(&data, msg.rights)
    }
}

impl<D: Domain> Domain for Faulty<D> {
    type Sock = D::Sock;
    const NAME: &'static str = D::NAME;
    const ABOUT: &'static str = D::ABOUT;
    const MODELLED: bool = D::MODELLED;

    fn new(config: &Config) -> Result<Self, Errno> {
        D::new(config).map(Faulty)
    }
    fn sendmsg(&self, s: D::Sock, msg: &SendMsg<'_, D::Sock>) -> Result<usize, Errno> {
        let fault = *FAULT.lock().unwrap();
        // `rights` sends one byte that is to be refused: no message, with or without its
        // descriptor.
        let is_message = msg.data.len() > 1;
        let number = if is_message { SENDS.fetch_add(1, Relaxed) } else { 0 };
        // The last message of all is looked at, and so it is the one with the wrong descriptor.
        if number == AT || (fault == WrongRights && number > AT && !msg.rights.is_empty()) {
            return self.spoil(s, msg, fault);
        }
        let result = self.0.sendmsg(s, msg)?;
        let late = std::mem::take(&mut *HELD.lock().unwrap());
        if !late.is_empty() {
            self.0.send(s, &late, msg.flags)?;
        }
        Ok(result)
    }
    fn close(&self, s: D::Sock) -> Result<(), Errno> {
        let spared = CLOSES.fetch_add(1, Relaxed) == 0 && *FAULT.lock().unwrap() == Unclosed;
        if spared { Ok(()) } else { self.0.close(s) }
    }

    fn socketpair(&self, kind: SockType) -> Result<(D::Sock, D::Sock), Errno> {
        self.0.socketpair(kind)
    }
    fn socket(&self, kind: SockType) -> Result<D::Sock, Errno> {
        self.0.socket(kind)
    }
    fn bind(&self, s: D::Sock, name: &SockAddr) -> Result<(), Errno> {
        self.0.bind(s, name)
    }
    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.0.unlink(name)
    }
    fn listen(&self, s: D::Sock, backlog: i32) -> Result<(), Errno> {
        self.0.listen(s, backlog)
    }
    fn connect(&self, s: D::Sock, name: &SockAddr) -> Result<(), Errno> {
        self.0.connect(s, name)
    }
    fn accept(&self, s: D::Sock) -> Result<(D::Sock, SockAddr), Errno> {
        self.0.accept(s)
    }
    fn recvmsg(&self, s: D::Sock, msg: &mut RecvMsg<'_, D::Sock>) -> Result<usize, Errno> {
        self.0.recvmsg(s, msg)
    }
    fn shutdown(&self, s: D::Sock, how: Shutdown) -> Result<(), Errno> {
        self.0.shutdown(s, how)
    }
    fn dup(&self, s: D::Sock) -> Result<D::Sock, Errno> {
        self.0.dup(s)
    }
    fn same_file(&self, a: D::Sock, b: D::Sock) -> Result<bool, Errno> {
        self.0.same_file(a, b)
    }
    fn getsockname(&self, s: D::Sock) -> Result<SockAddr, Errno> {
        self.0.getsockname(s)
    }
    fn getpeername(&self, s: D::Sock) -> Result<SockAddr, Errno> {
        self.0.getpeername(s)
    }
    fn setsockopt(&self, s: D::Sock, option: SockOpt, value: usize) -> Result<(), Errno> {
        self.0.setsockopt(s, option, value)
    }
    fn getsockopt(&self, s: D::Sock, option: SockOpt) -> Result<usize, Errno> {
        self.0.getsockopt(s, option)
    }
    fn set_nonblocking(&self, s: D::Sock, on: bool) -> Result<(), Errno> {
        self.0.set_nonblocking(s, on)
    }
    fn collect(&self) {
        self.0.collect();
    }
    fn pools(&self) -> Vec<PoolUse> {
        self.0.pools()
    }
}

/// The child's side: what the parent asked for, in [`ASKED`].
const ASKED: &str = "SOLOCK_TEST_FAULT";

fn plan(workload: &str, socket_type: SockType, verify: bool) -> Plan {
    Plan {
        threads: if workload == "fanin" { 3 } else { 2 },
        socket_type,
        message_bytes: 64,
        verify,
        own: Own::from_iter([("rate_asked", 1e6)]),
        seed: 1,
    }
}

/// Runs the workload that was asked for on the backend that was asked for.
struct Child<'a> {
    backend: &'a str,
    workload: &'a str,
    plan: Plan,
}

/// The child with its backend.
struct On<'a>(&'a Child<'a>, Backend);

impl workloads::Visitor for On<'_> {
    fn visit<K: Kind>(&mut self) {
        if K::NAME == self.0.workload {
            K::fits(&self.0.plan).unwrap();
            testing::run::<K>(&self.1, &Config::default(), &self.0.plan, OPERATIONS);
        }
    }
}

impl lockimpls::Visitor for Child<'_> {
    fn visit<D: Domain<Sock = Fd>>(&mut self) {
        if D::NAME == self.backend {
            workloads::visit_all(&mut On(self, Backend::of::<Faulty<D>>()));
        }
    }
}

#[test]
fn child() {
    let Ok(asked) = std::env::var(ASKED) else { return };
    let words: Vec<&str> = asked.split(' ').collect();
    let [fault, backend, workload, socket_type, verify] = words[..] else { panic!("{asked}") };
    // What a record's `checks` are read from.
    witness::set_finding_hook(|finding| {
        eprintln!("counted {} {}", finding.check.name(), witness::found_by(finding.check));
    });
    *FAULT.lock().unwrap() = ALL.into_iter().find(|f| format!("{f:?}") == fault).unwrap();
    let socket_type = SockType::ALL.into_iter().find(|t| t.name() == socket_type).unwrap();
    let plan = plan(workload, socket_type, verify == "true");
    lockimpls::visit_all(&mut Child { backend, workload, plan });
}

/// Runs the child, and returns its exit code and what it said.
fn run(asked: &str) -> (Option<i32>, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads", "1"])
        .env(ASKED, asked)
        // A process that is ended by a report cannot remove what host made there.
        .env("TMPDIR", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs the workload with the fault on every backend: the report must say these words.
fn caught(fault: Fault, workload: &str, socket_type: SockType, verify: bool, words: &[&str]) {
    struct Backends(Vec<&'static str>);
    impl lockimpls::Visitor for Backends {
        fn visit<D: Domain>(&mut self) {
            self.0.push(D::NAME);
        }
    }
    let mut backends = Backends(Vec::new());
    lockimpls::visit_all(&mut backends);
    for backend in backends.0 {
        let what = format!("{backend} {workload} {} {verify}", socket_type.name());
        let (code, text) = run(&format!("{fault:?} {what}"));
        assert_eq!(code, Some(EXIT_FINDING), "{fault:?} {what}: {text}");
        let counted = text.lines().find_map(|line| line.strip_prefix("counted "));
        let counted = counted.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        assert!(counted.is_some_and(|count| count > 0), "{fault:?} {what}: {text}");
        for word in words {
            assert!(text.contains(word), "{fault:?} {what} lacks '{word}': {text}");
        }
    }
}

const STREAM: SockType = SockType::Stream;
const DGRAM: SockType = SockType::Dgram;
const SEQPACKET: SockType = SockType::Seqpacket;

#[test]
fn without_a_fault_nothing_is_found() {
    for (workload, socket_type) in [("stream", STREAM), ("fanin", DGRAM), ("rights", SEQPACKET)] {
        let (code, text) = run(&format!("None host {workload} {} true", socket_type.name()));
        assert_eq!(code, Some(0), "{workload}: {text}");
    }
}

#[test]
fn a_lost_message() {
    caught(Lost, "pairs", STREAM, false, &["bytes_lost", "is not there"]);
    caught(Lost, "stream", SEQPACKET, false, &["bytes_lost", "never came"]);
    caught(Lost, "fanin", DGRAM, false, &["bytes_lost", "never came"]);
    caught(Lost, "rights", DGRAM, false, &["bytes_lost", "is not there"]);
}

#[test]
fn a_message_that_comes_twice() {
    caught(Repeated, "pairs", DGRAM, false, &["bytes_lost", "came twice"]);
    caught(Repeated, "stream", STREAM, false, &["bytes_lost", "came twice"]);
    caught(Repeated, "ring", SEQPACKET, false, &["bytes_lost", "came twice"]);
}

#[test]
fn messages_in_another_order() {
    caught(Late, "stream", SEQPACKET, false, &["out_of_order", "came after"]);
    caught(Late, "stream", STREAM, false, &["out_of_order", "came after"]);
    caught(Late, "groups", DGRAM, false, &["out_of_order", "came after"]);
}

#[test]
fn a_message_with_a_wrong_bit() {
    caught(WrongHead, "pairs", STREAM, false, &["bytes_lost", "came out wrong"]);
    caught(WrongTail, "stream", SEQPACKET, false, &["bytes_lost", "came out wrong"]);
    caught(WrongBody, "duplex", STREAM, true, &["bytes_lost", "came out wrong: byte 32"]);
}

#[test]
fn a_message_without_its_end() {
    caught(Cut, "stream", SEQPACKET, false, &["bytes_lost", "without its end"]);
    caught(Cut, "stream", STREAM, false, &["bytes_lost", "came out wrong"]);
}

#[test]
fn a_message_without_its_descriptor_or_with_another() {
    caught(WithoutRights, "rights", STREAM, false, &["bytes_lost", "is not there"]);
    caught(WrongRights, "rights", STREAM, false, &["bytes_lost", "of another socket"]);
}

#[test]
fn a_descriptor_that_is_not_closed() {
    caught(Unclosed, "pairs", STREAM, false, &["objects in use"]);
}

#[test]
fn an_error_that_makes_no_sense() {
    let said = "send of lane 0 gave EDEADLK, which this workload does not expect";
    caught(WrongErrno, "stream", STREAM, false, &[said, "panicked"]);
}
