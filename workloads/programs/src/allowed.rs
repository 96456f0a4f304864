//! What the machine's sockets are compared in, and which differences from the model are known:
//! one list each, every row with its reason. A difference in no row is a finding.
//!
//! The rows say how Linux differs from the OpenBSD that the model follows; on another system there
//! are other differences.

use std::collections::BTreeMap;

use lockimpls::{Errno, MsgFlags, Shutdown, SockOpt, SockType};

use crate::runner::{Answer, Outcome};
use crate::{Call, Program, Recv, Send, Size, Var};

/// What a known difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What follows can be compared still.
    Same,
    /// From here on the two layers are in different states.
    Diverges,
}

/// A call after which nothing can be compared.
struct End {
    reason: &'static str,
    is: fn(&Call, Option<SockType>) -> bool,
}

/// A known difference between two answers to one call.
struct Row {
    reason: &'static str,
    verdict: Verdict,
    is: fn(&Call, &Answer, &Answer) -> bool,
}

/// The longest message that both sides take whole and without a thought.
const BYTES: usize = 1000;

/// Why nothing is compared from an accept on, where something was shut down before, perhaps the
/// listener.
const ACCEPT_AFTER_SHUTDOWN: &str = "a connection is not shut down with its listener";

const ENDS: &[End] = &[
    End {
        reason: "SHUT_RD keeps what is queued, and makes the peer's sends fail",
        is: |call, _| matches!(call, Call::Shutdown(_, Shutdown::Read | Shutdown::Both)),
    },
    End {
        reason: "buffers have other sizes, counted otherwise",
        is: |call, _| matches!(call, Call::Setsockopt(..)),
    },
    End {
        reason: "capacity differs",
        is: |call, _| matches!(call, Call::Send(send) if send.data.len() > BYTES),
    },
    End {
        reason: "a record of no bytes is received like others",
        is: |call, kind| {
            let is_record = !matches!(kind, Some(SockType::Stream | SockType::Dgram));
            is_record && matches!(call, Call::Send(send) if send.data.is_empty())
        },
    },
    End {
        reason: "out-of-band data is supported on streams, MSG_EOR ignored",
        is: |call, _| {
            let unlike = MsgFlags::OOB | MsgFlags::EOR;
            matches!(call, Call::Send(Send { flags, .. }) | Call::Recv(Recv { flags, .. })
                if flags.intersects(unlike))
        },
    },
    End {
        reason: "MSG_PEEK copies descriptors",
        is: |call, _| {
            matches!(call, Call::Recv(Recv { rights: Some(_), flags, .. })
                if flags.contains(MsgFlags::PEEK))
        },
    },
    End {
        reason: "a receive without room answers in another order",
        is: |call, _| matches!(call, Call::Recv(Recv { room: 0, .. })),
    },
    End {
        reason: "descriptors need a byte on a stream",
        is: |call, _| {
            matches!(call, Call::Send(Send { rights: Some(rights), data, .. })
                if !rights.is_empty() && data.is_empty())
        },
    },
    End {
        reason: "a datagram socket is reconnected otherwise, and its queue purged",
        is: |call, kind| {
            matches!(call, Call::Connect(..))
                && !matches!(kind, Some(SockType::Stream | SockType::Seqpacket))
        },
    },
];

