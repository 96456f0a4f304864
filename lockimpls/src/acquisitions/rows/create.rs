//! socket, socketpair, dup, bind, listen, names, options.

use super::{ANY, BOTH, CONNECTED, DGRAM, ONE, Row, row};
use crate::acquisitions::world::name;
use crate::domain::{Domain, SockAddr, SockOpt};
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = descriptors();
    rows.extend(names());
    rows.extend(options());
    rows
}

fn descriptors<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("socket", ANY, "done", ONE, |w| {
            w.made = vec!["so"];
            let kind = w.kind;
            w.ask(|layer| layer.socket(kind));
        }),
        row("socket", ANY, "no descriptor", ONE, |w| {
            w.with_files(1);
            w.socket("other");
            w.made = vec!["so"];
            let kind = w.kind;
            w.ask(|layer| layer.socket(kind));
        }),
        row("socketpair", CONNECTED, "done", ONE, |w| {
            w.made = vec!["so", "so2"];
            let kind = w.kind;
            w.ask(|layer| layer.socketpair(kind));
        }),
        row("socketpair", DGRAM, "done", ONE, |w| {
            w.made = vec!["so", "so2"];
            let kind = w.kind;
            w.ask(|layer| layer.socketpair(kind));
        }),
        row("socketpair", CONNECTED, "no descriptor", ONE, |w| {
            w.with_files(1);
            w.made = vec!["so", "so2"];
            let kind = w.kind;
            w.ask(|layer| layer.socketpair(kind));
        }),
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
        row("bind", ANY, "no name given", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &SockAddr::UNNAMED));
        }),
        row("bind", ANY, "the name is taken", ONE, |w| {
            w.bound("other", "here");
            let so = w.socket("so");
            w.ask(|layer| layer.bind(so, &name("here")));
        }),
        row("listen", CONNECTED, "done", ONE, |w| {
            let so = w.bound("so", "here");
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", ANY, "not bound", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("listen", CONNECTED, "connected", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.listen(so, 1));
        }),
        row("getsockname", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getsockname(so));
        }),
        row("getpeername", ANY, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.getpeername(so));
        }),
        row("getpeername", ANY, "not connected", ONE, |w| {
            let so = w.socket("so");
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
        row("getsockopt", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.getsockopt(so, SockOpt::SndBuf));
        }),
        row("O_NONBLOCK", ANY, "done", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.set_nonblocking(so, true));
        }),
    ]
}
