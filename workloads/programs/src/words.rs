//! The words of the text form: one table for printing and for reading.

use crate::Size;
use lockimpls::{MsgFlags, Shutdown, SockOpt, SockType};

/// The types.
pub(crate) const KINDS: [(&str, SockType); 3] =
    [("stream", SockType::Stream), ("dgram", SockType::Dgram), ("seqpacket", SockType::Seqpacket)];

/// What shutdown ends.
pub(crate) const HOWS: [(&str, Shutdown); 3] =
    [("rd", Shutdown::Read), ("wr", Shutdown::Write), ("rdwr", Shutdown::Both)];

/// The options.
pub(crate) const OPTIONS: [(&str, SockOpt); 5] = [
    ("sndbuf", SockOpt::SndBuf),
    ("rcvbuf", SockOpt::RcvBuf),
    ("sndlowat", SockOpt::SndLowat),
    ("rcvlowat", SockOpt::RcvLowat),
    ("error", SockOpt::Error),
];

/// How often a list has one descriptor at once, at most: more than any layer passes.
pub(crate) const TIMES_MAX: usize = 300;

/// The flags of a send or a receive.
pub(crate) const FLAGS: [(&str, MsgFlags); 4] = [
    ("dontwait", MsgFlags::DONTWAIT),
    ("peek", MsgFlags::PEEK),
    ("eor", MsgFlags::EOR),
    ("oob", MsgFlags::OOB),
];

/// The sizes of a layer that a program may ask for, under the names of `Config`.
pub(crate) const SIZES: [(&str, Size); 5] = [
    ("sominconn", Size::Sominconn),
    ("somaxconn", Size::Somaxconn),
    ("maxfiles", Size::Maxfiles),
    ("sockets_max", Size::SocketsMax),
    ("reopen_after_calls", Size::ReopenAfterCalls),
];

/// On and off.
pub(crate) const SWITCH: [(&str, bool); 2] = [("on", true), ("off", false)];

/// The calls, for messages.
pub(crate) const CALLS: &str = "socketpair, socket, bind, unlink, listen, connect, accept, send, \
     sendto, sendmsg, recv, recvmsg, shutdown, close, dup, same_file, getsockname, getpeername, \
     setsockopt, getsockopt, nonblocking";

/// The word for a value.
pub(crate) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("?", |(word, _)| word)
}

/// The value of a word.
pub(crate) fn value<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

/// The words of a table, for messages.
pub(crate) fn all<T>(table: &[(&'static str, T)]) -> String {
    table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}
