//! What a comparison is asked to do; everything that can be wrong with it is refused before
//! anything is built.

use std::time::Duration;

use lockimpls::Backend;
use results::Cell;

use super::judge::Judge;
use super::metric::Metric;
use super::side::{Names, Side, Source};
use crate::added::{added, is_added};
use crate::cli::{CellArgs, CompareArgs, RunArgs};
use crate::cpus::Cpus;
use crate::matrix;
use crate::plan;
use crate::pool::Pin;
use crate::protocol::Prepare;
use crate::session;
use crate::settings::{self, Settings};
use crate::turns::launch::Asked;

/// The longest that a cell is measured when nobody says.
const BUDGET: Duration = Duration::from_secs(60);
/// Turns of throughput slices in a pair: on a host whose cores flicker, 60 pairs of six find more
/// than 90 pairs of three (`COMPARING.md`).
const TURNS: usize = 6;
/// The shortest and the longest slice, in milliseconds.
const SLICE_MS_MIN: u32 = 5;
const SLICE_MS_MAX: u32 = 1000;

/// The request, all valid.
#[derive(Clone, Debug)]
pub struct Request {
    /// The sides, each compared with the first.
    pub sides: Vec<Side>,
    /// What is measured.
    pub cells: Vec<Cell>,
    /// Cells that cannot be run as asked, and why.
    pub skipped: Vec<String>,
    /// The longest that a cell may take, per side compared with the first.
    pub budget: Duration,
    /// The length of a slice.
    pub slice: Duration,
    /// What gets a verdict.
    pub metrics: Vec<Metric>,
    /// Whether disturbed slices may be used.
    pub noisy: bool,
    /// How many comparisons stand together, where these are not all of them: a grid's.
    pub family: usize,
    /// CPUs, pinning and seed.
    pub settings: Settings,
}

impl Request {
    /// Reads what the user gave.
    ///
    /// # Errors
    /// What was wrong, what is valid, and what to do.
    pub fn new(args: &CompareArgs, names: &Names<'_>, allowed: &Cpus) -> Result<Request, String> {
        let mut request = Request::without_sides(args, allowed)?;
        request.sides = names.sides(&args.sides)?;
        if !names_cells(&args.cells)
            && let Some(stored) = stored_cells(&request.sides)
        {
            request.cells = stored;
        }
        Ok(request)
    }

    /// The same, whatever the sides' names mean: they have not been looked up.
    ///
    /// # Errors
    /// What was wrong, what is valid, and what to do.
    pub fn without_sides(args: &CompareArgs, allowed: &Cpus) -> Result<Request, String> {
        let cells = with_defaults(&args.cells);
        let settings = Settings::new(&RunArgs { cells, ..RunArgs::default() }, allowed)?;
        let budget = args.budget.as_deref().map_or(Ok(BUDGET), settings::budget)?;
        let slice = args.slice.map_or(Ok(session::SLICE), slice)?;
        let metrics = metrics(&args.metric)?;
        let (cells, skipped) = planned(&settings)?;
        let family = args.family.map_or(0, |family| family as usize);
        let (sides, noisy) = (Vec::new(), args.noisy);
        Ok(Request { sides, cells, skipped, budget, slice, metrics, noisy, family, settings })
    }

    /// The question by which a server gets ready for a cell.
    #[must_use]
    pub fn prepare(&self, cell: &Cell) -> Prepare {
        Prepare {
            cell: cell.clone(),
            cpus: self.settings.cpus.order().to_vec(),
            pin: self.settings.pin == Pin::Each,
            seed: self.settings.seed,
        }
    }

    /// Whether a cell asks for a variant of a layer: on another lock, or with locks around it.
    #[must_use]
    pub fn has_variants(&self) -> bool {
        self.cells.iter().any(|cell| !cell.lock.is_empty() || !cell.ambient.is_empty())
    }

