//! The recorded run: each cell held against any other of its group, what was counted there, and
//! what its profile says.

use std::collections::BTreeMap;

use results::answer::{Answers, Weight, weigh};
use results::outward::Printed;
use results::stats::{self, Interval};
use results::summary::{LEVEL, Row};
use results::{Cell, Measure, Run, Slices, Split, Summary, same_machine, summarise};
use solock::matrix;
use solock::words::{REFERENCE, words};

/// Every run of the folder.
pub(crate) struct Recorded {
    /// Those that measured.
    pub(crate) measured: Vec<Run>,
    profiled: Vec<Run>,
    /// By the backend that ratios are to.
    summaries: BTreeMap<&'static str, Summary>,
    /// The backends that were measured, in the order in which they are shown.
    pub(crate) backends: Vec<&'static str>,
}

/// Cells that differ in the backend alone, such as `duplex/stream/t2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) workload: String,
    pub(crate) kind: String,
    pub(crate) threads: u32,
}

/// One cell against another of its group, which was measured in turns with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held {
    /// The ratio of their operations per second, and what its interval allows to be said.
    Told(Printed, Weight),
    /// There is none, or it may not be used, and why.
    Untold(String),
}

/// What was counted in a cell and what its profile says, for each operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Costs {
    pub(crate) locks: f64,
    pub(crate) relocks: f64,
    /// The share of the locks that were not free at once.
    pub(crate) not_free: f64,
    /// None where no profile was recorded.
    pub(crate) profile: Option<Profiled>,
}

/// Of a profile, for each operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Profiled {
    /// Locks that another thread had had last.
    pub(crate) bounces: f64,
    pub(crate) split: Split,
}

impl Profiled {
    /// The share of the time of all threads that is a wait for a lock.
    pub(crate) fn waiting(&self) -> f64 {
        let parts = &self.split.ns_per_operation;
        parts.wait / parts.total().max(f64::MIN_POSITIVE)
    }
}

impl Group {
    /// `WORKLOAD/TYPE/tTHREADS`.
    pub(crate) fn parse(text: &str) -> Option<Group> {
        let [workload, kind, threads] = text.split('/').collect::<Vec<_>>().try_into().ok()?;
        let threads = threads.strip_prefix('t')?.parse().ok()?;
        Some(Group { workload: workload.to_owned(), kind: kind.to_owned(), threads })
    }

    fn of(cell: &Cell) -> Group {
        let Cell { workload, socket_type, threads, .. } = cell.clone();
        Group { workload, kind: socket_type, threads }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}/{}/t{}", self.workload, self.kind, self.threads)
    }

    /// How the text calls a cell of it.
    pub(crate) fn cell(&self, backend: &str) -> String {
        format!("`{}/{backend}/{}/t{}`", self.workload, self.kind, self.threads)
    }

    /// What one operation is, as a noun.
    pub(crate) fn operation(&self) -> &'static str {
        let workloads = matrix::workloads();
        let found = workloads.iter().find(|one| one.name == self.workload);
        found.and_then(|one| one.question).expect("a workload of the registry").operation
    }
}

