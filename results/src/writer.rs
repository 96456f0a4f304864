//! Writing a run: lines are appended whole, and the file gets its final name at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::StoreError;
use crate::record::Record;
use crate::store::{FINISHED, PARTIAL};

/// A run being written. It is shared by reference, so that a check that fires on any thread can add
/// its finding; dropped without [`RunWriter::finish`] it stays partial.
#[derive(Debug)]
pub struct RunWriter {
    id: String,
    partial: PathBuf,
    finished: PathBuf,
    file: Mutex<File>,
}

impl RunWriter {
    /// Makes the file, which must not exist.
    pub(crate) fn create(folder: &Path, id: &str) -> io::Result<RunWriter> {
        let partial = folder.join(format!("{id}{PARTIAL}"));
        let file = OpenOptions::new().append(true).create_new(true).open(&partial)?;
        let finished = folder.join(format!("{id}{FINISHED}"));
        Ok(RunWriter { id: id.to_owned(), partial, finished, file: Mutex::new(file) })
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file while the run goes on.
    #[must_use]
    pub fn partial_path(&self) -> &Path {
        &self.partial
    }

    /// The file after [`RunWriter::finish`].
    #[must_use]
    pub fn finished_path(&self) -> &Path {
        &self.finished
    }

    /// Appends one line.
    ///
    /// # Errors
    /// The record cannot be a line, or the file cannot be written.
    pub fn append(&self, record: &Record) -> Result<(), StoreError> {
        self.publish(std::slice::from_ref(record))
    }

    /// Appends lines in one go: those of a backend, after its last check. None is written if one is
    /// bad.
    ///
    /// # Errors
    /// A record cannot be a line, or the file cannot be written.
    pub fn publish(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut lines = String::new();
        for record in records {
            let line = record
                .to_line()
                .map_err(|source| StoreError::Record { cell: cell_of(record), source })?;
            lines.push_str(&line);
            lines.push('\n');
        }
        // A panic elsewhere while the lock was held cannot have left half of a state: there is
        // none.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines.as_bytes())
            .and_then(|()| file.flush())
            .map_err(|source| StoreError::Write { path: self.partial.clone(), source })
    }

    /// Gives the file its final name; a file that has it already stays, and so does the partial
    /// one.
    ///
    /// # Errors
    /// The name is taken, or the file cannot be renamed.
    pub fn finish(&self) -> Result<PathBuf, StoreError> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => {
                StoreError::Exists { path: self.finished.clone(), partial: self.partial.clone() }
            }
            _ => StoreError::Write { path: self.partial.clone(), source },
        };
        file.sync_data().map_err(failed)?;
        rename_to_new(&self.partial, &self.finished).map_err(failed)?;
        Ok(self.finished.clone())
    }
}

/// Renames, but never onto another file, which `rename` would replace: a second name is made, which
/// fails if it is taken, then the first is removed. File systems without second names get an empty
/// file under the new name first, which fails likewise.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            OpenOptions::new().write(true).create_new(true).open(to)?;
            fs::rename(from, to).inspect_err(|_| _ = fs::remove_file(to))
        }
    }
}

fn cell_of(record: &Record) -> String {
    match record {
        Record::Measured(measured) => measured.cell_id.clone(),
        Record::Finding(finding) => finding.cell.clone().unwrap_or_default(),
        Record::Interrupted(interrupted) => interrupted.cell.clone().unwrap_or_default(),
        Record::Compared(compared) => compared.cell.clone(),
        Record::Ratio(ratio) => ratio.cell.clone(),
        Record::Answer(answer) => answer.question.clone(),
    }
}
