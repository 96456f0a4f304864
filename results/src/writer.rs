//! Writing a run: lines are appended whole, and the file gets its final name at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::StoreError;
use crate::files::rename_to_new;
use crate::record::Record;
use crate::store::{FINISHED, PARTIAL};

/// A run being written. It is shared by reference, so that a check that fires on any thread can add
/// its finding; dropped without [`RunWriter::finish`] it stays partial, if there is a line in it.
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
        let before = file.metadata().map(|data| data.len());
        let written = file.write_all(lines.as_bytes());
        if let (Err(_), Ok(before)) = (&written, before) {
            // A torn line would stand before the next one, that of a finding say.
            let _ = file.set_len(before);
        }
        written.map_err(|source| StoreError::Write { path: self.partial.clone(), source })
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        fs::metadata(&self.partial).is_ok_and(|data| data.len() == 0)
    }

    /// Removes the file if there is no line in it: for where the writer itself lives as long as the
    /// process.
    pub fn discard_if_empty(&self) {
        if self.is_empty() {
            let _ = fs::remove_file(&self.partial);
        }
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

impl Drop for RunWriter {
    /// A run of which nothing could be kept leaves no file.
    fn drop(&mut self) {
        self.discard_if_empty();
    }
}

fn cell_of(record: &Record) -> String {
    match record {
        Record::Measured(measured) => measured.cell_id.clone(),
        Record::Finding(finding) => finding.cell.clone().unwrap_or_default(),
        Record::Interrupted(interrupted) => interrupted.cell.clone().unwrap_or_default(),
        Record::Compared(compared) => compared.cell.clone(),
        Record::Ratio(ratio) => ratio.cell.clone(),
        Record::Profile(profile) => profile.cell.clone(),
        Record::Split(split) => split.cell_id.clone(),
        Record::Answer(answer) => answer.question.clone(),
        Record::Element(_) => String::new(),
        Record::Foreign(foreign) => foreign.name.clone(),
    }
}
