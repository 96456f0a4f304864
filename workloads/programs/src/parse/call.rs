//! Reading one call, and the values in it.

use crate::words::{CALLS, FLAGS, HOWS, KINDS, OPTIONS, SWITCH, TIMES_MAX, all, value};
use crate::{Call, Data, Name, Recv, Send, Var};
use lockimpls::{MsgFlags, SockAddr, SockType};
use workloads::number::{self, whole};

/// The longest message and the largest room that a program may ask for, in bytes.
const BYTES_MAX: usize = 1 << 20;
/// How many variables there may be, and so how high their numbers go.
const VARS_MAX: u16 = 1000;

pub(crate) fn variables(text: &str) -> Result<Vec<Var>, String> {
    text.split(',').map(|name| variable(name.trim())).collect()
}

fn variable(text: &str) -> Result<Var, String> {
    let digits = text.strip_prefix('r').filter(|digits| *digits == "0" || !digits.starts_with('0'));
    digits
        .and_then(number::whole::<u16>)
        .filter(|number| *number < VARS_MAX)
        .map(Var)
        .ok_or_else(|| format!("{text:?} is no variable; variables are r0 to r{}", VARS_MAX - 1))
}

/// The arguments of a call, taken from the front.
struct Arguments<'a> {
    call: &'a str,
    /// What the word `type` stands for, in a case.
    kind: Option<SockType>,
    rest: std::vec::IntoIter<&'a str>,
}

impl<'a> Arguments<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.rest.next().ok_or_else(|| format!("{}: {what} is missing", self.call))
    }

    fn var(&mut self) -> Result<Var, String> {
        variable(self.next("the socket")?)
    }

    fn word<T: Copy>(&mut self, what: &str, table: &[(&'static str, T)]) -> Result<T, String> {
        let word = self.next(what)?;
        value(table, word)
            .ok_or_else(|| format!("{}: {what} is one of: {}; not {word}", self.call, all(table)))
    }

    fn kind(&mut self) -> Result<SockType, String> {
        match self.kind {
            Some(kind) if self.rest.as_slice().first() == Some(&"type") => {
                self.rest.next();
                Ok(kind)
            }
            _ => self.word("the type", &KINDS),
        }
    }

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, String> {
        let text = self.next(what)?;
        number::signed(text).ok_or_else(|| format!("{}: {what} is a number, not {text}", self.call))
    }

    fn bytes(&mut self, what: &str) -> Result<usize, String> {
        within(self.number(what)?)
    }

    fn name(&mut self) -> Result<Name, String> {
        name(self.next("the name, in quotes,")?)
    }

    /// Whether the last argument is there and says `nonblock`.
    fn nonblock(&mut self) -> Result<bool, String> {
        match self.rest.next() {
            None => Ok(false),
            Some("nonblock") => Ok(true),
            Some(other) => {
                Err(format!("{}: only `nonblock` may stand there, not {other}", self.call))
            }
        }
    }
}

fn within(bytes: usize) -> Result<usize, String> {
    if bytes > BYTES_MAX {
        return Err(format!("{bytes} bytes are too many; at most {BYTES_MAX}"));
    }
    Ok(bytes)
}

pub(crate) fn quoted(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != '"' && c != '\\';
    inside.chars().all(plain).then_some(inside)
}

fn name(text: &str) -> Result<Name, String> {
    let valid = quoted(text).filter(|path| SockAddr::new(path).is_ok());
    valid.map(str::to_owned).ok_or_else(|| {
        format!(
            "{text} is no name; names are 1 to {} printable characters in quotes, such as \"a\"",
            SockAddr::MAX
        )
    })
}

pub(crate) fn data(text: &str) -> Result<Data, String> {
    if let Some(text) = quoted(text) {
        return Ok(Data::Text(text.to_owned()));
    }
    let count = text.strip_prefix("bytes(").and_then(|rest| rest.strip_suffix(')'));
    let parts = count.and_then(|inside| inside.split_once(','));
    let numbers = parts.and_then(|(len, first)| Some((whole(len.trim())?, whole(first.trim())?)));
    let (len, first) = numbers.ok_or_else(|| {
        format!(
            "{text} is no data; data is \"text\" or bytes(LENGTH, FIRST), such as bytes(2000, 7)"
        )
    })?;
    Ok(Data::Count { len: within(len)?, first })
}

/// The arguments between the parentheses: a comma inside quotes, brackets or parentheses separates
/// nothing.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut in_quotes) = (Vec::new(), 0, 0_i32, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => in_quotes = !in_quotes,
            '[' | '(' if !in_quotes => depth += 1,
            ']' | ')' if !in_quotes => depth -= 1,
            ',' if !in_quotes && depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    if parts == [""] { Vec::new() } else { parts }
}

/// The variables that the call makes.
fn exactly<const N: usize>(outs: Vec<Var>, call: &str) -> Result<[Var; N], String> {
    let count = outs.len();
    outs.try_into().map_err(|_| format!("{call} makes {N} variables; {count} stand before the `=`"))
}

pub(super) fn call_of(outs: Vec<Var>, text: &str, kind: Option<SockType>) -> Result<Call, String> {
    let parts = text.strip_suffix(')').and_then(|rest| rest.split_once('('));
    let (call, inside) = parts.ok_or_else(|| {
        format!(
            "{text:?} is no call; a line is `CALL(ARGUMENTS)`, `VARIABLES = CALL(ARGUMENTS)`, \
             `thread N:`, `then:` or `backend: NAME`"
        )
    })?;
    let mut arguments = Arguments { call, kind, rest: split(inside).into_iter() };
    let made = build(outs, &mut arguments)?;
    match arguments.rest.next() {
        None => Ok(made),
        Some(more) => Err(format!("{call}: {more} is one argument too many")),
    }
}

