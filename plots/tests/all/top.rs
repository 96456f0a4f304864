//! What stands above the figures: the answer first, then the facts and what became of the slices.

use plots::Plots;
use results::answer::{Question, Words};
use results::{Ratio, Record, Slices};

use crate::common::{HOSTILE, full_run, options};

fn page(change: impl FnOnce(&mut results::Run)) -> String {
    let mut run = full_run("a");
    change(&mut run);
    let words = [("per-socket", "a lock per <socket>")];
    let words = words.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    let [name, label, operation] = ["private pairs", "private pairs", "message"].map(str::to_owned);
    let questions = vec![("pairs".to_owned(), Question { name, label, operation })];
    let words = Words { backends: words, questions, ..Words::default() };
    let options = plots::Options { words, ..options() };
    plots::report::html(&Plots::of(&[run], &options).expect("figures")).expect("a page")
}

#[test]
fn the_report_begins_with_the_answer() {
    let page = page(|_| ());
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    let answer = place("<section class=\"answer\"");
    assert!(place("<h1>") < answer && answer < place("<dl class=\"facts\">\n<dt>Runs"));
    let said = "<dt>private pairs</dt><dd>a lock per &lt;socket&gt; pays: 1.9";
    assert!(place(said) > answer);
    assert!(place("On this machine (2 CPUs), 64-byte stream messages:") > answer);
}

#[test]
fn of_no_ratio_it_says_so() {
    let page = page(|run| {
        run.records.retain(|record| match record {
            Record::Measured(measured) => measured.cell.backend == "global",
            _ => true,
        });
    });
    assert!(page.contains("<p>This run does not say: no ratio was measured.</p>"));
}

#[test]
fn the_ledger_of_slices_takes_the_place_of_flagged_rounds() {
    assert!(page(|_| ()).contains("<dt>Rounds</dt>"));
    let page = page(|run| {
        for record in &mut run.records {
            if let Record::Measured(measured) = record {
                let slices = Slices {
                    kept: 11,
                    repeated: 5,
                    off_cpu: 4,
                    switched: 2,
                    stolen: 1,
                    given_up: 3,
                };
                measured.slices = Some(slices);
            }
        }
    });
    assert!(!page.contains("<dt>Rounds</dt>"));
    // 6 rounds of 2 kinds: 12 lines a cell.
    let row = "<th scope=\"row\">pairs/per-socket/stream/64B/t2/adaptive</th><td>132</td>\
               <td>60</td><td>36</td><td>48</td><td>24</td><td>12</td></tr>";
    assert!(page.contains(row), "the ledger has other numbers");
    assert!(page.contains("<dt>Slices</dt><dd>slices: 1188 kept, 540 (26 %) repeated"));
}

#[test]
fn a_reason_cannot_break_out() {
    let page = page(|run| {
        let cell = "pairs/per-socket/stream/64B/t2/adaptive".to_owned();
        run.records.push(
            Ratio {
                against: cell.replace("per-socket", "global"),
                cell,
                threads: 2,
                metric: "throughput".to_owned(),
                why: Some(HOSTILE.to_owned()),
                host: crate::common::host(),
                ..Ratio::default()
            }
            .into(),
        );
    });
    assert!(!page.contains(HOSTILE));
    assert!(page.contains("&lt;/script&gt;"), "the reason is told");
}
