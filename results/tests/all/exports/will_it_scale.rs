//! What will-it-scale's `runtest.py` prints and its `postprocess.py` and `plot.js` take: six
//! columns under these names, a row of no task first, a title in a file beside it, and no dot in
//! the names, which are cut there.

use results::{Cell, Own};

use super::*;
use crate::fixture::cell;

/// Rounds of so many threads.
fn on(threads: u32, operations: u64) -> Measured {
    let mut round = throughput("per-socket", 0, operations);
    round.cell.threads = threads;
    round.cell_id = round.cell.id();
    round
}

#[test]
fn will_it_scale_has_a_table_by_tasks_and_a_title() {
    let mut paced = on(4, 100);
    paced.cell = Cell { own: Own::from_iter([("rate_asked", 1.5)]), ..cell("paced", "a.b", 4) };
    paced.cell_id = paced.cell.id();
    let rounds = vec![on(4, 3000), on(1, 1000), on(2, 1900), paced, latency("global", 0, &[1])];
    let (folder, paths) = exported(rounds, "will-it-scale");
    let expected =
        ["per-socket-pairs.csv", "per-socket-pairs.title", "a_b-paced.csv", "a_b-paced.title"];
    assert_eq!(names(folder.path(), &paths), expected);
    let read = |path: &PathBuf| fs::read_to_string(path).expect("readable");
    let table = "tasks,processes,processes_idle,threads,threads_idle,linear\n\
                 0,,,0,,0\n1,,,1000,,1000\n2,,,1900,,2000\n4,,,3000,,4000\n";
    assert_eq!(read(&paths[0]), table);
    assert_eq!(read(&paths[1]), "pairs on per-socket: stream, 64 B, adaptive\n");
    assert!(read(&paths[2]).ends_with("\n4,,,100,,\n"), "one task was not measured");
    let mut odd = on(1, 1);
    odd.cell.workload = "'); alert(\"1\n".to_owned();
    odd.cell_id = odd.cell.id();
    let (_folder, paths) = exported(vec![odd], "will-it-scale");
    assert_eq!(read(&paths[1]), "___ alert__1_ on per-socket: stream, 64 B, adaptive\n");
}
