//! Whether the cases are all there are: what programs drawn by chance meet, some case shows.

use std::collections::{BTreeMap, BTreeSet};

use lockimpls::{Backend, SockType};
use programs::generate::generate;
use programs::runner::{Answer, Outcome, Target, Trace};
use programs::{Call, Model, Program, Runner, Var};

use super::table::{answers, request_of, word_of};

/// How many programs are drawn.
const PROGRAMS: u64 = 20_000;

/// A request, a type and an answer.
type Met = (String, SockType, String);

/// What the calls of a program have met, where the text shows the type of their socket.
fn met<'a>(
    program: &Program,
    answers: impl Iterator<Item = &'a Answer>,
    mut found: impl FnMut(Met),
) {
    let mut kinds: BTreeMap<Var, SockType> = BTreeMap::new();
    for (call, answer) in program.first.iter().zip(answers) {
        let kind = match call {
            Call::Socketpair { kind, .. } | Call::Socket { kind, .. } => Some(*kind),
            _ => call.needs()[0].and_then(|s| kinds.get(&s).copied()),
        };
        let Some(kind) = kind else { continue };
        // A received descriptor may be of any type.
        if !matches!(call, Call::Recv(_)) {
            kinds.extend(call.outs().iter().map(|out| (*out, kind)));
        }
        if answer.outcome != Outcome::Skipped {
            found((request_of(&call.to_string()).to_owned(), kind, word_of(answer)));
        }
    }
}

#[test]
fn what_drawn_programs_meet_has_a_case() {
    let cases = super::cases();
    let shown = answers(&cases);
    let mut model = Runner::new(Backend::of::<Model>()).unwrap();
    let (mut trace, mut all, mut missing) = (Trace::default(), BTreeSet::new(), String::new());
    let programs = (0..PROGRAMS).map(|number| generate(9, number));
    for program in programs.filter(|program| program.threads.is_empty()) {
        model.run(&program, &mut trace);
        met(&program, trace.answers(), |met| {
            let (request, kind, answer) = &met;
            if !shown.contains_key(&met) && !all.contains(&met) {
                missing += &format!("{request} {} {answer}:\n{program}\n", kind.name());
            }
            all.insert(met);
        });
    }
    assert!(missing.is_empty(), "no case shows\n{missing}");
    assert!(all.len() > 150, "{} requests with a type and an answer", all.len());
}
