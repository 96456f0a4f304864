//! `solock compare`: measures the sides in turns, stores the verdicts, and shows them.

use std::time::SystemTime;

use results::units::counted;
use results::{Finding, Host, Record, RunWriter, Store};

use super::{EXIT_OK, EXIT_USAGE, print};
use crate::added;
use crate::cli::CompareArgs;
use crate::compare::progress::Watch;
use crate::compare::repository::Repository;
use crate::compare::request::Request;
use crate::compare::side::{Names, Source};
use crate::compare::verdicts::{self, Row, Rows};
use crate::compare::{self, Around, Done, table};
use crate::complain;
use crate::cpus::Cpus;
use crate::host;
use crate::interrupt::{self, EXIT_INTERRUPTED, Interrupt};
use crate::settings;
use lockimpls::witness::EXIT_FINDING;

/// Compares what the user asked for.
///
/// # Errors
/// The request makes no sense, or the system refused something.
pub fn compare(args: &CompareArgs) -> Result<i32, String> {
    let folder = settings::folder(args.cells.out.as_ref());
    let (repository, readable) = (Repository::here(), Store::at(&folder));
    let names = Names { repository: &repository, store: &readable, programs: &args.program };
    let request = Request::new(args, &names, &Cpus::allowed()?)?;
    if let Some(code) = shown_again(&request, args)? {
        return Ok(code);
    }
    let store = Store::open(&folder).map_err(|error| error.to_string())?;
    let (interrupt, watch) = (Interrupt::catch_and_undo()?, Watch::new());
    announce(&request, &watch);
    let around = Around { interrupt: &interrupt, watch: &watch };
    let ready = compare::get_ready(&request, &repository, around);
    let machine = host::describe(&request.settings.cpus);
    let writer = store.start(SystemTime::now()).map_err(|error| error.to_string())?;
    let keeper = Keeper { writer: &writer, host: &machine, watch: &watch };
    let done = if interrupt.is_set() {
        Done::default()
    } else {
        compare::run(&request, &ready, around, &mut |side, finding, report| {
            keeper.finding(side, finding, report);
        })
    };
    watch.clear();
    let cells = judged(&request, &done, &machine);
    // The verdicts are shown even where they cannot be kept, and a finding stays one.
    let kept = keeper.close(&cells, interrupt.is_set());
    let shown = show(&cells, args);
    if let Err(why) = kept.and(shown) {
        complain!("{why}");
        return Ok(if done.found { EXIT_FINDING } else { EXIT_USAGE });
    }
    let rows: Vec<Row> = cells.into_iter().flat_map(|cell| cell.rows).collect();
    Ok(code(&done, interrupt.is_set(), &rows))
}

/// Both sides are the same stored comparison: its verdicts were measured in turns, and stand.
fn shown_again(request: &Request, args: &CompareArgs) -> Result<Option<i32>, String> {
    let runs = request.sides.iter().map(|side| match &side.source {
        Source::Run(run) => Some(&**run),
        _ => None,
    });
    let Some(runs) = runs.collect::<Option<Vec<_>>>() else { return Ok(None) };
    let one = runs.iter().all(|run| run.path == runs[0].path);
    if !one || runs[0].compared().next().is_none() {
        return Ok(None);
    }
    let cells = verdicts::stored(runs[0].compared());
    show(&cells, args)?;
    let rows: Vec<Row> = cells.into_iter().flat_map(|cell| cell.rows).collect();
    Ok(Some(verdicts::exit_code(&rows)))
}

fn announce(request: &Request, watch: &Watch) {
    request.skipped.iter().for_each(|skipped| watch.say(&format!("skipped: {skipped}")));
    let (cells, others) = (request.cells.len(), request.sides.len() - 1);
    watch.say(&format!(
        "{}, {} against {:?}, at most {} each: at most {} in all, and what building takes; seed {}",
        counted(cells, "cell"),
        counted(others, "side"),
        request.sides[0].name,
        humantime::format_duration(request.budget),
        humantime::format_duration(request.total()),
        request.settings.seed
    ));
}

/// All rows, with what can only be said when all is measured.
fn judged(request: &Request, done: &Done, host: &Host) -> Vec<Rows> {
    let judge = request.judge();
    let rows = |it| verdicts::rows(it, &judge, &done.itself, host);
    let mut cells: Vec<Rows> = done.comparisons.iter().map(rows).collect();
    verdicts::correct(&mut cells);
    cells
}

fn show(cells: &[Rows], args: &CompareArgs) -> Result<(), String> {
    if cells.is_empty() {
        return Ok(());
    }
    if args.json {
        for row in cells.iter().flat_map(|cell| &cell.rows) {
            let record = Record::from(row.compared.clone());
            print(&(record.to_line().map_err(|error| error.to_string())? + "\n"))?;
        }
        return Ok(());
    }
    print(&if args.markdown { table::markdown(cells) } else { table::text(cells) })
}

fn code(done: &Done, interrupted: bool, rows: &[Row]) -> i32 {
    if done.found {
        return EXIT_FINDING;
    }
    if interrupted {
        return EXIT_INTERRUPTED;
    }
    if rows.is_empty() { EXIT_OK } else { verdicts::exit_code(rows) }
}

/// Keeps what comes out in the run's file.
struct Keeper<'a> {
    writer: &'a RunWriter,
    host: &'a Host,
    watch: &'a Watch,
}

impl Keeper<'_> {
    /// A check found something in a side's process.
    fn finding(&self, side: &str, finding: Option<&Finding>, report: &str) {
        let said = finding.map_or(report, |finding| &finding.report);
        self.watch.say(&format!("{side}: a check found something:\n{said}"));
        if let Some(finding) = finding
            && let Err(error) = self.writer.append(&Record::from(finding.clone()))
        {
            self.watch.say(&format!("{}: the finding could not be stored: {error}", added::name()));
        }
    }

    fn close(&self, cells: &[Rows], interrupted: bool) -> Result<(), String> {
        let rows = cells.iter().flat_map(|cell| &cell.rows);
        let mut records: Vec<Record> = rows.map(|row| Record::from(row.compared.clone())).collect();
        if interrupted {
            records.push(interrupt::record(None, self.host.clone()));
        }
        self.writer.publish(&records).map_err(|error| error.to_string())?;
        if self.writer.is_empty() {
            self.watch.say("nothing was compared, so there is no run to keep");
            return Ok(());
        }
        let path = self.writer.finish().map_err(|error| error.to_string())?;
        self.watch.say(&format!("run {}: {}", self.writer.id(), path.display()));
        if interrupted {
            self.watch.say("interrupted: the cells that had ended are kept");
        }
        Ok(())
    }
}
