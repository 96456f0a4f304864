//! How a comparison is shown: a table of 80 columns, or one for a pull request.

use results::text::wrapped;
use results::{AgainstItself, Compared, Side, Verdict, units};

use super::metric::Metric;
use super::verdicts::{Row, Rows};

/// The columns of the table.
const COLUMNS: usize = 80;
/// What lies at least between two columns.
const GAP: usize = 2;
/// What a line that belongs to the one above begins with.
const INDENT: &str = "      ";

/// The table for a terminal.
#[must_use]
pub fn text(cells: &[Rows]) -> String {
    let mut text = String::new();
    let mut sides = None;
    for cell in cells {
        let Some(first) = cell.rows.first() else { continue };
        let now = (&first.compared.first.name, &first.compared.second.name);
        if sides != Some(now) {
            sides = Some(now);
            text += &heading(&first.compared);
        }
        text += &cell_heading(&first.compared);
        for row in &cell.rows {
            text += &line(row);
        }
        cell.left_out.iter().for_each(|left| text += &format!("  {}\n", left));
    }
    text + &closing(cells)
}

fn heading(compared: &Compared) -> String {
    let Compared { first, second, .. } = compared;
    format!("{} against {}\n", side(second), side(first))
}

/// A side as it was named, and where it comes from.
fn side(side: &Side) -> String {
    let commit = side.commit.as_ref().map(|commit| commit.chars().take(10).collect::<String>());
    let dirty = if side.dirty == Some(true) { ", changed" } else { "" };
    match commit {
        Some(commit) => format!("{} ({commit}{dirty})", side.name),
        None => side.name.clone(),
    }
}

fn cell_heading(compared: &Compared) -> String {
    let Compared { cell, pairs, slices, slices_rejected, seconds, .. } = compared;
    let right = format!("n={pairs}  rejected {slices_rejected}/{slices}  {seconds:.0} s");
    let room = COLUMNS.saturating_sub(right.len());
    if cell.len() + GAP > room {
        return format!("{cell}\n{right:>COLUMNS$}\n");
    }
    format!("{cell:<room$}{right}\n")
}

fn line(row: &Row) -> String {
    let compared = &row.compared;
    let line = format!("  {:<12} {:<20} {:<8}", compared.metric, ratio(row), word(row));
    let said = said(compared);
    if line.chars().count() + said.chars().count() > COLUMNS {
        return format!("{}\n{}", line.trim_end(), wrapped(&said, INDENT, INDENT, COLUMNS));
    }
    format!("{}\n", (line + &said).trim_end())
}

/// The ratio with its interval; of a counter, both values.
fn ratio(row: &Row) -> String {
    let compared = &row.compared;
    if row.p_value.is_none()
        && let (Some(first), Some(second)) = (compared.first.value, compared.second.value)
    {
        return if first == second {
            format!("{first:.3}")
        } else {
            format!("{first:.3} -> {second:.3}")
        };
    }
    match (compared.ratio, compared.low, compared.high) {
        (Some(ratio), Some(low), Some(high)) => format!("{ratio:.3} [{low:.3}, {high:.3}]"),
        _ => match (compared.first.value, compared.second.value) {
            (Some(first), Some(second)) => {
                format!("{} -> {}", shown(compared, first), shown(compared, second))
            }
            _ => "-".to_owned(),
        },
    }
}

/// A value in its metric's unit.
fn shown(compared: &Compared, value: f64) -> String {
    if compared.metric == Metric::Throughput.name() {
        units::rate(value)
    } else {
        units::time(value as u64)
    }
}

/// The verdict; with a star where it does not stand beside the others.
fn word(row: &Row) -> &'static str {
    match (row.compared.verdict, row.stands) {
        (Verdict::Faster, true) => "FASTER",
        (Verdict::Faster, false) => "FASTER*",
        (Verdict::Slower, true) => "SLOWER",
        (Verdict::Slower, false) => "SLOWER*",
        (Verdict::Same, _) => "SAME",
        (Verdict::Unclear, _) => "UNCLEAR",
    }
}

/// What stands beside the verdict.
fn said(compared: &Compared) -> String {
    let mut said = Vec::new();
    if let Some(why) = &compared.why {
        said.push(why.lines().next().unwrap_or_default().to_owned());
    } else if let (Verdict::Unclear, Some(share)) = (compared.verdict, compared.smallest_visible) {
        said.push(format!("sees {:.1}%", share * 100.0));
    }
    if let Some(AgainstItself { ratio, low, high, .. }) = &compared.itself {
        said.push(format!("A/A {ratio:.3} [{low:.3}, {high:.3}]"));
    }
    if compared.same_code == Some(true) && compared.low.is_some() {
        said.push("same code".to_owned());
    }
    said.join("; ")
}

