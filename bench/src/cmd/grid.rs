//! `solock grid`: a file of cells, on any number of machines.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use lockimpls::witness::EXIT_FINDING;
use results::collected::Collected;
use results::files::{Batch, replace};
use results::units::counted;
use rustix::process::Signal;

use super::{EXIT_OK, EXIT_USAGE, print, show};
use crate::children::signal_group;
use crate::cli::{
    GridArgs, GridCollectArgs, GridCommand, GridElementArgs, GridRunArgs, GridSlurmArgs,
};
use crate::cmd::run::this_program;
use crate::compare::verdicts::EXIT_UNCLEAR;
use crate::grid::here::Here;
use crate::grid::measure::{Outcome, Place};
use crate::grid::parallel::{self, LOGS};
use crate::grid::{Grid, Machine, report, slurm};
use crate::interrupt::{EXIT_INTERRUPTED, Interrupt};
use crate::tell;

/// Does what was asked.
///
/// # Errors
/// The grid's file makes no sense, or the system refused something.
pub fn run(args: &GridArgs) -> Result<i32, String> {
    match &args.command {
        GridCommand::Plan(file) => plan(&Grid::read(&file.file)?),
        GridCommand::Run(args) => here(args),
        GridCommand::Slurm(args) => hand_to_slurm(args),
        GridCommand::Parallel(file) => lines(&Grid::read(&file.file)?),
        GridCommand::Status(file) => status(&Grid::read(&file.file)?),
        GridCommand::Collect(args) => collect(args),
        GridCommand::Element(args) => element(args),
    }
}

fn plan(grid: &Grid) -> Result<i32, String> {
    grid.skipped.iter().for_each(|skipped| super::tell_skipped(skipped));
    let mut text = String::new();
    for (number, element) in grid.elements.iter().enumerate() {
        let longest = shown(element.longest);
        let sides = element.words.iter().skip(1).take_while(|word| !word.starts_with("--"));
        let sides: Vec<&str> = sides.map(String::as_str).collect();
        let sides = if sides.is_empty() { String::new() } else { sides.join(" ") + ": " };
        text += &format!("{number:>4}  {longest:>9}  {sides}{}\n", element.about());
    }
    let cells: usize = grid.elements.iter().map(|element| element.cells.len()).sum();
    let longest: Duration = grid.elements.iter().map(|element| element.longest).sum();
    let (count, machines) = (grid.elements.len(), grid.machines.len().max(1));
    let hours = |time: Duration| time.as_secs_f64() / 3600.0;
    text += &format!(
        "{} in {}, on each machine at most {:.2} h; {}, {:.2} h in all; building comes on top; \
         plan {}\n",
        counted(cells, "cell"),
        counted(count, "element"),
        hours(longest),
        counted(machines, "machine"),
        hours(longest * machines as u32),
        grid.digits(),
    );
    print(&text)?;
    Ok(EXIT_OK)
}

fn shown(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs_f64().ceil() as u64)).to_string()
}

/// Everything that is missing, here. One that fails does not keep the others from being measured.
fn here(args: &GridRunArgs) -> Result<i32, String> {
    let grid = Grid::read(&args.grid.file)?;
    let here = Here::of_this_process();
    let machine = grid.machine(args.machine.as_deref(), &here.node)?;
    let place = Place { grid: &grid, machine: &machine, here: &here };
    let interrupt = Interrupt::catch()?;
    grid.skipped.iter().for_each(|skipped| super::tell_skipped(skipped));
    let there = report::collected(&grid, &[])?;
    let (count, mut code) = (grid.elements.len(), EXIT_OK);
    for (number, element) in grid.elements.iter().enumerate() {
        if interrupt.is_set() {
            return Ok(EXIT_INTERRUPTED);
        }
        let own = match place.done(element, &there)? {
            Some(known) => Outcome::WasThere(known).code(),
            None => {
                tell!("element {number}, {} of {count}: {}", number + 1, element.about());
                one(&place, number, &interrupt)?
            }
        };
        code = worse(code, own);
        if code == EXIT_INTERRUPTED {
            tell!("interrupted: run it again to go on");
            return Ok(code);
        }
    }
    let collected = report::collected(&grid, &[])?;
    print(&report::status(&grid, &collected, show::columns()))?;
    let is_whole = collected.machines.iter().any(|it| it.name == machine.name && it.is_whole());
    Ok(worse(code, if is_whole { EXIT_OK } else { EXIT_UNCLEAR }))
}

/// One element, in a process of its own, as a scheduler would start it: its threads and what it
/// caught end with it. It stands and builds where the machine says.
fn one(place: &Place<'_>, number: usize, interrupt: &Interrupt) -> Result<i32, String> {
    let mut command = Command::new(this_program()?);
    command.args(["grid", "element"]).arg(&place.grid.path).arg(number.to_string());
    command.args(["--machine", &place.machine.name, "--plan", &place.grid.digits()]);
    let Machine { folder, target, .. } = place.machine;
    if let Some(folder) = folder {
        // Else the program itself would be said to be missing.
        if !Path::new(folder).is_dir() {
            return Err(format!("machine {}: there is no folder {folder}", place.machine.name));
        }
        command.current_dir(folder);
    }
    command.envs(target.iter().map(|target| ("CARGO_TARGET_DIR", target)));
    // In a group of its own it hears of the end once, and from here.
    command.stdin(Stdio::null()).process_group(0);
    let failed = |error| format!("element {number} cannot be started: {error}");
    let mut child = command.spawn().map_err(failed)?;
    let mut is_told = false;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            // While it waited for its turn it was ended by the signal itself.
            let killed = if is_told { EXIT_INTERRUPTED } else { EXIT_USAGE };
            return Ok(status.code().unwrap_or(killed));
        }
        if interrupt.is_set() && !is_told {
            signal_group(child.id(), Signal::INT);
            is_told = true;
        }
        // A signal is heard of within that time, and what is measured is hardly woken by it.
        thread::sleep(NAP);
    }
}

