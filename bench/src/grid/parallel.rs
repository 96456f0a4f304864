//! The line for GNU parallel: one element at a time on each host, with a log of the jobs.
//!
//! Every element is named each time, so that a number means the same in each log: what is there
//! already ends at once. What the log of an earlier start says does not count: a file may have been
//! removed since, to be measured again.

use super::{Grid, Machine};
use crate::added::name;

/// Where schedulers write, below the grid's folder.
pub const LOGS: &str = "logs";

/// The line that measures the grid on a machine.
#[must_use]
pub fn line(grid: &Grid, machine: Option<&Machine>, program: &str) -> String {
    let ssh = machine.and_then(|machine| machine.ssh.as_deref());
    let remote = if ssh.is_some() { name() } else { program };
    let own = machine.and_then(|machine| machine.solock.as_deref());
    let on = machine.map_or("here", |machine| machine.name.as_str());
    let mut words = vec!["parallel --quote --jobs 1".to_owned()];
    words.extend(ssh.map(|host| format!("--sshlogin 1/{}", quoted(host))));
    if let Some(folder) = machine.and_then(|machine| machine.folder.as_deref()) {
        words.push(format!("--workdir {}", quoted(folder)));
    }
    // A log of another plan would have other elements under these numbers.
    let log = format!("parallel-{on}-{}.txt", grid.digits());
    let log = grid.out.join(LOGS).join(log);
    words.push(format!("--joblog {}", quoted(&log.to_string_lossy())));
    if let Some(target) = machine.and_then(|machine| machine.target.as_deref()) {
        words.push(format!("env CARGO_TARGET_DIR={}", quoted(target)));
    }
    words.push(quoted(own.unwrap_or(remote)));
    words.push(format!("grid element {} {{}}", quoted(&grid.path.to_string_lossy())));
    words.extend(machine.map(|machine| format!("--machine {}", machine.name)));
    words.push(format!("--plan {}", grid.digits()));
    let last = grid.elements.len() - 1;
    format!("{} ::: $(seq 0 {last})\n", words.join(" "))
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./=,:@+".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::parsed;
    use super::*;

    #[test]
    fn a_line_names_every_element_and_one_job_a_host() {
        let text = "[[cells]]\nthreads = '1,2'\nworkload = 'pairs'\n[[machine]]\nname = 'amd'\n\
                    ssh = 'me@amd.lab'\nfolder = '/home/me/x'\n";
        let grid = parsed(text).expect("a grid");
        let digits = grid.digits();
        let here = line(&grid, None, "/it's/solock");
        let log = format!("/somewhere/night.grid/logs/parallel-here-{digits}.txt");
        assert_eq!(
            here,
            format!(
                "parallel --quote --jobs 1 --joblog {log} '/it'\\''s/solock' grid \
                 element /somewhere/night.toml {{}} --plan {digits} ::: $(seq 0 1)\n"
            )
        );
        let there = line(&grid, Some(&grid.machines[0]), "/bin/solock");
        let begin = "parallel --quote --jobs 1 --sshlogin 1/me@amd.lab --workdir /home/me/x ";
        assert!(there.starts_with(begin), "{there}");
        assert!(there.contains(" solock grid element ") && there.contains(" --machine amd "));
    }
}
