//! A control: what it consists of.

use super::twin::Injection;
use crate::witness::Check;

/// A broken twin, its program, and what must find it.
#[derive(Clone, Copy)]
pub struct Control {
    /// The twin's name.
    pub name: &'static str,
    /// One line: what is left out.
    pub bug: &'static str,
    /// The check that must find it.
    pub check: Check,
    /// The call in which it must be found; `verify` and `end of run` are the program's own.
    pub operation: &'static str,
    /// Where: a line of this crate, or the pool that is not empty.
    pub(super) at: At,
    pub(super) fault: Injection,
    pub(super) program: fn(),
}

/// Where a control must be caught.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// A line of a file: its path, its text, and the way to the line. Each word is looked for
    /// behind the line of the one before; the first names a function, as a rule, the last is code
    /// of the line.
    Line(&'static str, &'static str, &'static [&'static str]),
    /// A pool, by name.
    Pool(&'static str),
}

impl Control {
    /// Whether it is a bug that a kernel had: its name begins with B and a number.
    pub(super) fn is_numbered(&self) -> bool {
        let number = self.name.strip_prefix('B').unwrap_or_default();
        number.starts_with(|first: char| first.is_ascii_digit())
    }

    /// Where it must be caught: the finding's `file:line:column` begins with this, or it is `pool
    /// NAME`.
    #[must_use]
    pub fn expected_at(&self) -> String {
        match self.at {
            At::Pool(name) => format!("pool {name}"),
            At::Line(path, text, way) => format!("{path}:{}:", line_at(text, way).unwrap_or(0)),
        }
    }

    /// Runs the program on the twin. Whoever calls it has a watchdog and expects the process to end
    /// with a finding.
    pub fn run_twin(&self) {
        self.fault.choose(true);
        (self.program)();
    }

    /// Runs the program on the same backend without the fault; returns when it found nothing.
    pub fn run_clean(&self) {
        self.fault.choose(false);
        (self.program)();
    }
}

/// The number of the line to which the way leads. The controls' own entries, which have its words
/// in quotes, are passed over.
pub(super) fn line_at(text: &str, way: &[&str]) -> Option<usize> {
    let is_entry = |line: &str| line.contains("\"fn ");
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !is_entry(line));
    way.iter().try_fold(0, |_, word| Some(lines.find(|(_, line)| line.contains(word))?.0))
}

/// A line of this crate's source: the file, and the way to the line.
macro_rules! at {
    ($file:literal, $($word:literal),+) => {
        crate::controls::control::At::Line(
            concat!("lockimpls/src/", $file),
            include_str!(concat!("../", $file)),
            &[$($word),+],
        )
    };
}

pub(super) use at;
