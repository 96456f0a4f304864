//! What cannot be said, and what would help.

use super::*;

#[test]
fn what_is_not_answered_is_said_with_what_would_help() {
    let said = |found: Option<[f64; 3]>| {
        let run = of(&[Known { ratio: found, ..pairs(2, [1.0; 3]) }]);
        let mut said = sentences(run);
        let (question, sentence) = said.remove(0);
        assert_eq!(question, "not answered");
        sentence.strip_prefix("pairs per-socket with 2 threads / global: ").unwrap().to_owned()
    };
    // A quarter of the width takes sixteen times as long; half of it four times.
    assert_eq!(
        said(Some([1.0, 0.9, 1.1])),
        "1.00 [0.90, 1.10], too wide; --budget 4m would decide 5 %"
    );
    assert_eq!(
        said(Some([1.0, 0.94, 1.06])),
        "1.00 [0.94, 1.06], too wide; --budget 90s would decide 5 %"
    );
    assert_eq!(
        said(Some([1.0, 0.1, 2.0])),
        "1.00 [0.10, 2.00], too wide; more than --budget 5m is needed"
    );
    assert_eq!(
        said(None),
        "3 pairs of processes give no interval of 95 %; --budget 2m would give it more pairs"
    );
    let mut old = of(&[pairs(2, [2.0, 1.9, 2.1])]);
    old.records.retain(|record| !matches!(record, Record::Ratio(_)));
    assert_eq!(
        sentences(old)[0].1,
        "pairs per-socket with 2 threads / global: 1 of 1 rounds undisturbed on both sides, 6 are \
         needed for 95 %"
    );
}

#[test]
fn what_would_not_help_is_not_proposed() {
    let said = |found: Option<[f64; 3]>, change: fn(&mut Ratio)| {
        let mut run = of(&[Known { ratio: found, ..pairs(2, [1.0; 3]) }]);
        for record in &mut run.records {
            if let Record::Ratio(ratio) = record {
                change(ratio);
            }
        }
        let sentence = sentences(run).remove(0).1;
        sentence.strip_prefix("pairs per-socket with 2 threads / global: ").unwrap().to_owned()
    };
    let wide = Some([1.0, 0.92, 1.08]);
    for (change, advice) in [
        // It was narrow enough, and would stop there again.
        (
            (|ratio| ratio.within = Some(0.1)) as fn(&mut Ratio),
            "; --within 5% --budget 3m would decide 5 %",
        ),
        (|ratio| ratio.within = Some(0.05), "; --budget 3m would decide 5 %"),
        (|ratio| ratio.within = Some(0.03), "; --budget 3m would decide 5 %"),
        (|ratio| ratio.budget_seconds = Some(3600.0), "; --budget 154m would decide 5 %"),
        // A run takes a day at most.
        (|ratio| ratio.budget_seconds = Some(24.0 * 3600.0), ""),
        (|ratio| ratio.budget_seconds = None, ""),
        (|ratio| ratio.budget_seconds = Some(0.0), ""),
    ] {
        assert_eq!(said(wide, change), format!("1.00 [0.92, 1.08], too wide{advice}"));
    }
    let long = |ratio: &mut Ratio| ratio.budget_seconds = Some(13.0 * 3600.0);
    let too_few = "3 pairs of processes give no interval of 95 %";
    assert_eq!(said(None, long), too_few);
    assert_eq!(said(Some([1.0, 0.1, 2.0]), long), "1.00 [0.10, 2.00], too wide");
    let pairless = said(None, |ratio| ratio.pairs = 0);
    assert!(!pairless.contains("budget"), "{pairless}");
    let invalid = said(None, |ratio| {
        ratio.why = Some("invalid: global differs from itself, 0.900 [0.880, 0.910]".to_owned());
    });
    assert_eq!(invalid, "invalid: global differs from itself, 0.900 [0.880, 0.910]");
}

#[test]
fn one_reason_is_told_once() {
    let none = |threads| Known { ratio: None, ..pairs(threads, [1.0; 3]) };
    let said = sentences(of(&[none(1), pairs(2, [0.5, 0.4, 0.6]), none(4)]));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[1].1,
        "pairs per-socket with 1 thread, pairs per-socket with 4 threads / global: 3 pairs of \
         processes give no interval of 95 %; --budget 2m would give it more pairs"
    );
}

/// Cells of one reason, each with numbers of its own, are told of together, without the numbers.
#[test]
fn a_busy_host_is_told_once() {
    let none = |threads| Known { ratio: None, ..pairs(threads, [1.0; 3]) };
    let mut run = of(&[none(1), none(2)]);
    let whys = ["host busy: 3 of 4 slices disturbed", "host busy: 5 of 6 slices disturbed"];
    let mut whys = whys.into_iter();
    for record in &mut run.records {
        if let Record::Ratio(ratio) = record {
            ratio.why = whys.next().map(str::to_owned);
        }
    }
    let said = sentences(run);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(
        said[0].1,
        "pairs per-socket with 1 thread, pairs per-socket with 2 threads / global: host busy; \
         run it with nothing else beside it"
    );
}

#[test]
fn a_level_under_95_percent_says_nothing() {
    let mut run = of(&[pairs(2, [2.0, 1.9, 2.1])]);
    for record in &mut run.records {
        if let Record::Ratio(ratio) = record {
            ratio.level = 0.949;
        }
    }
    let said = sentences(run);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, "not answered");
}

#[test]
fn spoiled_cells_say_nothing_and_are_named() {
    let more = [2.0, 1.9, 2.1];
    for (spoil, words) in [
        (
            (|pinning: &mut Pinning| pinning.oversubscribed = true) as fn(&mut Pinning),
            "more threads than CPUs",
        ),
        (|pinning| pinning.unpinned = true, "not pinned"),
    ] {
        let mut run = of(&[pairs(1, more), pairs(2, more)]);
        for record in &mut run.records {
            if let Record::Measured(measured) = record
                && measured.cell.threads == 2
            {
                spoil(&mut measured.pinning);
            }
        }
        let said = sentences(run);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].1.starts_with("a lock per socket pays with 1 thread"), "{said:?}");
        assert!(said[1].1.contains(words) && said[1].1.contains("with 2 threads"), "{said:?}");
    }
}

#[test]
fn a_cell_that_differs_from_itself_silences_those_beside_it() {
    let more = [2.0, 1.9, 2.1];
    let itself = cell("pairs", "global", 2);
    for (low, high, is_silent) in [(0.98, 1.02, false), (1.01, 1.05, true), (0.95, 0.99, true)] {
        let mut run = of(&[pairs(1, more), pairs(2, more)]);
        run.records.push(ratio(&itself, &itself, Some([(low + high) / 2.0, low, high])).into());
        let said = sentences(run);
        let silent = said.iter().any(|(question, _)| question == "not answered");
        assert_eq!(silent, is_silent, "{said:?}");
        assert!(said[0].1.contains("1 thread"), "the other group is not its business: {said:?}");
    }
}

#[test]
fn several_runs_do_not_share_a_ratio() {
    let runs = [of(&[pairs(2, [2.0, 1.9, 2.1])]), of(&[pairs(2, [3.0, 2.9, 3.1])])];
    let summary = summarise(&runs, "global").expect("sums up");
    let all = Answers::of(&runs, &summary, &words());
    let said: Vec<Answer> = all.iter().cloned().collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].sentence.ends_with("each of 2 runs has its own"), "{said:?}");
}
