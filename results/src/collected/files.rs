//! Which files there are, and what each of them is.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Expected, PUT_ASIDE, Set, Why};
use crate::element::Element;
use crate::files;
use crate::record::Record;
use crate::run::Run;
use crate::sealed::{self, Broken};
use crate::store::{FINISHED, PARTIAL, RunFile};

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 6;
/// How the name of a file ends that never got its own.
const STAGED: &str = ".tmp";

/// How the names of all files end that are looked at.
const ENDINGS: [&str; 3] = [FINISHED, STAGED, PUT_ASIDE];

/// The files of these folders, and of theirs, that may be records; each once.
pub(super) fn all(folders: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for folder in folders {
        walk(folder, DEPTH_MAX, &mut found)
            .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    }
    let mut seen = HashSet::new();
    // A folder may be named twice, or be in another one.
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() && depth > 0 {
            // One below that cannot be read is nobody's who collects.
            let _ = walk(&path, depth - 1, found);
        } else if !kind.is_dir() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    Ok(())
}

/// The last line of a whole file, of whatever grid it is.
pub(super) fn element(path: &Path) -> Option<Element> {
    let bytes = files::read(path, FILE_BYTES_MAX).ok()?;
    sealed::opened(&String::from_utf8(bytes).ok()?).ok()
}

/// A file as a set, or why it is none.
pub(super) fn read(path: &Path, expected: &Expected) -> Result<Set, Why> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(PARTIAL) || name.ends_with(STAGED) {
        return Err(Why::Cut("it is being written, or what wrote it was killed".to_owned()));
    }
    let bytes =
        files::read(path, FILE_BYTES_MAX).map_err(|error| Why::Foreign(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| Why::Foreign("it is no text".to_owned()))?;
    let element = sealed::opened(&text).map_err(|broken| match broken {
        Broken::NoElement => Why::Foreign(broken.to_string()),
        _ => Why::Cut(broken.to_string()),
    })?;
    let origin = &element.origin;
    if origin.grid != expected.grid {
        return Err(Why::Foreign(format!("it is of the grid {:?}", origin.grid)));
    }
    let wanted = expected.elements.iter().find(|wanted| wanted.id == origin.element);
    let Some(wanted) = wanted else {
        let what = format!("the grid has no element {:?} now", origin.element);
        return Err(Why::Foreign(what));
    };
    if !(expected.machines.is_empty() || expected.machines.contains(&origin.machine)) {
        return Err(Why::Foreign(format!("the grid has no machine {:?}", origin.machine)));
    }
    let file = RunFile::at(path).ok_or_else(|| Why::Foreign("it has no name".to_owned()))?;
    let run = Run::read(&file).map_err(|error| Why::Cut(error.to_string()))?;
    let is_found = run.findings().next().is_some();
    let absent = wanted.cells.iter().find(|cell| !is_recorded(&run, cell));
    if let Some(cell) = absent.filter(|_| !is_found) {
        return Err(Why::Cut(format!("it says nothing of {cell}")));
    }
    Ok(Set { element, run })
}

/// Whether a run says anything of a cell.
fn is_recorded(run: &Run, cell: &str) -> bool {
    run.records.iter().any(|record| match record {
        Record::Measured(measured) => measured.cell_id == cell,
        Record::Compared(compared) => compared.cell == cell,
        _ => false,
    })
}
