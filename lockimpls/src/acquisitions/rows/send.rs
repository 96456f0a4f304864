//! send without descriptors.

use super::{
    ANY, ATOMIC, BOTH, CONNECTED, DGRAM, HIGHER, Meanwhile, ONE, Relock, Row, STREAM, copying,
    relock_for_buffer, row,
};
use crate::acquisitions::world::{NOW, World, name};
use crate::domain::{Domain, MsgFlags, Shutdown};
use crate::errno::Errno;
use crate::fault::Window;
use crate::objects::socket::{Side, State};
use crate::policy::Policy;
use crate::uipc::Locked;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = done();
    rows.extend(refused());
    rows.extend(while_it_copies());
    rows.extend(relocked());
    rows.extend(addressed());
    rows.extend(not_found());
    rows
}

fn done<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("send", CONNECTED, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.layer.connect(so, &name("here")).unwrap();
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "no bytes", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, b"");
        }),
        row("send", STREAM, "a part, then no room, MSG_DONTWAIT", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, &[b'x'; 10_000]);
        }),
    ]
}

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("send", STREAM, "MSG_EOR", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.send(so, b"x", NOW | MsgFlags::EOR));
        }),
        row("send", ANY, "shut down", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.shutdown(so, Shutdown::Write).unwrap();
            w.send(so, b"x");
        }),
        row("send", ANY, "so_error", ONE, |w| {
            let (so, _) = w.pair();
            w.set(so, |parts| parts.st.so_error.set(Some(Errno::Econnreset)));
            w.send(so, b"x");
        }),
        row("send", ANY, "MSG_OOB", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.send(so, b"x", NOW | MsgFlags::OOB));
        }),
        Row {
            relock: Relock::ForSender,
            ..row("send", ANY, "another one sends, MSG_DONTWAIT", ONE, |w| {
                let (so, _) = w.pair();
                w.another_one_has(so, Side::Snd);
                w.send(so, b"x");
            })
        },
        row("send", ANY, "its descriptor is closed before it locks", ONE, |w| {
            let (so, _) = w.pair();
            w.meanwhile(Window::Lookup, move |layer| layer.close(so).unwrap());
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.send(so, b"x");
        }),
        row("send", DGRAM, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.send(so, b"x");
        }),
        row("send", ATOMIC, "too long", ONE, |w| {
            let (so, _) = w.pair();
            w.send(so, &[b'x'; 10_000]);
        }),
        row("send", CONNECTED, "no room, MSG_DONTWAIT", ONE, |w| {
            let (so, _) = w.pair();
            w.fill(so, &[b'x'; 64]);
            w.send(so, &[b'x'; 64]);
        }),
        row("send", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, _) = w.pair();
            w.fill(so, b"x");
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "no peer any more", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "no peer any more, ECONNRESET told", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.send(so, b"x");
        }),
        row("send", ANY, "a stale descriptor", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.close(so).unwrap();
            w.send(so, b"x");
        }),
    ]
}

/// What another thread does while the bytes are copied and nothing is locked.
fn while_it_copies<P: Policy>() -> Vec<Row<P>> {
    vec![
        copying("send", CONNECTED, "shut down while it copies", BOTH, |w| {
            let (so, _) = w.pair();
            w.shut_down_while_it_copies(so);
            w.send(so, b"x");
        }),
        copying("send", DGRAM, "shut down while it copies", BOTH, |w| {
            let (so, _) = w.pair();
            w.shut_down_while_it_copies(so);
            w.send(so, b"x");
        }),
        copying("send", CONNECTED, "the peer closes while it copies", BOTH, |w| {
            let (so, peer) = w.pair();
            w.closes_while_it_copies(peer);
            w.send(so, b"x");
        }),
        copying("send", DGRAM, "the peer closes while it copies", BOTH, |w| {
            let (so, peer) = w.pair();
            w.closes_while_it_copies(peer);
            w.send(so, b"x");
        }),
        copying("send", CONNECTED, "its last descriptor is closed meanwhile", BOTH, |w| {
            let (so, _) = w.pair();
            w.closes_while_it_copies(so);
            w.send(so, b"x");
        }),
        copying("send", DGRAM, "its last descriptor is closed meanwhile", BOTH, |w| {
            let (so, _) = w.pair();
            w.closes_while_it_copies(so);
            w.send(so, b"x");
        }),
        copying("sendto", DGRAM, "connected while it copies", ONE, |w| {
            let so = w.socket("so");
            w.bound("peer", "there");
            let there = name("there");
            w.meanwhile(Window::CopiedIn, move |layer| layer.connect(so, &there).unwrap());
            w.send_to(so, "there");
        }),
    ]
}