/// What the words mean, as far as they occur.
fn closing(cells: &[Rows]) -> String {
    let rows: Vec<&Row> = cells.iter().flat_map(|cell| &cell.rows).collect();
    let has = |test: &dyn Fn(&Row) -> bool| rows.iter().any(|row| test(row));
    let timed = rows.iter().filter(|row| row.p_value.is_some()).count();
    let mut closing = String::from("ratios are second side over first");
    if timed > 1 {
        closing +=
            &format!("; the exit code takes the {timed} verdicts on\n    times together (Holm)");
    }
    closing.push('\n');
    if has(&|row| word(row).ends_with('*')) {
        closing += "*: does not stand beside the others, and counts as unclear\n";
    }
    if has(&|row| row.compared.verdict == Verdict::Unclear && row.compared.why.is_none()) {
        closing += "sees: the smallest change that these pairs could have shown\n";
    }
    if has(&|row| row.compared.is_one_layout()) {
        closing += "one layout of the code on a side: some percent can be where it lies\n";
    }
    closing
}

/// The table for a pull request.
#[must_use]
pub fn markdown(cells: &[Rows]) -> String {
    let mut text = String::new();
    let mut sides = None;
    for row in cells.iter().flat_map(|cell| &cell.rows) {
        let compared = &row.compared;
        let now = (&compared.first.name, &compared.second.name);
        if sides != Some(now) {
            sides = Some(now);
            text += &format!("\n**{}**\n\n", escape(heading(compared).trim_end()));
            text += "| cell | metric | ratio | verdict | pairs | |\n|---|---|---|---|---|---|\n";
        }
        let verdict = match compared.verdict {
            Verdict::Slower => format!("**{}**", escape(word(row))),
            _ => escape(word(row)),
        };
        text += &format!(
            "| `{}` | {} | {} | {verdict} | {} | {} |\n",
            compared.cell,
            compared.metric,
            ratio(row),
            compared.pairs,
            escape(&said(compared))
        );
    }
    for left in cells.iter().flat_map(|cell| cell.left_out_by_cell()) {
        text += &format!("\n{}\n", escape(&left));
    }
    text + "\n" + &escape(&closing(cells))
}

