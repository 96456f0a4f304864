//! One element: a `run` or a `compare` of its own, whose file appears whole or not at all.
//!
//! It is idempotent. Where its file is there nothing is measured; else it measures into a folder of
//! its own, and the file, with where it comes from in every line, is written beside its place and
//! renamed. Two that measure one element at once on one node cannot both get the name: the second
//! finds it taken, and its own is left aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lockimpls::witness::EXIT_FINDING;
use results::files::Batch;
use results::sealed::{self, digits};
use results::{Host, Origin, Run, Store, time};

use super::alone::alone;
use super::flags::{Asked, asked};
use super::here::Here;
use super::{Element, Grid, Machine};
use crate::cmd::{self, EXIT_OK};
use crate::compare::verdicts::{EXIT_SLOWER, EXIT_UNCLEAR};
use crate::cpus::Cpus;
use crate::host;
use crate::interrupt::EXIT_INTERRUPTED;
use crate::tell;

/// Where a grid's elements are measured before they have their names.
pub const WORK: &str = "work";
/// How the name of an element's file ends.
const ENDING: &str = "jsonl";

/// An element, and where it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The grid.
    pub grid: &'a Grid,
    /// The machine, by the grid.
    pub machine: &'a Machine,
    /// This process.
    pub here: &'a Here,
}

/// What became of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its file is there, and was before.
    WasThere(i32),
    /// It was measured; with the code that the run or comparison ended with.
    Measured(i32),
    /// Somebody asked for the end.
    Interrupted,
}

impl Outcome {
    /// The exit code of the process: a verdict is a result like any other, a finding is not.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Outcome::Interrupted => EXIT_INTERRUPTED,
            Outcome::WasThere(EXIT_FINDING) | Outcome::Measured(EXIT_FINDING) => EXIT_FINDING,
            Outcome::WasThere(_) | Outcome::Measured(_) => EXIT_OK,
        }
    }
}

impl Place<'_> {
    /// Measures an element, if it is not there.
    ///
    /// # Errors
    /// It could not be measured as a whole; what there is of it stays in its folder below `work`.
    pub fn measure(&self, element: &Element) -> Result<Outcome, String> {
        let machine = host::describe(&Cpus::allowed()?);
        let path = self.path(element, &machine);
        if let Some(code) = there(&path)? {
            return Ok(Outcome::WasThere(code));
        }
        let _alone = alone();
        // What was waited for can have been this element.
        if let Some(code) = there(&path)? {
            return Ok(Outcome::WasThere(code));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let work = self.grid.out.join(WORK).join(format!("{stem}.{}", std::process::id()));
        let started = time::rfc3339_utc(SystemTime::now());
        let code = run(&self.words(element), &work)?;
        if code == EXIT_INTERRUPTED {
            return Ok(Outcome::Interrupted);
        }
        let whole = [EXIT_OK, EXIT_FINDING, EXIT_SLOWER, EXIT_UNCLEAR].contains(&code);
        if !whole {
            return Err(format!("{}: it ended with code {code}; {}", element.id, left(&work)));
        }
        if host::describe(&Cpus::allowed()?) != machine {
            return Err(format!("{}: the machine changed meanwhile; {}", element.id, left(&work)));
        }
        let ended = time::rfc3339_utc(SystemTime::now());
        let end = results::Element { code, started, ended, ..self.end(element, machine) };
        if publish(&work, &path, &end)? {
            let _ = fs::remove_dir_all(&work);
        }
        Ok(Outcome::Measured(code))
    }

    /// The code of an element's file, if it is there and whole.
    ///
    /// # Errors
    /// It is there, and is not whole; or the system does not say what this machine is.
    pub fn done(&self, element: &Element) -> Result<Option<i32>, String> {
        there(&self.path(element, &host::describe(&Cpus::allowed()?)))
    }

    /// Where its file belongs: a machine that has changed, or another build, has another.
    fn path(&self, element: &Element, machine: &Host) -> PathBuf {
        let state = format!(
            "{machine:?} {} {:?} {:?} {} {:?}",
            host::RUSTC,
            host::commit(),
            host::dirty(),
            host::build(),
            self.machine.cpus
        );
        let is_part = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        let node: String =
            self.here.node.chars().map(|it| if is_part(it) { it } else { '_' }).collect();
        let digits = digits(state.as_bytes());
        let name = format!("{}.{}.{node}.{digits}.{ENDING}", element.id, self.machine.name);
        self.grid.out.join(name)
    }

    fn words(&self, element: &Element) -> Vec<String> {
        let cpus = self.machine.cpus.iter().map(|cpus| format!("--cpus={cpus}"));
        element.words.iter().cloned().chain(cpus).collect()
    }

    fn end(&self, element: &Element, machine: Host) -> results::Element {
        let Here { node, job, restarts, boot } = self.here.clone();
        results::Element {
            origin: Origin {
                grid: self.grid.name.clone(),
                element: element.id.clone(),
                machine: self.machine.name.clone(),
                node,
                job,
                restarts,
            },
            boot,
            commit: host::commit(),
            dirty: host::dirty(),
            rustc: host::RUSTC.to_owned(),
            build: host::build(),
            host: machine,
            ..results::Element::default()
        }
    }
}