impl Recorded {
    /// Of runs that may be used together.
    ///
    /// # Errors
    /// They are of several machines or programs, one was ended before its end or found something,
    /// or the reference differs from itself over all cells.
    pub(crate) fn new(runs: Vec<Run>) -> Result<Recorded, String> {
        same_machine(&runs).map_err(|error| error.to_string())?;
        if let Some(run) = runs.iter().find(|run| run.interrupted()) {
            return Err(format!("{} is not whole", run.id));
        }
        let is_wrong = |run: &&Run| {
            run.findings().next().is_some() || run.measured().any(|line| line.checks.faults() > 0)
        };
        if let Some(run) = runs.iter().find(is_wrong) {
            return Err(format!("{} found something", run.id));
        }
        let (profiled, measured): (Vec<Run>, Vec<Run>) =
            runs.into_iter().partition(Run::is_profile);
        let was_measured = |name: &&'static str| {
            measured.iter().flat_map(Run::measured).any(|line| line.cell.backend == *name)
        };
        let names = matrix::backends().into_iter().map(|backend| backend.name);
        let backends: Vec<&str> = names.filter(was_measured).collect();
        if measured.iter().flat_map(Run::ratios).any(results::Ratio::is_invalid) {
            return Err(format!("{REFERENCE} differs from itself"));
        }
        let summary = |name: &&'static str| {
            let summary = summarise(&measured, name).map_err(|error| error.to_string())?;
            Ok::<_, String>((*name, summary))
        };
        let summaries = backends.iter().map(summary).collect::<Result<_, _>>()?;
        let recorded = Recorded { measured, profiled, summaries, backends };
        recorded.is_of_one_program()?;
        recorded.has_short_names()?;
        Ok(recorded)
    }

    fn is_of_one_program(&self) -> Result<(), String> {
        let measured = self.measured.iter().flat_map(Run::measured);
        let mut commits: Vec<(&Option<String>, Option<bool>)> =
            measured.map(|line| (&line.commit, line.dirty)).collect();
        commits.extend(self.splits().map(|line| (&line.commit, line.dirty)));
        match commits.iter().find(|other| **other != commits[0]) {
            Some(other) => Err(format!("of two programs: {:?} and {other:?}", commits[0])),
            None => Ok(()),
        }
    }

    /// Whether the names of the text say which cell is meant.
    fn has_short_names(&self) -> Result<(), String> {
        let wrong = self.rows().map(|row| &row.cell).find(|cell| {
            let plain = Cell { own: Default::default(), lock: String::new(), ..(*cell).clone() };
            let plain = Cell { ambient: Vec::new(), ..plain };
            **cell != plain || cell.message_bytes != 64 || cell.wait != "adaptive"
        });
        wrong.map_or(Ok(()), |cell| Err(format!("{} has more in its name", cell.id())))
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.summaries.get(REFERENCE).into_iter().flat_map(|summary| &summary.rows)
    }

    /// What was measured, in the order in which it was: streams, then datagrams, each by threads.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for row in self.rows() {
            let group = Group::of(&row.cell);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    /// The cell of a group, if it was measured.
    pub(crate) fn row(&self, group: &Group, backend: &str) -> Option<&Row> {
        self.rows().find(|row| row.cell.backend == backend && Group::of(&row.cell) == *group)
    }

    /// One backend against another in a group.
    pub(crate) fn held(&self, group: &Group, backend: &str, against: &str) -> Held {
        // The run recorded ratios to the reference: the other way round it says the same.
        let found = if backend == REFERENCE {
            self.interval(group, against, backend).map(|found| Interval {
                estimate: 1.0 / found.estimate,
                low: 1.0 / found.high,
                high: 1.0 / found.low,
                ..found
            })
        } else {
            self.interval(group, backend, against)
        };
        found.map_or_else(Held::Untold, |found| told(&found))
    }

    /// The ratio of one backend to another as a table of ratios to that has it; or why there is
    /// none.
    fn interval(&self, group: &Group, backend: &str, against: &str) -> Result<Interval, String> {
        let none = |name| format!("{name} was not measured");
        let summary = self.summaries.get(against).ok_or_else(|| none(against))?;
        let is_it = |row: &&Row| row.cell.backend == backend && Group::of(&row.cell) == *group;
        let row = summary.rows.iter().find(is_it).ok_or_else(|| none(backend))?;
        if let Some(why) = summary.why_spoiled(row) {
            return Err(why.to_owned());
        }
        row.interval().ok_or_else(|| {
            let why = row.ratio.as_ref().and_then(|ratio| ratio.why.clone());
            why.unwrap_or_else(|| "no interval".to_owned())
        })
    }

    /// Whether the machine was busy in too many slices of a cell.
    pub(crate) fn was_busy(&self, group: &Group, backend: &str) -> bool {
        let ratio = self.row(group, backend).and_then(|row| row.ratio.as_ref());
        ratio.is_some_and(results::Ratio::is_busy)
    }

    /// What a cell's operations cost; none where its locks cannot be seen.
    pub(crate) fn costs(&self, group: &Group, backend: &str) -> Option<Costs> {
        let row = self.row(group, backend)?;
        Some(Costs {
            locks: row.acquisitions_per_operation?,
            relocks: row.relocks_per_operation.unwrap_or(0.0),
            not_free: row.contended_share.unwrap_or(0.0),
            profile: self.profile(&row.cell.id()),
        })
    }

    fn profile(&self, cell: &str) -> Option<Profiled> {
        let split = self.splits().find(|one| one.cell_id == cell)?;
        let of_cell = self.profiled.iter().flat_map(Run::profiles).filter(|one| one.cell == cell);
        let bounces: u64 = of_cell.map(|one| one.events.acq_bounces).sum();
        let bounces = bounces as f64 / split.operations.max(1) as f64;
        Some(Profiled { bounces, split: split.clone() })
    }

    /// The ratio of a backend's operations per second with two threads to those with one, by
    /// rounds: launches of two groups, each on its own, so that the machine's drift is in it.
    pub(crate) fn scaling(&self, workload: &str, kind: &str, backend: &str) -> Held {
        let of = |threads| {
            let group = Group { workload: workload.to_owned(), kind: kind.to_owned(), threads };
            self.rounds(&group, backend)
        };
        let (two, one) = (of(2), of(1));
        let pairs: Vec<(f64, f64)> =
            two.iter().filter_map(|(round, speed)| Some((*speed, *one.get(round)?))).collect();
        match stats::paired_ratio(&pairs, LEVEL).filter(|found| found.level_reached) {
            Some(found) => told(&found),
            None => Held::Untold(format!("{} rounds give no interval of 95 %", pairs.len())),
        }
    }

    /// Operations per second by run and round, without those that the host disturbed.
    fn rounds(&self, group: &Group, backend: &str) -> BTreeMap<(usize, u32), f64> {
        let lines = self.measured.iter().enumerate();
        let lines = lines.flat_map(|(run, of)| of.measured().map(move |line| (run, line)));
        lines
            .filter(|(_, line)| line.cell.backend == backend && Group::of(&line.cell) == *group)
            .filter(|(_, line)| line.measure == Measure::Throughput && !line.host_noise.flagged)
            .map(|(run, line)| ((run, line.round), line.operations_per_second))
            .collect()
    }

    /// The fewest and the most pairs of processes behind a ratio to the reference.
    pub(crate) fn pairs(&self) -> [u32; 2] {
        let pairs = || self.rows().filter_map(|row| Some(row.ratio.as_ref()?.pairs));
        [pairs().min().unwrap_or(0), pairs().max().unwrap_or(0)]
    }

    /// What the time of each cell was spent on.
    pub(crate) fn splits(&self) -> impl Iterator<Item = &Split> {
        self.profiled.iter().flat_map(Run::splits)
    }

    /// The sentences about the two CPUs, each with the cells that it is about.
    pub(crate) fn two_cpus(&self) -> Vec<String> {
        let Some(summary) = self.summaries.get(REFERENCE) else { return Vec::new() };
        let answers = Answers::of(&self.measured, summary, &words(REFERENCE));
        let mut told = Vec::new();
        for section in &answers.sections {
            let about = section.answers.iter().filter(|one| one.question == "the two CPUs");
            told.extend(about.map(|one| format!("{}: {}", section.setting, one.sentence)));
        }
        told
    }

    /// All slices of what was measured, and the calls whose return was checked.
    pub(crate) fn checked(&self) -> (Slices, u64) {
        let slices = self.summaries.get(REFERENCE).and_then(Summary::slices).unwrap_or_default();
        let lines = self.measured.iter().flat_map(Run::measured);
        (slices, lines.map(|line| line.checks.operations_checked).sum())
    }
}

/// What an interval of 95 % allows to be said.
fn told(found: &Interval) -> Held {
    let printed = Printed::new(found.estimate, found.low, found.high);
    Held::Told(printed, weigh(&printed))
}
