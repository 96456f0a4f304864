//! The model behind the interface of a layer, so that programs run on it as on any other.

use lockimpls::{
    Algorithm, Config, Domain, Errno, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr,
    SockOpt, SockType,
};

use super::{Fd, Model, State};
use std::sync::Mutex;

impl Model {
    /// Makes a call that may let go of sockets.
    fn then_settle<T>(&self, call: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = call(&mut state);
        state.settle();
        result
    }
}

impl Domain for Model {
    type Sock = Fd;

    const NAME: &'static str = "model";
    const ABOUT: &'static str = "the sequential model, which says what the answers must be";
    const MODELLED: bool = true;

    fn new(config: &Config) -> Result<Self, Errno> {
        if !config.ambient.is_empty() || config.lock != Algorithm::default() {
            return Err(Errno::Eopnotsupp);
        }
        Ok(Model { state: Mutex::new(State::new(config)) })
    }

    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        self.then_settle(|state| state.socketpair(kind))
    }

    fn socket(&self, kind: SockType) -> Result<Fd, Errno> {
        self.then_settle(|state| state.socket(kind))
    }

    fn bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.state().bind(s, name)
    }

    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.state().names.remove(name.path()).map(drop).ok_or(Errno::Enoent)
    }

    fn listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        self.state().listen(s, backlog)
    }

    fn connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.state().connect(s, name)
    }

    fn accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        self.state().accept(s)
    }

    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.then_settle(|state| state.send(s, msg))
    }

    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.then_settle(|state| state.receive(s, msg))
    }

    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.sendmsg(s, &SendMsg { to: None, data, rights: &[], flags })
    }

    fn shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        self.then_settle(|state| state.shutdown(s, how))
    }

    fn close(&self, s: Fd) -> Result<(), Errno> {
        self.then_settle(|state| state.close(s))
    }

    fn dup(&self, s: Fd) -> Result<Fd, Errno> {
        self.state().dup(s)
    }

    fn same_file(&self, a: Fd, b: Fd) -> Result<bool, Errno> {
        let state = self.state();
        Ok(state.getsock(a)? == state.getsock(b)?)
    }

    fn getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.state().getsockname(s)
    }

    fn getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.state().getpeername(s)
    }

    fn setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        self.state().setsockopt(s, option, value)
    }

    fn getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        self.state().getsockopt(s, option)
    }

    fn set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        let mut state = self.state();
        let id = state.getsock(s)?;
        state.sock(id).nonblock = on;
        Ok(())
    }

    fn collect(&self) {
        self.then_settle(|state| state.wants_gc = true);
    }

    fn pools(&self) -> Vec<PoolUse> {
        let state = self.state();
        [("fd", state.fds.len()), ("socket", state.socks.len())]
            .map(|(name, in_use)| PoolUse { name, in_use: in_use as u64, requests: 0, releases: 0 })
            .into()
    }
}
