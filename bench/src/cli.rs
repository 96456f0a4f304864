//! The command line: names and help. What the values must be is said in
//! [`settings`](crate::settings).

mod check;
mod formats;
mod grid;
mod own;
mod profile;

use std::path::PathBuf;

use clap::{Arg, Args, Parser, Subcommand};
use lockimpls::Backend;

pub use self::check::CheckArgs;
pub use self::formats::{ExportArgs, ImportArgs};
pub use self::grid::{
    GridArgs, GridCollectArgs, GridCommand, GridElementArgs, GridFile, GridRunArgs, GridSlurmArgs,
};
pub use self::own::OwnArgs;
pub use self::profile::ProfileArgs;
use crate::{matrix, number};

/// How fine should the lock be? A benchmark of lock granularity under unix-domain sockets.
#[derive(Debug, Parser)]
#[command(name = "solock", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the backends, the workloads, and the locks around the layer.
    List(ListArgs),
    /// Measures: the backends in turns, slice by slice, on pinned threads, leaks always checked.
    Run(Box<RunArgs>),
    /// Compares commits, the working tree or stored runs: faster, slower, same, or unclear.
    Compare(Box<CompareArgs>),
    /// Profiles each lock: how long it is waited for and held, and where an operation's time goes.
    Profile(Box<ProfileArgs>),
    /// Shows the table of a run, or of several.
    Show(ShowArgs),
    /// Draws figures of a run, or of several: SVG, PNG, and one HTML report.
    Plot(PlotArgs),
    /// Writes a run in another program's format.
    Export(ExportArgs),
    /// Reads another program's numbers, to be shown beside a run.
    Import(ImportArgs),
    /// Follows each cell from commit to commit over the stored runs of this machine.
    History(HistoryArgs),
    /// Measures a file of cells on any number of machines, with whatever scheduler there is.
    Grid(GridArgs),
    /// Runs every workload on a backend, with every check and without a clock.
    Check(CheckArgs),
    /// Breaks the backends on purpose, and shows that each bug is caught.
    Controls(ControlsArgs),
    /// Runs programs drawn by chance on backends, and compares them with a sequential model.
    Fuzz(FuzzArgs),
    /// Runs a program again; exit code 2 if it fails.
    Replay(ReplayArgs),
    /// Makes a program that fails smaller.
    Minimize(MinimizeArgs),
    /// Measures slices on demand, for `run` and `compare` (see PROTOCOL.md).
    #[command(hide = true)]
    Serve(ServeArgs),
}

/// `solock serve`.
#[derive(Args, Debug, Default)]
pub struct ServeArgs {
    /// How long no call may return before it is a hang.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true,
          value_parser = number::real)]
    pub hang_limit: Option<f64>,
}

/// `solock controls`.
#[derive(Args, Debug, Default)]
pub struct ControlsArgs {
    /// A control (repeatable, or with commas) [default: all].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub control: Vec<String>,
    /// One JSON object per line.
    #[arg(long)]
    pub json: bool,
    /// The program of one control, in this process.
    #[arg(long, hide = true, value_name = "NAME")]
    pub child: Option<String>,
    /// With --child: on the backend without the fault.
    #[arg(long, hide = true, requires = "child")]
    pub clean: bool,
}

/// `solock fuzz`.
#[derive(Args, Debug, Default)]
pub struct FuzzArgs {
    /// A backend, or a control's broken twin (repeatable, or with commas) [default: all]; with a
    /// lock of its own as in per-socket/mcs.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub backend: Vec<String>,
    /// Which lock it is that the modelled backends take (repeatable, or with commas; `all`)
    /// [default: parking-lot].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub lock: Vec<String>,
    /// How long, in seconds [default: 60].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true,
          value_parser = number::real)]
    pub seconds: Option<f64>,
    /// What the programs are drawn from [default: drawn, and said].
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u64>)]
    pub seed: Option<u64>,
    /// One JSON object per finding, and one at the end.
    #[arg(long)]
    pub json: bool,
    /// Where failing programs are written [default: ./solock-findings].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// In this process, until something is found.
    #[arg(long, hide = true)]
    pub child: bool,
    /// With --child: the number of the first program.
    #[arg(long, hide = true, default_value_t = 0, allow_negative_numbers = true,
          value_parser = number::whole::<u64>)]
    pub from: u64,
}

