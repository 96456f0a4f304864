//! A record as a line of JSON, and back.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bounds::Outside;
use crate::cell::Cell;
use crate::compared::Compared;
use crate::profile::{Profile, Split};
use crate::ratio::Ratio;
use crate::record::{Measured, Record, SCHEMA};

/// Why a line is not a record, or a record cannot be a line.
#[derive(Debug, Error)]
pub enum LineError {
    /// Not JSON, or a field is missing or of the wrong kind.
    #[error("not a record: {0}; a line must be one JSON object as FORMAT.md has it")]
    Json(#[from] serde_json::Error),
    /// Not text.
    #[error("not a record: not UTF-8; a line must be one JSON object as FORMAT.md has it")]
    NotUtf8,
    /// Some editors and shells put one before a text.
    #[error("not a record: a byte order mark (U+FEFF) stands before it; save the file without")]
    ByteOrderMark,
    /// Another format.
    #[error(
        "schema {found} is unknown; this program reads schema {SCHEMA}: read the file with the \
         version of solock that wrote it"
    )]
    Schema {
        /// The number found.
        found: u64,
    },
    /// Neither a measurement nor a finding.
    #[error(
        "kind {found:?} is unknown; schema {SCHEMA} has measured, finding, interrupted, compared, \
         ratio, profile, split, answer, element and foreign"
    )]
    Kind {
        /// The name found.
        found: String,
    },
    /// The name of the cell and its coordinates differ.
    #[error("cell {found:?} is not the cell of its own fields, which is {expected:?}")]
    Cell {
        /// The name found.
        found: String,
        /// What the coordinates say.
        expected: String,
    },
    /// A number that cannot have been measured.
    #[error("{field} cannot be: it is {what}")]
    Number {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A ratio that cannot be.
    #[error("the ratio of {cell:?} cannot be: {what}")]
    Ratio {
        /// The cell.
        cell: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What every line begins with.
#[derive(Deserialize)]
struct Head {
    schema: u64,
    kind: String,
}

/// A line to be.
#[derive(Serialize)]
struct Line<'a, T> {
    schema: u32,
    kind: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

impl Record {
    /// The record as one line, without the newline. It is read back before it is handed out, so
    /// that what is stored can be read (a division by zero upstream would store a number that is
    /// none).
    ///
    /// # Errors
    /// A number is not finite, or the cell's name is not that of its coordinates.
    pub fn to_line(&self) -> Result<String, LineError> {
        let line = match self {
            Record::Measured(body) => line_of("measured", body)?,
            Record::Finding(body) => line_of("finding", body)?,
            Record::Interrupted(body) => line_of("interrupted", body)?,
            Record::Compared(body) => line_of("compared", body)?,
            Record::Ratio(body) => line_of("ratio", body)?,
            Record::Profile(body) => line_of("profile", body)?,
            Record::Split(body) => line_of("split", body)?,
            Record::Answer(body) => line_of("answer", body)?,
            Record::Element(body) => line_of("element", body)?,
            Record::Foreign(body) => line_of("foreign", body)?,
        };
        Record::from_line(&line)?;
        Ok(line)
    }

    /// Reads a line. Fields that this version does not know are left aside.
    ///
    /// # Errors
    /// The line is no record of schema 1.
    pub fn from_line(line: &str) -> Result<Record, LineError> {
        if line.starts_with('\u{feff}') {
            return Err(LineError::ByteOrderMark);
        }
        let head: Head = serde_json::from_str(line)?;
        if head.schema != u64::from(SCHEMA) {
            return Err(LineError::Schema { found: head.schema });
        }
        match head.kind.as_str() {
            "measured" => measured_from(line),
            "finding" => Ok(Record::Finding(serde_json::from_str(line)?)),
            "interrupted" => Ok(Record::Interrupted(serde_json::from_str(line)?)),
            "compared" => compared_from(line),
            "ratio" => ratio_from(line),
            "profile" => profile_from(line),
            "split" => split_from(line),
            "answer" => Ok(Record::Answer(serde_json::from_str(line)?)),
            "element" => Ok(Record::Element(serde_json::from_str(line)?)),
            "foreign" => Ok(Record::Foreign(serde_json::from_str(line)?)),
            _ => Err(LineError::Kind { found: head.kind }),
        }
    }
}

fn line_of<T: Serialize>(kind: &str, body: &T) -> Result<String, LineError> {
    Ok(serde_json::to_string(&Line { schema: SCHEMA, kind, body })?)
}

fn measured_from(line: &str) -> Result<Record, LineError> {
    let measured: Box<Measured> = serde_json::from_str(line)?;
    is_cell(&measured.cell_id, &measured.cell)?;
    inside(measured.outside())?;
    Ok(Record::Measured(measured))
}

/// Whether a cell's name is that of its coordinates.
fn is_cell(found: &str, cell: &Cell) -> Result<(), LineError> {
    let expected = cell.id();
    if found == expected {
        return Ok(());
    }
    Err(LineError::Cell { found: found.to_owned(), expected })
}

fn profile_from(line: &str) -> Result<Record, LineError> {
    let profile: Box<Profile> = serde_json::from_str(line)?;
    inside(profile.outside())?;
    Ok(Record::Profile(profile))
}

fn split_from(line: &str) -> Result<Record, LineError> {
    let split: Box<Split> = serde_json::from_str(line)?;
    is_cell(&split.cell_id, &split.cell)?;
    inside(split.outside())?;
    Ok(Record::Split(split))
}

fn compared_from(line: &str) -> Result<Record, LineError> {
    let compared: Box<Compared> = serde_json::from_str(line)?;
    inside(compared.outside())?;
    Ok(Record::Compared(compared))
}

fn inside(found: Option<Outside>) -> Result<(), LineError> {
    let error = |Outside { field, what }| LineError::Number { field, what };
    found.map_or(Ok(()), |found| Err(error(found)))
}

/// Sentences are made from ratios, so one that cannot be is no record.
fn ratio_from(line: &str) -> Result<Record, LineError> {
    let ratio: Box<Ratio> = serde_json::from_str(line)?;
    match ratio.fault() {
        Some(what) => Err(LineError::Ratio { cell: ratio.cell, what }),
        None => inside(ratio.outside()).map(|()| Record::Ratio(ratio)),
    }
}
