//! The subcommands, one file each. Each answers with the exit code of the process.

use std::io::{self, Write};

pub mod compare;
pub mod controls;
pub mod export;
pub mod fuzz;
pub mod history;
pub mod list;
pub mod minimize;
pub mod plot;
pub mod replay;
pub mod run;
pub mod serve;
pub mod show;

/// All is well.
pub const EXIT_OK: i32 = 0;
/// Wrong usage, or the system refused something.
pub const EXIT_USAGE: i32 = 1;

/// Prints on standard output. A reader that went away (`solock list | head`) is no error.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}
