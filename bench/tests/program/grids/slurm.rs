//! A real Slurm: two nodes that are emulated on this box, of which one dies and comes back.

mod cluster;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::night::{Night, cells, has, skipped};
use crate::common::text;
use cluster::Cluster;

/// What it takes.
const PROGRAMS: [&str; 5] = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol"];
/// Elements, of two cells each.
const ELEMENTS: usize = 6;

#[test]
fn nothing_is_lost_or_doubled_where_a_node_dies_and_no_two_cells_are_measured_at_once() {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !has(program)).collect();
    let is_root = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !missing.is_empty() || !is_root {
        let what = if is_root {
            format!("no {missing:?}; apt-get install slurm-wlm munge")
        } else {
            "Slurm's daemons are started as root, and this is another user".to_owned()
        };
        return skipped(&what, "SOLOCK_REQUIRE_SLURM");
    }
    let began = Instant::now();
    let machine = "[[machine]]\nname = 'emulated'\npartition = 'bench'\nlicenses = 'box:1'\n";
    // Long enough to die in the middle of.
    let cells = cells(ELEMENTS).replace("seconds = 0.02", "seconds = 0.2");
    let night = Night::of(&(cells + machine));
    let mut cluster = Cluster::start();
    let mut submit = night.grid("slurm", &["--submit"]);
    let output = cluster.within(&mut submit).output().expect("starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("emulated: job "), "{}", text(&output.stdout));

    // A node dies, with all that it runs, and comes back.
    cluster.wait_for("an element", || has_files(&night, 1));
    let work = night.out().join("work");
    let killed = cluster.kill_node_that_measures(|| is_written_below(&work));
    // The other one goes on alone.
    let files = night.files().len();
    cluster.wait_for("an element without it", || has_files(&night, files + 1));
    cluster.start_again(killed);
    // Only its daemon dies; what it runs, if it runs anything, goes on.
    let files = night.files().len();
    cluster.wait_for("more elements", || has_files(&night, files + 2));
    cluster.kill_daemon(1 - killed);
    thread::sleep(Duration::from_secs(1));
    cluster.start_again(1 - killed);

    cluster.wait_for_end(Duration::from_secs(1800), || night.collected().is_whole());
    let collected = night.collected();
    let sets: Vec<_> = collected.sets().collect();
    let said = || text(&night.output("status", &[]).stdout);
    assert_eq!(sets.len(), ELEMENTS, "{}", said());
    assert_eq!(night.files().len(), ELEMENTS, "nothing doubled: {}", said());
    let lines = collected.sets().flat_map(|set| set.run.measured());
    let cells = lines.map(|line| &line.cell_id).collect::<BTreeSet<_>>().len();
    assert_eq!(cells, 2 * ELEMENTS, "{}", said());
    assert!(collected.faults.iter().all(|fault| fault.path.starts_with(&work)), "{}", said());
    let origins: Vec<_> = sets.iter().map(|set| &set.element.origin).collect();
    assert!(origins.iter().all(|origin| origin.job.is_some()));
    let restarted = origins.iter().filter(|origin| origin.restarts > 0).count();
    assert_eq!(restarted, 1, "{origins:?}");
    assert_eq!(collected.machines[0].nodes(), ["n1", "n2"], "both have measured");
    assert_eq!(collected.faults.len(), 1, "what the killed node had begun: {}", said());
    let overlaps = overlaps(&sets);
    assert_eq!(overlaps, 0, "{}", said());
    println!(
        "slurm: {cells} cells in {ELEMENTS} elements on {:?}; 2 kills, {restarted} restarted, {} \
         cut and measured anew, 0 lost, 0 doubled, {overlaps} at once; {} s",
        collected.machines[0].nodes(),
        collected.faults.len(),
        began.elapsed().as_secs()
    );
}

fn has_files(night: &Night, files: usize) -> bool {
    night.files().len() >= files
}

/// Whether the records of an element that is under way have begun.
fn is_written_below(work: &Path) -> bool {
    let below = |folder: &Path| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path())
    };
    let is_partial = |path: PathBuf| path.to_string_lossy().ends_with(".partial.jsonl");
    below(work).any(|folder| below(&folder).any(is_partial))
}

/// How many pairs of elements were measured at the same time; all nodes are one box.
fn overlaps(sets: &[&results::collected::Set]) -> usize {
    let mut times: Vec<(&str, &str)> =
        sets.iter().map(|set| (&*set.element.started, &*set.element.ended)).collect();
    times.sort_unstable();
    times.windows(2).filter(|pair| pair[1].0 < pair[0].1).count()
}
