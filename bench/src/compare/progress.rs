//! What a user sees while a comparison goes on: a line that changes on a terminal, lines that stay
//! otherwise. All of it on standard error.

use crate::tell;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The width of a terminal that nobody made wider.
const COLUMNS: usize = 80;

/// The progress of a comparison.
#[derive(Debug)]
pub struct Watch {
    bar: Option<ProgressBar>,
}

impl Watch {
    /// On a terminal a bar, else lines.
    #[must_use]
    pub fn new() -> Watch {
        Watch { bar: stderr().is_terminal().then(bar) }
    }

    /// A line that stays, cut where a terminal ends; a text of several lines stays as it is.
    pub fn say(&self, line: &str) {
        let line = if line.contains('\n') { line.to_owned() } else { fit(line) };
        match &self.bar {
            Some(bar) => bar.suspend(|| tell!("{line}")),
            None => tell!("{line}"),
        }
    }

    /// A line that the next one takes the place of; not shown in a file.
    pub fn detail(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
            bar.tick();
        }
    }

    /// A cell begins, which may take this long.
    pub fn cell(&self, budget: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_length(budget.as_millis() as u64);
            bar.set_position(0);
        }
    }

    /// A cell has so many pairs by now.
    pub fn pairs(&self, name: &str, pairs: u32, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed.as_millis() as u64);
            bar.set_message(format!("{name}: {pairs} pairs"));
        }
    }

    /// Nothing more comes.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

/// A line as lines of at most [`COLUMNS`].
fn fit(line: &str) -> String {
    results::text::wrapped(line, "", "  ", COLUMNS).trim_end().to_owned()
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    match ProgressStyle::with_template("{bar:20} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar, // The template is a constant; the plain bar would do as well.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_the_budget_and_says_which_cell_has_how_many_pairs() {
        let bar = ProgressBar::hidden();
        let watch = Watch { bar: Some(bar.clone()) };
        for ms in [6_500, 4_000] {
            watch.cell(Duration::from_millis(ms));
            assert_eq!((bar.length(), bar.position()), (Some(ms), 0));
            watch.pairs("pairs/global", 3, Duration::from_millis(1_250));
            assert_eq!(bar.position(), 1_250);
            assert_eq!(bar.message(), "pairs/global: 3 pairs");
        }
        watch.detail("compiling");
        assert_eq!(bar.message(), "compiling");
        assert!(!bar.is_finished());
        watch.clear();
        assert!(bar.is_finished());
    }

    #[test]
    fn what_is_said_fits_a_terminal() {
        let text = fit(&"words that say what is being waited for ".repeat(5));
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= COLUMNS));
        assert_eq!(fit("short"), "short");
    }
}
