//! Sides of a comparison: all that their lanes run is held against each other.

use std::path::PathBuf;

use super::*;
use crate::compare::{Program, layouts::Layouts, same_code};
use crate::protocol::{Hello, Prepared};

/// A program that runs a cell from these places on.
fn side(code: Option<Code>, lanes: Option<[u64; 2]>, calls: &[u64]) -> Program {
    let prepared = Prepared { code: lanes, calls: calls.to_vec(), ..Prepared::default() };
    let cells = [
        ("cell".to_owned(), Ok(prepared)),
        ("refused".to_owned(), Err("no such workload".to_owned())),
    ];
    let layouts = Layouts::one(PathBuf::from("program"));
    Program { layouts, hello: Hello::default(), cells: cells.into(), code }
}

/// Five functions that call nothing, each of one byte, of which each is its number but the last.
fn five(last: u8) -> Option<Code> {
    let functions = [(10, vec![1]), (20, vec![2]), (30, vec![3]), (40, vec![4]), (50, vec![last])];
    Some(Code { base: 0, functions: functions.into(), places: BTreeMap::new() })
}

#[test]
fn the_lanes_and_every_call_of_the_layer_are_compared() {
    let whole = |last| side(five(last), Some([10, 20]), &[30, 40, 50]);
    assert_eq!(same_code([&whole(5), &whole(5)], "cell"), Some(true));
    assert_eq!(same_code([&whole(5), &whole(6)], "cell"), Some(false));
    // The first that differs is enough, whatever comes behind it.
    let turned = |last| side(five(last), Some([50, 20]), &[30, 40]);
    assert_eq!(same_code([&turned(5), &turned(6)], "cell"), Some(false));
    let without = |last| side(five(last), Some([10, 20]), &[30, 40]);
    assert_eq!(same_code([&without(5), &without(6)], "cell"), Some(true));
}

#[test]
fn what_a_side_does_not_say_cannot_be_told() {
    let whole = side(five(5), Some([10, 20]), &[30, 40]);
    let others = [
        side(None, Some([10, 20]), &[30, 40]),
        side(five(5), None, &[30, 40]),
        side(five(5), Some([10, 20]), &[30]),
        side(five(5), Some([10, 20]), &[30, 99]),
    ];
    for other in &others {
        assert_eq!(same_code([&whole, other], "cell"), None, "{:?}", other.cells);
        assert_eq!(same_code([other, &whole], "cell"), None, "{:?}", other.cells);
    }
    for cell in ["refused", "unheard of"] {
        assert_eq!(same_code([&whole, &whole], cell), None, "{cell}");
    }
}
