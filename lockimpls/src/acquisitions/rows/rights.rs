//! Descriptors in messages.

use super::{ANY, BOTH, CONNECTED, DGRAM, HIGHER, ONE, Row, STREAM, relock_for_buffer, row};
use crate::acquisitions::world::NOW;
use crate::domain::{Domain, MsgFlags, RecvMsg, SendMsg, Shutdown, SockOpt};
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = pass();
    rows.extend(refused());
    rows.extend(while_it_copies());
    rows.extend(refused_to_a_name());
    rows.extend(take());
    rows
}

fn pass<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", CONNECTED, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "to a name", BOTH, |w| {
            let (so, peer) = w.so_and_bound("peer", "there");
            w.ask_pass_to(so, "there", &[so, peer]);
        }),
    ]
}

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", CONNECTED, "no room at the peer", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.shutdown(peer, Shutdown::Read).unwrap();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, peer) = w.pair();
            w.fill(so, b"x");
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", ANY, "the first is stale", ONE, |w| {
            let (so, _) = w.pair();
            let [good, stale] = [w.socket("other"), w.socket("stale")];
            w.layer.close(stale).unwrap();
            w.ask_pass(so, &[stale, good]);
        }),
        row("sendmsg, 2 descriptors", ANY, "too many in flight", ONE, |w| {
            w.with_files(10);
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", ANY, "MSG_OOB", ONE, |w| {
            let (so, peer) = w.pair();
            let flags = NOW | MsgFlags::OOB;
            w.ask(|layer| {
                let rights = &[so, peer];
                layer.sendmsg(so, &SendMsg { to: None, data: b"x", rights, flags })
            });
        }),
        row("sendmsg, 2 descriptors", CONNECTED, "not connected, no bytes", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| {
                let rights = &[so, so];
                layer.sendmsg(so, &SendMsg { to: None, data: b"", rights, flags: NOW })
            });
        }),
        row("sendmsg, 2 descriptors", CONNECTED, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.ask_pass(so, &[so, so]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.ask_pass(so, &[so, so]);
        }),
        relock_for_buffer(
            "sendmsg, 2 descriptors",
            CONNECTED,
            "the peer goes in the relock",
            HIGHER,
            |w| {
                let (so, peer) = w.pair();
                w.parts_in_the_relock(so);
                w.ask_pass(so, &[so, peer]);
            },
        ),
        row("sendmsg, 128 descriptors", ANY, "too many for a message", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.setsockopt(so, SockOpt::SndBuf, 10_000).unwrap();
            w.ask_pass(so, &[so; 128]);
        }),
        row("sendmsg, 128 descriptors", ANY, "no room for them", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.setsockopt(so, SockOpt::SndBuf, 1000).unwrap();
            w.ask_pass(so, &[so; 128]);
        }),
        row("sendmsg, 600 descriptors", ANY, "more than a cluster", ONE, |w| {
            let (so, _) = w.pair();
            w.ask_pass(so, &[so; 600]);
        }),
    ]
}

fn while_it_copies<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", CONNECTED, "shut down while it copies", BOTH, |w| {
            let (so, _) = w.pair();
            w.shut_down_while_it_copies(so);
            w.ask_pass(so, &[so, so]);
        }),
        row("sendmsg, 2 descriptors", CONNECTED, "the peer closes while it copies", BOTH, |w| {
            let (so, peer) = w.pair();
            w.closes_while_it_copies(peer);
            w.ask_pass(so, &[so, so]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "the peer closes while it copies", BOTH, |w| {
            let (so, peer) = w.pair();
            w.closes_while_it_copies(peer);
            w.ask_pass(so, &[so, so]);
        }),
    ]
}

fn refused_to_a_name<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", DGRAM, "to a name, connected", ONE, |w| {
            let (so, peer) = w.pair();
            w.ask_pass_to(so, "there", &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "to no such name", ONE, |w| {
            let so = w.socket("so");
            w.ask_pass_to(so, "there", &[so, so]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "to a name without a socket", ONE, |w| {
            let (so, other) = w.so_and_bound("other", "there");
            w.layer.close(other).unwrap();
            w.ask_pass_to(so, "there", &[so, so]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "to another type", ONE, |w| {
            w.another_type_bound("there");
            let so = w.socket("so");
            w.ask_pass_to(so, "there", &[so, so]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "to a name, no room there", BOTH, |w| {
            let (so, peer) = w.so_and_bound("peer", "there");
            w.layer.shutdown(peer, Shutdown::Read).unwrap();
            w.ask_pass_to(so, "there", &[so, peer]);
        }),
    ]
}

fn take<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("recvmsg, 2 descriptors", CONNECTED, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", DGRAM, "done", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "no control buffer", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 0);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "room for one", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 1);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "no descriptors left", BOTH, |w| {
            w.with_files(20);
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            while w.layer.dup(so).is_ok() {}
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", DGRAM, "no control buffer", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 0);
        }),
        row("recvmsg, 2 descriptors", DGRAM, "room for one", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 1);
        }),
        row("recvmsg, 2 descriptors", DGRAM, "no descriptors left", ONE, |w| {
            w.with_files(20);
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            while w.layer.dup(so).is_ok() {}
            w.ask_take(so, 2);
        }),
        row("receive", STREAM, "what a control message left, no bytes", BOTH, |w| {
            let (so, peer) = w.pair();
            let message = SendMsg { to: None, data: b"", rights: &[peer], flags: NOW };
            w.layer.sendmsg(peer, &message).unwrap();
            let mut rights = [None];
            let mut no_room = RecvMsg::with_rights(&mut [], &mut rights, NOW);
            w.layer.recvmsg(so, &mut no_room).unwrap();
            w.receive(so, MsgFlags::empty());
        }),
        row("recvmsg, 2 descriptors", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", ANY, "MSG_PEEK", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask(|layer| {
                let (mut data, mut rights) = ([0; 8], [None; 2]);
                let flags = NOW | MsgFlags::PEEK;
                layer.recvmsg(so, &mut RecvMsg::with_rights(&mut data, &mut rights, flags))
            });
        }),
    ]
}
