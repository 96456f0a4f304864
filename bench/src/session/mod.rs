//! A whole run: launches of every group of cells, round by round, until each ratio is known well
//! enough.
//!
//! Cells that differ in the backend alone are a group. A launch of a group is one process of each
//! of its backends, slices in turns ([`launch`]); a ratio is that of a backend to the reference in
//! the same launch, and its interval is over launches. One launch in five has the reference twice:
//! what no difference looks like. A round has a launch of each group that is not done, in an order
//! that is drawn, so that no group has the whole of a good or a bad minute.
//!
//! * `group`: what the launches of one said, and whether another is wanted.
//! * `ratios`: the lines of kind `ratio`.

mod group;
mod ratios;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use results::{AgainstItself, Cell, Finding, Measure, Record, TwoCpus};

pub use self::group::SLICE;
use self::group::State;
use crate::finding::Current;
use crate::host;
use crate::plan::{self, Group, Skipped};
use crate::pool::Pin;
use crate::protocol::Prepare;
use crate::settings::Settings;
use crate::turns::launch::{self, Failed, Launch, Party, World};
use crate::turns::record::{self, Context, Place};
use crate::turns::server::Failure;

/// The time of a run when nobody says, for each cell.
pub const BUDGET_PER_CELL: Duration = Duration::from_secs(3);
/// The longest warm-up: no more is gained by waiting.
const WARM_UP_MAX: Duration = Duration::from_millis(250);

/// What a run will do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The groups of each number of threads.
    pub parts: BTreeMap<usize, Vec<Group>>,
    /// What is left out.
    pub skipped: Vec<Skipped>,
}

impl Planned {
    /// Every group, those of few threads first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.parts.values().flatten()
    }

    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.groups().map(Vec::len).sum()
    }

    /// The longest that the run may take, from the program's start; none where the number of
    /// rounds decides.
    #[must_use]
    pub fn budget(&self, settings: &Settings) -> Option<Duration> {
        let usual = BUDGET_PER_CELL * self.cells() as u32;
        settings.budget.or_else(|| settings.rounds.is_none().then_some(usual))
    }

    /// The longest that the run may take: its budget, or all of its rounds where the host disturbs
    /// every slice.
    #[must_use]
    pub fn longest(&self, settings: &Settings) -> Duration {
        let rounds = settings.rounds.unwrap_or(0);
        let by_rounds = self.groups().map(|group| State::new(group, settings).longest(rounds));
        self.budget(settings).unwrap_or_else(|| by_rounds.sum())
    }
}

/// Works out what the settings ask for.
///
/// # Errors
/// Nothing of it can run.
pub fn plan(settings: &Settings) -> Result<Planned, String> {
    let (parts, skipped) = plan::parts(settings);
    let planned = Planned { parts, skipped };
    if planned.cells() == 0 {
        let reasons: Vec<String> =
            plan::told(&planned.skipped).iter().map(|told| format!("\n  {told}")).collect();
        return Err(format!(
            "nothing is left to run{}{}",
            if reasons.is_empty() { "" } else { "; every cell was skipped:" },
            reasons.concat()
        ));
    }
    Ok(planned)
}