fn build(outs: Vec<Var>, args: &mut Arguments<'_>) -> Result<Call, String> {
    let call = args.call;
    if let "recv" | "recvmsg" = call {
        return receive(outs, args);
    }
    if let "socketpair" | "socket" | "accept" | "dup" = call {
        return maker(outs, args);
    }
    let [] = exactly(outs, call)?;
    Ok(match call {
        "bind" => Call::Bind(args.var()?, args.name()?),
        "unlink" => Call::Unlink(args.name()?),
        "listen" => Call::Listen(args.var()?, args.number("the backlog")?),
        "connect" => Call::Connect(args.var()?, args.name()?),
        "send" | "sendto" | "sendmsg" => return send(args),
        "shutdown" => Call::Shutdown(args.var()?, args.word("the direction", &HOWS)?),
        "close" => Call::Close(args.var()?),
        "same_file" => Call::SameFile(args.var()?, args.var()?),
        "getsockname" => Call::Getsockname(args.var()?),
        "getpeername" => Call::Getpeername(args.var()?),
        "setsockopt" => Call::Setsockopt(
            args.var()?,
            args.word("the option", &OPTIONS)?,
            args.number("the value")?,
        ),
        "getsockopt" => Call::Getsockopt(args.var()?, args.word("the option", &OPTIONS)?),
        "nonblocking" => Call::Nonblocking(args.var()?, args.word("the switch", &SWITCH)?),
        _ => return Err(format!("there is no call {call:?}; there are: {CALLS}")),
    })
}

/// The calls that make descriptors.
fn maker(outs: Vec<Var>, args: &mut Arguments<'_>) -> Result<Call, String> {
    let call = args.call;
    if call == "socketpair" {
        let (out, kind) = (exactly(outs, call)?, args.kind()?);
        return Ok(Call::Socketpair { out, kind, nonblock: args.nonblock()? });
    }
    let [out] = exactly(outs, call)?;
    Ok(match call {
        "socket" => {
            let kind = args.kind()?;
            Call::Socket { out, kind, nonblock: args.nonblock()? }
        }
        "accept" => Call::Accept { out, s: args.var()?, nonblock: args.nonblock()? },
        _ => Call::Dup(out, args.var()?),
    })
}

fn send(args: &mut Arguments<'_>) -> Result<Call, String> {
    let (call, s, data) = (args.call, args.var()?, data(args.next("the data")?)?);
    let to = if call == "sendto" { Some(args.name()?) } else { None };
    let rights = (call == "sendmsg").then(Vec::new);
    let mut made = Send { s, data, to, rights, flags: MsgFlags::empty() };
    for argument in args.rest.by_ref() {
        match (&mut made.rights, argument.split_once('=')) {
            (Some(_), Some(("to", to))) => made.to = Some(name(to)?),
            (Some(rights), Some(("rights", list))) => *rights = list_of(list)?,
            _ => made.flags |= flag(call, argument, &["dontwait", "eor", "oob"])?,
        }
    }
    Ok(Call::Send(made))
}

/// `[r0, r1]`; `r0*9` is `r0` nine times.
fn list_of(text: &str) -> Result<Vec<Var>, String> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("rights={text}: the descriptors stand in [ ]"))?;
    let mut list = Vec::new();
    for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, times) = part.split_once('*').unwrap_or((part, "1"));
        let times = whole(times.trim()).filter(|times| *times <= TIMES_MAX);
        let times = times.ok_or_else(|| format!("{part}: at most {TIMES_MAX} times"))?;
        list.extend(std::iter::repeat_n(variable(name.trim())?, times));
    }
    Ok(list)
}

fn receive(out: Vec<Var>, args: &mut Arguments<'_>) -> Result<Call, String> {
    let (call, s, room) = (args.call, args.var()?, args.bytes("the room")?);
    let rights = (call == "recvmsg").then_some(0);
    let mut made = Recv { out, s, room, rights, flags: MsgFlags::empty() };
    for argument in args.rest.by_ref() {
        match (&mut made.rights, argument.split_once('=')) {
            (Some(rights), Some(("rights", count))) => {
                let number = whole(count).filter(|count| *count <= RIGHTS_MAX);
                *rights = number.ok_or_else(|| {
                    format!("rights={count}: the room is a number from 0 to {RIGHTS_MAX}")
                })?;
            }
            _ => made.flags |= flag(call, argument, &["dontwait", "peek", "oob"])?,
        }
    }
    if made.out.len() > made.rights.unwrap_or(0) {
        return Err(format!(
            "{call} has room for {} descriptors, but {} variables stand before the `=`",
            made.rights.unwrap_or(0),
            made.out.len()
        ));
    }
    Ok(Call::Recv(made))
}

/// The most room for descriptors.
const RIGHTS_MAX: usize = 253;

fn flag(call: &str, text: &str, valid: &[&str]) -> Result<MsgFlags, String> {
    value(&FLAGS, text).filter(|_| valid.contains(&text)).ok_or_else(|| {
        let named = if call.ends_with("msg") { ", rights=" } else { "" };
        format!("{call}: {text} is no flag; there are: {}{named}", valid.join(", "))
    })
}
