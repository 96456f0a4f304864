//! `solock compare`: is one side faster than another, and can that be told?
//!
//! * [`request`], [`side`]: what was asked, and what the sides' names mean.
//! * [`repository`], [`surroundings`], [`wished`], [`cargo`], [`group`], [`lock`], `programs`:
//!   from a commit to its program; [`ages`], [`unseen`]: what of another commit's build is taken
//!   over; [`outward`]: what lies beside it; [`link`], [`layouts`], [`digits`]: in many orders of
//!   its functions.
//! * [`cell`]: launches of both sides, in turns, until the verdict is clear; [`metric`],
//!   [`counters`]: what is read off them.
//! * [`judge`]: the statistics; [`verdicts`]: rows.
//! * [`code`]: whether both sides run the same machine code.
//! * [`stored`]: sides that were measured before.
//! * [`table`], [`progress`]: what is shown.

pub mod ages;
pub mod cargo;
pub mod cell;
pub mod code;
pub mod counters;
pub mod digits;
pub mod group;
pub mod judge;
pub mod layouts;
pub mod link;
pub mod lock;
pub mod metric;
pub mod outward;
pub mod programs;
pub mod progress;
pub mod repository;
pub mod request;
pub mod side;
pub mod stored;
pub mod surroundings;
pub mod table;
pub mod unseen;
pub mod verdicts;
pub mod wished;

use std::collections::HashMap;
use std::time::SystemTime;

use results::{Cell, Finding, Run};

use self::cell::{Itself, Job};
use self::code::Code;
use self::judge::Judge;
use self::layouts::Layouts;
use self::programs::Programs;
use self::progress::Watch;
use self::repository::Repository;
use self::request::Request;
use self::side::{Side, Source};
use self::verdicts::Comparison;
use crate::interrupt::Interrupt;
use crate::protocol::{Hello, Prepare, Prepared};
use crate::turns::copy;
use crate::turns::machine::Machine;
use crate::turns::server::{Failure, Launch, Server};

/// What a comparison needs of the process.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// What the user sees.
    pub watch: &'a Watch,
}

/// A side, as far as it got.
#[derive(Debug)]
pub struct Ready<'a> {
    /// Its name, and what it is.
    pub side: &'a Side,
    /// How it can be measured.
    pub state: State<'a>,
}

/// How a side can be measured.
#[derive(Debug)]
pub enum State<'a> {
    /// By its program.
    Program(Box<Program>),
    /// It was, before.
    Stored(&'a Run),
    /// It cannot, and why.
    Broken(String),
    /// A check found something before anything was measured: the report.
    Found(String),
}

/// A program that speaks.
#[derive(Debug)]
pub struct Program {
    /// Where it is.
    pub layouts: Layouts,
    /// What it said of itself.
    pub hello: Hello,
    /// What it says of each cell, by [`Cell::id`]: where its code is, or why it does not know it.
    pub cells: HashMap<String, Result<Prepared, String>>,
    /// Its machine code, if that can be read.
    pub code: Option<Code>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Done {
    /// Cell by cell, for each side but the first.
    pub comparisons: Vec<Comparison>,
    /// The first side with itself.
    pub itself: Itself,
    /// Why processes ran their program's own file and no copies, if some did.
    pub uncopied: Option<String>,
    /// Whether a check found something.
    pub found: bool,
}

/// Builds what is not there, and asks every program what it knows.
pub fn get_ready<'a>(
    request: &'a Request,
    repository: &Result<Repository, String>,
    around: Around<'_>,
) -> Vec<Ready<'a>> {
    let programs = programs(request, repository, around);
    let ready = request.sides.iter().zip(programs).map(|(side, layouts)| {
        let state = match (&side.source, layouts) {
            (Source::Run(run), _) => State::Stored(run),
            (_, Ok(layouts)) => survey(request, layouts, around.interrupt),
            (_, Err(why)) => State::Broken(why),
        };
        if let State::Broken(why) | State::Found(why) = &state
            && !around.interrupt.is_set()
        {
            around.watch.say(&format!("{}: {why}", side.name));
        }
        Ready { side, state }
    });
    ready.collect()
}

/// The program of each side, or why there is none.
fn programs(
    request: &Request,
    repository: &Result<Repository, String>,
    around: Around<'_>,
) -> Vec<Result<Layouts, String>> {
    let builder = repository.as_ref().map_err(Clone::clone).and_then(|repository| {
        if request.sides.iter().any(Side::is_built) {
            return Programs::open(repository, request, around).map(Some);
        }
        Ok(None)
    });
    let of = |side: &Side| match (&side.source, &builder) {
        (Source::Program(path), _) => Ok(Layouts::one(path.clone())),
        (_, Ok(Some(programs))) if !around.interrupt.is_set() => programs.of(side),
        (_, Ok(_)) => Err("it was not built".to_owned()),
        (_, Err(why)) => Err(why.clone()),
    };
    request.sides.iter().map(of).collect()
}

/// Starts a program once: does it speak, and which cells does it know?
fn survey<'a>(request: &Request, layouts: Layouts, interrupt: &Interrupt) -> State<'a> {
    let launch = Launch { program: layouts.first(), padding: 0, interrupt, hang_limit: None };
    let asked = Server::start(launch).and_then(|mut server| {
        let mut cells = HashMap::new();
        for cell in &request.cells {
            cells.insert(cell.id(), server.prepare(&request.prepare(cell))?);
        }
        let hello = server.hello.clone();
        server.end()?;
        Ok((hello, cells))
    });
    match asked {
        Ok((hello, cells)) => {
            let code = Code::read(layouts.first());
            State::Program(Box::new(Program { layouts, hello, cells, code }))
        }
        Err(Failure::Broken(why)) => State::Broken(why),
        Err(Failure::Interrupted) => State::Broken("interrupted".to_owned()),
        Err(Failure::Found { report, .. }) => State::Found(format!("stopped by a check{report}")),
    }
}

