//! The flags of `solock profile`.

use clap::Args;

use super::{CellArgs, RunArgs, usual, with_default};
use crate::number;

/// The cells of a `profile` that names none, by flag.
fn defaults() -> [(&'static str, String); 3] {
    usual(|backend| backend.modelled)
}

/// `solock profile`.
#[derive(Args, Debug, Default)]
#[command(mut_args(|flag| with_default(flag, &defaults())))]
pub struct ProfileArgs {
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Measured time per cell and round; warm-up comes on top [default: 0.2].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true,
          value_parser = number::real)]
    pub seconds: Option<f64>,
    /// How many rounds each cell has; its lines are of all of them together [default: 3].
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub rounds: Option<u32>,
    /// Print the records on standard output, one JSON object per line, and nothing else there.
    #[arg(long)]
    pub json: bool,
    /// How long no call may return before it is a hang.
    #[arg(long, value_name = "SECONDS", hide = true, allow_negative_numbers = true,
          value_parser = number::real)]
    pub hang_limit: Option<f64>,
}

impl ProfileArgs {
    /// A run of the same cells.
    #[must_use]
    pub fn as_run(&self) -> RunArgs {
        let ProfileArgs { cells, seconds, rounds, json, hang_limit } = self;
        RunArgs {
            cells: cells.clone(),
            seconds: Some(seconds.unwrap_or(SECONDS)),
            rounds: Some(rounds.unwrap_or(ROUNDS)),
            json: *json,
            hang_limit: *hang_limit,
            ..RunArgs::default()
        }
    }
}

const SECONDS: f64 = 0.2;
const ROUNDS: u32 = 3;
