//! What stands at the top of a report: the machine, the program, the checker, the noise, and what
//! is to be read with care.

use results::stats::median;
use results::units::{percent, rate};
use results::{Compared, Host, Measured, Record, Run, Slices, Summary, table};

/// A name and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The name.
    pub name: &'static str,
    /// What there is to say.
    pub text: String,
}

/// What stands at the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// In the order in which they are shown.
    pub facts: Vec<Fact>,
    /// What became of the slices of each cell; empty where rounds are one slice each.
    pub ledger: Vec<(String, Slices)>,
    /// What spoils the numbers, loudest first.
    pub warnings: Vec<String>,
}

impl Facts {
    /// What the runs and their summary say.
    #[must_use]
    pub fn of(runs: &[Run], summary: &Summary) -> Facts {
        let mut facts = vec![fact("Runs", names(runs))];
        if let Some(host) = runs.iter().flat_map(|run| &run.records).find_map(Record::host) {
            facts.push(fact("Machine", machine(host)));
        }
        facts.push(fact("Commit", commits(runs, summary)));
        let measured: Vec<&Measured> = runs.iter().flat_map(Run::measured).collect();
        if !measured.is_empty() {
            facts.push(fact(
                "Compiler",
                distinct(measured.iter().map(|round| round.rustc.as_str())),
            ));
            facts.push(fact("Checker", table::verdict(summary)));
            facts.push(fact("Noise", noise(&measured)));
            facts.push(match table::ledger(summary) {
                Some(ledger) => fact("Slices", ledger),
                None => fact("Rounds", rounds(&measured)),
            });
        }
        facts.extend(comparison(runs).map(|text| fact("Comparison", text)));
        facts.extend(profiling(runs).map(|text| fact("Profile", text)));
        let ledger = summary.rows.iter().filter_map(|row| Some((row.cell.id(), row.slices?)));
        Facts { facts, ledger: ledger.collect(), warnings: warnings(runs, summary) }
    }
}

fn fact(name: &'static str, text: String) -> Fact {
    Fact { name, text }
}

