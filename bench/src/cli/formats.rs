//! What leads to other programs' formats, and from them.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use results::{FORMATS, Format, IMPORTS, ImportFormat};

/// `solock export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// A path, an id, the beginning of one, or `last`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// What to write.
    #[arg(long, value_parser = format())]
    pub format: &'static Format,
    /// Only cells whose name contains this, such as `pairs/per-socket/`.
    #[arg(long, value_name = "PATTERN")]
    pub cell: Option<String>,
    /// Where to write its files; made if it is not there [default: standard output, where of
    /// several files the first is printed].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The folder of the runs [default: as for `run`].
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// One of the formats, by its name.
fn format() -> impl TypedValueParser<Value = &'static Format> {
    let name = |format: &'static Format| PossibleValue::new(format.name).help(format.about);
    PossibleValuesParser::new(FORMATS.iter().map(name))
        .try_map(|name| Format::named(&name).ok_or("no such format"))
}

/// `solock import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// What another program wrote.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What it is.
    #[arg(long, value_parser = import_format())]
    pub format: &'static ImportFormat,
    /// What its numbers are called [default: the file's name].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The folder for the run's file [default: as for `run`].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// One of those that are read, by its name.
fn import_format() -> impl TypedValueParser<Value = &'static ImportFormat> {
    let name = |format: &'static ImportFormat| PossibleValue::new(format.name).help(format.about);
    PossibleValuesParser::new(IMPORTS.iter().map(name))
        .try_map(|name| ImportFormat::named(&name).ok_or("no such format"))
}
