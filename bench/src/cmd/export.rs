//! `solock export`: a run in another program's format.

use results::Store;

use super::{EXIT_OK, print};
use crate::cli::ExportArgs;
use crate::settings;

/// Writes the files and says which.
///
/// # Errors
/// There is no such run, it is damaged or has nothing to export, or a file cannot be written.
pub fn export(args: &ExportArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let run = super::measured(&store, &args.run)?;
    super::leave_no_half()?;
    let files = results::export(&run, args.format, &args.out).map_err(|error| error.to_string())?;
    for file in files {
        print(&format!("{}\n", file.display()))?;
    }
    Ok(EXIT_OK)
}