/// `solock replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// A program, or a file of cases (see PROGRAMS.md); `-` is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A backend (repeatable, or with commas) [default: what the program names, else all modelled;
    /// for cases all].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub backend: Vec<String>,
    /// How often it runs [default: 6, with threads 300].
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub rounds: Option<u32>,
    /// A finding as a JSON object, and nothing else.
    #[arg(long)]
    pub json: bool,
    /// How long no call may return before it is a hang.
    #[arg(long, value_name = "SECONDS", hide = true, allow_negative_numbers = true,
          value_parser = number::real)]
    pub hang_limit: Option<f64>,
}

/// `solock minimize`.
#[derive(Args, Debug)]
pub struct MinimizeArgs {
    /// A program that fails.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A backend (repeatable, or with commas) [default: what the program names, else all modelled].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub backend: Vec<String>,
    /// Where to write the smaller program [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `solock list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// One JSON object per line.
    #[arg(long)]
    pub json: bool,
}

/// Which cells: the same for `run` and `compare`, but for what is taken when nobody says.
#[derive(Args, Clone, Debug, Default)]
pub struct CellArgs {
    /// A backend (repeatable, or with commas); `all` is every one.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub backend: Vec<String>,
    /// A workload (repeatable, or with commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub workload: Vec<String>,
    /// The sockets' type: stream, dgram, seqpacket (repeatable) [default: stream].
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub socket_type: Vec<String>,
    /// The length of a message in bytes (repeatable) [default: 64].
    #[arg(long, value_name = "BYTES", value_delimiter = ',', allow_negative_numbers = true,
          value_parser = number::whole::<usize>)]
    pub size: Vec<usize>,
    /// Threads: 1, 1-8, or 1,2,4 (repeatable); `groups` has what its groups need.
    #[arg(long, value_name = "LIST")]
    pub threads: Vec<String>,
    /// Numbers of workloads' own.
    #[command(flatten)]
    pub own: OwnArgs,
    /// How a blocked call waits: spin, adaptive, park (repeatable) [default: adaptive].
    #[arg(long, value_name = "HOW", value_delimiter = ',')]
    pub wait: Vec<String>,
    /// The algorithm of the layer's locks (repeatable, or with commas); `all` is every one
    /// [default: parking-lot].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub lock: Vec<String>,
    /// Locks of the kernel around the layer, taken too: names with commas between them are taken
    /// together, each further --ambient is another setting; `none` is one [default: none].
    #[arg(long, value_name = "NAMES")]
    pub ambient: Vec<String>,
    /// What everything that is drawn by chance draws from [default: drawn, and recorded].
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub seed: Option<u32>,
    /// The CPUs to use, in the order threads get them, such as 0,2,4-7 [default: every allowed CPU,
    /// one hardware thread per core first].
    #[arg(long, value_name = "LIST")]
    pub cpus: Option<String>,
    /// Leave the threads where the system puts them; the records say so.
    #[arg(long)]
    pub no_pin: bool,
    /// The folder for the run's file [default: results/runs of the checkout, else ./solock-runs].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The cells of a `run` that names none, by flag.