/// How often it is looked at.
const NAP: Duration = Duration::from_millis(200);

/// Which code the whole has.
fn worse(so_far: i32, code: i32) -> i32 {
    let order = [EXIT_INTERRUPTED, EXIT_FINDING, EXIT_USAGE, EXIT_UNCLEAR];
    order.into_iter().find(|worst| [so_far, code].contains(worst)).unwrap_or(EXIT_OK)
}

fn element(args: &GridElementArgs) -> Result<i32, String> {
    let grid = Grid::read(&args.grid.file)?;
    let digits = grid.digits();
    if let Some(plan) = args.plan.as_ref().filter(|plan| **plan != digits) {
        return Err(format!(
            "{}: its plan is {digits} now, and number {} is of the plan {plan}; hand the grid to \
             the scheduler again (another build of solock can plan otherwise, too)",
            grid.path.display(),
            args.number
        ));
    }
    let element = grid.elements.get(args.number as usize).ok_or_else(|| {
        format!("there is no element {}; valid are 0 to {}", args.number, grid.elements.len() - 1)
    })?;
    let here = Here::of_this_process();
    let machine = grid.machine(args.machine.as_deref(), &here.node)?;
    let outcome = Place { grid: &grid, machine: &machine, here: &here }.measure(element)?;
    if let Outcome::WasThere(_) = outcome {
        tell!("{} is there, and is not measured again", element.id);
    }
    Ok(outcome.code())
}

/// Writes the scripts, and hands them over.
fn hand_to_slurm(args: &GridSlurmArgs) -> Result<i32, String> {
    let grid = Grid::read(&args.grid.file)?;
    if grid.machines.is_empty() {
        return Err(format!(
            "{}: it names no machine; a [[machine]] says its name, and its partition where Slurm \
             has several (see GRID.md)",
            grid.path.display()
        ));
    }
    make_logs(&grid)?;
    let program = this_program()?;
    let program = program.to_str().ok_or("this program's path is not UTF-8")?;
    let collected = report::collected(&grid, &[])?;
    for (machine, there) in grid.machines.iter().zip(&collected.machines) {
        let is_missing = |number: &usize| there.missing.contains(&grid.elements[*number].id);
        let numbers: Vec<usize> = (0..grid.elements.len()).filter(is_missing).collect();
        if numbers.is_empty() {
            tell!("{}: all is there", machine.name);
            continue;
        }
        let script = slurm::script(&grid, machine, &numbers, program)?;
        let path = grid.out.join(format!("{}-{}.sbatch", grid.name, machine.name));
        replace(&path, script.as_bytes()).map_err(|error| error.to_string())?;
        print(&format!("{}\n", path.display()))?;
        if args.submit {
            submit(&path, machine)?;
        }
    }
    Ok(EXIT_OK)
}

fn submit(script: &Path, machine: &Machine) -> Result<(), String> {
    let output =
        Command::new("sbatch").arg("--parsable").arg(script).output().map_err(|error| {
            format!("sbatch cannot be run: {error}; the script is {}", script.display())
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("sbatch refuses {}: {}", script.display(), said.trim()));
    }
    let job = String::from_utf8_lossy(&output.stdout);
    print(&format!("{}: job {}\n", machine.name, job.trim()))
}

fn make_logs(grid: &Grid) -> Result<(), String> {
    let logs = grid.out.join(LOGS);
    fs::create_dir_all(&logs).map_err(|error| format!("cannot write {}: {error}", logs.display()))
}

fn lines(grid: &Grid) -> Result<i32, String> {
    make_logs(grid)?;
    let program = this_program()?;
    let program = program.to_str().ok_or("this program's path is not UTF-8")?;
    if grid.machines.is_empty() {
        print(&parallel::line(grid, None, program))?;
    }
    for machine in &grid.machines {
        print(&parallel::line(grid, Some(machine), program))?;
    }
    Ok(EXIT_OK)
}

fn status(grid: &Grid) -> Result<i32, String> {
    let collected = report::collected(grid, &[])?;
    print(&report::status(grid, &collected, show::columns()))?;
    Ok(EXIT_OK)
}

fn collect(args: &GridCollectArgs) -> Result<i32, String> {
    let grid = Grid::read(&args.grid.file)?;
    let collected = report::collected(&grid, &args.folders)?;
    let columns = show::columns();
    let text = report::text(&collected, columns)?;
    let short = report::shortcomings(&grid, &collected, columns);
    let text = if short.is_empty() { text } else { short + "\n" + &text };
    if let Some(folder) = &args.out {
        super::leave_no_half()?;
        let page = report::page(&grid, &collected)?;
        keep(&collected, &[("report.txt", &text), ("report.html", &page)], folder)?;
    }
    print(&text)?;
    Ok(report::code(&collected))
}

/// The sets that are kept, under the names they have, and the reports beside them.
fn keep(collected: &Collected, reports: &[(&str, &str)], folder: &Path) -> Result<(), String> {
    let mut batch = Batch::default();
    for set in collected.sets() {
        let path = set.path();
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_name().unwrap_or_default();
        batch.add(&folder.join(name), &bytes).map_err(|error| error.to_string())?;
    }
    for (name, text) in reports {
        batch.add(&folder.join(name), text.as_bytes()).map_err(|error| error.to_string())?;
    }
    let written = batch.replace().map_err(|error| error.to_string())?;
    tell!("{} files in {}", written.len(), folder.display());
    Ok(())
}
