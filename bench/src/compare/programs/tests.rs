//! Programs that are kept, whose turn it is, and what can be left out of them.

use std::time::Duration;

use super::*;

#[test]
fn a_package_says_what_can_be_left_out_of_it() {
    assert!(has_variants("[features]\ndefault = [\"variants\"]\nvariants = []"));
    for manifest in ["", "[features]\nvariant = []", "features = \"variants\"", "[features"] {
        assert!(!has_variants(manifest), "{manifest}");
    }
    let own = fs::read_to_string("serve/Cargo.toml").expect("it is here");
    assert!(has_variants(&own), "else it is built with everything");
}

/// The folders of programs that are kept, by name.
fn names(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).expect("readable").flatten();
    let mut names: Vec<String> =
        all.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// A checkout without a compiler's doing.
struct Empty {
    folder: tempfile::TempDir,
    repository: Repository,
    interrupt: Interrupt,
    watch: Watch,
}

impl Empty {
    fn new() -> Empty {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository { root: folder.path().to_owned() };
        fs::create_dir(folder.path().join("programs")).expect("made");
        Empty { folder, repository, interrupt: Interrupt::default(), watch: Watch::new() }
    }

    fn all(&self) -> PathBuf {
        self.folder.path().join("programs")
    }

    fn programs(&self) -> Programs<'_> {
        let (folder, around) =
            (self.folder.path(), Around { interrupt: &self.interrupt, watch: &self.watch });
        let lock = Lock::take(&folder.join("lock"), around).expect("taken");
        Programs {
            folder: folder.to_owned(),
            repository: &self.repository,
            interrupt: &self.interrupt,
            watch: &self.watch,
            surroundings: Surroundings::of(folder).expect("a compiler"),
            kind: Kind::Serving,
            scratch: Arc::new(Folder::of_this_process(&folder.join("linked"))),
            lock: Arc::new(lock),
        }
    }

    /// What cargo made, with what a linker that knows no orders leaves.
    fn built(&self, text: &str) -> Built {
        let (program, object) =
            (self.folder.path().join("built"), self.folder.path().join("object"));
        fs::write(&program, text).expect("written");
        layouts::keep("no linker", &object, &program).expect("kept");
        Built { program, object: Ok(object) }
    }
}

#[test]
fn so_many_programs_are_kept_and_the_longest_unused_go_first() {
    let empty = Empty::new();
    let (all, programs) = (empty.all(), empty.programs());
    let now = SystemTime::now();
    let used = |name: u32, ago: u64| {
        let one = all.join(name.to_string());
        fs::create_dir_all(&one).expect("made");
        let when = now - Duration::from_secs(ago);
        File::open(one).expect("there").set_modified(when).expect("set");
    };
    // The larger the name, the longer ago, but for one.
    (0..10).for_each(|name| used(name, u64::from(name) * 60));
    used(9, 1);
    programs.forget_oldest();
    assert_eq!(names(&all), ["0", "1", "2", "3", "4", "5", "6", "9"]);
    programs.forget_oldest();
    assert_eq!(names(&all).len(), KEPT_MAX, "no more than too many");
    // What is found is young again.
    fs::write(all.join("6").join(PROGRAM), "").expect("written");
    layouts::keep("no linker", &all.join("object"), &all.join("6").join(PROGRAM)).expect("kept");
    layouts::share(&all.join("object"), &all.join("6")).expect("shared");
    fs::remove_dir_all(all.join("object")).expect("removed");
    used(6, 1000);
    assert!(programs.kept("6").is_some() && programs.kept("0").is_none());
    used(10, 30);
    programs.forget_oldest();
    assert_eq!(names(&all), ["0", "1", "10", "2", "3", "4", "6", "9"]);
}

#[test]
fn none_of_nine_sides_is_removed_while_it_is_compared() {
    let empty = Empty::new();
    let programs = empty.programs();
    let keep = |side: u32| {
        let built = empty.built(&side.to_string());
        programs.keep(&built, &side.to_string()).expect("kept")
    };
    let sides: Vec<Layouts> = (0..9).map(keep).collect();
    for (side, layouts) in sides.iter().enumerate() {
        let text = fs::read_to_string(layouts.first()).expect("it is there");
        assert_eq!(text, side.to_string());
    }
    // Each is found, too, and by another driver.
    let found: Vec<Layouts> = (0..9).filter_map(|side| programs.kept(&side.to_string())).collect();
    assert_eq!(found.len(), 9);
    drop(sides);
    programs.forget_oldest();
    assert_eq!(names(&empty.all()).len(), 9);
    drop(found);
    programs.forget_oldest();
    assert_eq!(names(&empty.all()).len(), KEPT_MAX);
}

#[test]
fn a_program_of_which_something_failed_is_not_found_again_and_not_replaced() {
    let empty = Empty::new();
    let programs = empty.programs();
    let failed = Built { object: Err("disk full".to_owned()), ..empty.built("program") };
    let first = programs.keep(&failed, "key").expect("kept");
    assert_eq!(first.why_one(), Some("disk full"));
    assert!(programs.kept("key").is_none());
    let second = programs.keep(&empty.built("another"), "key").expect("kept");
    assert_ne!(first.first(), second.first());
    assert_eq!(fs::read_to_string(first.first()).expect("it is there"), "program");
    drop((first, second));
    let third = programs.keep(&empty.built("third"), "key").expect("kept");
    assert!(programs.kept("key").is_some_and(|found| found.first() == third.first()));
}

#[test]
fn a_driver_that_lost_its_lock_keeps_nothing() {
    let empty = Empty::new();
    let programs = empty.programs();
    fs::remove_file(empty.folder.path().join("lock")).expect("removed");
    let why = programs.keep(&empty.built("program"), "key").expect_err("lost");
    assert!(why.contains("was removed while it was used"), "{why}");
    assert_eq!(names(&empty.all()), [""; 0]);
}

#[test]
fn target_folders_that_nobody_uses_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let trees = [1, 2, 3].map(|number| format!("working-tree-{number}"));
    let others = ["commits", "target", "programs"].map(str::to_owned);
    trees.iter().chain(&others).for_each(|name| fs::create_dir(at(name)).expect("made"));
    let own = folder.path().as_os_str().as_encoded_bytes();
    fs::write(at("working-tree-1").join(CHECKOUT), own).expect("written");
    fs::write(at("working-tree-2").join(CHECKOUT), "/nowhere/at/all").expect("written");
    remove_unused(folder.path());
    assert_eq!(names(folder.path()), ["commits", "programs", "working-tree-1"]);
}

#[test]
fn the_program_of_another_crate_is_built_of_its_checkout_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("there").join("checkout");
    let inside = root.join("mine/Cargo.toml");
    fs::create_dir_all(root.join("mine")).expect("made");
    fs::write(&inside, "").expect("written");
    let manifest = inside.display().to_string().leak();
    let own = BuiltFrom { manifest, program: "mine", commit: None, dirty: None };
    let kind = own_kind(&own, &Repository { root: root.clone() });
    assert_eq!(kind, Ok(Kind::Own { manifest: "mine/Cargo.toml", program: "mine" }));
    let why = own_kind(&own, &Repository { root: root.join("elsewhere") }).unwrap_err();
    assert!(why.contains("which is not in the checkout"), "{why}");
}

#[test]
fn that_a_side_has_one_layout_is_told_with_its_name_and_why() {
    let told = one_layout("HEAD~1", "no such flag");
    assert!(told.starts_with("HEAD~1 could not be linked"), "{told}");
    assert!(told.ends_with("lies (no such flag)"), "{told}");
}