    /// What is measured in a launch.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let latencies = self.metrics.iter().any(|metric| metric.is_latency());
        Asked {
            slice: self.slice,
            throughput_turns: TURNS,
            latency_turns: usize::from(latencies),
            noisy: self.noisy,
        }
    }

    /// What decides.
    #[must_use]
    pub fn judge(&self) -> Judge {
        Judge::of(self.comparisons().max(self.family), &self.metrics)
    }

    /// The longest that all of it may take, builds left aside.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.budget * self.comparisons() as u32
    }

    /// How many times a cell is compared: with the first side, for every other side.
    #[must_use]
    pub fn comparisons(&self) -> usize {
        self.cells.len() * (self.sides.len() - 1)
    }
}

/// A small set that covers much: every modelled granularity that a run has by default, in a program
/// of another crate its layers, alone and beside another thread, with which it shares what the
/// whole layer shares and nothing else, so that no call waits, and the counters are exact.
fn with_defaults(args: &CellArgs) -> CellArgs {
    let mut args = args.clone();
    if args.backend.is_empty() {
        let has_own = !added().backends.is_empty();
        let is_meant = |one: &Backend| if has_own { is_added(one) } else { one.modelled };
        let meant = matrix::usual_backends().into_iter().filter(is_meant);
        args.backend = meant.map(|backend| backend.name.to_owned()).collect();
    }
    if args.workload.is_empty() {
        args.workload = matrix::private().into_iter().map(str::to_owned).collect();
    }
    if args.threads.is_empty() {
        args.threads = vec!["1,2".to_owned()];
    }
    args
}

/// Whether the user said anything about cells.
fn names_cells(args: &CellArgs) -> bool {
    // All fields, so that none is forgotten; the last ones are no cell's.
    let CellArgs {
        backend,
        workload,
        socket_type,
        size,
        threads,
        own,
        wait,
        lock,
        ambient,
        seed: _,
        cpus: _,
        no_pin: _,
        out: _,
    } = args;
    let names = [backend, workload, socket_type, threads, wait, lock, ambient];
    names.iter().any(|names| !names.is_empty()) || !size.is_empty() || !own.0.is_empty()
}

fn planned(settings: &Settings) -> Result<(Vec<Cell>, Vec<String>), String> {
    let planned = session::plan(settings)?;
    let jobs = planned.parts.into_values().flatten().flatten();
    Ok((jobs.map(|job| job.cell).collect(), plan::told(&planned.skipped)))
}

/// The cells of the first stored run among the sides.
fn stored_cells(sides: &[Side]) -> Option<Vec<Cell>> {
    let run = sides.iter().find_map(|side| match &side.source {
        Source::Run(run) => Some(run),
        _ => None,
    })?;
    let mut cells: Vec<Cell> = Vec::new();
    for measured in run.measured() {
        if !cells.contains(&measured.cell) {
            cells.push(measured.cell.clone());
        }
    }
    (!cells.is_empty()).then_some(cells)
}

fn slice(ms: u32) -> Result<Duration, String> {
    if (SLICE_MS_MIN..=SLICE_MS_MAX).contains(&ms) {
        return Ok(Duration::from_millis(u64::from(ms)));
    }
    Err(format!("--slice {ms}: a slice has {SLICE_MS_MIN} to {SLICE_MS_MAX} milliseconds"))
}

fn metrics(asked: &[String]) -> Result<Vec<Metric>, String> {
    for name in asked {
        matrix::check_name("metric", name, &Metric::ALL.map(Metric::name))?;
    }
    let is_asked = |metric: &Metric| asked.is_empty() || asked.iter().any(|n| n == metric.name());
    Ok(Metric::ALL.into_iter().filter(is_asked).collect())
}

#[cfg(test)]
mod tests {
    use super::super::metric::Series;
    use super::*;
    use crate::cli::OwnArgs;

