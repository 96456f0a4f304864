//! Programs of a few bytes.

mod files;
mod sides;

use super::*;

/// A function at `at` that calls what lies at `callee`; between, some bytes. How far the callee
/// is, is the linker's.
fn program(at: u64, callee: u64, between: u8, called: &[u8]) -> Code {
    let far = (callee - at) as u8;
    let call = vec![0x90, 0xe8, far, far, far, far, between];
    let place = Place { bytes: 4, kind: 4, to: To::Code(callee) };
    Code {
        base: 0,
        functions: [(at, call), (callee, called.to_vec())].into(),
        places: [(at + 2, place)].into(),
    }
}

/// The same, but the place leads there.
fn leading(at: u64, to: To) -> Code {
    let mut code = program(at, 64, 5, &[1, 2, 3]);
    code.places.get_mut(&(at + 2)).expect("a place").to = to;
    code
}

#[test]
fn where_functions_lie_does_not_matter() {
    let (one, two) = (program(16, 64, 5, &[1, 2, 3]), program(32, 128, 5, &[1, 2, 3]));
    assert_eq!(same(&one, &two, [16, 32]), Some(true));
    let (mut one, mut two) = (one, two);
    (one.base, two.base) = (6, 2);
    assert_eq!(same(&one, &two, [10, 30]), Some(true), "entries are counted from the beginning");
}

#[test]
fn what_they_do_and_what_they_call_does() {
    let one = program(16, 64, 5, &[1, 2, 3]);
    assert_eq!(same(&one, &program(32, 128, 6, &[1, 2, 3]), [16, 32]), Some(false));
    assert_eq!(same(&one, &program(32, 128, 5, &[1, 2, 4]), [16, 32]), Some(false));
    assert_eq!(same(&one, &program(32, 128, 5, &[1, 2]), [16, 32]), Some(false));
    assert_eq!(same(&one, &one, [16, 17]), Some(false), "elsewhere in the function");
}

#[test]
fn what_they_call_may_call_others() {
    let deep = |at: u64, last: u8| {
        let mut code = program(at, at + 100, 5, &[0xe8, 0, 0, 0, 0]);
        let place = Place { bytes: 4, kind: 4, to: To::Code(at + 200) };
        code.places.insert(at + 101, place);
        code.functions.insert(at + 200, vec![last]);
        code
    };
    assert_eq!(same(&deep(16, 1), &deep(32, 1), [16, 32]), Some(true));
    assert_eq!(same(&deep(16, 1), &deep(32, 2), [16, 32]), Some(false));
}

#[test]
fn a_place_is_the_same_that_is_of_one_kind_and_leads_to_one_thing() {
    let is_same = |one: To, two: To| same(&leading(16, one), &leading(32, two), [16, 32]);
    let library = |name: &str| To::Library(name.to_owned());
    assert_eq!(is_same(library("memcpy"), library("memcpy")), Some(true));
    assert_eq!(is_same(library("memcpy"), library("memmove")), Some(false));
    assert_eq!(is_same(To::Data, To::Data), Some(true));
    assert_eq!(is_same(To::Data, library("memcpy")), Some(false));
    assert_eq!(is_same(To::Data, To::Code(64)), Some(false));
    let (one, mut other) = (leading(16, To::Data), leading(32, To::Data));
    other.places.get_mut(&34).expect("a place").kind = 2;
    assert_eq!(same(&one, &other, [16, 32]), Some(false));
}

/// Where the linker filled something in shows, also where what it filled in does not.
#[test]
fn places_are_where_they_are() {
    let zeros = |at: u64, places: &[u64]| {
        let place = Place { bytes: 4, kind: 2, to: To::Data };
        let places = places.iter().map(|inside| (at + inside, place.clone()));
        Code { base: 0, functions: [(at, vec![0; 12])].into(), places: places.collect() }
    };
    assert_eq!(same(&zeros(16, &[1]), &zeros(32, &[1]), [16, 32]), Some(true));
    assert_eq!(same(&zeros(16, &[1]), &zeros(32, &[3]), [16, 32]), Some(false));
    assert_eq!(same(&zeros(16, &[1]), &zeros(32, &[1, 7]), [16, 32]), Some(false));
}

#[test]
fn what_is_not_known_is_not_said() {
    let one = program(16, 64, 5, &[1, 2, 3]);
    let mut hole = program(32, 128, 5, &[1, 2, 3]);
    hole.functions.remove(&128);
    assert_eq!(same(&one, &hole, [16, 32]), None);
    assert_eq!(same(&one, &one, [4711, 4711]), None);
    // The last byte of a function, and the first behind it.
    assert_eq!((same(&one, &one, [22, 22]), same(&one, &one, [23, 23])), (Some(true), None));
}

#[test]
fn so_many_functions_are_followed_and_no_more() {
    let chain = |count: usize| {
        let starts = (0..count as u64).map(|number| 16 * number);
        let place = |start: u64| Place { bytes: 4, kind: 4, to: To::Code(start + 16) };
        let calls = starts.clone().take(count - 1);
        Code {
            base: 0,
            functions: starts.map(|start| (start, vec![0xe8, 0, 0, 0, 0])).collect(),
            places: calls.map(|start| (start + 1, place(start))).collect(),
        }
    };
    let most = chain(FUNCTIONS_MAX);
    assert_eq!(same(&most, &most, [0, 0]), Some(true));
    let more = chain(FUNCTIONS_MAX + 1);
    assert_eq!(same(&more, &more, [0, 0]), None);
}
