//! ministat(1): a number per line; a line that begins with `#` is left aside.

use results::{Ratio, Record};

use super::*;

#[test]
fn ministat_has_a_file_per_side() {
    let mut large = throughput("global", 0, 10);
    large.cell.message_bytes = 1024;
    large.cell_id = large.cell.id();
    let mut all = rounds();
    all.extend([throughput("per-socket", 0, 500), large]);
    all[1].host_noise.flagged = true;
    let (folder, paths) = exported(all, "ministat");
    let [small, large] = ["64B", "1024B"].map(|bytes| format!("pairs-t2-stream-{bytes}-adaptive"));
    let expected =
        [format!("{small}/global"), format!("{small}/per-socket"), format!("{large}/global")];
    assert_eq!(names(folder.path(), &paths), expected);
    let text = fs::read_to_string(&paths[0]).expect("readable");
    assert_eq!(text, format!("# {GLOBAL}: operations per second\n1000\n4000\n"));
}

/// The side that a run's ratios are to is the first, whichever ran first.
#[test]
fn the_first_side_is_the_one_that_ratios_are_to() {
    let mut run = run(vec![throughput("per-socket", 0, 1), throughput("global", 0, 1)]);
    let first = |run: &Run| {
        let format = Format::named("ministat").expect("a format");
        let all = results::export::contents(&Chosen::all(run), format).expect("files");
        all[0].0.display().to_string()
    };
    assert_eq!(first(&run), "pairs-t2/per-socket");
    let ratio =
        Ratio { cell: PER_SOCKET.to_owned(), against: GLOBAL.to_owned(), ..Ratio::default() };
    run.records.push(Record::from(ratio));
    assert_eq!(first(&run), "pairs-t2/global");
}

#[test]
fn ministat_sees_the_difference_and_its_direction() {
    let rounds: Vec<Measured> = about("global", 10_000).chain(about("per-socket", 8_000)).collect();
    let (folder, paths) = exported(rounds, "ministat");
    assert_eq!(names(folder.path(), &paths), ["pairs-t2/global", "pairs-t2/per-socket"]);
    let percent = |from: &Path, to: &Path| {
        let said = said("ministat", &[from, to])?;
        assert!(said.contains("Difference at 95.0% confidence"), "{said}");
        let line = said.lines().find(|line| line.contains("% +/-")).expect("in percent");
        let number = line.trim().split('%').next().expect("a number");
        Some(number.parse::<f64>().expect("a number"))
    };
    let Some(there) = percent(&paths[0], &paths[1]) else {
        return skipped("ministat", "apt-get install ministat");
    };
    let back = percent(&paths[1], &paths[0]).expect("it was there");
    assert!((there + 20.0).abs() < 0.1 && (back - 25.0).abs() < 0.1, "{there} {back}");
}