    #[test]
    fn a_metric_is_asked_for_by_its_name() {
        let asked =
            |names: &[&str]| metrics(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(asked(&[]), Ok(Metric::ALL.to_vec()));
        assert_eq!(
            asked(&["send_p99", "throughput"]),
            Ok(vec![Metric::Throughput, Metric::SendP99])
        );
        let error = asked(&["send_p95"]).unwrap_err();
        assert!(error.contains("send_p95") && error.contains("throughput"), "{error}");
    }

    /// That many sides, of the cells that these flags ask for.
    fn request(sides: usize, change: impl FnOnce(&mut CompareArgs)) -> Request {
        let mut args = CompareArgs::default();
        args.cells.backend = ["global", "per-socket", "per-buffer"].map(str::to_owned).to_vec();
        change(&mut args);
        let mut request = Request::without_sides(&args, &Cpus::allowed().unwrap()).unwrap();
        let side = Side { name: "x".to_owned(), source: Source::Tree };
        request.sides = vec![side; sides];
        request
    }

    #[test]
    fn every_cell_is_compared_on_every_side_but_the_first() {
        // Three backends, with one thread and with two.
        let asked = request(5, |args| args.budget = Some("7s".to_owned()));
        assert_eq!((asked.cells.len(), asked.comparisons()), (6, 24));
        assert_eq!(asked.total(), Duration::from_secs(7 * 24));
        let two = request(2, |_| {});
        assert_eq!((two.comparisons(), two.total()), (6, BUDGET * 6));
    }

    #[test]
    fn a_family_is_as_large_as_the_grid_that_the_cells_are_of() {
        let level = |sides, family| {
            let judge = request(sides, |args| args.family = family).judge();
            let log_ratios = (0..20).map(|i| f64::from(i) * 1e-3).collect();
            let series = Series { log_ratios, ..Series::default() };
            judge.look(Metric::Throughput, &series, true).estimate.expect("twenty pairs").level
        };
        let alone = level(2, None);
        assert_eq!((level(2, Some(6)), level(2, Some(2))), (alone, alone));
        assert!(level(2, Some(60)) > alone && level(9, None) > alone);
    }

    #[test]
    fn other_locks_and_locks_around_a_layer_are_variants_of_it() {
        let asked = |lock: &[&str], ambient: &[&str]| {
            let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            request(2, |args| (args.cells.lock, args.cells.ambient) = (words(lock), words(ambient)))
        };
        assert!(!asked(&[], &[]).has_variants());
        assert!(!asked(&["parking-lot"], &["none"]).has_variants(), "the default");
        assert!(asked(&["parking-lot", "ticket"], &[]).has_variants());
        assert!(asked(&[], &["f-mtx"]).has_variants());
    }

    #[test]
    fn a_server_is_asked_for_what_the_user_asked_for() {
        let asked = request(2, |args| args.cells.seed = Some(9));
        let prepare = asked.prepare(&asked.cells[3]);
        assert_eq!((&prepare.cell, prepare.seed, prepare.pin), (&asked.cells[3], 9, true));
        assert_eq!(prepare.cpus, asked.settings.cpus.order());
        let free = request(2, |args| args.cells.no_pin = true);
        assert!(!free.prepare(&free.cells[0]).pin);
        let launch = asked.asked();
        assert_eq!((launch.slice, launch.throughput_turns), (session::SLICE, TURNS));
        assert_eq!((launch.latency_turns, launch.noisy), (1, false));
        let other = request(2, |args| {
            (args.slice, args.noisy, args.metric) = (Some(7), true, vec!["throughput".to_owned()]);
        });
        let launch = other.asked();
        assert_eq!((launch.slice, launch.noisy), (Duration::from_millis(7), true));
        assert_eq!(launch.latency_turns, 0, "nothing needs stamps");
    }

    #[test]
    fn a_slice_has_bounds_that_are_told() {
        assert_eq!(slice(SLICE_MS_MIN), Ok(Duration::from_millis(5)));
        assert_eq!(slice(SLICE_MS_MAX), Ok(Duration::from_secs(1)));
        for ms in [SLICE_MS_MIN - 1, SLICE_MS_MAX + 1] {
            let error = slice(ms).unwrap_err();
            assert_eq!(error, format!("--slice {ms}: a slice has 5 to 1000 milliseconds"));
        }
    }

    #[test]
    fn without_flags_the_cells_are_those_of_the_first_stored_run() {
        let of = |name: &str| Cell { workload: name.to_owned(), ..Cell::default() };
        let stored = |names: &[&str]| {
            let measured =
                |name: &&str| results::Measured { cell: of(name), ..results::Measured::default() };
            let run = results::Run {
                id: "run".to_owned(),
                path: "run.jsonl".into(),
                records: names.iter().map(measured).map(results::Record::from).collect(),
                partial: false,
                torn_line: None,
            };
            Side { name: "run".to_owned(), source: Source::Run(Box::new(run)) }
        };
        let tree = || Side { name: ".".to_owned(), source: Source::Tree };
        let sides = [tree(), stored(&["b", "a", "b"]), stored(&["c"])];
        assert_eq!(stored_cells(&sides), Some(vec![of("b"), of("a")]));
        assert_eq!(stored_cells(&[tree()]), None);
        assert_eq!(stored_cells(&[tree(), stored(&[])]), None);
    }

    #[test]
    fn cells_that_were_asked_for_come_before_those_of_a_stored_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = results::Store::open(folder.path()).expect("a store");
        let stored = [1, 2].map(|threads| {
            let cell = Cell { backend: "global".to_owned(), threads, ..Cell::default() };
            let writer = store.start(std::time::SystemTime::now()).expect("a run");
            let measured =
                results::Measured { cell_id: cell.id(), cell, ..results::Measured::default() };
            writer.append(&measured.into()).expect("a line");
            let id = writer.id().to_owned();
            writer.finish().map(|_| id).expect("the end")
        });
        let names = Names { repository: &Err(String::new()), store: &store, programs: &[] };
        let cells = |backend: &[&str]| {
            let mut args = CompareArgs { sides: stored.to_vec(), ..CompareArgs::default() };
            args.cells.backend = backend.iter().map(|name| (*name).to_owned()).collect();
            let request = Request::new(&args, &names, &Cpus::allowed().unwrap()).unwrap();
            request
                .cells
                .iter()
                .map(|cell| (cell.backend.clone(), cell.threads))
                .collect::<Vec<_>>()
        };
        assert_eq!(cells(&[]), [("global".to_owned(), 1)]);
        let asked = [1, 2].map(|threads| ("per-socket".to_owned(), threads));
        assert_eq!(cells(&["per-socket"]), asked);
    }

