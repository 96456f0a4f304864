//! What tokens forbid is refused by the compiler, each time for the reason that is meant.

use std::path::Path;
use std::process::Command;

const WRONG: &str = "tests/tokens/wrong.rs";

/// What the compiler refuses of the layer with the wrong requests in it: line and error, and the
/// text of whatever it refuses elsewhere.
fn refused(folder: &str, flags: &[&str]) -> (Vec<(usize, String)>, Vec<String>) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["rustc", "--quiet", "--package", "lockimpls", "--lib", "--profile", "check"]);
    cargo.args(["--message-format", "short", "--target-dir"]);
    cargo.arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder)).arg("--");
    let cargo = cargo.args(flags.iter().flat_map(|flag| ["--cfg", flag]));
    let done = cargo.output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    let (mut there, mut elsewhere) = (Vec::new(), Vec::new());
    for line in said.lines().filter(|line| line.contains(": error")) {
        match place(line) {
            Some(place) => there.push(place),
            None => elsewhere.push(line.to_owned()),
        }
    }
    assert_eq!(done.status.success(), there.is_empty() && elsewhere.is_empty(), "{said}");
    there.sort();
    (there, elsewhere)
}

/// Of `.../tests/tokens/wrong.rs:LINE:COLUMN: error[CODE]: TEXT`.
fn place(said: &str) -> Option<(usize, String)> {
    let (_, rest) = said.split_once(&format!("{WRONG}:"))?;
    let (line, rest) = rest.split_once(':')?;
    let (_, code) = rest.split_once(": error[")?;
    Some((line.parse().ok()?, code.split_once(']')?.0.to_owned()))
}

/// What the file says of itself.
fn expected() -> Vec<(usize, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(WRONG);
    let text = std::fs::read_to_string(file).unwrap();
    let said =
        (1..).zip(text.lines()).filter_map(|(at, line)| Some((at, line.split_once("//~ ")?.1)));
    said.map(|(at, code)| (at, code.to_owned())).collect()
}

#[test]
fn what_was_read_ends_with_its_hold_and_a_token_with_its_unlock() {
    let expected = expected();
    assert!(expected.len() >= 12, "{expected:?}");
    std::thread::scope(|threads| {
        let mended = threads.spawn(|| refused("tokens-mended", &["solock_wrong", "solock_mended"]));
        assert_eq!(refused("tokens", &["solock_wrong"]), (expected, Vec::new()));
        // Without the statements that are marked nothing is wrong.
        assert_eq!(mended.join().expect("it ran"), Default::default());
    });
}
