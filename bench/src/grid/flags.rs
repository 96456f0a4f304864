//! The flags of `run` and `compare`, as a table of TOML has them: `backend = ["a", "b"]` is
//! `--backend=a --backend=b`, and `no-pin = true` is `--no-pin`.
//!
//! The command line itself reads them, so that a grid knows every flag and every mistake it knows.

use clap::Parser;
use toml::{Table, Value};

use crate::cli::{Cli, Command, CompareArgs, RunArgs};

/// What a grid says itself, for all of its cells; or what its elements are given.
const NOT_OF_CELLS: [&str; 10] =
    ["out", "seed", "cpus", "json", "wide", "markdown", "program", "hang-limit", "family", "help"];

/// Flags with their values; a switch has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags(Vec<(String, Vec<String>)>);

impl Flags {
    /// The flags of a table.
    ///
    /// # Errors
    /// A key is the grid's own, or a value is no text, number, truth or list of them.
    pub fn of(table: &Table) -> Result<Flags, String> {
        let mut flags = Flags::default();
        for (key, value) in table {
            if NOT_OF_CELLS.contains(&key.as_str()) {
                return Err(format!("{key:?} is not said of cells (see GRID.md)"));
            }
            match value {
                Value::Boolean(false) => {}
                Value::Boolean(true) => flags.0.push((key.clone(), Vec::new())),
                Value::Array(all) if all.is_empty() => {
                    return Err(format!("{key} has no value"));
                }
                Value::Array(all) => {
                    let all: Result<_, String> = all.iter().map(|one| text(key, one)).collect();
                    flags.0.push((key.clone(), all?));
                }
                one => flags.0.push((key.clone(), vec![text(key, one)?])),
            }
        }
        Ok(flags)
    }

    /// Whether there is such a flag.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// These values in place of what the flag had.
    pub fn set(&mut self, name: &str, values: &[&str]) {
        self.remove(name);
        let values = values.iter().map(|value| (*value).to_owned());
        self.0.push((name.to_owned(), values.collect()));
    }

    /// Without that flag.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// The words of a command line.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let flag = |(key, values): &(String, Vec<String>)| match values.as_slice() {
            [] => vec![format!("--{key}")],
            values => values.iter().map(|value| format!("--{key}={value}")).collect(),
        };
        self.0.iter().flat_map(flag).collect()
    }
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        other => Err(format!("{key}: a {} is no text and no number", other.type_str())),
    }
}

/// What a command line of `solock` asks for, in the words of an element.
#[derive(Debug)]
pub enum Asked {
    /// A run.
    Run(Box<RunArgs>),
    /// A comparison.
    Compare(Box<CompareArgs>),
}

/// Reads the words behind `solock`.
///
/// # Errors
/// The command line refuses them: its own words.
pub fn asked(words: &[String]) -> Result<Asked, String> {
    let all = std::iter::once("solock").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(all).map_err(|error| said(&error.to_string()))?;
    match cli.command {
        Some(Command::Run(args)) => Ok(Asked::Run(args)),
        Some(Command::Compare(args)) => Ok(Asked::Compare(args)),
        _ => Err("an element is a run or a comparison".to_owned()),
    }
}

/// An error of the command line in one line, without the usage behind it.
fn said(error: &str) -> String {
    let what = error.split("\n\nUsage").next().unwrap_or(error);
    let words: Vec<&str> = what.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> Result<Flags, String> {
        Flags::of(&text.parse().expect("TOML"))
    }

    #[test]
    fn a_table_is_a_command_line() {
        let table = "backend = ['global', 'host']\nsize = 64\nrate = 0.5\nno-pin = true\n\
                     noisy = false\nambient = ['none', 'f-mtx,kernel-lock']";
        let mut words = flags(table).expect("flags").words();
        words.sort();
        let expected = [
            "--ambient=f-mtx,kernel-lock",
            "--ambient=none",
            "--backend=global",
            "--backend=host",
            "--no-pin",
            "--rate=0.5",
            "--size=64",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn what_is_no_flag_of_cells_is_refused() {
        for (bad, what) in [
            ("out = 'x'", "\"out\" is not said of cells"),
            ("cpus = '0'", "\"cpus\" is not said of cells"),
            ("size = []", "size has no value"),
            ("size = {a = 1}", "size: "),
            ("size = 1979-05-27", "size: "),
        ] {
            let error = flags(bad).expect_err(bad);
            assert!(error.starts_with(what), "{bad}: {error}");
        }
    }

    #[test]
    fn the_command_line_says_what_is_wrong_in_one_line() {
        let error = asked(&["run".to_owned(), "--bakend=global".to_owned()]).expect_err("a slip");
        assert!(error.contains("--bakend") && error.contains("--backend"), "{error}");
        assert!(!error.contains('\n') && !error.contains("Usage"), "{error}");
        assert!(asked(&["list".to_owned()]).is_err());
    }
}
