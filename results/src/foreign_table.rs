//! Numbers of others as plain text.

use crate::foreign::Foreign;
use crate::table::{NONE, lined_up, wrap};
use crate::units::{digits, rate};

/// What these numbers are not.
pub const BESIDE: &str = "numbers of others: by other programs, on machines that are not known; no \
                          ratio and no verdict says anything about them";
/// What is called by its columns.
pub const COLUMNS: [&str; 4] = ["name", "tasks", "value", "unit"];
/// Up to here a number is printed with its digits, from here on with a letter for its size.
const LARGE: f64 = 1e4;

/// A table for each source, for a terminal or a file of so many columns; nothing without numbers.
#[must_use]
pub fn render(numbers: &[Foreign], columns: usize) -> String {
    let mut text = String::new();
    for of_source in numbers.chunk_by(|one, other| one.source == other.source) {
        let Foreign { source, format, started, .. } = &of_source[0];
        text += &wrap(&plain(&format!("{source} (as {format}, {started})")), columns);
        let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
        lines.extend(of_source.iter().map(|number| cells(number).to_vec()));
        text += &lined_up(&lines, 1);
        text.push('\n');
    }
    if !numbers.is_empty() {
        text += &wrap(BESIDE, columns);
    }
    text
}

/// What stands in the columns.
#[must_use]
pub fn cells(number: &Foreign) -> [String; 4] {
    let value = if number.value.abs() < LARGE { digits(number.value) } else { rate(number.value) };
    let tasks = number.tasks.map_or(NONE.to_owned(), |tasks| tasks.to_string());
    [plain(&number.name), tasks, value, plain(&number.unit)]
}

/// Words of others, which must not steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '_' } else { one }).collect()
}
