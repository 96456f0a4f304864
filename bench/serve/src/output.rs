//! What a program says on standard output, and how it ends.

use std::io::{self, Write};

/// All is well.
pub const EXIT_OK: i32 = 0;
/// Wrong usage, or the system refused something.
pub const EXIT_USAGE: i32 = 1;

/// Prints on standard output for the process that started this one: without it there is nothing to
/// go on for.
///
/// # Errors
/// Standard output cannot be written, or nobody reads it any more.
pub fn print_to_parent(text: &str) -> Result<(), String> {
    let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    written.map_err(|error| format!("standard output cannot be written: {error}"))
}

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
