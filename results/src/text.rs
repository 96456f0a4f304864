//! Text for a terminal.

/// A text in lines of at most so many columns, where its words allow that: the first begins with
/// `first`, the others with `rest`.
#[must_use]
pub fn wrapped(text: &str, first: &str, rest: &str, columns: usize) -> String {
    let mut lines = String::new();
    let (mut line, mut words) = (first.to_owned(), 0);
    for word in text.split(' ') {
        let is_full = line.chars().count() + 1 + word.chars().count() > columns;
        if is_full && words > 0 {
            lines += line.trim_end();
            lines.push('\n');
            (line, words) = (rest.to_owned(), 0);
        }
        if words > 0 {
            line.push(' ');
        }
        line += word;
        words += 1;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_it_is_full_and_never_inside_of_a_word() {
        assert_eq!(wrapped("ab cd", "", "", 5), "ab cd\n");
        assert_eq!(wrapped("ab cd", "", "", 4), "ab\ncd\n");
        assert_eq!(wrapped("abcdef gh", "", "  ", 3), "abcdef\n  gh\n");
        assert_eq!(wrapped("ab cd ef", "> ", "  ", 6), "> ab\n  cd\n  ef\n");
        assert_eq!(wrapped("", "", "", 3), "\n");
    }
}
