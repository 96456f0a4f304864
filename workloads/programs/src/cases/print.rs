//! Printing cases in the form that [`parse_cases`](super::parse_cases) reads.

use std::fmt::{Display, Formatter, Result};

use super::{Case, GIVEN, Must, Profile, kind_word};
use crate::print::sizes;
use crate::runner::{Answer, Outcome};
use crate::{Call, Data};
use lockimpls::{Errno, SockOpt};

/// Text is printed up to here, in bytes; longer data is counted.
const TEXT_MAX: usize = 64;

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "case {} ({}):", self.name, kind_word(self.kind))?;
        if !self.program.sizes.is_empty() {
            writeln!(f, "  layer: {}", sizes(&self.program))?;
        }
        for (call, musts) in self.program.first.iter().zip(&self.musts) {
            let [usual, others @ ..] = &Profile::ALL;
            let must = musts.on(*usual);
            match must {
                Must::Succeed => writeln!(f, "  {call}")?,
                must => writeln!(f, "  {call} = {}", shown(call, must))?,
            }
            for profile in others.iter().filter(|profile| musts.on(**profile) != must) {
                let must = shown(call, musts.on(*profile));
                writeln!(f, "    on {}: {must}", profile.name())?;
            }
        }
        Ok(())
    }
}

fn shown(call: &Call, must: &Must) -> String {
    match must {
        Must::Succeed => "ok".to_owned(),
        Must::Stop => "stop".to_owned(),
        Must::Answer(answer) => answer_to(call, answer),
    }
}

/// An answer, as it is written behind the call.
fn answer_to(call: &Call, answer: &Answer) -> String {
    let number = match answer.outcome {
        Outcome::Failed(errno) => return errno.to_string(),
        Outcome::Done(number) => number,
        Outcome::Skipped => return "stop".to_owned(),
    };
    let name = |name: &Option<lockimpls::SockAddr>| {
        name.map(|name| String::from_utf8_lossy(name.path()).into_owned()).unwrap_or_default()
    };
    match call {
        Call::Recv(_) => {
            let mut text = data_of(&answer.data).to_string();
            let from = name(&answer.name);
            if !from.is_empty() {
                text += &format!(", from={from:?}");
            }
            if !answer.files.is_empty() {
                let files = answer.files.iter().map(|file| match file {
                    Some(var) => var.to_string(),
                    None => "none".to_owned(),
                });
                text += &format!(", rights=[{}]", files.collect::<Vec<_>>().join(", "));
            }
            for (word, _) in GIVEN.iter().filter(|(_, flag)| answer.flags.contains(*flag)) {
                text += &format!(", {word}");
            }
            text
        }
        Call::Accept { .. } | Call::Getsockname(_) | Call::Getpeername(_) => {
            format!("{:?}", name(&answer.name))
        }
        Call::Getsockopt(_, SockOpt::Error) if number > 0 => {
            format!("pending({})", Errno::from_host(number as i32))
        }
        _ => number.to_string(),
    }
}

/// Bytes as a program writes them; the parser has seen that they are of this kind.
fn data_of(bytes: &[u8]) -> Data {
    let plain = |byte: &u8| (*byte == b' ' || byte.is_ascii_graphic()) && !b"\"\\".contains(byte);
    if bytes.len() <= TEXT_MAX && bytes.iter().all(plain) {
        return Data::Text(String::from_utf8_lossy(bytes).into_owned());
    }
    Data::Count { len: bytes.len(), first: bytes[0] }
}
