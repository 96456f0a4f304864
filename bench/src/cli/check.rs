//! The flags of `solock check`.

use clap::Args;

/// `solock check`.
#[derive(Args, Debug, Default)]
pub struct CheckArgs {
    /// A backend (repeatable, or with commas) [default: those of this crate, else the modelled
    /// ones].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub backend: Vec<String>,
    /// A workload (repeatable, or with commas) [default: all].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub workload: Vec<String>,
    /// The algorithm of the layer's locks (repeatable, or with commas) [default: the default, and
    /// those of this crate, on the modelled backends].
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub lock: Vec<String>,
    /// One JSON object per line.
    #[arg(long)]
    pub json: bool,
    /// In this process: one backend, one workload, one lock.
    #[arg(long, hide = true)]
    pub child: bool,
    /// The lock was checked by itself already.
    #[arg(long, hide = true)]
    pub lock_is_checked: bool,
}
