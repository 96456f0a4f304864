//! What a user sees while a run goes on: a bar on a terminal, a line per round otherwise.

use crate::tell;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::plan::{self, Group};

/// The progress of a run, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    budget: Option<Duration>,
    rounds: Option<u32>,
}

impl Progress {
    /// Before the first launch.
    #[must_use]
    pub fn new(budget: Option<Duration>, rounds: Option<u32>) -> Progress {
        let length = budget.map(|budget| budget.as_millis() as u64);
        let length = length.or(rounds.map(u64::from)).unwrap_or(1);
        Progress { bar: stderr().is_terminal().then(|| bar(length)), budget, rounds }
    }

    /// A round begins, in which so many groups of cells are measured.
    pub fn round(&self, round: u32, groups: usize, elapsed: Duration) {
        match &self.bar {
            Some(bar) if self.budget.is_none() => bar.set_position(u64::from(round)),
            Some(_) => {}
            None => {
                let of = self.rounds.map_or_else(String::new, |rounds| format!(" of {rounds}"));
                let groups =
                    if groups == 1 { "1 group".into() } else { format!("{groups} groups") };
                tell!("round {}{of}, {groups} of cells; {} s", round + 1, elapsed.as_secs());
            }
        }
    }

    /// A launch begins.
    pub fn launch(&self, group: &Group, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            if self.budget.is_some() {
                bar.set_position(elapsed.as_millis() as u64);
            }
            bar.set_message(plan::describe(&group[0].cell));
        }
    }

    /// Nothing more comes.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template("{bar:30} {elapsed_precise}  {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar, // The template is a constant; the plain bar would do as well.
    }
}
