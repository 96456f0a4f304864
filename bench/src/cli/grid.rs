//! The command line of grids.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::number;

/// `solock grid`.
#[derive(Args, Debug)]
pub struct GridArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: GridCommand,
}

/// What can be done with a grid.
#[derive(Debug, Subcommand)]
pub enum GridCommand {
    /// Prints the elements, their cells, and how long it takes at most.
    Plan(GridFile),
    /// Measures here what is missing, one element after the other; run it again to go on.
    Run(GridRunArgs),
    /// Writes an sbatch script for each machine, for what is missing there.
    Slurm(GridSlurmArgs),
    /// Prints the line for GNU parallel, one for each machine.
    Parallel(GridFile),
    /// Says what is there, what is missing, and what is set aside and why.
    Status(GridFile),
    /// Sifts the files of all machines, and shows these side by side.
    Collect(GridCollectArgs),
    /// Measures one element, if it is not there: what a scheduler starts.
    Element(GridElementArgs),
}

/// A grid, by its file.
#[derive(Args, Clone, Debug)]
pub struct GridFile {
    /// The grid (see GRID.md).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `solock grid run`.
#[derive(Args, Debug)]
pub struct GridRunArgs {
    /// The grid.
    #[command(flatten)]
    pub grid: GridFile,
    /// Which of the grid's machines this is [default: the one with this node, or of this name].
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
}

/// `solock grid slurm`.
#[derive(Args, Debug)]
pub struct GridSlurmArgs {
    /// The grid.
    #[command(flatten)]
    pub grid: GridFile,
    /// Hand the scripts to sbatch, too.
    #[arg(long)]
    pub submit: bool,
}

/// `solock grid collect`.
#[derive(Args, Debug)]
pub struct GridCollectArgs {
    /// The grid.
    #[command(flatten)]
    pub grid: GridFile,
    /// Folders with files of elements [default: the grid's own].
    #[arg(value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Put the sets that are kept, and the report as text and HTML, into this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `solock grid element`.
#[derive(Args, Debug)]
pub struct GridElementArgs {
    /// The grid.
    #[command(flatten)]
    pub grid: GridFile,
    /// The number of the element, as `plan` has it.
    #[arg(value_name = "N", allow_negative_numbers = true,
          value_parser = number::whole::<u32>)]
    pub number: u32,
    /// Which of the grid's machines this is [default: the one with this node, or of this name].
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    /// The plan that the number is of: refused where the file says another by now.
    #[arg(long, value_name = "DIGITS")]
    pub plan: Option<String>,
}
