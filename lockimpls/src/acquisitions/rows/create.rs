//! socket, socketpair, dup, bind, listen, names, options.

use super::{ANY, BOTH, CONNECTED, DGRAM, HIGHER, ONE, Row, relock_for_name, row};
use crate::acquisitions::world::{World, name};
use crate::domain::{Domain, SockAddr, SockOpt, SockType};
use crate::objects::socket::State;
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = sockets();
    rows.extend(pairs(CONNECTED));
    rows.extend(pairs(DGRAM));
    rows.extend(no_pair());
    rows.extend(dup());
    rows.extend(names());
    rows.extend(peers());
    rows.extend(options());
    rows
}

fn sockets<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("socket", ANY, "done", ONE, |w| ask_socket(w)),
        row("socket", ANY, "no descriptor", ONE, |w| {
            w.with_files(1);
            w.socket("other");
            ask_socket(w);
        }),
        row("socket", ANY, "no file", ONE, |w| {
            w.with_no_file();
            ask_socket(w);
        }),
        row("socket", ANY, "no memory", ONE, |w| {
            w.with_sockets(1);
            w.socket("other");
            ask_socket(w);
        }),
    ]
}

fn ask_socket<P: Policy>(w: &mut World<P>) {
    let kind = w.kind;
    w.made = vec!["so"];
    w.ask(|layer| layer.socket(kind));
}

fn pairs<P: Policy>(kinds: &'static [SockType]) -> Vec<Row<P>> {
    vec![
        row("socketpair", kinds, "done", BOTH, |w| ask_pair(w)),
        row("socketpair", kinds, "a descriptor for one", BOTH, |w| {
            w.with_files(1);
            ask_pair(w);
        }),
        row("socketpair", kinds, "no descriptor", BOTH, |w| {
            w.with_files(1);
            w.socket("other");
            ask_pair(w);
        }),
        row("socketpair", kinds, "no file", BOTH, |w| {
            w.with_no_file();
            ask_pair(w);
        }),
    ]
}

fn no_pair<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("socketpair", ANY, "no memory", ONE, |w| {
            w.with_sockets(1);
            w.socket("other");
            let kind = w.kind;
            w.ask(|layer| layer.socketpair(kind));
        }),
        row("socketpair", ANY, "memory for one", ONE, |w| {
            w.with_sockets(1);
            w.made = vec!["so"];
            let kind = w.kind;
            w.ask(|layer| layer.socketpair(kind));
        }),
    ]
}

fn ask_pair<P: Policy>(w: &mut World<P>) {
    let kind = w.kind;
    w.two_are_made();
    w.ask(|layer| layer.socketpair(kind));
}

fn dup<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("dup", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.dup(so));
        }),
        row("dup", ANY, "a stale descriptor", ONE, |w| {
            let so = w.socket("so");
            w.layer.close(so).unwrap();
            w.ask(|layer| layer.dup(so));
        }),
        row("dup", ANY, "no descriptor", ONE, |w| {
            w.with_files(1);
            let so = w.socket("so");
            w.ask(|layer| layer.dup(so));
        }),
    ]
}

fn names<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("bind", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("bind", ANY, "bound already", ONE, |w| {
            let so = w.bound("so", "here");
            w.ask(|layer| layer.bind(so, &name("there")));
        }),
        row("bind", ANY, "another binds or connects it", ONE, |w| {
            let so = w.socket("so");
            w.set(so, |parts| parts.st.set(State::BINDING));
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("bind", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("bind", ANY, "no name given", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &SockAddr::UNNAMED));
        }),
        row("bind", ANY, "the name is taken", ONE, |w| {
            w.bound("other", "here");
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("bind", ANY, "no room for a name", ONE, |w| {
            w.with_sockets(1);
            let other = w.bound("other", "there");
            w.layer.close(other).unwrap();
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("listen", ANY, "done", ONE, |w| {
            let so = w.bound("so", "here");
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", ANY, "not bound", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", ANY, "connected", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", ANY, "another connects it", ONE, |w| {
            let so = w.bound("so", "here");
            w.set(so, |parts| parts.st.set(State::CONNECTING));
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.listen(so, 1));
        }),
    ]
}

fn peers<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("getsockname", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getsockname(so));
        }),
        row("getsockname", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.getsockname(so));
        }),
        row("getpeername", ANY, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.getpeername(so));
        }),
        relock_for_name("getpeername", ANY, "the peer goes in the relock", HIGHER, |w| {
            let (so, _) = w.pair();
            w.parts_in_the_relock(so);
            w.ask(|layer| layer.getpeername(so));
        }),
        row("getpeername", ANY, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getpeername(so));
        }),
        row("getpeername", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.getpeername(so));
        }),
    ]
}

fn options<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("setsockopt", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.setsockopt(so, SockOpt::SndBuf, 1000));
        }),
        row("setsockopt", ANY, "refused", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.setsockopt(so, SockOpt::Error, 1));
        }),
        row("setsockopt", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.setsockopt(so, SockOpt::SndBuf, 1000));
        }),
        row("getsockopt", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.getsockopt(so, SockOpt::SndBuf));
        }),
        row("getsockopt", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getsockopt(so, SockOpt::SndBuf));
        }),
        row("getsockopt", ANY, "SO_ERROR", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getsockopt(so, SockOpt::Error));
        }),
        row("O_NONBLOCK", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.set_nonblocking(so, true));
        }),
        row("O_NONBLOCK", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.set_nonblocking(so, true));
        }),
    ]
}