fn defaults_of_run() -> [(&'static str, String); 3] {
    usual(|_| true)
}

/// The usual cells of these backends, by flag.
fn usual(is_taken: impl Fn(&Backend) -> bool) -> [(&'static str, String); 3] {
    let threads = "1 and 2, and 4 and 8 where there are the CPUs";
    let backends = matrix::usual_backends().into_iter().filter(is_taken);
    let backends: Vec<&str> = backends.map(|backend| backend.name).collect();
    [
        ("backend", backends.join(", ")),
        ("workload", matrix::usual().join(", ")),
        ("threads", threads.to_owned()),
    ]
}

/// Those of a `compare`.
fn defaults_of_compare() -> [(&'static str, String); 3] {
    [
        ("backend", "the modelled ones of a run".to_owned()),
        ("workload", matrix::private().join(", ")),
        ("threads", "1 and 2".to_owned()),
    ]
}

/// The flag, with what is taken when nobody gives it in its help.
fn with_default(flag: Arg, defaults: &[(&str, String)]) -> Arg {
    let default = defaults.iter().find(|(name, _)| flag.get_id() == name);
    match (default, flag.get_help()) {
        (Some((_, default)), Some(help)) => {
            let help = format!("{help} [default: {default}]");
            flag.help(help)
        }
        _ => flag,
    }
}

/// `solock run`.
#[derive(Args, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, &defaults_of_run())))]
pub struct RunArgs {
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// How narrow the interval of a ratio shall be, in percent to each side; a cell whose ratios
    /// are all so narrow is done [default: 3% where no thread waits for another, 10% where one
    /// does].
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    pub within: Option<String>,
    /// The longest that all of it may take, such as 60s or 5m: no launch is begun that would not
    /// fit, but each cell has one, and a launch is not cut [default: 3s a cell; with --rounds: no
    /// limit].
    #[arg(long, value_name = "TIME")]
    pub budget: Option<String>,
    /// Measured time per cell and round (a launch), half of it for throughput, half for latencies;
    /// warm-up comes on top [default: 0.16, of which 0.12 for throughput].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true,
          value_parser = number::real)]
    pub seconds: Option<f64>,
    /// How many times every cell is measured, each time in fresh processes, however narrow or wide
    /// the intervals are [default: until they are narrow, or the budget is spent].
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub rounds: Option<u32>,
    /// Print the records on standard output, one JSON object per line, the answer's sentences
    /// behind them, and nothing else there.
    #[arg(long)]
    pub json: bool,
    /// Show every number there is: latencies, counters, slices.
    #[arg(long, conflicts_with = "json")]
    pub wide: bool,
    /// How long no call may return before it is a hang.
    #[arg(long, value_name = "SECONDS", hide = true, allow_negative_numbers = true,
          value_parser = number::real)]
    pub hang_limit: Option<f64>,
    /// Take this program in place of this one to measure (for tests).
    #[arg(long, hide = true, value_name = "PATH")]
    pub program: Option<PathBuf>,
}

/// `solock compare`.
#[derive(Args, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, &defaults_of_compare())))]
pub struct CompareArgs {
    /// The sides, each compared with the first: a commit (hash, tag, branch, HEAD~3), `.` for the
    /// working tree as it is, or a stored run (a path, an id, the beginning of one, `last`).
    #[arg(value_name = "SIDE", required = true, num_args = 1..)]
    pub sides: Vec<String>,
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// The longest that a cell is measured per side compared with the first, such as 60s, 500ms or
    /// 2m [default: 60s].
    #[arg(long, value_name = "TIME")]
    pub budget: Option<String>,
    /// The length of a slice in milliseconds, 5 to 1000 [default: 20].
    #[arg(long, value_name = "MS", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub slice: Option<u32>,
    /// What gets a verdict: throughput, send_p50, send_p99; can be repeated [default: all three].
    /// A cell ends when each verdict is clear, so fewer of them end sooner.
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// Give verdicts although more than 30 % of the slices were disturbed.
    #[arg(long)]
    pub noisy: bool,
    /// Print one JSON object per cell and metric on standard output, and nothing else there.
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the table for a pull request.
    #[arg(long)]
    pub markdown: bool,
    /// How many comparisons of cells stand together, where these are not all of them (for grids).
    #[arg(long, hide = true, value_name = "N", value_parser = number::whole::<u32>)]
    pub family: Option<u32>,
    /// Take this program as the side of that name instead of building it (for tests).
    #[arg(long, hide = true, value_name = "SIDE=PATH")]
    pub program: Vec<String>,
}

/// `solock show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// A path, an id, the beginning of one, or `last`.
    #[arg(value_name = "RUN", default_value = "last")]
    pub runs: Vec<String>,
    /// Show every number there is: latencies, counters, slices.
    #[arg(long)]
    pub wide: bool,
    /// Print the ratios and the answer's sentences, one JSON object per line, and nothing else.
    #[arg(long, conflicts_with = "wide")]
    pub json: bool,
    /// The folder of the runs [default: as for `run`].
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// `solock history`.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// Only cells whose name contains this, such as `pairs/per-socket/`.
    #[arg(long, value_name = "PATTERN")]
    pub cell: Option<String>,
    /// One JSON object per line: a cell and metric, its values, its changes.
    #[arg(long)]
    pub json: bool,
    /// The folder of the runs [default: as for `run`].
    #[arg(long, visible_alias = "out", value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// `solock plot`.
#[derive(Args, Debug)]
pub struct PlotArgs {
    /// A path, an id, the beginning of one, or `last`; several, and their history is drawn, too.
    #[arg(value_name = "RUN", default_value = "last")]
    pub runs: Vec<String>,
    /// Where to write; made if it is not there, files of the same names are replaced [default:
    /// RUN.plots, beside the first run's file].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The folder of the runs [default: as for `run`].
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}
