//! git, asked about a folder: that decides which checkout answers, and nothing of the environment.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serve::environment::OF_A_CHECKOUT;

/// git, to be run in that folder.
#[must_use]
pub fn command(folder: &Path, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    forget_checkout(&mut command);
    command
}

/// What git prints when it is run in that folder, without the last newline.
///
/// # Errors
/// It cannot be run, or says no: its own words.
pub fn git(folder: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>, String> {
    let output = command(folder, arguments).output().map_err(|error| not_run(&error))?;
    if output.status.success() {
        let said = output.stdout;
        return Ok(said.strip_suffix(b"\n").map_or(said.clone(), <[u8]>::to_vec));
    }
    Err(failed(arguments, &String::from_utf8_lossy(&output.stderr)))
}

/// That git cannot be run.
#[must_use]
pub fn not_run(error: &io::Error) -> String {
    format!("git cannot be run: {error}")
}

/// That git said no, in its own words.
#[must_use]
pub fn failed(arguments: &[&OsStr], said: &str) -> String {
    let words = arguments.iter().filter_map(|word| word.to_str());
    let what = words.into_iter().find(|word| !word.starts_with('-') && !word.contains('='));
    let said = said.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("git {} failed: {}", what.unwrap_or_default(), said.trim())
}

/// The same where all that is given and asked for is text.
///
/// # Errors
/// As [`git`].
pub fn text(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    Ok(String::from_utf8_lossy(&git(folder, &arguments)?).into_owned())
}

/// The tracked files of a checkout, or those that such flags of `git ls-files` list; by their paths
/// from its topmost folder, which this is.
///
/// # Errors
/// As [`git`].
pub fn files(folder: &Path, which: &[&str]) -> Result<Vec<PathBuf>, String> {
    // A pattern would be read as the environment says.
    let arguments: Vec<&OsStr> = ["ls-files", "-z"].iter().chain(which).map(OsStr::new).collect();
    let listed = git(folder, &arguments)?;
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| path(name.to_vec())).collect())
}

/// A path that git printed: any bytes, a newline at the end included.
#[must_use]
pub fn path(bytes: Vec<u8>) -> PathBuf {
    #[cfg(unix)]
    let path: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    let path: OsString = String::from_utf8_lossy(&bytes).into_owned().into();
    PathBuf::from(path)
}

/// Takes from a command's environment what would send git, or what it starts, to another checkout.
pub fn forget_checkout(command: &mut Command) {
    for name in OF_A_CHECKOUT {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_a_checkout_is_known() {
        let listed = text(Path::new("."), &["rev-parse", "--local-env-vars"]).expect("git");
        let unknown = listed.lines().filter(|name| !name.starts_with("GIT_CONFIG"));
        let unknown: Vec<&str> = unknown.filter(|name| !OF_A_CHECKOUT.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
