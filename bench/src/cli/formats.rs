//! What leads to other programs' formats.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use results::{FORMATS, Format};

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