/// A fifth of the measured time at most.
#[must_use]
pub fn warm_up(measured: Duration) -> Duration {
    (measured / 5).min(WARM_UP_MAX)
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Summary {
    /// Lines of kind `measured`.
    pub measured: u32,
    /// Cells that could not be run to the end, and why.
    pub failed: Vec<String>,
    /// The reference with a copy of itself, over all cells, if there were launches enough; and
    /// whether it differs.
    pub itself: Option<(AgainstItself, bool)>,
    /// Why processes ran the program's own file and no copies, if some did.
    pub uncopied: Option<String>,
    /// What a check found in a process that measured; the run ended with it.
    pub found: Option<Finding>,
    /// Why a record was not kept after a check had found something: the finding goes first.
    pub unkept: Option<String>,
    /// Whether somebody ended it before its plan was done.
    pub interrupted: bool,
}

/// Whatever watches a run.
pub trait Observer {
    /// A round begins, in which so many groups are measured.
    fn round(&mut self, round: u32, groups: usize, elapsed: Duration);
    /// A launch of a group begins.
    fn launch(&mut self, group: &Group, elapsed: Duration);
    /// There is a record: its processes have ended, and passed all checks.
    ///
    /// # Errors
    /// The record could not be kept; this ends the run.
    fn publish(&mut self, record: &Record) -> Result<(), String>;
}

/// What a run is made with.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// What was asked.
    pub settings: &'a Settings,
    /// What is done about it.
    pub planned: &'a Planned,
    /// Where processes come from.
    pub world: &'a dyn World,
    /// The program that measures.
    pub program: &'a Path,
    /// What all records have in common.
    pub context: &'a Context,
    /// The cell under way.
    pub current: &'a Current,
}

/// Runs it all, or until the budget is spent, a check finds something, or somebody asks for the
/// end.
///
/// # Errors
/// A record could not be kept, and no check had found anything.
pub fn run(session: &Session<'_>, observer: &mut dyn Observer) -> Result<Summary, String> {
    let groups = session.planned.groups().map(|group| State::new(group, session.settings));
    let mut run = Run {
        session,
        observer,
        random: fastrand::Rng::with_seed(session.settings.seed),
        summary: Summary::default(),
        itself: Vec::new(),
    };
    let mut groups: Vec<State<'_>> = groups.collect();
    run.rounds(&mut groups)?;
    run.summary.interrupted = session.world.is_interrupted() && run.summary.found.is_none();
    let pooled = ratios::against_itself(&run.itself);
    let begun = groups.iter().filter(|group| group.launches > 0);
    for ratio in begun.flat_map(|group| ratios::of_group(session, group, pooled.as_ref())) {
        match run.observer.publish(&Record::from(ratio)) {
            Err(error) if run.summary.found.is_some() => run.summary.unkept = Some(error),
            kept => kept?,
        }
    }
    run.summary.itself = pooled;
    Ok(run.summary)
}

/// A run under way.
struct Run<'a> {
    session: &'a Session<'a>,
    observer: &'a mut dyn Observer,
    random: fastrand::Rng,
    summary: Summary,
    itself: Vec<f64>,
}

