//! `solock import`: numbers of another program, as a run file of their own.

use super::{EXIT_OK, print};
use crate::cli::ImportArgs;
use crate::settings;

/// Makes the run file and says where it is.
///
/// # Errors
/// The file cannot be read, is not of that format, or the run file cannot be written.
pub fn import(args: &ImportArgs) -> Result<i32, String> {
    let folder = settings::folder(args.out.as_ref());
    let made = results::import(&args.file, args.format, args.name.as_deref(), &folder);
    print(&format!("{}\n", made.map_err(|error| error.to_string())?.display()))?;
    Ok(EXIT_OK)
}
