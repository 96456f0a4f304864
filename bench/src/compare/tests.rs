//! What sides say of themselves, and why they say nothing.

use results::{Measured, Record};

use super::*;

fn side(source: Source) -> Side {
    Side { name: "x".to_owned(), source }
}

fn stored(measured: Vec<Measured>) -> Run {
    Run {
        id: "run".to_owned(),
        path: "run.jsonl".into(),
        records: measured.into_iter().map(Record::from).collect(),
        partial: false,
        torn_line: None,
    }
}

/// A program that knows one cell and not the other.
fn program(hello: Hello) -> State<'static> {
    let cells = [
        (cell("known").id(), Ok(Prepared::default())),
        (cell("unknown").id(), Err("no such workload".to_owned())),
    ];
    let layouts = Layouts::one("program".into());
    State::Program(Box::new(Program { layouts, hello, cells: cells.into(), code: None }))
}

fn cell(workload: &str) -> Cell {
    Cell { workload: workload.to_owned(), ..Cell::default() }
}

#[test]
fn a_side_is_of_the_commit_that_its_program_or_its_run_names() {
    let origin = |source, state| {
        let results::Side { name, commit, dirty, value, layouts } =
            origin(&Ready { side: &side(source), state });
        assert_eq!((name.as_str(), value, layouts), ("x", None, None));
        (commit, dirty)
    };
    let commit = |name: &str| Some(name.to_owned());
    let broken = || State::Broken("does not build".to_owned());
    let hello = Hello { commit: commit("abc"), dirty: Some(true), ..Hello::default() };
    // What the program says of itself, whatever it was built from.
    let of_program = origin(Source::Commit("def".to_owned()), program(hello));
    assert_eq!(of_program, (commit("abc"), Some(true)));
    let first = Measured { commit: commit("123"), dirty: Some(false), ..Measured::default() };
    let run = stored(vec![first, Measured::default()]);
    let of_run = origin(Source::Run(Box::new(run.clone())), State::Stored(&run));
    assert_eq!(of_run, (commit("123"), Some(false)));
    assert_eq!(origin(Source::Commit("def".to_owned()), broken()), (commit("def"), None));
    assert_eq!(origin(Source::Tree, broken()), (None, None));
}

#[test]
fn a_side_says_why_it_says_nothing_of_a_cell() {
    let why = |state, workload| Ready { side: &side(Source::Tree), state }.why_not(&cell(workload));
    let run = stored(Vec::new());
    assert_eq!(why(State::Stored(&run), "known"), None);
    assert_eq!(why(program(Hello::default()), "known"), None);
    let said = |text: &str| Some(format!("x: {text}"));
    assert_eq!(why(program(Hello::default()), "unknown"), said("no such workload"));
    for state in [State::Broken("gone".to_owned()), State::Found("gone".to_owned())] {
        assert_eq!(why(state, "known"), said("gone"));
    }
}
