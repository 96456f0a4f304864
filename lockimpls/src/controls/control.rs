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
    /// Where: a file of this crate and the mark at the end of the line, or the pool that is not
    /// empty.
    pub(super) at: At,
    pub(super) fault: Injection,
    pub(super) program: fn(),
}

/// Where a control must be caught.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// The marked line of a file: its path, its text, the mark.
    Line(&'static str, &'static str, &'static str),
    /// A pool, by name.
    Pool(&'static str),
}

impl Control {
    /// Whether it belongs to those that are tried before each run: caught at once (lost wake-ups
    /// take the watchdog's limit), and no bug of a kernel (those are many, and the others have
    /// shown by then that the checks work).
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.check != Check::Hang && !self.is_numbered()
    }

    /// Whether it is a bug that a kernel had: its name begins with B and a number.
    fn is_numbered(&self) -> bool {
        let number = self.name.strip_prefix('B').unwrap_or_default();
        number.starts_with(|first: char| first.is_ascii_digit())
    }

    /// Where it must be caught: the finding's `file:line:column` begins with this, or it is `pool
    /// NAME`.
    #[must_use]
    pub fn expected_at(&self) -> String {
        match self.at {
            At::Pool(name) => format!("pool {name}"),
            At::Line(path, text, mark) => {
                // The last: the mark also stands in the control's own entry, above.
                let marked = text.lines().enumerate().filter(|(_, line)| line.contains(mark));
                format!("{path}:{}:", marked.last().map_or(0, |(index, _)| index + 1))
            }
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

/// A marked line of this crate's source.
macro_rules! at {
    ($file:literal, $mark:literal) => {
        crate::controls::control::At::Line(
            concat!("lockimpls/src/", $file),
            include_str!(concat!("../", $file)),
            $mark,
        )
    };
}

pub(super) use at;
