//! `solock export`: a run in another program's format.

use std::path::Path;

use results::{Chosen, Format, Store, export as written};

use super::{EXIT_OK, print};
use crate::cli::ExportArgs;
use crate::{complain, settings};

/// Writes the files and says which; or prints the only one, or the first of several.
///
/// # Errors
/// There is no such run, it is damaged or has nothing to export, or a file cannot be written.
pub fn export(args: &ExportArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let run = super::measured(&store, &args.run)?;
    let chosen = Chosen { run: &run, cells: args.cell.as_deref().unwrap_or_default() };
    match &args.out {
        Some(folder) => files(&chosen, args.format, folder)?,
        None => first(&chosen, args.format)?,
    }
    Ok(EXIT_OK)
}

fn files(chosen: &Chosen, format: &Format, folder: &Path) -> Result<(), String> {
    super::leave_no_half()?;
    let files = written::export(chosen, format, folder).map_err(|error| error.to_string())?;
    for file in files {
        print(&format!("{}\n", file.display()))?;
    }
    Ok(())
}

/// For a pipe, which takes one file. That there are others is said where the pipe does not read.
fn first(chosen: &Chosen, format: &Format) -> Result<(), String> {
    let contents = written::contents(chosen, format).map_err(|error| error.to_string())?;
    if let [(path, _), _, ..] = contents.as_slice() {
        complain!(
            "this is {}, the first of {} files; --cell PATTERN takes others, --out DIR \
             writes all of them",
            path.display(),
            contents.len()
        );
    }
    let first = contents.into_iter().next().map(|(_, content)| content).unwrap_or_default();
    print(&String::from_utf8_lossy(&first))
}