fn names(runs: &[Run]) -> String {
    let begun = |run: &Run| run.measured().map(|round| round.started.clone()).min();
    let name = |run: &Run| match begun(run) {
        Some(begun) => format!("{} (begun {begun})", run.id),
        None => run.id.clone(),
    };
    runs.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn machine(host: &Host) -> String {
    let Host { cpu, cpus, topology, kernel, virtualised, governor } = host;
    let virtualised =
        virtualised.as_deref().map_or(String::new(), |by| format!(", virtual ({by})"));
    let governor = governor.as_deref().map_or(String::new(), |name| format!(", governor {name}"));
    format!("{cpu}, {cpus} CPUs allowed ({topology}){virtualised}{governor}, {kernel}")
}

/// The commits of measured rounds; those of comparisons are their sides.
fn commits(runs: &[Run], summary: &Summary) -> String {
    let mut names = summary.commits.clone();
    for side in runs.iter().flat_map(Run::compared).flat_map(|line| [&line.first, &line.second]) {
        let commit = side.commit.clone().unwrap_or_else(|| "unknown".to_owned());
        let name = if commit == side.name { commit } else { format!("{} ({commit})", side.name) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for split in runs.iter().flat_map(Run::splits) {
        let dirty = if split.dirty == Some(true) { "+" } else { "" };
        let name = format!("{}{dirty}", split.commit.as_deref().unwrap_or("unknown"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.iter().any(|name| name.split(' ').next().is_some_and(|name| name.ends_with('+'))) {
        names.push("+: the checkout differed from the commit".to_owned());
    }
    names.join(", ")
}

/// What keeping a profile costs, where a run is one.
fn profiling(runs: &[Run]) -> Option<String> {
    let costs: Vec<f64> =
        runs.iter().flat_map(Run::splits).map(|split| split.profiling_ns_per_pair).collect();
    let cost = median(&costs)?;
    Some(format!(
        "rounds of their own, in which a lock pair costs {cost:.1} ns more: they tell no \
         operations per second"
    ))
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts.join(", ")
}

fn noise(measured: &[&Measured]) -> String {
    let middle = |of: fn(&Measured) -> Option<f64>| {
        median(&measured.iter().filter_map(|round| of(round)).collect::<Vec<f64>>())
    };
    let spread = middle(|round| round.instrument.aa_spread_percent)
        .map_or("not measured".to_owned(), |spread| format!("{spread:.1}%"));
    let step = middle(|round| Some(round.instrument.clock_step_ns)).unwrap_or(0.0);
    let clock = middle(|round| Some(round.instrument.clock_ns)).unwrap_or(0.0);
    format!(
        "two identical measurements lay {spread} apart (A/A); the clock's step is {step:.1} ns, a \
         reading costs {clock:.1} ns"
    )
}

fn rounds(measured: &[&Measured]) -> String {
    let flagged = measured.iter().filter(|round| round.host_noise.flagged).count();
    let share = flagged as f64 / measured.len() as f64;
    let operations = measured.iter().map(|round| round.operations as f64).sum();
    format!(
        "{} rounds of {} operations in all; {flagged} flagged ({}): a thread was kept off its CPU",
        measured.len(),
        rate(operations),
        percent(share)
    )
}

/// How noisy the host of a comparison was. Lines of one cell tell of the same slices.
fn comparison(runs: &[Run]) -> Option<String> {
    let mut cells: Vec<&Compared> = runs.iter().flat_map(Run::compared).collect();
    let of = |line: &Compared| (line.cell.clone(), line.started.clone(), line.second.name.clone());
    cells.dedup_by_key(|line| of(line));
    let sum = |of: fn(&Compared) -> u32| cells.iter().map(|line| u64::from(of(line))).sum::<u64>();
    let (slices, rejected) = (sum(|line| line.slices), sum(|line| line.slices_rejected));
    (!cells.is_empty()).then(|| {
        format!(
            "{} cells; {rejected} of {slices} slices were left out, because the host was busy",
            cells.len()
        )
    })
}

/// What can be true of a round.
type Is = fn(&Measured) -> bool;

fn warnings(runs: &[Run], summary: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    for finding in &summary.findings {
        warnings.push(format!(
            "FOUND by {}: {} in {}, at {}, backend {}",
            finding.check, finding.count, finding.operation, finding.at, finding.backend
        ));
    }
    for id in &summary.interrupted {
        warnings.push(format!("INTERRUPTED: run {id} ended before its plan was done"));
    }
    for run in runs.iter().filter(|run| run.torn_line.is_some()) {
        warnings.push(format!("run {}: the last line was cut off, and is left out", run.id));
    }
    let measured: Vec<&Measured> = runs.iter().flat_map(Run::measured).collect();
    let told: [(Is, &str, &str); 5] = [
        (|round| round.pinning.unpinned, "UNPINNED", "threads went where the system put them"),
        (
            |round| round.pinning.oversubscribed,
            "MORE THREADS THAN CPUs",
            "such rounds say more about the scheduler than about the locks",
        ),
        (
            |round| round.pinning.spinning,
            "MORE THREADS THAN CPUs, AND LOCKS THAT SPIN",
            "whoever waits keeps the CPU that the holder needs",
        ),
        (|round| round.overloaded, "OVERLOADED", "a rate was not kept up"),
        (|round| round.dirty == Some(true), "DIRTY", "the checkout differed from its commit"),
    ];
    for (is, name, text) in told {
        let count = measured.iter().filter(|round| is(round)).count();
        if count > 0 {
            warnings.push(format!("{name} in {count} of {} rounds: {text}", measured.len()));
        }
    }
    if let Some(all) = all_flagged(runs) {
        warnings.push(all);
    }
    warnings
}

fn all_flagged(runs: &[Run]) -> Option<String> {
    let mut rounds = runs.iter().flat_map(Run::measured).peekable();
    rounds.peek()?;
    rounds.all(|round| round.host_noise.flagged).then(|| {
        "EVERY ROUND WAS FLAGGED: the machine was too busy for these numbers to mean much"
            .to_owned()
    })
}
