//! One check of one backend under shuttle, in a process of its own: this test's, run again with
//! words in an environment variable ([`WORDS`]).
//!
//! ```text
//! check BACKEND PROGRAM random|pct SCHEDULES SEED [FOLDER]
//! replay BACKEND FILE
//! ```
//!
//! `BACKEND` is a modelled backend, or `twin:NAME` for a broken twin; `+N` behind it is
//! `reopen_after_calls`, `@LOCK` behind a backend the algorithm of its locks. `check` stops at the
//! first schedule that fails, prints it and writes it to `FOLDER`; `replay` runs one that was
//! stored. Both print what was counted, a line each, and end with code 2 and `failed CHECK` where a
//! schedule has failed.

use std::path::PathBuf;

use lockimpls_shuttle::raw::AnyLock;
use lockimpls_shuttle::{Algorithm, Domain, Variants, Visitor, controls, visit_all};

use crate::programs::{self, Program, Variant};
use crate::schedule::{self, Choice};
use crate::tally;

/// The environment variable with the words of a check: between spaces, or lines where one has
/// spaces.
pub(crate) const WORDS: &str = "SOLOCK_SHUTTLE_CHECK";

/// A backend as it is named on the command line: its name, and what is asked of its layers.
fn backend(word: &str) -> Option<(&str, Variant)> {
    let mut variant = Variant::default();
    if let Some((name, calls)) = word.split_once('+') {
        variant.reopen_after = Some(calls.parse().ok()?);
        return Some((name, variant));
    }
    if let Some((name, lock)) = word.split_once('@') {
        variant.lock = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == lock)?;
        return Some((name, variant));
    }
    Some((word, variant))
}

/// Looks for the program on the backend with a name.
struct Find<'a> {
    /// None: the twin, which is the only one visited.
    backend: Option<&'a str>,
    program: &'a str,
    found: Option<Program>,
}

impl Visitor for Find<'_> {
    fn visit<D: Domain>(&mut self) {
        if D::MODELLED && self.backend.is_none_or(|name| name == D::NAME) {
            self.found = programs::program::<D>(self.program);
        }
    }
}

/// The same with locks of any algorithm, which a twin has not.
struct FindOnAnyLock<'a> {
    backend: &'a str,
    program: &'a str,
    found: Option<Program>,
}

impl Visitor for FindOnAnyLock<'_> {
    fn visit<D: Variants>(&mut self) {
        if D::MODELLED && self.backend == D::NAME {
            self.found = programs::program::<D::OnLock<AnyLock>>(self.program);
        }
    }
}

/// The program on the backend.
fn find(name: &str, variant: Variant, program: &str) -> Option<Program> {
    if variant.lock != Algorithm::default() {
        let mut find = FindOnAnyLock { backend: name, program, found: None };
        visit_all(&mut find);
        return find.found;
    }
    let mut find = Find { backend: Some(name), program, found: None };
    match name.strip_prefix("twin:") {
        Some(twin) => {
            find.backend = None;
            controls::visit_twin(twin, &mut find);
        }
        None => visit_all(&mut find),
    }
    find.found
}

/// Runs what the words ask for.
fn run(words: &[&str]) -> Option<()> {
    match *words {
        ["check", on, program, how, schedules, seed, ref folder @ ..] => {
            let (name, variant) = backend(on)?;
            let body = find(name, variant, program)?;
            let (schedules, seed) = (schedules.parse().ok()?, seed.parse().ok()?);
            let choice = match how {
                "random" => Choice::Random { schedules, seed },
                "pct" => Choice::Pct { schedules, seed },
                _ => return None,
            };
            let store = folder.first().map(PathBuf::from);
            schedule::run(format!("{on} {program}"), choice, store, move || body(variant));
        }
        ["replay", on, file] => {
            let text = std::fs::read_to_string(file).ok()?;
            let (header, steps) = text.split_once('\n')?;
            let program = header.split_whitespace().nth(1)?;
            let (name, variant) = backend(on)?;
            let body = find(name, variant, program)?;
            let choice = Choice::Stored(steps.to_owned());
            schedule::run(format!("{on} {program}"), choice, None, move || body(variant));
        }
        _ => return None,
    }
    print!("{}", tally::lines());
    println!("passed");
    Some(())
}

/// Nothing, unless this process is that of a check.
#[test]
fn one_check() {
    let Ok(text) = std::env::var(WORDS) else { return };
    // The harness may have begun a line.
    println!();
    let words: Vec<&str> = if text.contains('\n') {
        text.split('\n').collect()
    } else {
        text.split_whitespace().collect()
    };
    run(&words)
        .expect("check BACKEND PROGRAM random|pct SCHEDULES SEED [FOLDER], or replay BACKEND FILE");
}
