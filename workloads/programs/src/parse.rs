//! Reading programs: one call per line.

mod call;

use std::collections::BTreeSet;

use crate::words::{SIZES, all, value};
use crate::{Call, Program, Var};
use lockimpls::SockType;
use workloads::number::whole;

use call::call_of;
pub(crate) use call::{data, quoted, split, variables};

/// The largest size of a layer that a program may ask for: more sockets are made for no use.
const SIZE_MAX: usize = 1 << 16;

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
pub(crate) fn strip_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '#' && !quoted
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// A program as far as it was read.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) program: Program,
    /// What the word `type` stands for, in a case.
    kind: Option<SockType>,
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
    /// A reader of calls in which the word `type` is this.
    pub(crate) fn of(kind: SockType) -> Reader {
        Reader { kind: Some(kind), ..Reader::default() }
    }

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
        if line.starts_with("case ") {
            return Err(
                "a program has no `case`; a file of cases, which `replay` takes, begins with one"
                    .to_owned(),
            );
        }
        self.call(line)
    }

    /// A line with a call, or with the sizes of the layer.
    pub(crate) fn call(&mut self, line: &str) -> Result<(), String> {
        if let Some(sizes) = line.strip_prefix("layer:") {
            return self.layer(sizes);
        }
        let (outs, call) = match line.split_once(" = ") {
            // A `=` after the first parenthesis stands in the arguments.
            Some((outs, call)) if !outs.contains('(') => (variables(outs)?, call),
            _ => (Vec::new(), line),
        };
        let call = call_of(outs, call.trim(), self.kind)?;
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

    fn layer(&mut self, sizes: &str) -> Result<(), String> {
        if !self.program.is_empty() {
            return Err("`layer:` stands before the first call".to_owned());
        }
        for size in sizes.split(',') {
            let (name, number) = size.split_once('=').unwrap_or((size, ""));
            let known = value(&SIZES, name.trim());
            let number = whole(number.trim()).filter(|number| (1..=SIZE_MAX).contains(number));
            let (Some(known), Some(number)) = (known, number) else {
                return Err(format!(
                    "{} is no size; a size is NAME=NUMBER, the number 1 to {SIZE_MAX}, the name \
                     one of: {}",
                    size.trim(),
                    all(&SIZES)
                ));
            };
            self.program.sizes.push((known, number));
        }
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
        for var in call.needs().iter().flatten().chain(call.rights()) {
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
