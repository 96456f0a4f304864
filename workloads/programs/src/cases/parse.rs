//! Reading cases: a program with an answer behind each call.

use super::{Case, GIVEN, Must, Musts, Profile};
use crate::parse::{Reader, data, quoted, split, strip_comment, variables};
use crate::runner::{Answer, Outcome};
use crate::words::{KINDS, all, value};
use crate::{Call, ParseError, Recv};
use lockimpls::{Errno, MsgFlags, SockAddr, SockOpt, SockType};
use workloads::number::whole;

/// A case as it stands in the file: its head and its lines.
struct Block<'a> {
    name: &'a str,
    kinds: Vec<SockType>,
    line: usize,
    lines: Vec<(usize, &'a str)>,
}

/// See [`super::parse_cases`].
pub(super) fn cases(text: &str) -> Result<Vec<Case>, ParseError> {
    let mut cases: Vec<Case> = Vec::new();
    for block in blocks(text)? {
        if cases.iter().any(|case| case.name == block.name && block.kinds.contains(&case.kind)) {
            let what = format!("there is a case {} of this type above", block.name);
            return Err(ParseError { line: block.line, what });
        }
        for kind in &block.kinds {
            cases.push(case_of(&block, *kind)?);
        }
    }
    Ok(cases)
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, ParseError> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (line, number) = (strip_comment(line).trim(), index + 1);
        let error = |what| ParseError { line: number, what };
        if let Some(head) = line.strip_prefix("case ") {
            let (name, kinds) = head_of(head).map_err(error)?;
            blocks.push(Block { name, kinds, line: number, lines: Vec::new() });
        } else if !line.is_empty() {
            let block = blocks.last_mut();
            let block =
                block.ok_or_else(|| error("a case begins with `case NAME (TYPES):`".into()));
            block?.lines.push((number, line));
        }
    }
    Ok(blocks)
}

/// `NAME (TYPES):`
fn head_of(head: &str) -> Result<(&str, Vec<SockType>), String> {
    let parts = head.strip_suffix("):").and_then(|head| head.split_once('('));
    let (name, kinds) = parts.ok_or("a case begins with `case NAME (TYPES):`")?;
    let name = name.trim();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!("{name:?} is no name of a case; one is such as send-after-close"));
    }
    let kind = |word: &str| {
        value(&KINDS, word.trim())
            .ok_or_else(|| format!("a type is one of: {}; not {}", all(&KINDS), word.trim()))
    };
    let kinds: Vec<SockType> = kinds.split(',').map(kind).collect::<Result<_, _>>()?;
    if (1..kinds.len()).any(|at| kinds[..at].contains(&kinds[at])) {
        return Err("a type stands there twice".to_owned());
    }
    Ok((name, kinds))
}

fn case_of(block: &Block<'_>, kind: SockType) -> Result<Case, ParseError> {
    let mut reader = Reader::of(kind);
    let mut musts: Vec<Musts> = Vec::new();
    for (number, line) in &block.lines {
        let result = match line.strip_prefix("on ") {
            Some(other) => on_line(other, kind, reader.program.first.last(), musts.last_mut()),
            None => call_line(line, &mut reader, &mut musts),
        };
        result.map_err(|what| ParseError { line: *number, what })?;
    }
    if musts.is_empty() {
        return Err(ParseError { line: block.line, what: "a case has calls".to_owned() });
    }
    Ok(Case { name: block.name.to_owned(), kind, program: reader.program, musts })
}

/// `CALL`, `CALL = ANSWER`, `layer: SIZES`
fn call_line(line: &str, reader: &mut Reader, musts: &mut Vec<Musts>) -> Result<(), String> {
    let (call, answer) = parted(line);
    reader.call(call)?;
    if let Some(call) = reader.program.first.last()
        && reader.program.first.len() > musts.len()
    {
        let must = answer.map_or(Ok(Must::Succeed), |answer| must_of(call, answer))?;
        musts.push(Musts([must.clone(), must]));
    }
    Ok(())
}

/// A line before and after the ` = ` behind its call.
fn parted(line: &str) -> (&str, Option<&str>) {
    let (mut depth, mut in_quotes) = (0_i32, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => {
                depth -= 1;
                let (call, rest) = line.split_at(at + 1);
                if depth == 0
                    && let Some(answer) = rest.trim_start().strip_prefix('=')
                {
                    return (call, Some(answer.trim()));
                }
            }
            _ => {}
        }
    }
    (line, None)
}

