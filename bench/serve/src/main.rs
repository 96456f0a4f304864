//! `solock-serve`: what `solock compare` builds of a commit. It does what `solock serve` does, and
//! nothing else.

#![forbid(unsafe_code)]

use serve::output::EXIT_USAGE;
use serve::{number, server, tell};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let code = hang_limit(&arguments).and_then(server::serve);
    std::process::exit(code.unwrap_or_else(|error| {
        tell!("solock-serve: {error}");
        EXIT_USAGE
    }))
}

/// What `serve [--hang-limit SECONDS]` says.
fn hang_limit(arguments: &[String]) -> Result<Option<f64>, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => Ok(None),
        ["serve", "--hang-limit", seconds] => {
            let limit = number::real(seconds);
            limit.map(Some).map_err(|why| format!("--hang-limit {seconds}: {why}"))
        }
        _ => Err("it is called as `solock-serve serve [--hang-limit SECONDS]`".to_owned()),
    }
}
