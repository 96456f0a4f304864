//! Numbers of others, read from their programs' files. All of a file becomes a run file of its own,
//! or none of it.

mod csv;
mod will_it_scale;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use crate::error::StoreError;
use crate::files;
use crate::foreign::Foreign;
use crate::record::Record;
use crate::store::Store;
use crate::time::rfc3339_utc;

/// A format of another tool.
#[derive(Clone, Copy, Debug)]
pub struct ImportFormat {
    /// The name used on the command line.
    pub name: &'static str,
    /// What is read, in a few words.
    pub about: &'static str,
    /// The numbers of a table.
    numbers: fn(&Table) -> Result<Vec<Number>, Fault>,
}

/// Every format, in the order they are listed to users: a file here and its row.
pub static IMPORTS: [ImportFormat; 2] = [will_it_scale::FORMAT, csv::FORMAT];

impl ImportFormat {
    /// The format of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static ImportFormat> {
        IMPORTS.iter().find(|format| format.name == name)
    }
}

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why a file cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}:{line}: {what}; nothing was imported")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// It has no number.
    #[error("{path} has no number that can be read as {format}; nothing was imported")]
    Empty {
        /// The file.
        path: PathBuf,
        /// The format asked for.
        format: &'static str,
    },
    /// The run file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong in a line, from 1.
type Fault = (u64, String);

/// A number as it stands in the file.
struct Number {
    name: String,
    tasks: Option<u32>,
    value: f64,
    unit: String,
}

/// A table with named columns.
struct Table {
    names: Vec<String>,
    /// The fields of each row, and the number of its line.
    rows: Vec<(u64, Vec<String>)>,
}

impl Table {
    fn read(bytes: &[u8]) -> Result<Table, Fault> {
        if [b"\xff\xfe", b"\xfe\xff"].into_iter().any(|mark| bytes.starts_with(mark)) {
            return Err((1, "it is UTF-16, by its byte order mark; save it as UTF-8".to_owned()));
        }
        // What some programs begin a file in UTF-8 with.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).from_reader(bytes);
        let fault = |error: ::csv::Error| {
            let line = error.position().map_or(1, ::csv::Position::line);
            (line, format!("no comma-separated values: {error}"))
        };
        let fields = |record: &::csv::StringRecord| record.iter().map(str::to_owned).collect();
        let plain = |record: &::csv::StringRecord| {
            let line = record.position().map_or(1, ::csv::Position::line);
            if record.iter().flat_map(str::chars).any(char::is_control) {
                return Err((line, "a control character stands in it".to_owned()));
            }
            Ok((line, fields(record)))
        };
        let (_, names) = plain(reader.headers().map_err(fault)?)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            rows.push(plain(&record.map_err(fault)?)?);
        }
        Ok(Table { names, rows })
    }

    /// The place of a column, if it is there; of two of that name neither can be meant.
    fn column(&self, name: &str) -> Result<Option<usize>, Fault> {
        let named = |(place, other): (usize, &String)| (other == name).then_some(place);
        let mut places = self.names.iter().enumerate().filter_map(named);
        match (places.next(), places.next()) {
            (Some(first), Some(second)) => {
                let places = format!("{} and {}", first + 1, second + 1);
                Err((1, format!("the columns {places} are both called {name:?}")))
            }
            (place, _) => Ok(place),
        }
    }

    /// The place of a column.
    fn needed(&self, name: &str) -> Result<usize, Fault> {
        self.column(name)?.ok_or_else(|| {
            let others = match self.names.as_slice() {
                [] => ", nor any other".to_owned(),
                names => format!("; there are {}", shown(&names.join(", "))),
            };
            (1, format!("there is no column {name:?}{others}"))
        })
    }
}

/// The longest text of a file that is shown in a complaint, in characters.
const SHOWN_MAX: usize = 200;

/// As much of a file's text as a complaint has room for.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// A number of a field, such as `1`, `-0.5` or `2.5e6`.
fn number(line: u64, field: &str) -> Result<f64, Fault> {
    let number = field.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| (line, format!("{:?} is no number", shown(field))))
}

/// How many tasks a field says.
fn tasks(line: u64, field: &str) -> Result<u32, Fault> {
    field.parse().map_err(|_| (line, format!("{:?} is no number of tasks", shown(field))))
}

/// Reads a file of another program, and makes a run file of its numbers; returns that file.
///
/// `source` is what they are called; else the file's name is taken.
///
/// # Errors
/// The file cannot be read, is not of that format or has no number, or the run file cannot be
/// written; then there is none.
pub fn import(
    path: &Path,
    format: &ImportFormat,
    source: Option<&str>,
    store: &Path,
) -> Result<PathBuf, ImportError> {
    let read = |source| ImportError::Read { path: path.to_owned(), source };
    let bytes = files::read(path, FILE_BYTES_MAX).map_err(read)?;
    let line = |(line, what)| ImportError::Line { path: path.to_owned(), line, what };
    let numbers = Table::read(&bytes).and_then(|table| (format.numbers)(&table)).map_err(line)?;
    if numbers.is_empty() {
        return Err(ImportError::Empty { path: path.to_owned(), format: format.name });
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let now = SystemTime::now();
    let record = |Number { name, tasks, value, unit }: Number| {
        Record::from(Foreign {
            source: source.unwrap_or(&stem).to_owned(),
            format: format.name.to_owned(),
            name,
            tasks,
            value,
            unit,
            started: rfc3339_utc(now),
        })
    };
    let records: Vec<Record> = numbers.into_iter().map(record).collect();
    let writer = Store::open(store)?.start(now)?;
    writer.publish(&records)?;
    Ok(writer.finish()?)
}