/// Text in which nothing is a mark of Markdown's.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "\\<").replace('`', "\\`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(metric: &str, verdict: Verdict) -> Row {
        let named = |name: &str| Side { name: name.to_owned(), ..Side::default() };
        let compared = Compared {
            cell: "pairs/per-socket/stream/64B/t2/adaptive".to_owned(),
            metric: metric.to_owned(),
            verdict,
            first: named("HEAD~1"),
            second: named("HEAD"),
            ratio: Some(0.953),
            low: Some(0.931),
            high: Some(0.976),
            pairs: 40,
            smallest_visible: Some(0.024),
            itself: Some(AgainstItself { ratio: 1.002, low: 0.985, high: 1.017, pairs: 10 }),
            slices: 163,
            slices_rejected: 3,
            seconds: 41.0,
            ..Compared::default()
        };
        Row { compared, p_value: Some(1e-6), stands: true }
    }

    fn cell() -> Rows {
        Rows {
            rows: vec![row("throughput", Verdict::Slower), row("send_p99", Verdict::Unclear)],
            left_out: vec!["send_p50: quantised, step 10 ns".to_owned()],
        }
    }

    #[test]
    fn the_table_has_eighty_columns() {
        let text = text(&[cell()]);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        for words in [
            "HEAD against HEAD~1",
            "rejected 3/163",
            "throughput   0.953 [0.931, 0.976] SLOWER  A/A 1.002 [0.985, 1.017]",
            "UNCLEAR",
            "sees 2.4%",
            "quantised, step 10 ns",
            "Holm",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
    }

    #[test]
    fn a_side_is_told_with_its_commit_and_whether_its_files_were_changed() {
        let of = |commit: Option<&str>, dirty| {
            let commit = commit.map(str::to_owned);
            side(&Side { name: "x".to_owned(), commit, dirty, ..Side::default() })
        };
        assert_eq!(of(None, Some(true)), "x");
        assert_eq!(of(Some("0123456789abcdef"), Some(false)), "x (0123456789)");
        assert_eq!(of(Some("0123456789abcdef"), None), "x (0123456789)");
        assert_eq!(of(Some("0123456789abcdef"), Some(true)), "x (0123456789, changed)");
    }

    #[test]
    fn what_fits_exactly_stands_on_one_line() {
        let mut wide = cell();
        let first = &mut wide.rows[0].compared;
        let right = "n=40  rejected 3/163  41 s";
        first.cell = "x".repeat(COLUMNS - GAP - right.len());
        (first.itself, first.why) = (None, Some("y".repeat(COLUMNS - 44)));
        let fits = text(&[wide.clone()]);
        let lines: Vec<&str> = fits.lines().collect();
        assert!(lines[1].starts_with("xx") && lines[1].ends_with(&format!("x  {right}")), "{fits}");
        assert!(lines[2].starts_with("  throughput") && lines[2].ends_with("yy"), "{fits}");
        let first = &mut wide.rows[0].compared;
        first.cell.push('x');
        first.why = Some("y".repeat(COLUMNS - 43));
        let broken = text(&[wide]);
        let lines: Vec<&str> = broken.lines().collect();
        assert!(lines[1].ends_with('x') && lines[2].trim_start() == right, "{broken}");
        assert!(lines[3].starts_with("  throughput") && lines[3].ends_with("SLOWER"), "{broken}");
    }

    #[test]
    fn counters_are_shown_as_numbers_and_times_with_their_unit() {
        let of = |values: [f64; 2], metric: &str, p_value| {
            let mut row = row(metric, Verdict::Same);
            (row.compared.first.value, row.compared.second.value) =
                (Some(values[0]), Some(values[1]));
            (row.compared.low, row.p_value) = (None, p_value);
            ratio(&row)
        };
        assert_eq!(of([4.0, 4.0], "acquisitions", None), "4.000");
        assert_eq!(of([4.0, 5.5], "acquisitions", None), "4.000 -> 5.500");
        assert_eq!(of([250.0, 4_000.0], "send_p50", Some(0.5)), "250ns -> 4.00µs");
        assert_eq!(of([5e6, 4e6], "throughput", Some(0.5)), "5.00M -> 4.00M");
    }

    #[test]
    fn the_end_says_what_the_words_mean_as_far_as_they_occur() {
        let closing = |cell: Rows| closing(&[cell]);
        let plain = Rows { rows: vec![row("throughput", Verdict::Same)], left_out: Vec::new() };
        assert_eq!(closing(plain), "ratios are second side over first\n");
        let both = closing(cell());
        assert!(both.contains("the exit code takes the 2 verdicts on"), "{both}");
        assert!(both.contains("sees: the smallest change"), "{both}");
        let mut explained = cell();
        explained.rows[1].compared.why = Some("host busy".to_owned());
        assert!(!closing(explained).contains("sees: "));
    }

    #[test]
    fn long_reasons_and_long_names_are_broken_at_words() {
        let mut long = cell();
        long.rows[1].compared.why = Some("a word and another one ".repeat(12));
        long.rows[0].compared.cell += "/r1000000/g16f16";
        let text = text(&[long]);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    }

    #[test]
    fn times_that_were_not_measured_in_turns_are_shown_side_by_side() {
        let mut stored = cell();
        let compared = &mut stored.rows[0].compared;
        (compared.ratio, compared.low, compared.high) = (None, None, None);
        (compared.first.value, compared.second.value) = (Some(5.78e6), Some(5.7e6));
        let text = text(&[stored]);
        assert!(text.contains("5.78M -> 5.70M"), "{text}");
    }

    #[test]
    fn a_side_with_one_layout_is_told() {
        let mut one = cell();
        one.rows[0].compared.first.layouts = Some(32);
        assert!(!text(&[one.clone()]).contains("layout"));
        one.rows[0].compared.second.layouts = Some(1);
        let text = text(&[one]);
        assert!(text.contains("one layout of the code"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    }

    #[test]
    fn what_does_not_stand_has_a_star() {
        let mut weak = cell();
        weak.rows[0].stands = false;
        assert!(text(&[weak.clone()]).contains("SLOWER*"));
        let markdown = markdown(&[weak]);
        assert!(markdown.contains("**SLOWER\\***"), "{markdown}");
    }

    #[test]
    fn a_pull_request_gets_a_row_per_metric() {
        let markdown = markdown(&[cell()]);
        let rows = markdown.lines().filter(|line| line.starts_with("| `pairs/")).count();
        assert_eq!(rows, 2, "{markdown}");
        assert_eq!(markdown.matches("\n**HEAD against HEAD~1**\n").count(), 1, "{markdown}");
        let left = "\npairs/per-socket/stream/64B/t2/adaptive, send_p50: quantised, step 10 ns\n";
        assert!(markdown.contains(left), "{markdown}");
    }

    #[test]
    fn the_same_code_is_told_beside_times_alone() {
        let of = |same_code, low| {
            let compared = row("throughput", Verdict::Unclear).compared;
            said(&Compared { same_code, low, ..compared })
        };
        let others = "sees 2.4%; A/A 1.002 [0.985, 1.017]";
        assert_eq!(of(Some(true), Some(0.9)), format!("{others}; same code"));
        for (same_code, low) in [(Some(true), None), (Some(false), Some(0.9)), (None, Some(0.9))] {
            assert_eq!(of(same_code, low), others, "{same_code:?} {low:?}");
        }
    }

    #[test]
    fn two_sides_are_named_once_above_all_their_cells() {
        let mut cells = [cell(), cell(), cell()];
        cells[2].rows.iter_mut().for_each(|row| row.compared.second.name = ".".to_owned());
        let count = |text: &str, heading: &str| text.matches(heading).count();
        let (text, markdown) = (text(&cells), markdown(&cells));
        for heading in ["HEAD against HEAD~1", ". against HEAD~1"] {
            assert_eq!(count(&text, heading), 1, "{text}");
            assert_eq!(count(&markdown, &format!("**{heading}**")), 1, "{markdown}");
        }
        assert_eq!(count(&text, "n=40  rejected 3/163  41 s"), 3, "{text}");
    }
}
