//! `solock`: the program.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

use clap::{CommandFactory, Parser};
use solock::cli::{Cli, Command};
use solock::cmd::{self, EXIT_OK, EXIT_USAGE};
use solock::tell;

fn main() {
    solock::interrupt::survive_file_limit();
    std::process::exit(match Cli::try_parse() {
        Ok(cli) => run(cli).unwrap_or_else(|error| {
            tell!("solock: {error}");
            EXIT_USAGE
        }),
        Err(error) => {
            // Help and the version are answers; whether they could be printed changes nothing.
            let _ = error.print();
            if error.use_stderr() { EXIT_USAGE } else { EXIT_OK }
        }
    })
}

fn run(cli: Cli) -> Result<i32, String> {
    match cli.command {
        Some(Command::List(args)) => cmd::list::list(&args),
        Some(Command::Controls(args)) => cmd::controls::run(&args),
        Some(Command::Run(args)) => cmd::run::run(&args),
        Some(Command::Compare(args)) => cmd::compare::compare(&args),
        Some(Command::Grid(args)) => cmd::grid::run(&args),
        Some(Command::Serve(args)) => solock::server::serve(args.hang_limit),
        Some(Command::Profile(args)) => cmd::profile::profile(&args),
        Some(Command::Show(args)) => cmd::show::show(&args),
        Some(Command::Fuzz(args)) => cmd::fuzz::fuzz(&args),
        Some(Command::Replay(args)) => cmd::replay::replay(&args),
        Some(Command::Minimize(args)) => cmd::minimize::run(&args),
        Some(Command::History(args)) => cmd::history::run(&args),
        Some(Command::Plot(args)) => cmd::plot::plot(&args),
        Some(Command::Export(args)) => cmd::export::export(&args),
        Some(Command::Import(args)) => cmd::import::import(&args),
        None => {
            cmd::print(&format!("{}\n{FIRST_STEPS}", Cli::command().render_help()))?;
            Ok(EXIT_OK)
        }
    }
}

const FIRST_STEPS: &str = "\
Begin with:
  solock run                              the usual backends and workloads: about a minute
  solock run --workload pairs --threads 1,2 --seconds 1 --rounds 3
  solock compare HEAD~1 HEAD              did the last commit make anything slower?
  solock list                             what else there is
";
