//! `grid run`, and everything that a grid can be told wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use results::collected::Set;
use results::{Element, Origin, Run};

use super::night::{Night, cells, move_to};
use crate::common::text;

/// It ended so, and said this, wherever lines end.
#[track_caller]
fn says(output: &Output, code: i32, what: &str) {
    let said = text(&output.stdout) + &text(&output.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(what), "{what}: {said}");
}

/// When each file was written.
fn times(night: &Night) -> BTreeMap<PathBuf, SystemTime> {
    let time = |path: &PathBuf| fs::metadata(path).expect("there").modified().expect("a time");
    night.files().into_iter().map(|path| (path.clone(), time(&path))).collect()
}

#[test]
fn a_grid_that_was_ended_goes_on_where_it_was() {
    let night = Night::of(&cells(4));
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let before = night.files().len();
        let mut command = night.grid("run", &[]);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let until = Instant::now() + Duration::from_secs(600);
        while night.files().len() < before + 1 {
            assert!(Instant::now() < until, "nothing after ten minutes");
            thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        assert_eq!(child.wait().expect("ended").code(), code, "{signal}");
    }
    let there = times(&night);
    assert!(!there.is_empty() && there.len() < 4, "{there:?}");
    assert!(!night.collected().is_whole());
    says(&night.output("status", &[]), 0, "missing: ");
    says(&night.output("run", &[]), 0, "4 of 4 elements");
    let collected = night.collected();
    assert!(collected.is_whole());
    assert_eq!((collected.sets().count(), night.files().len()), (4, 4), "nothing is doubled");
    let after = times(&night);
    assert!(there.iter().all(|(path, time)| after[path] == *time), "measured again");
    // Nothing is left to do, and nothing is done.
    says(&night.output("run", &[]), 0, "4 of 4 elements");
    assert_eq!(times(&night), after);
    let answer = night.output("collect", &[]);
    says(&answer, 0, "How fine should the lock be?");
}

#[test]
fn an_element_is_measured_once_and_again_where_its_file_is_cut() {
    let night = Night::of(&cells(2));
    says(&night.output("element", &["0"]), 0, "nothing leaked");
    let [file] = &night.files()[..] else { panic!("{:?}", night.files()) };
    let whole = fs::read(file).expect("read");
    says(&night.output("element", &["0"]), 0, "is there");
    assert_eq!(fs::read(file).expect("read"), whole);
    let cut = &whole[..whole.len() / 2];
    fs::write(file, cut).expect("cut");
    says(&night.output("collect", &[]), 4, "set aside: ");
    says(&night.output("status", &[]), 0, "nothing yet of 2 elements");
    says(&night.output("run", &[]), 0, "2 of 2 elements");
    assert!(night.collected().is_whole());
    assert_ne!(fs::read(file).expect("read"), whole, "measured again");
    let [aside] = &night.put_aside()[..] else { panic!("{:?}", night.put_aside()) };
    assert_eq!(fs::read(aside).expect("read"), cut, "nothing is lost");
    says(&night.output("status", &[]), 0, "1 file put aside");
    says(&night.output("element", &["2"]), 1, "no element 2; valid are 0 to 1");
    says(&night.output("element", &["0", "--plan", "00000000"]), 1, "its plan is ");
    says(&night.output("element", &["0", "--machine", "a/b"]), 1, "a name has letters");
}

#[test]
fn what_is_wrong_with_a_grid_is_said_before_anything_is_measured() {
    let of = |text: &str| Night::of(text).output("run", &[]);
    let cell = "[[cells]]\nthreads = 1\n";
    says(&of(&format!("{cell}backend = 'per-sockets'\n")), 1, "did you mean \"per-socket\"?");
    says(&of(&format!("{cell}workload = 'pairs'\nsize = 0\n")), 1, "[[cells]] 1: --size 0: ");
    says(&of(&format!("{cell}[[machine]]\nname = 'a b'\n")), 1, "machine \"a b\"");
    let two = "[[machine]]\nname = 'a'\n[[machine]]\nname = 'b'\n";
    says(&of(&format!("{cell}{two}")), 1, "Say --machine NAME: the grid \"night\" has a, b");
    let night = Night::of(cell);
    fs::remove_file(night.file()).expect("removed");
    says(&night.output("plan", &[]), 1, "night.toml: ");
    assert!(!night.out().exists(), "nothing was begun");
}

#[test]
fn a_plan_has_the_elements_and_the_hours() {
    let night = Night::of(
        "budget = '1m'\n[[cells]]\nworkload = ['pairs', 'ring']\n\
                           backend = ['global', 'host']\nthreads = '1,2'\n\
                           [[machine]]\nname = 'a'\n[[machine]]\nname = 'b'\n",
    );
    let output = night.output("plan", &[]);
    says(&output, 0, "6 cells in 3 elements, on each machine at most 0.10 h; 2 machines, 0.20 h");
    says(&output, 0, "pairs with 2 threads, stream, 64 B, adaptive on global, host");
    says(&output, 0, "skipped: ring with 1 thread, stream, 64 B, adaptive: a ring has at least 2");
    assert!(!night.out().exists());
}

#[test]
fn what_was_measured_at_once_is_measured_again() {
    let night = Night::of(&cells(3));
    says(&night.output("run", &[]), 0, "3 of 3 elements");
    let collected = night.collected();
    let sets: Vec<&Set> = collected.sets().collect();
    let other = times(&night)[sets[2].path()];
    for set in &sets[..2] {
        move_to(set, "2026-11-23T09:00:00.000Z", "2026-11-23T09:09:00.000Z");
    }
    says(&night.output("status", &[]), 0, "missing: ");
    says(&night.output("status", &[]), 0, "2 of 3 elements: ");
    says(&night.output("run", &[]), 0, "3 of 3 elements");
    assert_eq!((night.files().len(), night.put_aside().len()), (3, 2));
    assert_eq!(times(&night)[sets[2].path()], other, "measured again");
}

