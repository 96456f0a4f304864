//! What a user sees while a run goes on: a bar on a terminal, a line per round otherwise.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::plan::Job;
use crate::session::Planned;

/// The progress of a run, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    rounds: u32,
    slices: u64,
    done: u64,
    slice_time: Duration,
}

impl Progress {
    /// Before the first slice.
    #[must_use]
    pub fn new(planned: &Planned, rounds: u32) -> Progress {
        let bar = stderr().is_terminal().then(|| bar(planned.slices));
        let (slices, slice_time) = (planned.slices, planned.slice_time);
        Progress { bar, rounds, slices, done: 0, slice_time }
    }

    /// A round begins.
    pub fn round(&self, threads: usize, round: u32) {
        if self.bar.is_none() {
            let left = self.slice_time * (self.slices - self.done.min(self.slices)) as u32;
            let plural = if threads == 1 { "" } else { "s" };
            eprintln!(
                "{threads} thread{plural}, round {} of {}; about {} s left",
                round + 1,
                self.rounds,
                left.as_secs_f64().ceil()
            );
        }
    }

    /// A slice begins.
    pub fn slice(&self, job: &Job) {
        if let Some(bar) = &self.bar {
            bar.set_message(job.cell.id());
        }
    }

    /// A slice has ended.
    pub fn done(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Nothing more comes.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(slices: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta_precise} left  {msg}");
    let bar = ProgressBar::new(slices);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar, // The template is a constant; the plain bar would do as well.
    }
}
