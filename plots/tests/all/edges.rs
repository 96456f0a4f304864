//! Runs that lack something: a clear message, or the figures that can be drawn.

use plots::{PlotError, Plots};
use results::{Record, Run, RunFile};

use crate::common::{Place, comparison, full_run, interrupted, options, run, throughput};

fn missing(runs: &[Run]) -> Vec<(&'static str, String)> {
    let plots = Plots::of(runs, &options()).expect("figures");
    let why = |figure: plots::Figure| Some((figure.id, figure.missing?));
    plots.figures.into_iter().filter_map(why).collect()
}

fn only(runs: Run, keep: impl Fn(&results::Measured) -> bool) -> Run {
    let keep = |record: &Record| record.as_measured().is_none_or(&keep);
    Run { records: runs.records.iter().filter(|one| keep(one)).cloned().collect(), ..runs }
}

#[test]
fn without_latency_rounds_the_rest_is_drawn() {
    let runs = [only(full_run("a"), |round| round.latency_ns.send.is_none())];
    let missing = missing(&runs);
    let ids: Vec<&str> = missing.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["percentiles", "distribution", "verdicts", "history", "split"]);
    assert_eq!(missing[0].1, "no round measured latencies");
}

#[test]
fn what_is_missing_has_its_true_reason() {
    let compared = missing(&[run("c", comparison())]);
    assert!(compared.contains(&("ratios", "nothing was measured".to_owned())), "{compared:?}");
    let flagged = |id: &str| {
        let mut run = full_run(id);
        for record in &mut run.records {
            let Record::Measured(round) = record else { continue };
            round.host_noise.flagged = true;
        }
        run
    };
    let busy = missing(&[flagged("a"), flagged("b")]);
    let history = busy.iter().find(|(id, _)| *id == "history").expect("no history");
    assert!(history.1.contains("not flagged"), "{}", history.1);
}

#[test]
fn one_backend_has_no_ratios() {
    let missing = missing(&[only(full_run("a"), |round| round.cell.backend == "global")]);
    assert!(missing.contains(&("ratios", "there is no backend but global".to_owned())));
    let without = [only(full_run("a"), |round| round.cell.backend != "global")];
    let missing = self::missing(&without);
    assert_eq!(missing[0].1, "global, which ratios are to, was not measured");
}

#[test]
fn nothing_measured_is_said_so() {
    let error = Plots::of(&[run("a", vec![interrupted()])], &options()).expect_err("no rounds");
    assert!(matches!(error, PlotError::Nothing { .. }));
    assert!(error.to_string().contains("run a was interrupted before its first round"), "{error}");
    assert!(Plots::of(&[], &options()).is_err());
}

#[test]
fn what_spoils_the_numbers_stands_at_the_top() {
    let mut whole = full_run("a");
    whole.records.push(interrupted());
    if let Record::Measured(measured) = &mut whole.records[0] {
        measured.pinning.unpinned = true;
        measured.pinning.oversubscribed = true;
        measured.pinning.spinning = true;
    }
    let plots = Plots::of(&[whole], &options()).expect("figures");
    // And where it is true: beside the figures that do not show it, and in their tables.
    for id in ["percentiles", "distribution"] {
        let figure = plots.figures.iter().find(|figure| figure.id == id).expect("a figure");
        let spoiled = |title: &str| title.contains("unpinned") && title.contains("more threads");
        let titles = figure.panels.iter().map(|panel| spoiled(&panel.title));
        assert_eq!(titles.collect::<Vec<bool>>(), [true, false, false], "{id}");
    }
    let ratios = plots.figures.iter().find(|figure| figure.id == "ratios").expect("ratios");
    let starred = ratios.panels[0].y.names.iter().filter(|name| name.ends_with(" *"));
    assert_eq!((starred.count(), ratios.notes[0].starts_with("* more threads")), (1, true));
    let page = plots::report::html(&plots).expect("a page");
    assert!(
        page.contains(
            "<td class=\"text\">unpinned, more threads than CPUs, waiting by spinning</td>"
        )
    );
    for words in [
        "INTERRUPTED: run a",
        "UNPINNED in 1 of 108 rounds",
        "MORE THREADS THAN CPUs in 1",
        "MORE THREADS THAN CPUs, AND LOCKS THAT SPIN in 1",
        "A/A",
        "1.2 ns",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("Example &lt;9000&gt;"));
}

#[test]
fn runs_of_two_machines_are_refused() {
    let place = Place { workload: "pairs", backend: "global", threads: 1, round: 0 };
    let mut other = throughput(place, 1000);
    other.host.cpu = "another".to_owned();
    let error = Plots::of(&[full_run("a"), run("b", vec![other.into()])], &options());
    assert!(error.expect_err("two machines").to_string().contains("never mixed"));
}

#[test]
fn a_damaged_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("20261123T091500Z-3fa2.jsonl");
    for (content, words) in [("", "holds no record"), ("{\"schema\":1\n", ":1: not a record")] {
        std::fs::write(&path, content).expect("written");
        let error = Run::read(&RunFile::at(&path).expect("a name")).expect_err("damaged");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_throughput_of_nothing_is_drawn_as_nothing() {
    let place = Place { workload: "pairs", backend: "global", threads: 1, round: 0 };
    let runs = [run("a", vec![throughput(place, 0).into()])];
    let folder = tempfile::tempdir().expect("a folder");
    let plots = Plots::of(&runs, &options()).expect("figures");
    plots.write(folder.path()).expect("written");
}