/// `on WORDS: ANSWER`: what the call before must do where all the words apply.
fn on_line(
    line: &str,
    kind: SockType,
    call: Option<&Call>,
    musts: Option<&mut Musts>,
) -> Result<(), String> {
    let (words, answer) = line.split_once(':').ok_or("`on` is followed by words and a colon")?;
    let (Some(call), Some(musts)) = (call, musts) else {
        return Err("`on` stands behind a call".to_owned());
    };
    let must = must_of(call, answer.trim())?;
    let (mut profiles, mut is_kind) = (Profile::ALL.to_vec(), true);
    for word in words.split_whitespace() {
        if let Some(other) = value(&KINDS, word) {
            is_kind &= other == kind;
        } else if Profile::ALL.iter().any(|profile| profile.name() == word) {
            profiles.retain(|profile| profile.name() == word);
        } else {
            let names = Profile::ALL.map(Profile::name).join(", ");
            return Err(format!("on: a word is one of: {names}, {}; not {word}", all(&KINDS)));
        }
    }
    for profile in profiles.into_iter().filter(|_| is_kind) {
        musts.0[profile as usize] = must.clone();
    }
    Ok(())
}

fn must_of(call: &Call, text: &str) -> Result<Must, String> {
    match text {
        "ok" => Ok(Must::Succeed),
        "stop" => Ok(Must::Stop),
        _ => answer_of(call, text).map(Must::Answer),
    }
}

fn answer_of(call: &Call, text: &str) -> Result<Answer, String> {
    if let Some(errno) = Errno::from_name(text) {
        return Ok(Answer { outcome: Outcome::Failed(errno), ..Answer::default() });
    }
    let done = |number| Answer { outcome: Outcome::Done(number), ..Answer::default() };
    match call {
        Call::Recv(recv) => received(recv, text),
        Call::Accept { .. } | Call::Getsockname(_) | Call::Getpeername(_) => {
            let name = quoted(text).ok_or_else(|| {
                format!("{text}: the answer is an error or a name in quotes, \"\" for none")
            })?;
            Ok(Answer { name: Some(address(name)?), ..done(0) })
        }
        Call::Getsockopt(_, SockOpt::Error) if text.starts_with("pending(") => {
            let errno = text.strip_prefix("pending(").and_then(|text| text.strip_suffix(')'));
            let errno = errno.and_then(Errno::from_name);
            let errno = errno.ok_or_else(|| format!("{text}: pending(ERRNO)"))?;
            Ok(done(errno.code() as usize))
        }
        _ => {
            let number = whole(text).map(done);
            number.ok_or_else(|| format!("{text}: the answer is an error or a number"))
        }
    }
}

/// `DATA`, and behind a recvmsg's also `from=NAME`, `rights=[r0, none]`, `trunc`, `ctrunc`, `eor`.
fn received(recv: &Recv, text: &str) -> Result<Answer, String> {
    let parts = split(text);
    let mut bytes = Vec::new();
    data(parts.first().copied().unwrap_or(""))?.write_to(&mut bytes);
    let mut answer =
        Answer { outcome: Outcome::Done(bytes.len()), data: bytes, ..Answer::default() };
    answer.name = recv.rights.map(|_| SockAddr::UNNAMED);
    for part in &parts[1..] {
        if recv.rights.is_none() {
            return Err(format!("{part}: only recvmsg answers that"));
        }
        match part.split_once('=') {
            Some(("from", name)) => {
                let name = quoted(name).ok_or_else(|| format!("{part}: from=\"NAME\""))?;
                answer.name = Some(address(name)?);
            }
            Some(("rights", list)) => answer.files = files(list)?,
            _ => answer.flags |= given(part)?,
        }
    }
    Ok(answer)
}

/// `[r0, none]`: of which variable each descriptor is.
fn files(list: &str) -> Result<Vec<Option<crate::Var>>, String> {
    let inside = list.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("rights={list}: the descriptors stand in [ ]"))?;
    let file = |name: &str| match name.trim() {
        "none" => Ok(None),
        name => variables(name).map(|vars| vars.first().copied()),
    };
    inside.split(',').map(file).collect()
}

fn given(word: &str) -> Result<MsgFlags, String> {
    value(&GIVEN, word)
        .ok_or_else(|| format!("{word}: behind the data stand from=, rights=, {}", all(&GIVEN)))
}

fn address(name: &str) -> Result<SockAddr, String> {
    if name.is_empty() {
        return Ok(SockAddr::UNNAMED);
    }
    SockAddr::new(name).map_err(|errno| format!("{name:?} is no name: {errno}"))
}
