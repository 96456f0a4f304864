//! The numbers behind a figure.

use crate::unit::Unit;

/// Rows under named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<&'static str>,
    /// The rows, each as long as the columns.
    pub rows: Vec<Vec<Entry>>,
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Words.
    Text(String),
    /// A number, kept whole beside its text.
    Number(f64, Unit),
    /// There is no value.
    None,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[&'static str]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }
}

impl Entry {
    /// A number, where there is one.
    #[must_use]
    pub fn number(value: Option<f64>, unit: Unit) -> Entry {
        value.map_or(Entry::None, |value| Entry::Number(value, unit))
    }

    /// A count.
    #[must_use]
    pub fn count(value: u64) -> Entry {
        Entry::Number(value as f64, Unit::Count)
    }

    /// What a reader sees.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Entry::Text(text) => text.clone(),
            Entry::Number(value, Unit::Count) if value.fract() == 0.0 => format!("{value}"),
            Entry::Number(value, unit) => unit.text(*value),
            Entry::None => "-".to_owned(),
        }
    }
}

impl From<&str> for Entry {
    fn from(text: &str) -> Entry {
        Entry::Text(text.to_owned())
    }
}

impl From<String> for Entry {
    fn from(text: String) -> Entry {
        Entry::Text(text)
    }
}
