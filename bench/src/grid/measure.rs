//! One element: a `run` or a `compare` of its own, whose file appears whole or not at all.
//!
//! It is idempotent. Where its file is there nothing is measured, but where that is cut, or was
//! measured beside another: then it is put aside first. It measures into a folder that nothing else
//! has had, and the file, with where it comes from in every line, is written beside its place and
//! renamed. Two that measure one element at once on one node cannot both get the name: the second
//! finds it taken, and its own is left where it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lockimpls::witness::EXIT_FINDING;
use results::checksum::digits;
use results::collected::{Collected, PUT_ASIDE, Why};
use results::files::Batch;
use results::sealed;
use results::{Host, Origin, Run, Store, time};

use super::alone::alone;
use super::flags::{Asked, asked};
use super::here::Here;
use super::{Element, Grid, Machine, report};
use crate::cmd::{self, EXIT_OK};
use crate::compare::verdicts::{EXIT_SLOWER, EXIT_UNCLEAR};
use crate::cpus::{Cpus, show_list};
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
        let path = self.path(element, &machine)?;
        if let Some(code) = self.there(&path)? {
            return Ok(Outcome::WasThere(code));
        }
        let _alone = alone();
        // What was waited for can have been this element.
        if let Some(code) = self.there(&path)? {
            return Ok(Outcome::WasThere(code));
        }
        put_aside(&path)?;
        let work = fresh(&self.grid.out.join(WORK), &path)?;
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
        let end = results::Element { code, started, ended, ..self.end(element, machine)? };
        if publish(&work, &path, &end)? {
            let _ = fs::remove_dir_all(&work);
        }
        Ok(Outcome::Measured(code))
    }

    /// The code of an element's file, if that is there and need not be measured again.
    ///
    /// # Errors
    /// The system does not say what this machine is.
    pub fn done(&self, element: &Element, collected: &Collected) -> Result<Option<i32>, String> {
        let path = self.path(element, &host::describe(&Cpus::allowed()?))?;
        Ok(usable(&path, collected))
    }

    /// The same of its file, whatever there is by now.
    fn there(&self, path: &Path) -> Result<Option<i32>, String> {
        // To know what was measured beside others takes all files.
        if !path.exists() {
            return Ok(None);
        }
        Ok(usable(path, &report::collected(self.grid, &[])?))
    }

    /// Where its file belongs: a machine that has changed, another build, and another grid with the
    /// same folder, have another.
    fn path(&self, element: &Element, machine: &Host) -> Result<PathBuf, String> {
        let state = format!(
            "{machine:?} {} {:?} {:?} {:?} {} {} {}",
            host::RUSTC,
            host::commit(),
            host::dirty(),
            host::program(),
            host::build(),
            self.cpus()?,
            self.grid.name
        );
        let is_part = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        let node: String =
            self.here.node.chars().map(|it| if is_part(it) { it } else { '_' }).collect();
        let digits = digits(state.as_bytes());
        let name = format!("{}.{}.{node}.{digits}.{ENDING}", element.id, self.machine.name);
        Ok(self.grid.out.join(name))
    }

    /// The CPUs that threads get, in their order.
    fn cpus(&self) -> Result<String, String> {
        let allowed = Cpus::allowed()?;
        let asked = self.machine.cpus.as_deref();
        let cpus = asked.map_or_else(|| Ok(allowed.clone()), |list| allowed.choose(list))?;
        Ok(show_list(cpus.order()))
    }

    fn words(&self, element: &Element) -> Vec<String> {
        let cpus = self.machine.cpus.iter().map(|cpus| format!("--cpus={cpus}"));
        element.words.iter().cloned().chain(cpus).collect()
    }

    fn end(&self, element: &Element, machine: Host) -> Result<results::Element, String> {
        let Here { node, job, restarts, boot } = self.here.clone();
        Ok(results::Element {
            origin: Origin {
                grid: self.grid.name.clone(),
                element: element.id.clone(),
                machine: self.machine.name.clone(),
                node,
                job,
                restarts,
            },
            cpus: Some(self.cpus()?),
            boot,
            commit: host::commit(),
            dirty: host::dirty(),
            program: host::program(),
            rustc: host::RUSTC.to_owned(),
            build: host::build(),
            host: machine,
            ..results::Element::default()
        })
    }
}

/// The code of a file that is there and need not be measured again. To measure again what is unlike
/// the most would give the same.
fn usable(path: &Path, collected: &Collected) -> Option<i32> {
    if let Some(set) = collected.sets().find(|set| set.path() == path) {
        return Some(set.element.code);
    }
    let fault = collected.faults.iter().find(|fault| fault.path == path)?;
    let helps = matches!(fault.why, Why::Cut(_) | Why::Foreign(_) | Why::AtOnce(_));
    (!helps).then_some(EXIT_OK)
}

/// What has the name of an element, and cannot be used, gets another one.
fn put_aside(path: &Path) -> Result<(), String> {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}{PUT_ASIDE}", fastrand::u64(..)));
    match fs::rename(path, path.with_file_name(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed.map_err(|error| format!("cannot put {} aside: {error}", path.display())),
    }
}

/// Makes a folder that nothing else has had: numbers of processes come again, after a restart and
/// on another node.
fn fresh(all: &Path, path: &Path) -> Result<PathBuf, String> {
    let failed = |error: io::Error| format!("cannot write to {}: {error}", all.display());
    fs::create_dir_all(all).map_err(failed)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    loop {
        let folder = all.join(format!("{stem}.{:016x}", fastrand::u64(..)));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder).map_err(failed),
        }
    }
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
    fn no_two_elements_have_one_folder_and_what_cannot_be_used_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.jsonl");
        let work = folder.path().join("work");
        let folders = [(); 2].map(|()| fresh(&work, &path).expect("made"));
        assert!(folders[0] != folders[1] && folders.iter().all(|folder| folder.is_dir()));
        put_aside(&path).expect("nothing to do");
        for text in ["a", "b"] {
            fs::write(&path, text).expect("written");
            put_aside(&path).expect("renamed");
        }
        let files = fs::read_dir(folder.path()).expect("there").flatten();
        let aside = files.filter(|file| file.file_name().to_string_lossy().ends_with(PUT_ASIDE));
        let mut texts: Vec<_> = aside.map(|file| fs::read(file.path()).expect("read")).collect();
        texts.sort();
        assert_eq!(texts, [b"a", b"b"]);
    }

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
