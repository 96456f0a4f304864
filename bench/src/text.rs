//! Text for a terminal.

/// A text as indented lines of at most so many columns, where its words allow that.
#[must_use]
pub fn wrapped(text: &str, indent: &str, columns: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split_whitespace() {
        let longer = indent.len() + line.chars().count() + word.chars().count() > columns;
        if longer && !line.is_empty() {
            lines += &format!("{indent}{}\n", line.trim_end());
            line.clear();
        }
        line += word;
        line.push(' ');
    }
    lines + &format!("{indent}{}\n", line.trim_end())
}