const ROWS: &[Row] = &[
    Row {
        reason: "sizes are the machine's own",
        verdict: Verdict::Same,
        is: |call, _, _| matches!(call, Call::Getsockopt(_, option) if *option != SockOpt::Error),
    },
    Row {
        reason: "the model's tables and buffers are smaller",
        verdict: Verdict::Diverges,
        is: |call, _, model| {
            fails(model, &[Errno::Emfile, Errno::Enobufs])
                || matches!(call, Call::Send(_))
                    && fails(model, &[Errno::Ewouldblock, Errno::Emsgsize])
        },
    },
    Row {
        reason: "a cut send: the model's buffers are smaller",
        verdict: Verdict::Diverges,
        is: |call, _, model| {
            matches!((call, model.outcome), (Call::Send(send), Outcome::Done(sent))
                if sent < send.data.len())
        },
    },
    Row {
        reason: "descriptors without room: Linux cuts them off, OpenBSD refuses the message",
        verdict: Verdict::Diverges,
        is: |call, _, model| {
            matches!(call, Call::Recv(_))
                && (fails(model, &[Errno::Emsgsize]) || model.flags.contains(MsgFlags::CTRUNC))
        },
    },
    Row {
        reason: "an unconnected datagram socket: ENOTCONN for EDESTADDRREQ",
        verdict: Verdict::Same,
        is: |call, host, model| {
            matches!(call, Call::Send(_))
                && fails(host, &[Errno::Enotconn])
                && fails(model, &[Errno::Edestaddrreq])
        },
    },
    Row {
        reason: "a datagram's closed destination: ECONNREFUSED or nothing for ECONNRESET",
        verdict: Verdict::Diverges,
        is: |call, _, model| match call {
            Call::Getsockopt(_, SockOpt::Error) => true,
            _ => fails(model, &[Errno::Econnreset, Errno::Edestaddrreq]),
        },
    },
    Row {
        reason: "a peer closed with data unread: ECONNRESET once",
        verdict: Verdict::Diverges,
        is: |_, host, _| fails(host, &[Errno::Econnreset]),
    },
    Row {
        reason: "a datagram socket connected to a third party refuses others (EPERM)",
        verdict: Verdict::Diverges,
        is: |_, host, _| fails(host, &[Errno::Eperm]),
    },
    Row {
        reason: "an address on a connected socket: used, ignored or refused otherwise",
        verdict: Verdict::Diverges,
        is: |call, _, _| matches!(call, Call::Send(Send { to: Some(_), .. })),
    },
    Row {
        reason: "calls on a socket of the wrong sort: another error",
        verdict: Verdict::Same,
        is: |call, host, model| {
            let (host, model) = (host.outcome, model.outcome);
            let pair = |a, b| host == Outcome::Failed(a) && model == Outcome::Failed(b);
            match call {
                Call::Connect(..) => pair(Errno::Einval, Errno::Eopnotsupp),
                Call::Accept { .. } => pair(Errno::Eopnotsupp, Errno::Einval),
                Call::Recv(_) => pair(Errno::Einval, Errno::Enotconn),
                Call::Listen(..) => pair(Errno::Eopnotsupp, Errno::Einval),
                _ => false,
            }
        },
    },
    Row {
        reason: "the name is looked up before the socket is looked at",
        verdict: Verdict::Same,
        is: |call, host, model| {
            matches!(call, Call::Connect(..))
                && fails(host, &[Errno::Enoent, Errno::Econnrefused, Errno::Eprototype])
                && fails(model, &[Errno::Eisconn, Errno::Eopnotsupp])
        },
    },
    Row {
        reason: "the name is made before the socket is looked at",
        verdict: Verdict::Same,
        is: |call, host, model| {
            matches!(call, Call::Bind(..))
                && fails(host, &[Errno::Eaddrinuse])
                && fails(model, &[Errno::Einval])
        },
    },
    Row {
        reason: "an unconnected socket after SHUT_WR: the connection is looked at first",
        verdict: Verdict::Same,
        is: |call, host, model| {
            matches!(call, Call::Send(_))
                && fails(host, &[Errno::Enotconn])
                && fails(model, &[Errno::Epipe])
        },
    },
    Row {
        reason: "a queue of the backlog's length, not of three times 80",
        verdict: Verdict::Diverges,
        is: |call, host, _| matches!(call, Call::Connect(..)) && fails(host, &[Errno::Ewouldblock]),
    },
    Row {
        reason: "the descriptors to pass are looked at before the connection",
        verdict: Verdict::Same,
        is: |call, host, model| {
            matches!(call, Call::Send(Send { rights: Some(_), .. }))
                && fails(host, &[Errno::Ebadf])
                && fails(model, &[Errno::Epipe, Errno::Enotconn, Errno::Edestaddrreq])
        },
    },
    Row {
        reason: "a datagram socket cannot listen",
        verdict: Verdict::Diverges,
        is: |call, host, _| matches!(call, Call::Listen(..)) && fails(host, &[Errno::Eopnotsupp]),
    },
    Row {
        reason: "a stream stays a client of a closed peer, and a listener's names stay",
        verdict: Verdict::Diverges,
        is: |call, host, _| {
            matches!(call, Call::Connect(..)) && fails(host, &[Errno::Eisconn, Errno::Einval])
                || matches!(call, Call::Bind(..)) && fails(host, &[Errno::Einval])
                || matches!(call, Call::Listen(..)) && fails(host, &[Errno::Einval])
        },
    },
    Row {
        reason: "the name of a closed peer is known still",
        verdict: Verdict::Same,
        is: |call, _, _| matches!(call, Call::Getpeername(_) | Call::Accept { .. }),
    },
    Row {
        reason: "the peer of a connection is named as the sender",
        verdict: Verdict::Same,
        is: |call, host, model| {
            let unnamed = Answer { name: model.name, ..host.clone() };
            matches!(call, Call::Recv(_)) && unnamed == *model
        },
    },
];

