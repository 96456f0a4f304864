//! What is handed to Slurm: for each machine an array of jobs, one for each element that is missing
//! there.
//!
//! `--exclusive` gives an element a node of its own, and a licence one box, where several nodes are
//! one; `--requeue` measures it again when its node dies. Which scheduler it is stands here alone.

use std::path::Path;
use std::time::Duration;

use super::machine::{PLAIN, is_plain};
use super::parallel::LOGS;
use super::{Element, Grid, Machine};
use crate::added;

/// What an element may take beyond its budget: launches that were begun, checks, the instrument.
const MARGIN: Duration = Duration::from_secs(15 * 60);
/// The same for one that builds its sides first.
const BUILDING: Duration = Duration::from_secs(60 * 60);
/// The script that measures these elements, by their numbers, on a machine.
///
/// # Errors
/// A path cannot stand in a script.
pub fn script(
    grid: &Grid,
    machine: &Machine,
    numbers: &[usize],
    program: &str,
) -> Result<String, String> {
    let name = format!("{}-{}", grid.name, machine.name);
    let (out, file) = (plain(&grid.out)?, plain(&grid.path)?);
    let program = machine.solock.as_deref().map_or_else(|| plain(Path::new(program)), Ok)?;
    let options = [
        ("job-name", Some(name.clone())),
        ("array", Some(ranges(numbers))),
        ("nodes", Some("1".to_owned())),
        ("ntasks", Some("1".to_owned())),
        ("time", Some(minutes(longest(grid, numbers)))),
        ("partition", machine.partition.clone()),
        ("nodelist", machine.node.clone()),
        ("constraint", machine.constraint.clone()),
        ("licenses", machine.licenses.clone()),
        ("chdir", machine.folder.clone()),
        ("output", Some(format!("{out}/{LOGS}/{name}-%A_%a.txt"))),
        ("open-mode", Some("append".to_owned())),
    ];
    let options = options
        .into_iter()
        .filter_map(|(flag, value)| Some(format!("#SBATCH --{flag}={}\n", value?)));
    let target =
        machine.target.iter().map(|target| format!("export CARGO_TARGET_DIR='{target}'\n"));
    Ok(format!(
        "#!/bin/sh\n\
         # Measures {count} elements of the grid {grid_name} on {machine_name}: submit it with \
         sbatch.\n\
         {options}\
         #SBATCH --exclusive\n\
         #SBATCH --requeue\n\
         {target}\
         command -v '{program}' >/dev/null || {{\n    \
         echo \"{own_name}: there is no '{program}' on $SLURMD_NODENAME; say solock = \\\"PATH\\\" \
         of this [[machine]]\" >&2\n    \
         exit 1\n\
         }}\n\
         exec '{program}' grid element '{file}' \"$SLURM_ARRAY_TASK_ID\" \\\n    \
         --machine {machine_name} --plan {digits}\n",
        count = numbers.len(),
        own_name = added::name(),
        grid_name = grid.name,
        machine_name = machine.name,
        options = options.collect::<String>(),
        target = target.collect::<String>(),
        digits = grid.digits(),
    ))
}

/// A path as it may stand in a script.
fn plain(path: &Path) -> Result<&str, String> {
    path.to_str()
        .filter(|text| text.chars().all(is_plain))
        .ok_or_else(|| format!("{}: it is written into a script: {PLAIN}", path.display()))
}

/// Numbers as an array has them, such as `0-3,7`.
#[must_use]
pub fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(text).collect::<Vec<String>>().join(",")
}

fn longest(grid: &Grid, numbers: &[usize]) -> Duration {
    let of = |Element { comparisons, longest, .. }: &Element| {
        *longest * 2 + if *comparisons > 0 { BUILDING } else { MARGIN }
    };
    numbers.iter().map(|number| of(&grid.elements[*number])).max().unwrap_or(MARGIN)
}

/// A time as Slurm reads it: a number alone is minutes.
fn minutes(time: Duration) -> String {
    time.as_secs().div_ceil(60).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::file::tests::parsed;
    use super::*;

    #[test]
    fn numbers_are_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!((ranges(&[4]), ranges(&[])), ("4".to_owned(), String::new()));
    }

    #[test]
    fn a_script_asks_for_a_whole_node_a_licence_and_to_be_started_again() {
        let text = "[[cells]]\nworkload = 'pairs'\nthreads = '1,2'\nbudget = '1m'\n\
                    backend = ['global', 'host']\n[[machine]]\nname = 'amd'\npartition = 'p'\n\
                    licenses = 'box:1'\nnode = 'n1'\ntarget = '/scratch/t'\n";
        let grid = parsed(text).expect("a grid");
        let script = script(&grid, &grid.machines[0], &[0, 1], "/bin/solock").expect("a script");
        let lines: Vec<&str> = script.lines().collect();
        for line in [
            "#SBATCH --array=0-1",
            "#SBATCH --exclusive",
            "#SBATCH --requeue",
            "#SBATCH --nodes=1",
            "#SBATCH --partition=p",
            "#SBATCH --licenses=box:1",
            "#SBATCH --nodelist=n1",
            // Two cells of a minute, twice, and a quarter of an hour.
            "#SBATCH --time=19",
            "#SBATCH --output=/somewhere/night.grid/logs/night-amd-%A_%a.txt",
            "export CARGO_TARGET_DIR='/scratch/t'",
        ] {
            assert!(lines.contains(&line), "{line}: {script}");
        }
        let command = format!("    --machine amd --plan {}", grid.digits());
        assert_eq!(lines.last(), Some(&command.as_str()));
        assert!(script.contains("exec '/bin/solock' grid element '/somewhere/night.toml'"));
    }

    #[test]
    fn a_path_that_would_be_something_else_in_a_script_is_refused() {
        let grid = parsed("[[cells]]\nthreads = 1\n").expect("a grid");
        let moved = Grid { path: PathBuf::from("/a b/night.toml"), ..grid };
        let error = script(&moved, &Machine::default(), &[0], "solock").expect_err("a space");
        assert!(error.starts_with("/a b/night.toml: it is written into a script"), "{error}");
    }

    #[test]
    fn where_rounds_decide_the_time_is_that_of_all_rounds() {
        let of = |rounds: u32, seconds: f64| {
            let text = format!(
                "[[cells]]\nworkload = 'pairs'\nthreads = 1\nbackend = ['global', 'host']\n\
                 rounds = {rounds}\nseconds = {seconds}\n"
            );
            let grid = parsed(&text).expect("a grid");
            (grid.elements[0].longest.as_secs_f64(), longest(&grid, &[0]))
        };
        // Two cells, a fifth of the rounds with a third process; the time twice, for repeats, and a
        // tenth more to warm up.
        let (longest, time) = of(100, 2.0);
        assert!((968.0..1100.0).contains(&longest), "{longest}");
        assert_eq!(time, Duration::from_secs_f64(longest) * 2 + MARGIN);
        assert!(of(200, 2.0).0 > 1.9 * longest && of(100, 4.0).0 > 1.9 * longest * 0.95);
    }
}
