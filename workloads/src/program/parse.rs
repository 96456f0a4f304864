//! Reading programs: one call per line.

use std::collections::BTreeSet;

use super::words::{CALLS, FLAGS, HOWS, KINDS, OPTIONS, SWITCH, all, value};
use super::{Call, Data, Name, Program, Recv, Send, Var};
use lockimpls::{MsgFlags, SockAddr};

/// The longest message and the largest room that a program may ask for, in bytes.
const BYTES_MAX: usize = 1 << 20;
/// How many variables there may be, and so how high their numbers go.
const VARS_MAX: u16 = 1000;

/// Why a text is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub what: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Reads a program.
///
/// # Errors
/// The first line that is wrong, and what is valid there.
pub fn parse(text: &str) -> Result<Program, ParseError> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        let line = strip_comment(line).trim();
        if !line.is_empty() {
            reader.line(line).map_err(|what| ParseError { line: index + 1, what })?;
        }
    }
    Ok(reader.program)
}

/// The line before a `#` that is not inside quotes.
fn strip_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '#' && !quoted
    });
    end.map_or(line, |(at, _)| &line[..at])
}

#[derive(Default)]
struct Reader {
    program: Program,
    /// What the calls before the threads have made.
    made_first: BTreeSet<Var>,
    /// What this thread has made.
    made_here: BTreeSet<Var>,
    /// Every variable: each is made once.
    made: BTreeSet<Var>,
    /// After `then:`.
    is_last: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(names) = line.strip_prefix("backend:") {
            return self.backends(names);
        }
        if let Some(number) = line.strip_prefix("thread ").and_then(|rest| rest.strip_suffix(':')) {
            return self.thread(number.trim());
        }
        if line == "then:" {
            return self.then();
        }
        let (outs, call) = match line.split_once(" = ") {
            Some((outs, call)) if !line.starts_with('(') && outs.starts_with('r') => {
                (variables(outs)?, call)
            }
            _ => (Vec::new(), line),
        };
        let call = call_of(outs, call.trim())?;
        self.admit(&call)?;
        match self.program.threads.last_mut() {
            _ if self.is_last => self.program.last.push(call),
            Some(thread) => thread.push(call),
            None => self.program.first.push(call),
        }
        Ok(())
    }

    fn backends(&mut self, names: &str) -> Result<(), String> {
        if !self.program.is_empty() {
            return Err("`backend:` stands before the first call".to_owned());
        }
        let names = names.split(',').map(|name| name.trim().to_owned());
        self.program.backends = names.filter(|name| !name.is_empty()).collect();
        Ok(())
    }

    fn thread(&mut self, number: &str) -> Result<(), String> {
        let next = self.program.threads.len() + 1;
        if self.is_last {
            return Err("a thread stands before `then:`".to_owned());
        }
        if number != next.to_string() {
            return Err(format!("`thread {number}:` where `thread {next}:` is next"));
        }
        self.program.threads.push(Vec::new());
        self.made_here.clear();
        Ok(())
    }

    fn then(&mut self) -> Result<(), String> {
        if self.program.threads.is_empty() || self.is_last {
            return Err("`then:` stands once, after the last thread".to_owned());
        }
        self.is_last = true;
        self.made_here.clear();
        Ok(())
    }

    /// Whether what it uses was made, and what it makes was not.
    fn admit(&mut self, call: &Call) -> Result<(), String> {
        let rights = match call {
            Call::Send(Send { rights: Some(rights), .. }) => &rights[..],
            _ => &[],
        };
        for var in call.needs().iter().flatten().chain(rights) {
            if !self.made_first.contains(var) && !self.made_here.contains(var) {
                return Err(format!(
                    "{var} is used, but no call before made it (in this thread, or before the \
                     first thread)"
                ));
            }
        }
        for var in call.outs() {
            if !self.made.insert(*var) {
                return Err(format!("{var} is made twice; every variable is made once"));
            }
            if self.program.threads.is_empty() {
                self.made_first.insert(*var);
            } else {
                self.made_here.insert(*var);
            }
        }
        Ok(())
    }
}

fn variables(text: &str) -> Result<Vec<Var>, String> {
    text.split(',').map(|name| variable(name.trim())).collect()
}

fn variable(text: &str) -> Result<Var, String> {
    let number = text.strip_prefix('r').and_then(|number| number.parse::<u16>().ok());
    number
        .filter(|number| *number < VARS_MAX)
        .map(Var)
        .ok_or_else(|| format!("{text:?} is no variable; variables are r0 to r{}", VARS_MAX - 1))
}

/// The arguments of a call, taken from the front.
struct Arguments<'a> {
    call: &'a str,
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

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, String> {
        let text = self.next(what)?;
        text.parse().map_err(|_| format!("{}: {what} is a number, not {text}", self.call))
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

fn quoted(text: &str) -> Option<&str> {
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

fn data(text: &str) -> Result<Data, String> {
    if let Some(text) = quoted(text) {
        return Ok(Data::Text(text.to_owned()));
    }
    let count = text.strip_prefix("bytes(").and_then(|rest| rest.strip_suffix(')'));
    let parts = count.and_then(|inside| inside.split_once(','));
    let numbers =
        parts.and_then(|(len, first)| Some((len.trim().parse().ok()?, first.trim().parse().ok()?)));
    let (len, first) = numbers.ok_or_else(|| {
        format!(
            "{text} is no data; data is \"text\" or bytes(LENGTH, FIRST), such as bytes(2000, 7)"
        )
    })?;
    Ok(Data::Count { len: within(len)?, first })
}

/// The arguments between the parentheses: a comma inside quotes, brackets or parentheses separates
/// nothing.
fn split(text: &str) -> Vec<&str> {
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

/// As many variables as the call makes.
fn exactly<const N: usize>(outs: Vec<Var>, call: &str) -> Result<[Var; N], String> {
    let count = outs.len();
    outs.try_into().map_err(|_| format!("{call} makes {N} variables; {count} stand before the `=`"))
}

fn call_of(outs: Vec<Var>, text: &str) -> Result<Call, String> {
    let parts = text.strip_suffix(')').and_then(|rest| rest.split_once('('));
    let (call, inside) = parts.ok_or_else(|| {
        format!(
            "{text:?} is no call; a line is `CALL(ARGUMENTS)`, `VARIABLES = CALL(ARGUMENTS)`, \
             `thread N:`, `then:` or `backend: NAME`"
        )
    })?;
    let mut arguments = Arguments { call, rest: split(inside).into_iter() };
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
        let (out, kind) = (exactly(outs, call)?, args.word("the type", &KINDS)?);
        return Ok(Call::Socketpair { out, kind, nonblock: args.nonblock()? });
    }
    let [out] = exactly(outs, call)?;
    Ok(match call {
        "socket" => {
            let kind = args.word("the type", &KINDS)?;
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

/// `[r0, r1]`
fn list_of(text: &str) -> Result<Vec<Var>, String> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("rights={text}: the descriptors stand in [ ]"))?;
    if inside.trim().is_empty() { Ok(Vec::new()) } else { variables(inside) }
}

fn receive(out: Vec<Var>, args: &mut Arguments<'_>) -> Result<Call, String> {
    let (call, s, room) = (args.call, args.var()?, args.bytes("the room")?);
    let rights = (call == "recvmsg").then_some(0);
    let mut made = Recv { out, s, room, rights, flags: MsgFlags::empty() };
    for argument in args.rest.by_ref() {
        match (&mut made.rights, argument.split_once('=')) {
            (Some(rights), Some(("rights", count))) => {
                let number = count.parse().ok().filter(|count| *count <= RIGHTS_MAX);
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