fn fails(answer: &Answer, errnos: &[Errno]) -> bool {
    errnos.iter().any(|errno| answer.outcome == Outcome::Failed(*errno))
}

/// The beginning of a program that can be compared with the machine's sockets: nothing where the
/// layer has other tables.
#[must_use]
pub fn comparable(program: &Program) -> Program {
    if program.sizes.iter().any(|(size, _)| *size != Size::ReopenAfterCalls) {
        return Program::default();
    }
    let kinds = kinds(program);
    let mut has_shut = false;
    let mut ends = |call: &&Call| {
        let kind = call.needs()[0].and_then(|var| kinds.get(&var)).copied();
        has_shut |= matches!(call, Call::Shutdown(..));
        let is_accept = matches!(call, Call::Accept { .. });
        (has_shut && is_accept) || ENDS.iter().any(|end| (end.is)(call, kind))
    };
    let first = program.first.iter().take_while(|call| !ends(call)).cloned().collect();
    Program { first, ..Program::default() }
}

/// The type of each socket, where the text shows it.
fn kinds(program: &Program) -> BTreeMap<Var, SockType> {
    let mut kinds = BTreeMap::new();
    for call in &program.first {
        let kind = match call {
            Call::Socketpair { kind, .. } | Call::Socket { kind, .. } => Some(*kind),
            Call::Dup(_, s) | Call::Accept { s, .. } => kinds.get(s).copied(),
            _ => None,
        };
        kinds.extend(call.outs().iter().copied().zip(std::iter::repeat(kind)).filter_map(known));
    }
    kinds
}

fn known((var, kind): (Var, Option<SockType>)) -> Option<(Var, SockType)> {
    kind.map(|kind| (var, kind))
}

/// What the difference between two answers to the call at `index` means; `None`: nothing is known
/// of it.
#[must_use]
pub fn verdict(program: &Program, index: usize, host: &Answer, model: &Answer) -> Option<Verdict> {
    let call = &program.first[index];
    let row = ROWS.iter().find(|row| (row.is)(call, host, model));
    let verdict = row.map(|row| row.verdict);
    verdict.or_else(|| history(&program.first[..index], call).map(|_| Verdict::Diverges))
}

/// Why, after these calls, the answer to another one may differ.
fn history(before: &[Call], call: &Call) -> Option<&'static str> {
    let passed = before.iter().position(Call::passes_descriptors)?;
    let has_closed = before[passed..].iter().any(|call| matches!(call, Call::Close(_)));
    match call {
        Call::Recv(_) => Some("a read ends behind a message with descriptors, not before it"),
        _ if has_closed => Some("the collector runs at other times"),
        _ => None,
    }
}

/// Every reason there is, for the documentation and its test.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    let ends = ENDS.iter().map(|end| end.reason).chain([ACCEPT_AFTER_SHUTDOWN]);
    ends.chain(ROWS.iter().map(|row| row.reason))
}
