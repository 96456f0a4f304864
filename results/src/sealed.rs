//! The file of an element: every line says where it comes from, and the last one how many lines
//! stand before it, with a checksum over all of them and itself, so that a file that was cut or
//! changed is known.

use serde::Deserialize;
use thiserror::Error;

use crate::checksum::digits;
use crate::element::{Element, Origin};
use crate::line::LineError;
use crate::record::Record;

/// Why a file is not the whole of an element.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    /// There is no line that says where it comes from.
    #[error("it is of no grid")]
    NoElement,
    /// Its lines are of an element, and the last one is not there.
    #[error("its end is missing")]
    NoEnd,
    /// Lines are missing, or there are more.
    #[error("it has {there} lines, and its last one says {said}")]
    Lines {
        /// How many there are, without the last.
        there: u64,
        /// How many there should be.
        said: u64,
    },
    /// Some byte is not what it was.
    #[error("its checksum is {there}, and its last line says {said}")]
    Checksum {
        /// That of the bytes.
        there: String,
        /// The one that was written.
        said: String,
    },
    /// A line of something else.
    #[error("line {line} is of another element")]
    Mixed {
        /// The number of the line, from 1.
        line: usize,
    },
}

/// A line, of which only the origin is looked at.
#[derive(Deserialize)]
struct Stamped {
    grid: Option<Origin>,
}

/// The file of an element: the lines of a run, each with the origin, and the last line.
///
/// # Errors
/// The last line cannot be a line.
pub fn sealed(run: &str, element: &Element) -> Result<String, LineError> {
    let origin = serde_json::to_string(&element.origin)?;
    let mut text = String::with_capacity(run.len() * 2);
    let mut lines = 0;
    for line in run.lines() {
        // The text of the numbers stays as it is; every line was read before, and is an object.
        let body = line.trim_end().strip_suffix('}').unwrap_or(line);
        text += &format!("{body},\"grid\":{origin}}}\n");
        lines += 1;
    }
    let end = Element { lines, checksum: String::new(), ..element.clone() };
    let unsigned = Record::from(end).to_line()? + "\n";
    let checksum = digits((text.clone() + &unsigned).as_bytes());
    Ok(text + &unsigned.replacen(UNSIGNED, &signed(&checksum), 1))
}

/// The field of the checksum, empty.
const UNSIGNED: &str = r#""checksum":"""#;

fn signed(checksum: &str) -> String {
    format!(r#""checksum":"{checksum}""#)
}

/// The last line of an element's file, if the file is whole.
///
/// # Errors
/// It is not.
pub fn opened(text: &str) -> Result<Element, Broken> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some((last, before)) = lines.split_last() else { return Err(Broken::NoElement) };
    let end = last.strip_suffix('\n').and_then(|line| Record::from_line(line).ok());
    let Some(Record::Element(end)) = end else {
        let is_stamped = lines.iter().any(|line| origin(line).is_some());
        return Err(if is_stamped { Broken::NoEnd } else { Broken::NoElement });
    };
    let there = before.len() as u64;
    if there != end.lines {
        return Err(Broken::Lines { there, said: end.lines });
    }
    let unsigned = last.replacen(&signed(&end.checksum), UNSIGNED, 1);
    let checksum = digits((before.concat() + &unsigned).as_bytes());
    if checksum != end.checksum {
        return Err(Broken::Checksum { there: checksum, said: end.checksum });
    }
    let is_other = |line: &&str| origin(line).as_ref() != Some(&end.origin);
    match before.iter().position(is_other) {
        Some(at) => Err(Broken::Mixed { line: at + 1 }),
        None => Ok(*end),
    }
}

fn origin(line: &str) -> Option<Origin> {
    serde_json::from_str::<Stamped>(line).ok()?.grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Interrupted;

    fn element() -> Element {
        let origin = Origin { grid: "g".to_owned(), node: "n1".to_owned(), ..Origin::default() };
        Element { origin, code: 3, ..Element::default() }
    }

    fn whole() -> String {
        let line = Record::from(Interrupted::default()).to_line().expect("a line") + "\n";
        sealed(&line.repeat(3), &element()).expect("sealed")
    }

    #[test]
    fn what_was_sealed_is_opened_and_every_line_says_where_it_comes_from() {
        let text = whole();
        let end = opened(&text).expect("whole");
        assert_eq!((end.lines, end.code, &end.origin), (3, 3, &element().origin));
        for line in text.lines() {
            assert!(Record::from_line(line).is_ok(), "{line}");
            assert_eq!(origin(line), Some(element().origin));
        }
    }

    #[test]
    fn what_an_element_said_before_of_its_file_is_forgotten() {
        let line = Record::from(Interrupted::default()).to_line().expect("a line") + "\n";
        let old = Element { checksum: "0123abcd".to_owned(), lines: 7, ..element() };
        assert_eq!(sealed(&line.repeat(3), &old).expect("sealed"), whole());
    }

    #[test]
    fn a_line_of_another_file_is_found_though_the_checksum_is_right() {
        let text = whole();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let checksum = opened(&text).expect("whole").checksum;
        let mixed = [lines[0], &lines[1].replace("n1", "n2"), lines[2]].concat();
        let unsigned = lines[3].replacen(&signed(&checksum), UNSIGNED, 1);
        let checksum = digits((mixed.clone() + &unsigned).as_bytes());
        let sealed = mixed + &unsigned.replacen(UNSIGNED, &signed(&checksum), 1);
        assert_eq!(opened(&sealed), Err(Broken::Mixed { line: 2 }));
    }

    #[test]
    fn a_file_that_was_cut_at_any_byte_is_not_whole() {
        let text = whole();
        for at in 0..text.len() {
            assert!(opened(&text[..at]).is_err(), "{}", &text[..at]);
        }
    }

    #[test]
    fn a_byte_that_was_changed_is_found() {
        let text = whole();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(opened(&changed).is_err(), "{at}: {changed}");
        }
    }

    #[test]
    fn it_is_said_what_is_wrong() {
        let text = whole();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(opened(""), Err(Broken::NoElement));
        assert_eq!(opened("a picture\n"), Err(Broken::NoElement));
        let plain = Record::from(Interrupted::default()).to_line().expect("a line") + "\n";
        assert_eq!(opened(&plain), Err(Broken::NoElement));
        assert_eq!(opened(lines[0]), Err(Broken::NoEnd));
        let fewer = lines[1..].concat();
        assert_eq!(opened(&fewer), Err(Broken::Lines { there: 2, said: 3 }));
        let twice = text.clone() + lines[3];
        assert!(matches!(opened(&twice), Err(Broken::Lines { there: 4, said: 3 })));
        assert!(matches!(opened(&text.replace("n1", "n2")), Err(Broken::Checksum { .. })));
    }
}
