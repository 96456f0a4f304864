//! Lines for the user on standard error. That nobody can read them (the terminal is closed, the
//! disk is full) is no reason to end: `eprintln!` would panic.

use std::fmt::Arguments;
use std::io::{Write, stderr};

/// Prints a line on standard error, if that can be written.
#[macro_export]
macro_rules! tell {
    ($($argument:tt)*) => { $crate::tell::text(format_args!($($argument)*), "\n") };
}

/// The same with the program's name before it: something is wrong, or worth a look.
#[macro_export]
macro_rules! complain {
    ($($argument:tt)*) => {
        $crate::tell!("{}: {}", $crate::added::name(), format_args!($($argument)*))
    };
}

/// The same with another end, for a line that is written over.
pub fn text(text: Arguments<'_>, end: &str) {
    // In one piece, so that lines of several processes do not mix.
    let _ = stderr().write_all(format!("{text}{end}").as_bytes());
}