impl Run<'_> {
    fn rounds(&mut self, groups: &mut [State<'_>]) -> Result<(), String> {
        let Session { settings, world, .. } = *self.session;
        for round in 0.. {
            let is_wanted = |group: &State<'_>| group.is_open(settings.rounds) && self.fits(group);
            let mut open: Vec<usize> =
                (0..groups.len()).filter(|group| is_wanted(&groups[*group])).collect();
            if open.is_empty() || self.is_over() {
                return Ok(());
            }
            self.observer.round(round, open.len(), world.elapsed());
            // The first goes in the plan's order, in which tables show the cells.
            if round > 0 {
                self.random.shuffle(&mut open);
            }
            for group in open {
                if self.is_over() {
                    return Ok(());
                }
                // The launches before it can have taken what was left.
                if !self.fits(&groups[group]) {
                    continue;
                }
                let (began, processes) =
                    (world.elapsed(), groups[group].processes(settings.rounds));
                self.launch(&mut groups[group])?;
                groups[group].cost = Some((world.elapsed() - began) / processes.max(1));
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.session.world.is_interrupted() || self.summary.found.is_some()
    }

    /// Whether another launch of a group fits into what is left of the budget, if each process
    /// takes what one of its last launch took. Each group is measured once, whatever that takes.
    fn fits(&self, group: &State<'_>) -> bool {
        let Session { settings, planned, world, .. } = *self.session;
        let left = planned.budget(settings).map(|budget| budget.saturating_sub(world.elapsed()));
        let cost = group.cost.map(|cost| cost * group.processes(settings.rounds));
        left.zip(cost).is_none_or(|(left, cost)| cost <= left)
    }

    /// A launch of a group; of those that are left, where a backend fails in it.
    fn launch(&mut self, state: &mut State<'_>) -> Result<(), String> {
        let Session { settings, world, program, current, .. } = *self.session;
        // After a backend has failed the others are started again, unless somebody asked for the
        // end.
        while !world.is_interrupted() {
            let places = state.parties(settings.rounds);
            let Some(first) = places.first() else { return Ok(()) };
            current.set(&state.group[*first].cell.id());
            self.observer.launch(state.group, world.elapsed());
            let place = Place {
                round: state.launches,
                started: results::time::rfc3339_utc(SystemTime::now()),
                two_cpus: self.two_cpus(state.group[*first].cell.threads),
                ..Place::default()
            };
            let prepares: Vec<Prepare> =
                places.iter().map(|place| state.prepare(*place, settings)).collect();
            let parties: Vec<Party<'_>> =
                prepares.iter().map(|prepare| Party { program, prepare }).collect();
            match launch::measure(world, &parties, &state.asked, &mut self.random) {
                Ok(launch) => return self.keep(state, &places, &launch, &place),
                Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(()),
                Err(Failed { party, failure: Failure::Found { finding, report } }) => {
                    let cell = state.group[places[party]].cell.clone();
                    let finding = finding.map_or_else(
                        || unsaid(&cell, &report, self.session.context),
                        |found| *found,
                    );
                    self.summary.found = Some(finding);
                    return Ok(());
                }
                Err(Failed { party, failure: Failure::Broken(why) }) => {
                    let place = places[party];
                    state.backends[place].has_failed = true;
                    self.summary.failed.push(format!("{}: {why}", state.group[place].cell.id()));
                }
            }
        }
        Ok(())
    }

    /// What the first two CPUs are to each other, where threads stay on them.
    fn two_cpus(&self, threads: u32) -> Option<TwoCpus> {
        let Session { settings, world, .. } = *self.session;
        let are_used = threads > 1 && settings.pin == Pin::Each && settings.cpus.count() > 1;
        are_used.then(|| world.two_cpus(&settings.cpus)).flatten()
    }

    /// Publishes what a launch measured, but of the reference's copy.
    fn keep(
        &mut self,
        state: &mut State<'_>,
        places: &[usize],
        launch: &Launch,
        place: &Place,
    ) -> Result<(), String> {
        if self.summary.uncopied.is_none() {
            self.summary.uncopied = launch.uncopied().map(str::to_owned);
        }
        let is_copy = |party: usize| places[..party].contains(&places[party]);
        for measure in [Measure::Throughput, Measure::Latency] {
            for party in launch.order.iter().copied().filter(|party| !is_copy(*party)) {
                let place = Place { order_in_run: self.summary.measured, measure, ..place.clone() };
                let cell = &state.group[places[party]].cell;
                let taken = &launch.parties[party];
                let measured = record::record(cell, taken, &place, self.session.context)?;
                self.observer.publish(&Record::from(measured))?;
                self.summary.measured += 1;
            }
        }
        if state.launches == 0 {
            state.started.clone_from(&place.started);
        }
        self.itself.extend(state.add(places, launch));
        Ok(())
    }
}

/// A finding of which the process could say no more than its exit code and its last lines.
fn unsaid(cell: &Cell, report: &str, context: &Context) -> Finding {
    Finding {
        check: "unknown".to_owned(),
        count: 1,
        operation: "none".to_owned(),
        backend: cell.backend.clone(),
        report: report.trim_start().to_owned(),
        cell: Some(cell.id()),
        commit: host::commit(),
        started: results::time::rfc3339_utc(SystemTime::now()),
        host: context.host.clone(),
        ..Finding::default()
    }
}
