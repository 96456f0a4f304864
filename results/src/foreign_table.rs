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

#[cfg(test)]
mod tests {
    use super::*;

    fn number(source: &str, name: &str, value: f64) -> Foreign {
        let [source, name, unit] = [source, name, "ns"].map(str::to_owned);
        let [format, started] = ["csv", "then"].map(str::to_owned);
        Foreign { source, format, name, tasks: Some(4), value, unit, started }
    }

    #[test]
    fn large_numbers_have_a_letter_for_their_size() {
        let shown = |value| cells(&number("a", "x", value))[2].clone();
        let values = [250.0, 9_999.0, 10_000.0, -9_999.0, 12_345_678.0];
        assert_eq!(values.map(shown), ["250", "9999", "10.0k", "-9999", "12.3M"]);
    }

    #[test]
    fn what_others_call_things_steers_no_terminal() {
        let odd = Foreign { tasks: None, ..number("a", "x\u{1b}[2J\ny", 1.0) };
        assert_eq!(cells(&odd), ["x_[2J_y", NONE, "1.00", "ns"]);
        assert!(render(&[Foreign { source: "a\rb".to_owned(), ..odd }], 80).starts_with("a_b (as"));
    }

    #[test]
    fn each_source_has_a_table_and_all_have_one_warning() {
        let numbers = [number("a", "send", 250.0), number("a", "x", 7.0), number("b", "x", 8.0)];
        let text = render(&numbers, 200);
        let expected = "\
a (as csv, then)
name  tasks  value  unit
send      4    250    ns
x         4   7.00    ns

b (as csv, then)
name  tasks  value  unit
x         4   8.00    ns
";
        assert_eq!(text, format!("{expected}\n{BESIDE}\n"));
        assert_eq!(render(&[], 80), "");
    }
}
