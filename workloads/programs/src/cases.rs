//! Cases: short programs with the answer that every call must give, on the kernel that is modelled
//! and on the machine.
//!
//! `PROGRAMS.md` describes the form, `cases/` has the files. A file has many cases, and a
//! case may stand for several types of sockets: [`parse_cases`] gives one [`Case`] for each.

mod parse;
mod print;

use lockimpls::{MsgFlags, SockType};

use crate::check::{Difference, aspect, word_of};
use crate::runner::{Answer, Outcome, Target, Trace};
use crate::{Call, ParseError, Program, Send, words};

/// Whose answers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `uipc_usrreq.c` 1.166 and the files of that day: every modelled backend, and the model.
    Openbsd2022,
    /// The machine's own sockets, where the machine is Linux.
    Linux,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Profile; 2] = [Profile::Openbsd2022, Profile::Linux];

    /// The name, as `on` lines have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Openbsd2022 => "openbsd-2022",
            Profile::Linux => "linux",
        }
    }

    /// The profile of a backend; none: a machine that no case speaks of.
    #[must_use]
    pub fn of(target: &dyn Target) -> Option<Profile> {
        if target.is_modelled() {
            return Some(Profile::Openbsd2022);
        }
        cfg!(target_os = "linux").then_some(Profile::Linux)
    }
}

/// What a call must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Must {
    /// Succeed; a send takes everything. The answer is not what the case is about.
    Succeed,
    /// Answer this and nothing else.
    Answer(Answer),
    /// Not be made: the case ends before it.
    Stop,
}

/// What one call must do, on each profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Musts(pub [Must; Profile::ALL.len()]);

impl Musts {
    /// On this profile.
    #[must_use]
    pub fn on(&self, profile: Profile) -> &Must {
        &self.0[profile as usize]
    }
}

/// A case, for one type of sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it shows; the same for each of its types.
    pub name: String,
    /// The type.
    pub kind: SockType,
    /// The calls.
    pub program: Program,
    /// What each must do.
    pub musts: Vec<Musts>,
}

impl Case {
    /// The calls whose answers the case is about, with these answers.
    pub fn answers(&self, profile: Profile) -> impl Iterator<Item = (&Call, &Answer)> {
        let rows = self.program.first.iter().zip(&self.musts);
        rows.filter_map(move |(call, musts)| match musts.on(profile) {
            Must::Answer(answer) => Some((call, answer)),
            Must::Succeed | Must::Stop => None,
        })
    }

    /// The calls made on a profile.
    #[must_use]
    pub fn program_on(&self, profile: Profile) -> Program {
        let stop = self.musts.iter().position(|musts| *musts.on(profile) == Must::Stop);
        let mut program = self.program.clone();
        program.first.truncate(stop.unwrap_or(program.first.len()));
        program
    }

    /// Runs the case and compares every answer. What a check of the layer's boundary finds, a
    /// descriptor or a lock that is left among it, ends the process.
    ///
    /// # Errors
    /// The first call that answers otherwise.
    pub fn run(
        &self,
        target: &mut dyn Target,
        profile: Profile,
        trace: &mut Trace,
    ) -> Result<(), Difference> {
        let program = self.program_on(profile);
        target.run(&program, trace);
        let rows = program.first.iter().zip(&trace.first).zip(&self.musts);
        for (index, ((call, is), musts)) in rows.enumerate() {
            let must = musts.on(profile);
            if must.allows(call, is) {
                continue;
            }
            let must = match must {
                Must::Answer(answer) => answer.clone(),
                Must::Succeed | Must::Stop => all_of(call),
            };
            let kind = format!("{} {}", word_of(&call.to_string()), aspect(is, &must));
            let report = format!(
                "case {} ({}), call {} of {}: {call}\n  {:<12} {is}\n  {:<12} {must}\n",
                self.name,
                self.kind.name(),
                index + 1,
                program.first.len(),
                target.name(),
                profile.name(),
            );
            return Err(Difference { backend: target.name(), kind, report });
        }
        Ok(())
    }
}

impl Must {
    fn allows(&self, call: &Call, is: &Answer) -> bool {
        match (self, call, is.outcome) {
            (Must::Answer(answer), ..) => answer == is,
            (_, Call::Send(send), Outcome::Done(sent)) => sent == send.data.len(),
            (_, _, outcome) => matches!(outcome, Outcome::Done(_)),
        }
    }
}

/// The success that a call without an answer must have, for the report.
fn all_of(call: &Call) -> Answer {
    let number = if let Call::Send(Send { data, .. }) = call { data.len() } else { 0 };
    Answer { outcome: Outcome::Done(number), ..Answer::default() }
}

/// Whether a text is a file of cases, and not one program.
#[must_use]
pub fn is_cases(text: &str) -> bool {
    let mut lines = text.lines().map(|line| crate::parse::strip_comment(line).trim());
    lines.find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("case "))
}

/// Reads a file of cases.
///
/// # Errors
/// The first line that is wrong, and what is valid there.
pub fn parse_cases(text: &str) -> Result<Vec<Case>, ParseError> {
    parse::cases(text)
}

/// The words for the flags that a receive gives back.
const GIVEN: [(&str, MsgFlags); 3] =
    [("trunc", MsgFlags::TRUNC), ("ctrunc", MsgFlags::CTRUNC), ("eor", MsgFlags::EOR)];

/// The word for a type.
fn kind_word(kind: SockType) -> &'static str {
    words::word(&words::KINDS, &kind)
}
