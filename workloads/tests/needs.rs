//! Each workload runs on a layer that has what it says it needs and nothing else; the layers of the
//! registry lack nothing, and one that lacks a call is known to.

use std::sync::Mutex;

use lockimpls::{
    Backend, Config, Errno, Fd, Layer, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr,
    SockOpt, SockType,
};
use workloads::testing;
use workloads::{Kind, Need, Own, Plan, missing};

/// What the layer of [`open`] has; one test makes layers at a time.
static HAS: Mutex<Vec<Need>> = Mutex::new(Vec::new());

/// A layer of `global`, without what is not in [`HAS`].
struct Only {
    has: Vec<Need>,
    all: Box<dyn Layer>,
}

fn open(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    let all = (lockimpls::backends()[0].open)(config)?;
    Ok(Box::new(Only { has: HAS.lock().unwrap().clone(), all }))
}

/// The backend that has these.
fn only(has: &[Need]) -> Backend {
    *HAS.lock().unwrap() = has.to_vec();
    Backend { name: "only", open, ..lockimpls::backends()[0] }
}

impl Only {
    fn has(&self, need: Need) -> Result<&dyn Layer, Errno> {
        if self.has.contains(&need) { Ok(&*self.all) } else { Err(Errno::Eopnotsupp) }
    }
}

impl Layer for Only {
    fn name(&self) -> &'static str {
        "only"
    }
    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        self.has(Need::Socketpair)?.socketpair(kind)
    }
    fn socket(&self, kind: SockType) -> Result<Fd, Errno> {
        self.has(Need::Socket)?.socket(kind)
    }
    fn bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.has(Need::Bind)?.bind(s, name)
    }
    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.has(Need::Unlink)?.unlink(name)
    }
    fn listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        self.has(Need::Listen)?.listen(s, backlog)
    }
    fn connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.has(Need::Connect)?.connect(s, name)
    }
    fn accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        self.has(Need::Accept)?.accept(s)
    }
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        if !msg.rights.is_empty() {
            self.has(Need::Rights)?;
        }
        if msg.to.is_some() {
            self.has(Need::Sendto)?;
        }
        self.all.sendmsg(s, msg)
    }
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.all.recvmsg(s, msg)
    }
    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.all.send(s, data, flags)
    }
    fn recv(&self, s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.all.recv(s, data, flags)
    }
    fn sendto(&self, s: Fd, data: &[u8], to: &SockAddr, flags: MsgFlags) -> Result<usize, Errno> {
        self.has(Need::Sendto)?.sendto(s, data, to, flags)
    }
    fn shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        self.has(Need::Shutdown)?.shutdown(s, how)
    }
    fn close(&self, s: Fd) -> Result<(), Errno> {
        self.all.close(s)
    }
    fn dup(&self, _: Fd) -> Result<Fd, Errno> {
        Err(Errno::Eopnotsupp)
    }
    fn same_file(&self, a: Fd, b: Fd) -> Result<bool, Errno> {
        self.has(Need::SameFile)?.same_file(a, b)
    }
    fn getsockname(&self, _: Fd) -> Result<SockAddr, Errno> {
        Err(Errno::Eopnotsupp)
    }
    fn getpeername(&self, _: Fd) -> Result<SockAddr, Errno> {
        Err(Errno::Eopnotsupp)
    }
    fn setsockopt(&self, _: Fd, _: SockOpt, _: usize) -> Result<(), Errno> {
        Err(Errno::Eopnotsupp)
    }
    fn getsockopt(&self, _: Fd, _: SockOpt) -> Result<usize, Errno> {
        Err(Errno::Eopnotsupp)
    }
    fn set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        self.has(Need::Nonblocking)?.set_nonblocking(s, on)
    }
    fn collect(&self) {
        self.all.collect();
    }
    fn pools(&self) -> Vec<PoolUse> {
        self.all.pools()
    }
    fn check_end(&self) {
        self.all.check_end();
    }
    fn code(&self) -> Vec<usize> {
        self.all.code()
    }
}

fn plan(threads: usize, socket_type: SockType) -> Plan {
    let own = Own::from_iter([("rate_asked", 100_000.0), ("fan", 2.0)]);
    Plan { threads, socket_type, message_bytes: 64, verify: true, own, seed: 1 }
}

/// Runs the workload with what it needs, and looks what each lack of these is.
struct Needy;

impl workloads::Visitor for Needy {
    fn visit<K: Kind>(&mut self) {
        for kind in SockType::ALL {
            let needs = K::needs(kind);
            let mut ran = false;
            for threads in 1..=3 {
                let mut plan = plan(threads, kind);
                plan.threads = K::threads(&plan).unwrap_or(threads);
                if K::fits(&plan).is_ok() {
                    // Enough for what a workload does now and then alone.
                    testing::run::<K>(&only(needs), &Config::default(), &plan, 2000);
                    ran = true;
                }
            }
            if ran {
                assert_eq!(missing(&only(needs), needs, kind), [""; 0], "{}", K::NAME);
            }
            for lack in needs {
                let rest: Vec<Need> = needs.iter().copied().filter(|need| need != lack).collect();
                assert_eq!(missing(&only(&rest), needs, kind).len(), 1, "{} {lack:?}", K::NAME);
            }
        }
    }
}

#[test]
fn every_workload_runs_on_what_it_says_it_needs() {
    workloads::visit_all(&mut Needy);
    let none = missing(&only(&[]), &Need::ALL, SockType::Dgram);
    assert_eq!((none.len(), &*none[0]), (Need::ALL.len(), "socketpair for dgram"), "{none:?}");
}

#[test]
fn no_backend_of_the_registry_lacks_anything() {
    for backend in lockimpls::backends() {
        for kind in SockType::ALL {
            assert_eq!(missing(&backend, &Need::ALL, kind), [""; 0], "{}", backend.name);
        }
    }
}