/// Compares every side with the first, cell by cell; `keep` is given what the checks found.
pub fn run(
    request: &Request,
    ready: &[Ready<'_>],
    around: Around<'_>,
    keep: &mut dyn FnMut(&str, Option<&Finding>, &str),
) -> Done {
    let mut run = Comparing {
        request,
        around,
        judge: request.judge(),
        random: fastrand::Rng::with_seed(request.settings.seed),
        done: Done::default(),
    };
    run.done.found = ready.iter().any(|side| matches!(side.state, State::Found(_)));
    let Some((first, others)) = ready.split_first() else { return run.done };
    for other in others {
        for cell in &request.cells {
            let comparison = run.cell(cell, [first, other]);
            if around.interrupt.is_set() {
                return run.done;
            }
            if let Some(failed) = &comparison.gathered.failure
                && let Failure::Found { finding, report } = &failed.failure
            {
                run.done.found = true;
                keep(&comparison.sides[failed.party].name, finding.as_deref(), report);
            }
            run.done.comparisons.push(comparison);
        }
    }
    run.done
}

struct Comparing<'a> {
    request: &'a Request,
    around: Around<'a>,
    judge: Judge,
    random: fastrand::Rng,
    done: Done,
}

impl Comparing<'_> {
    fn cell(&mut self, cell: &Cell, sides: [&Ready<'_>; 2]) -> Comparison {
        let mut comparison = Comparison {
            cell: cell.id(),
            sides: sides.map(origin),
            exact: counters::is_exact(cell),
            noisy: self.request.noisy,
            started: results::time::rfc3339_utc(SystemTime::now()),
            ..Comparison::default()
        };
        let why = sides.iter().find_map(|side| side.why_not(cell));
        if let Some(why) = why {
            comparison.why = Some(why);
            return comparison;
        }
        let prepare = self.request.prepare(cell);
        match [&sides[0].state, &sides[1].state] {
            [State::Program(first), State::Program(second)] => {
                comparison.same_code = same_code([first, second], &comparison.cell);
                let layouts = layouts::alike([&first.layouts, &second.layouts]);
                comparison.gathered = self.measure(layouts.each_ref(), &prepare);
                let pairs = comparison.gathered.pairs();
                for (side, layouts) in comparison.sides.iter_mut().zip(&layouts) {
                    side.layouts = Some(if layouts.are_many() { pairs } else { 1 });
                }
            }
            states => {
                let asked = stored::Asked { prepare: &prepare, slice: self.request.slice };
                stored::fill(&mut comparison, states, asked, self.around.interrupt);
            }
        }
        comparison
    }

    fn measure(&mut self, sides: [&Layouts; 2], prepare: &Prepare) -> cell::Gathered {
        let Around { interrupt, watch } = self.around;
        let budget = self.request.budget;
        let asked = self.request.asked();
        let job = Job { sides, prepare, asked: &asked, budget };
        let name = prepare.cell.id();
        watch.cell(budget);
        let gathered = cell::measure(
            &Machine::new(interrupt),
            job,
            &self.judge,
            &mut self.done.itself,
            &mut self.random,
            &mut |pairs, elapsed| watch.pairs(&name, pairs, elapsed),
        );
        let (pairs, seconds) = (gathered.pairs(), gathered.elapsed.as_secs_f64());
        watch.say(&format!("{name}: {pairs} pairs in {seconds:.0} s"));
        if let (None, Some(why)) = (&self.done.uncopied, &gathered.uncopied) {
            watch.say(&copy::told(why));
            self.done.uncopied = Some(why.clone());
        }
        gathered
    }
}

impl Ready<'_> {
    /// Why this side says nothing of a cell, if so.
    fn why_not(&self, cell: &Cell) -> Option<String> {
        let why = match &self.state {
            State::Broken(why) | State::Found(why) => why,
            State::Program(program) => program.cells.get(&cell.id())?.as_ref().err()?,
            State::Stored(_) => return None,
        };
        Some(format!("{}: {why}", self.side.name))
    }
}

/// Whether both sides run the same machine code on a cell, if that can be told: the lanes' own, and
/// every call of the layer, whether or not the lanes make it.
fn same_code(sides: [&Program; 2], cell: &str) -> Option<bool> {
    let [first, second] = sides.map(|program| {
        let prepared = program.cells.get(cell)?.as_ref().ok()?;
        let entries = prepared.code?.into_iter().chain(prepared.calls.iter().copied());
        Some((program.code.as_ref()?, entries.collect::<Vec<u64>>()))
    });
    let ((first, at_first), (second, at_second)) = (first?, second?);
    if at_first.len() != at_second.len() {
        return None;
    }
    let mut all = true;
    for (one, two) in at_first.into_iter().zip(at_second) {
        all &= code::same(first, second, [one, two])?;
    }
    Some(all)
}

/// The side as it stands in a record.
fn origin(ready: &Ready<'_>) -> results::Side {
    let mut side = results::Side { name: ready.side.name.clone(), ..results::Side::default() };
    match (&ready.state, &ready.side.source) {
        (State::Program(program), _) => {
            (side.commit, side.dirty) = (program.hello.commit.clone(), program.hello.dirty);
        }
        (State::Stored(run), _) => {
            if let Some(measured) = run.measured().next() {
                (side.commit, side.dirty) = (measured.commit.clone(), measured.dirty);
            }
        }
        (_, Source::Commit(commit)) => side.commit = Some(commit.clone()),
        _ => {}
    }
    side
}

#[cfg(test)]
mod tests;
