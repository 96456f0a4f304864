//! `cargo bench --bench granularity`: the usual backends under the usual workloads, twice over.
//!
//! First as criterion's groups `workload/backend/threads`, so that its filters, baselines and
//! reports work as its users expect: an iteration is one operation, its time the wall time per
//! operation of all threads together. criterion measures one case after another, so what it calls a
//! change is anything that the host did in between, too: the noise threshold of each workload is
//! what two identical series of it lay apart just now, one after the other, and interleaved.
//!
//! Then the recorded run, as `solock run` measures: backends in turns, latencies in histograms,
//! records on disk, the table, and the figures. It is left out when criterion is given anything
//! else to do (a filter, `--save-baseline`, ...), and in tests.
//!
//! Without `--bench` (as `cargo test --benches` runs it), or with `--test`, each case runs once,
//! checked as ever.

use solock::tell;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion, SamplingMode, Throughput};
use regex::Regex;
use results::{Measure, Store};
use solock::cli::RunArgs;
use solock::cmd;
use solock::cmd::show::Form;
use solock::cpus::Cpus;
use solock::instrument;
use solock::interrupt::{EXIT_INTERRUPTED, Interrupt};
use solock::job::Job;
use solock::pool::Lanes;
use solock::session::{self, Planned, warm_up};
use solock::settings::{self, Settings};
use solock::slice::{Process, Slice};
use solock::watchdog::{self, Watchdog};

/// Samples of each case; criterion wants 10 at least.
const SAMPLES: usize = 15;
/// How long a case is measured, and warmed up.
const MEASURED: Duration = Duration::from_millis(600);
const WARM_UP: Duration = Duration::from_millis(150);
/// Resamples of criterion's bootstrap: its default of 100 000 takes as long as measuring.
const RESAMPLES: usize = 10_000;
/// criterion's own noise threshold: less is not claimed, however quiet the host was.
const NOISE_MIN: f64 = 0.01;
/// The shortest and the longest slice behind a sample.
const SLICE_MIN: Duration = Duration::from_millis(1);
const SLICE_MAX: Duration = Duration::from_secs(1);

fn main() {
    solock::interrupt::survive_file_limit();
    std::process::exit(run().unwrap_or_else(|error| {
        tell!("granularity: {error}");
        cmd::EXIT_USAGE
    }))
}

fn run() -> Result<i32, String> {
    let asked = Asked::read();
    // criterion draws with the same library, which finds no other font.
    plots::draw::register_font().map_err(|error| error.to_string())?;
    let settings = Settings::new(&RunArgs::default(), &Cpus::allowed()?)?;
    let planned = session::plan(&settings)?;
    let process = Process {
        clock: quanta::Clock::new(),
        interrupt: Interrupt::catch()?,
        watchdog: Watchdog::start(watchdog::LIMIT)?,
    };
    under_criterion(&settings, &planned, &process, &asked)?;
    if !asked.nothing_special {
        return Ok(cmd::EXIT_OK);
    }
    cmd::print("\nthe recorded run: backends in turns, slice by slice\n\n")?;
    let store = Store::open(settings::folder(None)).map_err(|error| error.to_string())?;
    let program = PathBuf::from(env!("CARGO_BIN_EXE_solock"));
    let run = cmd::run::Recording {
        settings: &settings,
        planned: &planned,
        process: &process,
        program,
        began: std::time::Instant::now(),
    };
    let recorded = run.record(&store, Form::Table)?;
    cmd::plot::recorded(&store, &recorded.id)?;
    cmd::print(&format!("peak memory of this process: {}\n", solock::host::peak_memory()))?;
    Ok(recorded.code)
}

/// What cargo and the user asked for.
#[derive(Clone, Debug)]
struct Asked {
    /// To measure, and not to list or to test.
    to_measure: bool,
    /// A noise threshold of the user's own.
    noise_threshold: bool,
    /// The cases whose name this finds.
    filter: Filter,
    /// To measure, and nothing else.
    nothing_special: bool,
}

impl Asked {
    fn read() -> Asked {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let has = |name: &str| arguments.iter().any(|argument| argument.starts_with(name));
        Asked {
            to_measure: has("--bench") && !has("--test") && !has("--list"),
            noise_threshold: has("--noise-threshold"),
            filter: Filter::read(&arguments),
            nothing_special: arguments == ["--bench"],
        }
    }
}

/// criterion's own filter, for what is measured before criterion is asked.
#[derive(Clone, Debug)]
enum Filter {
    All,
    Exact(String),
    Pattern(Regex),
}

impl Filter {
    /// The one argument that is neither an option nor an option's value. What criterion will refuse
    /// filters nothing here.
    fn read(arguments: &[String]) -> Filter {
        let is_value = |place: usize| {
            place.checked_sub(1).is_some_and(|before| {
                let before = arguments[before].as_str();
                before.starts_with("--") && !before.contains('=') && !FLAGS.contains(&before)
            })
        };
        let is_text =
            |(place, argument): &(usize, &String)| !argument.starts_with('-') && !is_value(*place);
        let Some((_, text)) = arguments.iter().enumerate().find(is_text) else {
            return Filter::All;
        };
        if arguments.iter().any(|argument| argument == "--exact") {
            return Filter::Exact(text.clone());
        }
        Regex::new(text).map_or(Filter::All, Filter::Pattern)
    }

