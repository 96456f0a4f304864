//! A grid in a folder of its own, and what has come of it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use results::collected::{Collected, Set};
use results::sealed::sealed;
use results::{Element, Measure, Record};
use tempfile::TempDir;

/// A grid that is over as soon as it can be.
pub(crate) struct Night {
    pub(crate) folder: TempDir,
}

/// Two backends, with so many lengths of messages: an element each.
pub(crate) fn cells(sizes: usize) -> String {
    let sizes: Vec<String> = (1..=sizes).map(|size| (size * 8).to_string()).collect();
    format!(
        "[[cells]]\nworkload = 'pairs'\nbackend = ['global', 'per-socket']\nthreads = 1\n\
         seconds = 0.02\nrounds = 1\nsize = [{}]\n",
        sizes.join(", ")
    )
}

impl Night {
    pub(crate) fn of(text: &str) -> Night {
        let night = Night { folder: tempfile::tempdir().expect("a folder") };
        fs::write(night.file(), text).expect("written");
        night
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("night.toml")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("night.grid")
    }

    /// `solock grid WHAT FILE MORE..`, to be started.
    pub(crate) fn grid(&self, what: &str, more: &[&str]) -> Command {
        self.grid_of(&self.file(), what, more)
    }

    /// The same of another file beside it.
    pub(crate) fn grid_of(&self, file: &Path, what: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
        command.args(["grid", what]).arg(file).args(more);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        // Elements of other tests are not waited for.
        command.env("SOLOCK_BOX", self.folder.path().file_name().expect("a name"));
        command.env("TMPDIR", self.folder.path());
        // Whatever started this test is not what starts an element.
        for name in ["SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURMD_NODENAME", "PARALLEL_SEQ"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn output(&self, what: &str, more: &[&str]) -> Output {
        self.grid(what, more).output().expect("solock starts")
    }

    /// The files of elements, by name.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.ending("jsonl")
    }

    /// The files that were put aside, by name.
    pub(crate) fn put_aside(&self) -> Vec<PathBuf> {
        self.ending("aside")
    }

    fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.out()).into_iter().flatten().flatten();
        let is_it = |path: &PathBuf| path.extension().is_some_and(|end| end == ending);
        let mut files: Vec<PathBuf> = entries.map(|it| it.path()).filter(is_it).collect();
        files.sort();
        files
    }

    /// What the files are, sifted as `collect` does.
    pub(crate) fn collected(&self) -> Collected {
        let grid = solock::grid::Grid::read(&self.file()).expect("a grid");
        solock::grid::report::collected(&grid, &[]).expect("readable")
    }
}

/// Writes a set as if it had been measured at another time.
pub(crate) fn move_to(set: &Set, started: &str, ended: &str) {
    let (started, ended) = (started.to_owned(), ended.to_owned());
    let end = Element { started, ended, ..set.element.clone() };
    let lines = set.run.records.iter().filter(|record| !matches!(record, Record::Element(_)));
    let run: String = lines.map(|line| line.to_line().expect("a line") + "\n").collect();
    fs::write(set.path(), sealed(&run, &end).expect("sealed")).expect("written");
}

/// What a grid recorded, but for times and numbers: by element, each line's kind and cell. A ratio
/// has a line only where the host left enough rounds alone; so ratios are left out.
pub(crate) fn record_set(collected: &Collected) -> Vec<String> {
    let mut set = Vec::new();
    for one in collected.sets() {
        let records = one.run.records.iter().filter(|record| !matches!(record, Record::Ratio(_)));
        let lines = records.map(|record| match record {
            Record::Measured(line) => {
                let stamps = if line.measure == Measure::Latency { "stamps" } else { "counts" };
                format!("measured {} {stamps} {}", line.cell_id, line.round)
            }
            Record::Element(line) => format!("end {}", line.code),
            other => format!("{other:?}"),
        });
        let mut lines: Vec<String> = lines.map(|line| format!("{}: {line}", one.id())).collect();
        lines.sort();
        set.extend(lines);
    }
    set
}

/// Says what was not tried, and what it would take; fails where it must be tried. The tests' runner
/// keeps to itself what is printed, but not what is written.
pub(crate) fn skipped(what: &str, required_by: &str) {
    assert!(std::env::var_os(required_by).is_none(), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// Whether a program is there.
pub(crate) fn has(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let sbin = Path::new("/usr/sbin");
    let mut folders = std::env::split_paths(&folders).chain([sbin.to_owned()]);
    folders.any(|folder| folder.join(program).is_file())
}
