//! Programs of a few bytes.

use super::*;

/// A function at `at` that calls what lies at `callee`; between, some bytes.
fn program(at: u64, callee: u64, between: u8, called: &[u8]) -> Code {
    let call = vec![0xe8, at as u8, 7, 7, 7, between];
    let place = Place { bytes: 4, kind: 4, to: To::Code(callee) };
    Code {
        base: 0,
        functions: [(at, call), (callee, called.to_vec())].into(),
        places: [(at + 1, place)].into(),
    }
}

#[test]
fn where_functions_lie_does_not_matter() {
    let (one, two) = (program(16, 64, 5, &[1, 2, 3]), program(32, 128, 5, &[1, 2, 3]));
    assert_eq!(same(&one, &two, [16, 32]), Some(true));
}

#[test]
fn what_they_do_and_what_they_call_does() {
    let one = program(16, 64, 5, &[1, 2, 3]);
    assert_eq!(same(&one, &program(32, 128, 6, &[1, 2, 3]), [16, 32]), Some(false));
    assert_eq!(same(&one, &program(32, 128, 5, &[1, 2, 4]), [16, 32]), Some(false));
    assert_eq!(same(&one, &program(32, 128, 5, &[1, 2]), [16, 32]), Some(false));
}

#[test]
fn what_is_not_known_is_not_said() {
    let one = program(16, 64, 5, &[1, 2, 3]);
    let mut hole = program(32, 128, 5, &[1, 2, 3]);
    hole.functions.remove(&128);
    assert_eq!(same(&one, &hole, [16, 32]), None);
    assert_eq!(same(&one, &one, [4711, 4711]), None);
    assert!(Code::read(Path::new("/dev/null")).is_none());
}