#[test]
fn where_an_element_is_missing_in_the_end_the_run_says_so() {
    let night = Night::of(&cells(2));
    says(&night.output("element", &["0"]), 0, "nothing leaked");
    // As many are of another commit, and later: to measure again would not help.
    let set = night.collected().sets().next().expect("one").clone();
    for day in ["2099-01-01", "2099-01-02"] {
        let element = Element { commit: Some("0123abc".to_owned()), ..set.element.clone() };
        let run = Run { path: night.out().join(format!("{day}.jsonl")), ..set.run.clone() };
        let time = format!("{day}T00:00:00.000Z");
        move_to(&Set { element, run }, &time, &time);
    }
    says(&night.output("run", &[]), 4, "another commit: ");
    assert_eq!(night.put_aside(), [] as [PathBuf; 0]);
}

#[test]
fn an_element_that_two_nodes_of_a_machine_measured_is_told() {
    let night = Night::of(&cells(1));
    says(&night.output("run", &[]), 0, "1 of 1 elements");
    let set = night.collected().sets().next().expect("one").clone();
    let origin = Origin { node: "n2".to_owned(), ..set.element.origin.clone() };
    let element = Element { origin, ..set.element.clone() };
    let run = Run { path: night.out().join("n2.jsonl"), ..set.run.clone() };
    let time = "2026-11-23T09:00:00.000Z";
    move_to(&Set { element, run }, time, time);
    let said = "1 of 1 element: 0, each measured by several nodes";
    says(&night.output("collect", &[]), 0, said);
    says(&night.output("status", &[]), 0, "doubled: ");
}

#[test]
fn two_grids_in_one_folder_are_kept_apart() {
    let night = Night::of(&(String::from("out = 'night.grid'\n") + &cells(1)));
    let day = night.folder.path().join("day.toml");
    fs::copy(night.file(), &day).expect("copied");
    for _ in 0..2 {
        says(&night.output("run", &[]), 0, "1 of 1 elements");
        let mut day = night.grid_of(&day, "run", &[]);
        says(&day.output().expect("starts"), 0, "1 of 1 elements");
    }
    assert_eq!(night.files().len(), 2);
    says(&night.output("status", &[]), 0, "it is of the grid \"day\"");
}

#[test]
fn a_machine_is_measured_where_it_says_and_a_folder_that_is_not_there_is_named() {
    let text = |folder: &str| {
        let cells =
            cells(1).replace("seconds = 0.02\nrounds = 1\n", "sides = ['HEAD~1', 'HEAD']\n");
        format!("{cells}[[machine]]\nname = 'a'\nfolder = '{folder}'\ntarget = '/dev/null/x'\n")
    };
    says(&Night::of(&text("/nowhere")).output("run", &[]), 1, "there is no folder /nowhere");
    let checkout = tempfile::tempdir().expect("a folder");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@a"]).args(arguments);
        assert!(git.current_dir(checkout.path()).status().expect("git").success());
    };
    git(&["init", "--quiet"]);
    (0..2).for_each(|_| git(&["commit", "--quiet", "--allow-empty", "--message=x"]));
    let night = Night::of(&text(checkout.path().to_str().expect("UTF-8")));
    // The sides are of that checkout, and would be built there.
    says(&night.output("run", &["--machine", "a"]), 1, "cannot write to /dev/null/x/");
    says(&night.output("status", &[]), 0, "missing: a: 1 of 1 element: 0");
}

#[test]
fn other_peoples_files_are_named_and_left_aside() {
    let night = Night::of(&cells(1));
    says(&night.output("run", &[]), 0, "1 of 1 elements");
    let other = Night::of(&cells(1).replace("seconds = 0.02", "seconds = 0.03"));
    says(&other.output("run", &[]), 0, "1 of 1 elements");
    let folders = [other.out(), night.out(), PathBuf::from("../results/recorded")];
    let folders = folders.map(|folder| fs::canonicalize(folder).expect("there"));
    let folders: Vec<&str> = folders.iter().map(|path| path.to_str().expect("UTF-8")).collect();
    let out = night.folder.path().join("report");
    let out = ["--out", out.to_str().expect("UTF-8")];
    let output = night.output("collect", &[&folders[..], &out].concat());
    says(&output, 0, "1 of 1 elements");
    for what in ["the grid has no element", "run.jsonl: not of this grid: it is of no grid"] {
        says(&output, 0, what);
    }
    let kept = fs::read_dir(night.folder.path().join("report")).expect("there").count();
    assert_eq!(kept, 3, "the set and the reports");
    says(&night.output("collect", &["nowhere"]), 1, "nowhere");
}

#[test]
fn a_machine_without_solock_or_without_slurm_says_so() {
    let machine = "[[machine]]\nname = 'a'\nsolock = '/nowhere/solock'\n";
    let night = Night::of(&(cells(2) + machine));
    let output = night.output("slurm", &[]);
    says(&output, 0, "night-a.sbatch");
    let script = text(&output.stdout);
    let mut job = Command::new("sh");
    job.arg(script.trim()).env("SLURM_ARRAY_TASK_ID", "0").env("SLURMD_NODENAME", "n7");
    let output = job.output().expect("sh");
    says(&output, 1, "there is no '/nowhere/solock' on n7");
    let mut submit = night.grid("slurm", &["--submit"]);
    says(&submit.env("PATH", "").output().expect("starts"), 1, "sbatch cannot be run");
    let unnamed = Night::of(&cells(1));
    says(&unnamed.output("slurm", &[]), 1, "it names no machine");
}