/// A datagram's send, in whose relock the socket is connected elsewhere.
fn connected_elsewhere<P: Policy>(exit: &'static str, run: fn(&mut World<P>)) -> Row<P> {
    let row = relock_for_buffer("send", DGRAM, exit, HIGHER, run);
    Row { meanwhile: Meanwhile::Connects, ..row }
}

fn relocked<P: Policy>() -> Vec<Row<P>> {
    vec![
        relock_for_buffer("send", CONNECTED, "the peer goes in the relock", HIGHER, |w| {
            let (so, _) = w.pair();
            w.parts_in_the_relock(so);
            w.send(so, b"x");
        }),
        relock_for_buffer("send", DGRAM, "the peer goes in the relock", HIGHER, |w| {
            let (so, _) = w.pair();
            w.parts_in_the_relock(so);
            w.send(so, b"x");
        }),
        connected_elsewhere("connected to a higher one in the relock", |w| {
            let (so, _) = w.pair();
            w.bound("new", "elsewhere");
            let there = name("elsewhere");
            w.meanwhile(Window::Relock, move |layer| layer.connect(so, &there).unwrap());
            w.send(so, b"x");
        }),
        connected_elsewhere("connected to a lower one in the relock", |w| {
            w.bound("new", "elsewhere");
            let (so, _) = w.pair();
            let there = name("elsewhere");
            w.meanwhile(Window::Relock, move |layer| layer.connect(so, &there).unwrap());
            w.send(so, b"x");
        }),
        Row {
            meanwhile: Meanwhile::Nothing,
            ..relock_for_buffer("send", CONNECTED, "shut down in the relock", HIGHER, |w| {
                let (so, _) = w.pair();
                let shut = move |layer: &Locked<P>| layer.shutdown(so, Shutdown::Write).unwrap();
                w.meanwhile(Window::Relock, shut);
                w.send(so, b"x");
            })
        },
        relock_for_buffer("sendto", DGRAM, "the peer goes in the relock", HIGHER, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.parts_in_the_relock(so);
            w.send_to(so, "there");
        }),
    ]
}

fn addressed<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendto", DGRAM, "done", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.send_to(so, "here");
        }),
        row("sendto", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            let other = w.layer.socket(w.kind).unwrap();
            w.layer.connect(other, &name("there")).unwrap();
            w.fill(other, b"x");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "connected", ONE, |w| {
            let (so, _) = w.pair();
            w.send_to(so, "there");
        }),
        row("sendto", CONNECTED, "the name is not looked at", BOTH, |w| {
            let (so, _) = w.pair();
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "another binds it", ONE, |w| {
            let so = w.socket("so");
            w.set(so, |parts| parts.st.set(State::BINDING));
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "the peer closes before the send", BOTH, |w| {
            let (so, peer) = w.so_and_bound("peer", "there");
            w.meanwhile(Window::Connected, move |layer| layer.close(peer).unwrap());
            w.send_to(so, "there");
        }),
    ]
}

fn not_found<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendto", DGRAM, "no such name", ONE, |w| {
            let so = w.socket("so");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "no socket at the name", ONE, |w| {
            let (so, other) = w.so_and_bound("other", "there");
            w.layer.close(other).unwrap();
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "another type", ONE, |w| {
            w.another_type_bound("there");
            let so = w.socket("so");
            w.send_to(so, "there");
        }),
    ]
}