    #[test]
    fn whoever_says_anything_about_cells_names_them() {
        assert!(!names_cells(&CellArgs { no_pin: true, ..CellArgs::default() }));
        let word = || vec!["x".to_owned()];
        let all: [fn(&mut CellArgs) -> &mut Vec<String>; 7] = [
            |args| &mut args.backend,
            |args| &mut args.workload,
            |args| &mut args.socket_type,
            |args| &mut args.threads,
            |args| &mut args.wait,
            |args| &mut args.lock,
            |args| &mut args.ambient,
        ];
        for of in all {
            let mut args = CellArgs::default();
            *of(&mut args) = word();
            assert!(names_cells(&args), "{args:?}");
        }
        assert!(names_cells(&CellArgs { size: vec![1], ..CellArgs::default() }));
        let own = OwnArgs::given(&[("rate", &[1.0])]);
        assert!(names_cells(&CellArgs { own, ..CellArgs::default() }));
    }

    #[test]
    fn the_default_cells_are_the_modelled_backends_alone_and_beside_another_thread() {
        let args = with_defaults(&CellArgs::default());
        let run = RunArgs { cells: args, ..RunArgs::default() };
        let settings = Settings::new(&run, &Cpus::allowed().unwrap()).unwrap();
        let (cells, _) = planned(&settings).unwrap();
        let modelled = matrix::usual_backends().iter().filter(|backend| backend.modelled).count();
        assert_eq!(cells.len(), 2 * modelled);
        assert!(cells.iter().all(|cell| cell.workload == "pairs" && cell.backend != "host"));
    }
}
