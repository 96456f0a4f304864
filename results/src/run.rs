//! Reading a run file, whole or cut short.

use std::io;
use std::path::{Path, PathBuf};

use crate::compared::Compared;
use crate::error::StoreError;
use crate::files;
use crate::foreign::Foreign;
use crate::line::LineError;
use crate::profile::{Profile, Split};
use crate::ratio::Ratio;
use crate::record::{Finding, Host, Measured, Record};
use crate::store::RunFile;

/// The longest run file that is read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A run that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The run's id.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// The lines in their order; the index is the number of the line, less 1.
    pub records: Vec<Record>,
    /// The file has not its final name: the run goes on, or was killed.
    pub partial: bool,
    /// The number of the last line, which was being written when the run was killed, and is left
    /// out.
    pub torn_line: Option<usize>,
}

impl Run {
    /// Reads a run file.
    ///
    /// # Errors
    /// It cannot be read, or a line is damaged or from another machine. That the last line of a
    /// partial file is torn is no error.
    pub fn read(file: &RunFile) -> Result<Run, StoreError> {
        let bytes = read_bytes(&file.path)?;
        let mut run = Run {
            id: file.id.clone(),
            path: file.path.clone(),
            records: Vec::new(),
            partial: file.partial,
            torn_line: None,
        };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            run.read_line(line)?;
        }
        if run.records.is_empty() && !run.partial {
            return Err(StoreError::Empty { path: run.path });
        }
        same_machine(std::slice::from_ref(&run))?;
        Ok(run)
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), StoreError> {
        let (text, whole) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let number = self.records.len() + 1;
        let record =
            std::str::from_utf8(text).map_err(|_| LineError::NotUtf8).and_then(Record::from_line);
        match record {
            Ok(record) => self.records.push(record),
            Err(LineError::Json(_) | LineError::NotUtf8) if self.partial && !whole => {
                self.torn_line = Some(number);
            }
            Err(source) => {
                return Err(StoreError::Line { path: self.path.clone(), line: number, source });
            }
        }
        Ok(())
    }

    /// Whether the run ended before its plan was done: killed, or ended by Ctrl-C.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.partial || self.records.iter().any(|line| matches!(line, Record::Interrupted(_)))
    }

    /// Whether it is a comparison: it has verdicts, and nothing that was measured.
    #[must_use]
    pub fn is_comparison(&self) -> bool {
        self.compared().next().is_some() && self.measured().next().is_none()
    }

    /// Whether it holds numbers of others, and nothing of ours.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        !self.records.is_empty() && self.foreign().count() == self.records.len()
    }

    /// The rounds.
    pub fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.records.iter().filter_map(Record::as_measured)
    }

    /// What the checks found.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.records.iter().filter_map(|record| match record {
            Record::Finding(finding) => Some(&**finding),
            _ => None,
        })
    }

    /// The verdicts.
    pub fn compared(&self) -> impl Iterator<Item = &Compared> {
        self.records.iter().filter_map(|record| match record {
            Record::Compared(compared) => Some(&**compared),
            _ => None,
        })
    }

    /// The ratios, those of cells against themselves included.
    pub fn ratios(&self) -> impl Iterator<Item = &Ratio> {
        self.records.iter().filter_map(|record| match record {
            Record::Ratio(ratio) => Some(&**ratio),
            _ => None,
        })
    }

    /// The numbers of others.
    pub fn foreign(&self) -> impl Iterator<Item = &Foreign> {
        self.records.iter().filter_map(|record| match record {
            Record::Foreign(foreign) => Some(&**foreign),
            _ => None,
        })
    }

    /// What was profiled, cell by cell and class by class.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.records.iter().filter_map(|record| match record {
            Record::Profile(profile) => Some(&**profile),
            _ => None,
        })
    }

    /// What the time was spent on, cell by cell.
    pub fn splits(&self) -> impl Iterator<Item = &Split> {
        self.records.iter().filter_map(|record| match record {
            Record::Split(split) => Some(&**split),
            _ => None,
        })
    }

    /// Whether it is a profile: it has no operations per second, and nothing else that could be
    /// held against another run.
    #[must_use]
    pub fn is_profile(&self) -> bool {
        self.splits().next().is_some() && self.measured().next().is_none()
    }

    /// The number of a record's line, for an error that names it.
    #[must_use]
    pub fn line_of(&self, measured: &Measured) -> usize {
        let is_it = |record: &Record| {
            record.as_measured().is_some_and(|other| std::ptr::eq(other, measured))
        };
        self.records.iter().position(is_it).map_or(0, |index| index + 1)
    }
}

/// Makes sure that all lines of all runs come from one machine, but for numbers of others, which
/// are compared with nothing.
///
/// # Errors
/// The first line that does not, with the field in which it differs.
pub fn same_machine(runs: &[Run]) -> Result<(), StoreError> {
    let mut first: Option<(&Path, usize, &Host)> = None;
    for run in runs {
        for (index, record) in run.records.iter().enumerate() {
            let Some(of_record) = record.host() else { continue };
            let (first_path, first_line, host) =
                *first.get_or_insert((&run.path, index + 1, of_record));
            if let Some(what) = difference(host, of_record) {
                return Err(StoreError::Machines {
                    path: run.path.clone(),
                    line: index + 1,
                    first_path: first_path.to_owned(),
                    first_line,
                    what,
                });
            }
        }
    }
    Ok(())
}

/// The first field in which two machines differ, with both values.
pub(crate) fn difference(first: &Host, other: &Host) -> Option<String> {
    let Host { cpu, cpus, topology, kernel, virtualised, governor } = first;
    let fields = [
        ("cpu", format!("{cpu:?}"), format!("{:?}", other.cpu)),
        ("cpus", cpus.to_string(), other.cpus.to_string()),
        ("topology", format!("{topology:?}"), format!("{:?}", other.topology)),
        ("kernel", format!("{kernel:?}"), format!("{:?}", other.kernel)),
        ("virtualised", format!("{virtualised:?}"), format!("{:?}", other.virtualised)),
        ("governor", format!("{governor:?}"), format!("{:?}", other.governor)),
    ];
    let (name, was, is) = fields.into_iter().find(|(_, was, is)| was != is)?;
    Some(format!("{name} is {is} here and {was} there"))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    files::read(path, FILE_BYTES_MAX).map_err(|source| match source.kind() {
        // This error says what to check.
        io::ErrorKind::FileTooLarge => StoreError::TooLong { path: path.to_owned(), source },
        _ => StoreError::Read { path: path.to_owned(), source },
    })
}