    fn finds(&self, workload: &str, job: &Job) -> bool {
        let name = format!("{workload}/{}/{}", job.cell.backend, job.cell.threads);
        match self {
            Filter::All => true,
            Filter::Exact(text) => *text == name,
            Filter::Pattern(pattern) => pattern.is_match(&name),
        }
    }
}

/// criterion's options that have no value.
const FLAGS: [&str; 13] = [
    "--bench",
    "--test",
    "--list",
    "--exact",
    "--ignored",
    "--include-ignored",
    "--quick",
    "--quiet",
    "--verbose",
    "--noplot",
    "--discard-baseline",
    "--nocapture",
    "--show-output",
];

fn under_criterion(
    settings: &Settings,
    planned: &Planned,
    process: &Process,
    asked: &Asked,
) -> Result<(), String> {
    let mut criterion = Criterion::default()
        .sample_size(SAMPLES)
        .measurement_time(MEASURED)
        .warm_up_time(WARM_UP)
        .nresamples(RESAMPLES)
        .configure_from_args();
    let start = |threads: &usize| Lanes::start(*threads, &settings.cpus, settings.pin);
    let pools = planned.parts.keys().map(start).collect::<Result<Vec<Lanes>, String>>()?;
    let mut is_found = false;
    for workload in &settings.workloads {
        let cases = cases(planned, &pools, workload);
        let Some((lanes, job)) = cases.last() else { continue };
        let mut group = criterion.benchmark_group(workload);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(1));
        let is_wanted = cases.iter().any(|(_, job)| asked.filter.finds(workload, job));
        is_found |= is_wanted;
        if asked.to_measure && !asked.noise_threshold && is_wanted {
            group.noise_threshold(noise(lanes, job, process)?);
        }
        for (lanes, job) in &cases {
            let id = BenchmarkId::new(&job.cell.backend, job.cell.threads);
            let ns_per_operation = Cell::new(1_000.0);
            group.bench_function(id, |bencher| {
                measure(bencher, lanes, job, process, &ns_per_operation);
            });
        }
        group.finish();
    }
    criterion.final_summary();
    // No error: the filter may be meant for another benchmark, to which cargo gives it, too.
    if asked.to_measure && !is_found {
        tell!("granularity: the filter finds no case; `cargo bench -- --list` names them");
    }
    Ok(())
}

/// The cells of a workload with their threads, backend by backend, the most threads last.
fn cases<'a>(
    planned: &'a Planned,
    pools: &'a [Lanes],
    workload: &str,
) -> Vec<(&'a Lanes, &'a Job)> {
    let of_part = |(lanes, groups): (&'a Lanes, &'a Vec<Vec<Job>>)| {
        groups.iter().flatten().map(move |job| (lanes, job)).collect::<Vec<_>>()
    };
    let all = pools.iter().zip(planned.parts.values()).flat_map(of_part);
    all.filter(|(_, job)| job.cell.workload == workload).collect()
}

/// How far identical series of the cell lie apart, as a share.
fn noise(lanes: &Lanes, job: &Job, process: &Process) -> Result<f64, String> {
    let spread = instrument::aa_spread(lanes, job, process)?;
    let percent =
        spread.map_or(0.0, |spread| spread.interleaved_percent.max(spread.in_turn_percent));
    let threshold = (percent / 100.0).max(NOISE_MIN);
    let workload = &job.cell.workload;
    cmd::print(&format!("{workload}: noise threshold {:.1} %\n", threshold * 100.0))?;
    Ok(threshold)
}

/// One sample: a slice of about the time that so many operations take, scaled to exactly so many.
fn measure(
    bencher: &mut Bencher<'_>,
    lanes: &Lanes,
    job: &Job,
    process: &Process,
    ns_per_operation: &Cell<f64>,
) {
    bencher.iter_custom(|operations| {
        let estimate = Duration::from_secs_f64(ns_per_operation.get() * operations as f64 / 1e9);
        let measured = estimate.clamp(SLICE_MIN, SLICE_MAX);
        let slice = Slice {
            lanes,
            plan: &job.plan,
            config: &job.config,
            measure: Measure::Throughput,
            warm_up: warm_up(measured),
            measured,
            process,
        };
        let outcome = job.case.run(&slice).unwrap_or_else(|error| {
            tell!("granularity: {error}");
            std::process::exit(cmd::EXIT_USAGE)
        });
        if !outcome.complete {
            std::process::exit(EXIT_INTERRUPTED);
        }
        let rate = outcome.operations_per_second();
        if rate > 0.0 {
            ns_per_operation.set(1e9 / rate);
        }
        Duration::from_secs_f64(ns_per_operation.get() * operations as f64 / 1e9)
    });
}