/// The longest file of an element.
const FILE_BYTES_MAX: u64 = 1 << 30;

fn there(path: &Path) -> Result<Option<i32>, String> {
    let bytes = match results::files::read(path, FILE_BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let broken = |what: String| format!("{}: {what}; remove it to measure again", path.display());
    let text = String::from_utf8(bytes).map_err(|_| broken("it is no text".to_owned()))?;
    let end = sealed::opened(&text).map_err(|error| broken(error.to_string()))?;
    Ok(Some(end.code))
}

/// Runs or compares in this process, into that folder.
fn run(words: &[String], work: &Path) -> Result<i32, String> {
    match asked(words)? {
        Asked::Run(mut args) => {
            args.cells.out = Some(work.to_owned());
            cmd::run::run(&args)
        }
        Asked::Compare(mut args) => {
            args.cells.out = Some(work.to_owned());
            cmd::compare::compare(&args)
        }
    }
}

/// Gives the only run of a folder its place among the grid's files; whether that was free.
fn publish(work: &Path, path: &Path, end: &results::Element) -> Result<bool, String> {
    let failed = |error: String| format!("{}: {error}", left(work));
    let files = Store::at(work).list().map_err(|error| failed(error.to_string()))?;
    let [file] = files.as_slice() else {
        return Err(failed(format!("{} runs and not one", files.len())));
    };
    let run = Run::read(file).map_err(|error| failed(error.to_string()))?;
    nothing(&run).map_or(Ok(()), |why| Err(failed(format!("nothing was compared: {why}"))))?;
    let text = fs::read_to_string(&file.path).map_err(|error| failed(error.to_string()))?;
    let text = sealed::sealed(&text, end).map_err(|error| failed(error.to_string()))?;
    let mut batch = Batch::default();
    batch.add(path, text.as_bytes()).map_err(|error| failed(error.to_string()))?;
    match batch.place_new() {
        Err(taken) if taken.source.kind() == io::ErrorKind::AlreadyExists => {
            tell!("{} is there by now, and stays; {}", path.display(), left(work));
            Ok(false)
        }
        placed => placed.map(|_| true).map_err(|error| failed(error.to_string())),
    }
}

/// Why a comparison compared nothing at all, as where a side does not build: that may pass, and so
/// is no result.
fn nothing(run: &Run) -> Option<String> {
    let mut lines = run.compared().peekable();
    let first = lines.peek()?;
    let why = first.why.clone().unwrap_or_else(|| "no pairs".to_owned());
    let is_found = run.findings().next().is_some();
    (lines.all(|line| line.pairs == 0) && !is_found).then_some(why)
}

fn left(work: &Path) -> String {
    format!("what was measured is in {}", work.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../results/recorded/run.jsonl");

    #[test]
    fn where_the_place_is_taken_what_was_measured_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let (work, path) = (folder.path().join("work"), folder.path().join("element.jsonl"));
        fs::create_dir(&work).expect("made");
        fs::copy(RUN, work.join("20261127T000000Z-0000.jsonl")).expect("copied");
        let end = results::Element::default();
        assert_eq!(publish(&work, &path, &end), Ok(true));
        let first = fs::read(&path).expect("there");
        assert_eq!(publish(&work, &path, &end), Ok(false));
        assert_eq!(fs::read(&path).expect("there"), first, "the first stays");
    }
}
